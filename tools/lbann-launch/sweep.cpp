// Points, folders and the summary: see sweep.hpp.
#include "lbann-launch/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "lbann-launch/resolve.hpp"
#include "log/run_record.hpp"

namespace lbann::tools {

namespace {

namespace fs = std::filesystem;

// The last epoch record of each mode: "validation accuracy" -> value.
std::map<std::string, double> last_metrics(const std::string& run_dir) {
  std::map<std::string, double> out;
  const std::string path = run_dir + "/log.jsonl";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return out;
  const std::string text = base::read_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const auto record = base::try_parse_json(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    const base::JsonValue* kind = record ? record->find("kind") : nullptr;
    const base::JsonValue* mode = record ? record->find("mode") : nullptr;
    const base::JsonValue* metrics = record ? record->find("metrics") : nullptr;
    if (!kind || kind->text != "epoch" || !mode || !metrics) continue;
    for (const auto& [name, value] : metrics->members)
      if (const auto number = base::try_json_double(value)) out[mode->text + " " + name] = *number;
  }
  return out;
}

struct Outcome {
  std::string name{};
  std::vector<std::string> values{};
  JobReport report{};
  std::map<std::string, double> metrics{};
};

std::string table_text(const LaunchOptions& o, const std::vector<Outcome>& all) {
  std::vector<std::string> columns;
  for (const Outcome& one : all)
    for (const auto& [name, value] : one.metrics)
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  std::string text = "run";
  for (const launch::SweepAxis& axis : o.sweep) text += "\t" + axis.path;
  text += "\tjob\texit";
  for (const std::string& column : columns) text += "\t" + column;
  text += "\n";
  for (const Outcome& one : all) {
    text += one.name;
    for (const std::string& value : one.values) text += "\t" + value;
    text += fmt::format("\t{}\t{}", one.report.submission.id.empty() ? "-" : one.report.submission.id,
                        one.report.exit_code ? std::to_string(*one.report.exit_code) : "-");
    for (const std::string& column : columns) {
      const auto found = one.metrics.find(column);
      text += "\t" + (found == one.metrics.end() ? std::string("-") : fmt::format("{:.6g}", found->second));
    }
    text += "\n";
  }
  return text;
}

std::string json_text(const LaunchOptions& o, const std::vector<Outcome>& all) {
  std::string text = "{\"schema\":\"lbann-sweep/1\",\"runs\":[";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Outcome& one = all[i];
    text += fmt::format("{}\n{{\"run\":{},\"values\":{{", i > 0 ? "," : "", base::json_quote(one.name));
    for (std::size_t k = 0; k < one.values.size(); ++k)
      text += fmt::format("{}{}:{}", k > 0 ? "," : "", base::json_quote(o.sweep[k].path),
                          base::json_quote(one.values[k]));
    text += fmt::format("}},\"job\":{},\"exit_code\":{},\"metrics\":{{",
                        base::json_quote(one.report.submission.id),
                        one.report.exit_code ? std::to_string(*one.report.exit_code) : "null");
    bool first = true;
    for (const auto& [name, value] : one.metrics) {
      text += fmt::format("{}{}:{}", first ? "" : ",", base::json_quote(name), base::json_number(value));
      first = false;
    }
    text += "}}";
  }
  return text + "]}\n";
}

}  // namespace

int run_sweep(const LaunchOptions& options, const std::function<JobReport(LaunchOptions&)>& start) {
  const auto points = launch::sweep_points(options.sweep);
  // The folder is chosen once for all points.
  LaunchOptions whole = options;
  resolve_files(whole);
  const int width = std::max(3, static_cast<int>(std::to_string(points.size()).size()));
  std::vector<Outcome> all;
  for (std::size_t i = 0; i < points.size(); ++i) {
    LaunchOptions one = options;
    Outcome outcome;
    outcome.name = fmt::format("{:0{}}", i + 1, width);
    outcome.values = points[i];
    one.run_dir = whole.job.run_dir + "/" + outcome.name;
    one.job.name = options.job.name + "-" + outcome.name;
    for (std::size_t k = 0; k < points[i].size(); ++k)
      one.job.command.push_back(fmt::format("--set={}={}", options.sweep[k].path, points[i][k]));
    base::log().info(fmt::format("{} of {}: {}", i + 1, points.size(), fmt::join(points[i], " ")));
    outcome.report = start(one);
    all.push_back(std::move(outcome));
  }
  if (options.dry_run || options.explain) return 0;
  int code = 0;
  for (Outcome& one : all) {
    const std::string run_dir = whole.job.run_dir + "/" + one.name;
    if (options.job.batch && options.wait && !one.report.submission.id.empty())
      one.report = wait_for(run_dir, false, "", "");
    one.metrics = last_metrics(run_dir);
    if (code == 0 && one.report.exit_code) code = *one.report.exit_code;
  }
  const bool json = options.common.format == ReportFormat::json;
  const std::string text = json ? json_text(options, all) : table_text(options, all);
  base::atomic_write_file(whole.job.run_dir + (json ? "/summary.json" : "/summary.tsv"), text);
  base::log().print(text);
  return code;
}

}  // namespace lbann::tools
