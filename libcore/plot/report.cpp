// CSV, JSON and JUnit: see report.hpp.
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

std::string csv_text(const std::string& text, char delimiter) {
  if (text.find_first_of("\"\r\n") == std::string::npos && text.find(delimiter) == std::string::npos)
    return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : base::printable(text))
    out += c == '<'   ? "&lt;"
           : c == '>' ? "&gt;"
           : c == '&' ? "&amp;"
           : c == '"' ? "&quot;"
                      : std::string(1, c);
  return out;
}

std::string place_json(const char* name, const Point* p) {
  if (!p) return fmt::format("\"{}\":null", name);
  std::string text = fmt::format("\"{}\":{{\"value\":{}", name, log::json_number(p->value));
  if (p->epoch >= 0) text += fmt::format(",\"epoch\":{}", p->epoch);
  if (p->step >= 0) text += fmt::format(",\"step\":{}", p->step);
  return text + "}";
}

std::string series_json(const Run& run, const Series& s, const std::vector<Target>& targets) {
  using base::json_quote;
  const SeriesStatistics m = measure(run, s, targets);
  std::string text =
      fmt::format("\n{{\"trainer\":{},\"mode\":{},\"metric\":{},\"unit\":{},{},{},{},\"not_finite\":{}",
                  s.instance < 0 ? std::string("null") : std::to_string(s.instance), json_quote(s.mode),
                  json_quote(s.metric), json_quote(s.unit), place_json("best", m.best),
                  place_json("last", m.last), place_json("diverged", m.diverged), m.num_not_finite);
  if (m.gap) text += ",\"gap\":" + log::json_number(*m.gap);
  if (m.has_target) text += "," + place_json("target", m.reached);
  text += ",\"points\":[";
  const auto count = [](std::int64_t n) { return n < 0 ? std::string("null") : std::to_string(n); };
  for (std::size_t k = 0; k < s.points.size(); ++k) {
    const Point& p = s.points[k];
    text += fmt::format("{}{{\"epoch\":{},\"step\":{},\"time\":{},\"value\":{}}}", k ? "," : "",
                        count(p.epoch), count(p.step), std::isnan(p.time) ? "null" : log::json_number(p.time),
                        log::json_number(p.value));
  }
  return text + "]}";
}

}  // namespace

std::string render_csv(const std::vector<Run>& runs, char delimiter) {
  std::string text = "run,trainer,mode,metric,unit,epoch,step,time,value\n";
  for (char& c : text)
    if (c == ',') c = delimiter;
  fmt::memory_buffer out;
  const auto count = [](std::int64_t n) { return n < 0 ? std::string() : std::to_string(n); };
  for (const Run& run : runs)
    for (const Series& s : run.series) {
      std::string head = csv_text(run.name, delimiter) + delimiter +
                         (s.instance < 0 ? std::string("all") : std::to_string(s.instance));
      for (const std::string* part : {&s.mode, &s.metric, &s.unit})
        head += delimiter + csv_text(*part, delimiter);
      for (const Point& p : s.points)
        fmt::format_to(std::back_inserter(out), "{}{}{}{}{}{}{}{}{}\n", head, delimiter, count(p.epoch),
                       delimiter, count(p.step), delimiter, std::isnan(p.time) ? "" : csv_number(p.time),
                       delimiter, csv_number(p.value));
    }
  return text.append(out.data(), out.size());
}

std::string render_json(const std::vector<Run>& runs, const std::vector<Target>& targets) {
  std::string text = "{\"schema\":\"lbann-plot/1\",\"runs\":[";
  for (std::size_t r = 0; r < runs.size(); ++r) {
    text += fmt::format("{}{{\"name\":{}", r ? "," : "", base::json_quote(runs[r].name));
    if (const auto t = measure_throughput(runs[r]))
      text += fmt::format(",\"steps_per_second\":{{\"median\":{},\"low\":{}}}", log::json_number(t->median),
                          log::json_number(t->low));
    text += fmt::format(",\"restarts\":{},\"series\":[", runs[r].restarts.size());
    for (std::size_t i = 0; i < runs[r].series.size(); ++i)
      text += (i ? "," : "") + series_json(runs[r], runs[r].series[i], targets);
    text += "]}";
  }
  return text + "]}\n";
}

std::string render_junit(const std::vector<Verdict>& verdicts) {
  std::size_t failures = 0;
  for (const Verdict& v : verdicts) failures += !v.met;
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"{0}\" failures=\"{1}\">\n"
      "  <testsuite name=\"lbann-plot\" tests=\"{0}\" failures=\"{1}\" errors=\"0\">\n",
      verdicts.size(), failures);
  for (const Verdict& v : verdicts) {
    text +=
        fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml_text(v.subject), xml_text(v.assertion));
    if (v.met)
      text += "/>\n";
    else
      text += fmt::format(">\n      <failure message=\"{0}\">{0}</failure>\n    </testcase>\n",
                          xml_text(v.reason));
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace lbann::plot
