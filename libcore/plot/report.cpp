// CSV, JSON and Markdown: see report.hpp.
#include "plot/report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/utf8.hpp"
#include "log/json.hpp"

namespace lbann::plot {

namespace {

std::string csv_number(double value) {
  if (std::isnan(value)) return "nan";
  return fmt::format("{}", value);
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : base::printable(text)) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string shown(double value, const std::string& unit) {
  return (std::isnan(value) ? std::string("nan") : fmt::format("{:.6g}", value)) + unit;
}

}  // namespace

std::string axis_title(Axis axis) {
  return axis == Axis::epoch ? "epoch" : axis == Axis::step ? "training steps" : "seconds";
}

std::string render_csv(const std::vector<Run>& runs) {
  std::string text = "run,trainer,mode,metric,unit,epoch,step,time,value\n";
  for (const Run& run : runs)
    for (const Series& s : run.series)
      for (const Point& p : s.points)
        text +=
            fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_text(run.name),
                        s.instance < 0 ? std::string("all") : std::to_string(s.instance), csv_text(s.mode),
                        csv_text(s.metric), csv_text(s.unit), p.epoch, p.step ? std::to_string(*p.step) : "",
                        p.time ? csv_number(*p.time) : "", csv_number(p.value));
  return text;
}

std::string render_json(const std::vector<Run>& runs) {
  using base::json_quote;
  using log::json_number;
  const auto pick = [](const char* name, const Point* p) {
    return p ? fmt::format("\"{}\":{{\"value\":{},\"epoch\":{}}}", name, json_number(p->value), p->epoch)
             : fmt::format("\"{}\":null", name);
  };
  std::string text = "{\"schema\":\"lbann-plot/1\",\"runs\":[";
  for (std::size_t r = 0; r < runs.size(); ++r) {
    text += fmt::format("{}{{\"name\":{},\"series\":[", r ? "," : "", json_quote(runs[r].name));
    for (std::size_t i = 0; i < runs[r].series.size(); ++i) {
      const Series& s = runs[r].series[i];
      text += fmt::format("{}\n{{\"trainer\":{},\"mode\":{},\"metric\":{},\"unit\":{},{},{},\"points\":[",
                          i ? "," : "", s.instance < 0 ? std::string("null") : std::to_string(s.instance),
                          json_quote(s.mode), json_quote(s.metric), json_quote(s.unit),
                          pick("best", best_point(s)),
                          pick("last", s.points.empty() ? nullptr : &s.points.back()));
      for (std::size_t k = 0; k < s.points.size(); ++k) {
        const Point& p = s.points[k];
        text += fmt::format("{}{{\"epoch\":{},\"step\":{},\"time\":{},\"value\":{}}}", k ? "," : "", p.epoch,
                            p.step ? std::to_string(*p.step) : "null", p.time ? json_number(*p.time) : "null",
                            json_number(p.value));
      }
      text += "]}";
    }
    text += "]}";
  }
  return text + "]}\n";
}

std::string render_markdown(const std::vector<Run>& runs) {
  std::string text =
      "| run | series | metric | best | at epoch | last | at epoch |\n"
      "| --- | --- | --- | ---: | ---: | ---: | ---: |\n";
  for (const Run& run : runs)
    for (const Series& s : run.series) {
      if (s.points.empty()) continue;
      const Point* best = best_point(s);
      const Point& last = s.points.back();
      text += fmt::format(
          "| {} | {} | {} | {} | {} | {} | {} |\n", cell(run.name), cell(series_label(run, s, false)),
          cell(s.metric), best ? cell(shown(best->value, s.unit)) : "-",
          best ? std::to_string(best->epoch) : "-", cell(shown(last.value, s.unit)), last.epoch);
    }
  return text;
}

}  // namespace lbann::plot
