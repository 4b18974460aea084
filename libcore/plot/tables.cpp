// The statistics as tables, and tables as Markdown, LaTeX and text: see report.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "plot/report.hpp"

namespace lbann::plot {

namespace {

std::string shown(double value, const std::string& unit) {
  return (std::isnan(value) ? std::string("nan") : fmt::format("{:.6g}", value)) + unit;
}

std::string place(const Point* p, bool epochs) {
  if (!p) return "-";
  const std::int64_t n = epochs ? p->epoch : p->step;
  return n < 0 ? "-" : std::to_string(n);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  if (seconds < 120) return fmt::format("{:.3g} s", seconds);
  if (seconds < 7200) return fmt::format("{:.3g} min", seconds / 60);
  return fmt::format("{:.3g} h", seconds / 3600);
}

// Columns from `first` on in which every cell is "-" go.
void drop_empty_columns(Table& table, std::size_t first) {
  for (std::size_t i = table.columns.size(); i-- > first;) {
    const bool empty =
        std::all_of(table.rows.begin(), table.rows.end(), [i](const auto& row) { return row[i] == "-"; });
    if (!empty) continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::string markdown_cell(const std::string& text) {
  std::string escaped;
  for (const char c : base::printable(text)) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string latex_cell(const std::string& text) {
  std::string escaped;
  for (const char c : base::printable(text)) {
    switch (c) {
      case '\\':
        escaped += "\\textbackslash{}";
        break;
      case '~':
        escaped += "\\textasciitilde{}";
        break;
      case '^':
        escaped += "\\textasciicircum{}";
        break;
      case '%':
      case '&':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        escaped += std::string("\\") + c;
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::vector<Table> make_tables(const std::vector<Run>& runs, const std::vector<Target>& targets) {
  bool epochs = true;
  for (const Run& run : runs)
    for (const Series& s : run.series)
      if (!s.points.empty()) epochs = epochs && s.points.back().epoch >= 0;
  const std::string at = epochs ? "at epoch" : "at step";
  std::vector<Table> tables(1);
  Table& t = tables[0];
  t.columns = {{"run", false},
               {"series", false},
               {"metric", false},
               {"best", true},
               {at, true},
               {"last", true},
               {at, true},
               {"not finite", true},
               {"diverged " + at, true},
               {"gap to training", true},
               {"target " + at, true},
               {"target after", true}};
  for (const Run& run : runs)
    for (const Series& s : run.series) {
      if (s.points.empty()) continue;
      const SeriesStatistics m = measure(run, s, targets);
      t.rows.push_back({run.name, series_label(run, s, false), s.metric,
                        m.best ? shown(m.best->value, s.unit) : "-", place(m.best, epochs),
                        shown(m.last->value, s.unit), place(m.last, epochs),
                        m.num_not_finite ? std::to_string(m.num_not_finite) : "-", place(m.diverged, epochs),
                        m.gap ? shown(*m.gap, s.unit) : "-",
                        m.has_target && !m.reached ? "never" : place(m.reached, epochs),
                        m.reached ? duration(m.reached->time) : "-"});
    }
  drop_empty_columns(t, 7);
  Table speed;
  speed.columns = {
      {"run", false}, {"steps/s, median", true}, {"steps/s, 5 % are slower", true}, {"over", true}};
  for (const Run& run : runs)
    if (const auto m = measure_throughput(run))
      speed.rows.push_back(
          {run.name, fmt::format("{:.4g}", m->median), fmt::format("{:.4g}", m->low), duration(m->seconds)});
  if (!speed.rows.empty()) tables.push_back(std::move(speed));
  return tables;
}

std::string render_markdown(const std::vector<Table>& tables) {
  std::string text;
  for (const Table& t : tables) {
    if (!text.empty()) text += "\n";
    std::string head = "|";
    std::string rule = "|";
    for (const Table::Column& c : t.columns) {
      head += " " + c.title + " |";
      rule += c.number ? " ---: |" : " --- |";
    }
    text += head + "\n" + rule + "\n";
    for (const auto& row : t.rows) {
      text += "|";
      for (const std::string& cell : row) text += " " + markdown_cell(cell) + " |";
      text += "\n";
    }
  }
  return text;
}

std::string render_latex(const std::vector<Table>& tables) {
  std::string text = "% needs \\usepackage{booktabs}\n";
  for (const Table& t : tables) {
    text += "\\begin{tabular}{";
    for (const Table::Column& c : t.columns) text += c.number ? 'r' : 'l';
    text += "}\n\\toprule\n";
    for (std::size_t i = 0; i < t.columns.size(); ++i)
      text += (i ? " & " : "") + latex_cell(t.columns[i].title);
    text += " \\\\\n\\midrule\n";
    for (const auto& row : t.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) text += (i ? " & " : "") + latex_cell(row[i]);
      text += " \\\\\n";
    }
    text += "\\bottomrule\n\\end{tabular}\n";
  }
  return text;
}

std::string render_text(const std::vector<Table>& tables) {
  std::string text;
  for (const Table& t : tables) {
    if (!text.empty()) text += "\n";
    std::vector<int> widths;
    for (const Table::Column& c : t.columns) widths.push_back(base::count_code_points(c.title));
    for (const auto& row : t.rows)
      for (std::size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], base::count_code_points(base::printable(row[i])));
    const auto line = [&](const auto& cell_of) {
      std::string out;
      for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::string cell = base::printable(cell_of(i));
        const std::string blanks(static_cast<std::size_t>(widths[i] - base::count_code_points(cell)), ' ');
        out += (i ? "  " : "") + (t.columns[i].number ? blanks + cell : cell + blanks);
      }
      out.erase(out.find_last_not_of(' ') + 1);
      return out + "\n";
    };
    text += line([&](std::size_t i) { return t.columns[i].title; });
    for (const auto& row : t.rows) text += line([&](std::size_t i) { return row[i]; });
  }
  return text;
}

}  // namespace lbann::plot
