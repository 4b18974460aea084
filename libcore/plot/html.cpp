// The page: see html.hpp. Script, style and dygraphs are files that the build puts among the constants.
#include "plot/html.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "base/diagnostic.hpp"
#include "base/utf8.hpp"
#include "plot/report.hpp"

#define LBANN_EMBED(name, file)                                           \
  asm(".pushsection .rodata\n"                                            \
      ".global " #name                                                    \
      "_begin\n"                                                          \
      ".hidden " #name "_begin\n" #name                                   \
      "_begin:\n"                                                         \
      ".incbin \"" file                                                   \
      "\"\n"                                                              \
      ".global " #name                                                    \
      "_end\n"                                                            \
      ".hidden " #name "_end\n" #name                                     \
      "_end:\n"                                                           \
      ".popsection\n");                                                   \
  extern "C" {                                                            \
  extern const char name##_begin[] __attribute__((visibility("hidden"))); \
  extern const char name##_end[] __attribute__((visibility("hidden")));   \
  }

LBANN_EMBED(lbann_page_script, LBANN_PAGE_SCRIPT)
#ifdef LBANN_DYGRAPHS_SCRIPT
LBANN_EMBED(lbann_dygraphs_script, LBANN_DYGRAPHS_SCRIPT)
LBANN_EMBED(lbann_dygraphs_style, LBANN_DYGRAPHS_STYLE)
#endif

namespace lbann::plot {

namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : base::printable(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Inside <script> no text may end the element.
std::string script_text(const std::string& text) {
  std::string out;
  for (const char c : base::json_quote(base::printable(text)))
    out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

std::string numbers(const std::vector<XY>& points, bool x) {
  std::string text = "[";
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double value = x ? points[i].x : points[i].y;
    text += i ? "," : "";
    text += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  return text + "]";
}

std::string curve_text(const Curve& c) {
  const std::vector<XY>& raw = c.ghost.empty() ? c.points : c.ghost;
  std::string text = fmt::format("{{\"label\":{},\"color\":\"{}\",\"dash\":{},\"x\":{},\"y\":{}",
                                 script_text(c.label), palette()[static_cast<std::size_t>(c.color)], c.dash,
                                 numbers(raw, true), numbers(raw, false));
  if (!c.low.empty())
    text += fmt::format(",\"bx\":{},\"low\":{},\"high\":{}", numbers(c.low, true), numbers(c.low, false),
                        numbers(c.high, false));
  return text + "}";
}

std::string figure_text(const Figure& figure, const FigureOptions& o) {
  std::string text = fmt::format("{{\"x_title\":{},\"log_y\":{},\"smooth\":{},\"restarts\":[",
                                 script_text(figure.x_title), o.log_y, o.smooth);
  for (std::size_t i = 0; i < figure.restarts.size(); ++i)
    text += fmt::format("{}{}", i ? "," : "", figure.restarts[i]);
  text += "],\"panels\":[";
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    text += fmt::format("{}\n{{\"title\":{},\"spacing\":{},\"curves\":[", i ? "," : "",
                        script_text(figure.panels[i].title()), figure.panels[i].spacing);
    for (std::size_t k = 0; k < figure.panels[i].curves.size(); ++k)
      text += (k ? ",\n" : "\n") + curve_text(figure.panels[i].curves[k]);
    text += "]}";
  }
  return text + "]}";
}

std::string table_text(const Table& table) {
  std::string text = "<table><tr>";
  for (const Table::Column& c : table.columns) text += "<th>" + escaped(c.title) + "</th>";
  text += "</tr>\n";
  for (const auto& row : table.rows) {
    text += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      text += (table.columns[i].number ? "<td class=\"number\">" : "<td>") + escaped(row[i]) + "</td>";
    text += "</tr>\n";
  }
  return text + "</table>\n";
}

constexpr const char* style = R"(
body { font: 14px sans-serif; color: #222; background: #fff; margin: 16px; }
h1 { font-size: 20px; margin: 0 0 8px; }
#controls { margin: 8px 0 12px; }
#controls label { margin-right: 16px; white-space: nowrap; }
#panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(540px, 1fr)); gap: 20px 16px; }
.cell { display: flex; flex-direction: column; }
.graph { height: 320px; width: 100%; }
.values { min-height: 54px; padding-left: 76px; font-size: 12px; }
table { border-collapse: collapse; margin-top: 20px; }
th, td { padding: 3px 10px; border-bottom: 1px solid #ddd; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
)";

}  // namespace

std::string render_html(const Figure& figure, const FigureOptions& o, const std::vector<Run>& runs,
                        const std::vector<Target>& targets) {
#ifndef LBANN_DYGRAPHS_SCRIPT
  throw base::Error(base::ExitCode::environment, "this build cannot write html: it was made without dygraphs",
                    "install libjs-dygraphs (Debian) and build again, or ask for --format=svg");
#else
  const std::string_view dygraphs(
      lbann_dygraphs_script_begin,
      static_cast<std::size_t>(lbann_dygraphs_script_end - lbann_dygraphs_script_begin));
  const std::string_view dygraphs_style(
      lbann_dygraphs_style_begin,
      static_cast<std::size_t>(lbann_dygraphs_style_end - lbann_dygraphs_style_begin));
  const std::string_view page(lbann_page_script_begin,
                              static_cast<std::size_t>(lbann_page_script_end - lbann_page_script_begin));
  // The references to their source maps would be requests.
  const auto without_map = [](std::string_view text) {
    return text.substr(0, std::min(text.find("//# sourceMappingURL"), text.find("/*# sourceMappingURL")));
  };
  const std::string title = o.title.empty() ? "lbann-plot" : o.title;
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
      "charset=\"utf-8\">\n<title>{}</title>\n<style>\n{}{}</style>\n"
      "</head>\n<body>\n<h1>{}</h1>\n"
      "<div id=\"controls\"><span id=\"curves\"></span> "
      "<label>smoothing <input type=\"range\" id=\"smooth\" min=\"0\" max=\"0.99\" step=\"0.01\"></label>"
      "<label><input type=\"checkbox\" id=\"log\"> logarithmic</label>"
      "<button id=\"whole\">whole range</button></div>\n<div id=\"panels\"></div>\n",
      escaped(title), without_map(dygraphs_style), style, escaped(title));
  for (const Table& table : make_tables(runs, targets)) text += table_text(table);
  text += "<script>\n";
  text += without_map(dygraphs);
  text += "\n</script>\n<script>\nwindow.lbann_figure = " + figure_text(figure, o) + ";\n";
  text += page;
  return text + "</script>\n</body>\n</html>\n";
#endif
}

}  // namespace lbann::plot
