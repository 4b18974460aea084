// The table of --explain: see explain.hpp.
#include "lbann-launch/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "launch/capability.hpp"
#include "launch/script.hpp"

namespace lbann::tools {

namespace {

struct Row {
  std::string text, option, origin;
};

std::string origin_of(const LaunchOptions& o, launch::Request request) {
  const auto found = o.origins.find(launch::option_of(request));
  return found == o.origins.end() ? "default" : found->second;
}

void add_rows(const LaunchOptions& o, const std::string& prefix, const std::vector<launch::Flag>& flags,
              std::vector<Row>& rows) {
  for (const launch::Flag& flag : flags)
    rows.push_back({prefix + launch::shell_line(flag.words), launch::option_of(flag.request),
                    origin_of(o, flag.request)});
}

}  // namespace

std::string explain_text(const LaunchOptions& o) {
  const launch::Job& job = o.job;
  std::vector<Row> rows;
  add_rows(o, launch::scheduler_of(job).prefix, launch::directives(job), rows);
  std::vector<launch::Flag> words = launch::launch_flags(job);
  if (!words.empty()) {
    rows.push_back(
        {launch::shell_line(words[0].words), "launcher", "scheduler " + std::string(name_of(job.scheduler))});
    words.erase(words.begin());
  }
  add_rows(o, "  ", words, rows);
  for (const auto& [name, value] : launch::exports_of(job)) {
    const bool by_site =
        std::any_of(o.site_env.begin(), o.site_env.end(),
                    [&, n = name](const std::string& item) { return item.substr(0, item.find('=')) == n; });
    const bool ours = name == "OMP_NUM_THREADS" || name == "LBANN_EXPECTED_WORLD" ||
                      name == "MPIEXEC_TIMEOUT" || name == "LBANN_PREEMPT_SIGNAL";
    rows.push_back({"export " + name + "=" + launch::shell_quote(value), ours ? "(computed)" : "env",
                    by_site ? "site " + o.site_name
                    : ours  ? "from the sizes above"
                            : origin_of(o, launch::Request::env)});
  }
  for (const auto request : {launch::Request::signal_before, launch::Request::max_restarts})
    if (job.asks(request))
      rows.push_back({fmt::format("(script) {}", request == launch::Request::max_restarts
                                                     ? std::to_string(job.max_restarts)
                                                     : fmt::format("{} {} s before the limit", job.signal,
                                                                   job.signal_before)),
                      launch::option_of(request), origin_of(o, request)});
  std::size_t first = 4, second = 6;
  for (const Row& row : rows) {
    first = std::max(first, row.text.size());
    second = std::max(second, row.option.size());
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  {}\n", "flag", first, "option", second, "origin");
  for (const Row& row : rows)
    text += fmt::format("{:<{}}  {:<{}}  {}\n", row.text, first, row.option, second, row.origin);
  return text;
}

}  // namespace lbann::tools
