// Tables of runs: CSV and JSON with every point, Markdown with best and last values.
//
// Numbers in CSV and JSON are the shortest that read back as the same double; the Markdown table
// and the terminal show six digits. NaN and infinities are `nan`, `inf`, `-inf` in CSV and strings
// in JSON.
#pragma once

#include <string>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

/// `run,trainer,mode,metric,unit,epoch,step,time,value`, one line per point (RFC 4180, "\n").
std::string render_csv(const std::vector<Run>& runs);
/// Schema `lbann-plot/1`: series with best, last and points.
std::string render_json(const std::vector<Run>& runs);
/// One row per series: best value and its epoch, last value and its epoch.
std::string render_markdown(const std::vector<Run>& runs);
/// A panel of `columns` by 12 characters per metric, then the table. `ascii`: no other characters.
std::string render_terminal(const std::vector<Run>& runs, Axis axis, int columns, bool ascii);

/// "epoch", "training steps", "seconds"
std::string axis_title(Axis axis);

}  // namespace lbann::plot
