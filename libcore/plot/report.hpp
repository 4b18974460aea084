// Tables of runs: CSV and JSON with every point; Markdown, LaTeX and plain text with the statistics.
//
// Numbers in CSV and JSON are the shortest that read back as the same double; the tables and the
// terminal show six digits. NaN and infinities are `nan`, `inf`, `-inf` in CSV and strings in JSON.
#pragma once

#include <string>
#include <vector>

#include "plot/assertion.hpp"
#include "plot/figure.hpp"
#include "plot/series.hpp"
#include "plot/statistics.hpp"

namespace lbann::plot {

/// `run,trainer,mode,metric,unit,epoch,step,time,value`, one line per point (RFC 4180, "\n"); with
/// `delimiter` '\t' as TSV.
std::string render_csv(const std::vector<Run>& runs, char delimiter = ',');
/// Schema `lbann-plot/1`: series with statistics and points.
std::string render_json(const std::vector<Run>& runs, const std::vector<Target>& targets = {});

struct Table {
  struct Column {
    std::string title{};
    bool number = false;
  };
  std::vector<Column> columns{};
  std::vector<std::vector<std::string>> rows{};
};

/// The statistics, one row per series; then the throughput, one row per run that tells it. Columns
/// in which no run has anything are left out.
std::vector<Table> make_tables(const std::vector<Run>& runs, const std::vector<Target>& targets);

std::string render_markdown(const std::vector<Table>& tables);
/// For the package booktabs.
std::string render_latex(const std::vector<Table>& tables);
/// Aligned columns.
std::string render_text(const std::vector<Table>& tables);

struct TerminalOptions {
  int columns = 80;
  bool ascii = false;  // no other characters
  bool color = false;  // with colours curves are drawn in Braille dots, without in marks
};

/// A panel of `columns` characters per metric.
std::string render_terminal(const Figure& figure, const TerminalOptions& options);

/// JUnit XML: one test case per verdict.
std::string render_junit(const std::vector<Verdict>& verdicts);

}  // namespace lbann::plot
