// Series of a log: see metric_log.hpp.
#include "log/metric_log.hpp"

#include <algorithm>
#include <cctype>

namespace lbann::log {

namespace {

std::pair<std::int64_t, std::int64_t> place_of(const MetricPoint& p) { return {p.epoch, p.step}; }

bool before(const MetricPoint& a, const MetricPoint& b) { return place_of(a) < place_of(b); }

bool matches(const MetricSeries& s, const MetricKey& k) {
  return s.metric == k.metric && s.mode == k.mode && s.instance == k.instance && s.per_step == k.per_step &&
         s.statistic == k.statistic && s.run == k.run;
}

void settle_series(MetricSeries& s) {
  if (s.sorted) return;
  std::stable_sort(s.points.begin(), s.points.end(), before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < s.points.size(); ++i) {
    const bool repeated = kept > 0 && !before(s.points[kept - 1], s.points[i]);
    s.points[repeated ? kept - 1 : kept++] = s.points[i];
  }
  s.points.resize(kept);
  s.sorted = true;
}

}  // namespace

MetricSeries& MetricLog::find(const MetricKey& key, std::string_view unit) {
  if (!series.empty()) {
    const std::size_t guess = successor_[last_];
    if (matches(series[guess], key)) {
      last_ = guess;
      return series[guess];
    }
  }
  std::string name;
  for (const std::string_view part : {key.run, key.mode, key.statistic, key.metric}) {
    name += part;
    name += '\0';
  }
  name += std::to_string(key.instance) + (key.per_step ? "s" : "e");
  const auto [at, is_new] = index_.emplace(std::move(name), series.size());
  if (is_new) {
    series.push_back({std::string(key.run),
                      key.instance,
                      key.per_step,
                      std::string(key.mode),
                      std::string(key.statistic),
                      std::string(key.metric),
                      std::string(unit),
                      {},
                      true});
    successor_.push_back(0);
  }
  successor_[last_] = at->second;
  last_ = at->second;
  return series[last_];
}

void MetricLog::append(MetricSeries& s, const MetricPoint& point) {
  if (!s.points.empty() && !before(s.points.back(), point)) {
    if (s.sorted && place_of(s.points.back()) == place_of(point)) {
      s.points.back() = point;
      return;
    }
    s.sorted = false;
  }
  s.points.push_back(point);
}

void MetricLog::restart(const MetricPoint& place, std::optional<int> instance) {
  restarts.push_back(place);
  for (MetricSeries& s : series) {
    if (instance && s.instance != *instance) continue;
    settle_series(s);
    s.points.erase(std::upper_bound(s.points.begin(), s.points.end(), place, before), s.points.end());
  }
}

void MetricLog::skip(std::string note) {
  constexpr std::size_t most = 3;
  ++num_skipped;
  if (notes.size() < most) notes.push_back(std::move(note));
}

void MetricLog::settle() {
  for (MetricSeries& s : series) settle_series(s);
}

std::pair<std::string, std::string> split_metric_name(std::string_view name) {
  constexpr std::pair<std::string_view, const char*> prefixes[] = {{"validation", "validation"},
                                                                   {"valid", "validation"},
                                                                   {"val", "validation"},
                                                                   {"eval", "validation"},
                                                                   {"training", "training"},
                                                                   {"train", "training"},
                                                                   {"test", "test"},
                                                                   {"tournament", "tournament"}};
  std::string mode = "training";
  const auto is_border = [](char c) { return c == '_' || c == '/' || c == ' ' || c == '.' || c == '-'; };
  const auto starts = [](std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(),
                      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
  };
  for (const auto& [prefix, full] : prefixes) {
    if (name.size() <= prefix.size() + 1) continue;
    if (starts(name, prefix) && is_border(name[prefix.size()])) {
      mode = full;
      name.remove_prefix(prefix.size() + 1);
      break;
    }
    const std::size_t end = name.size() - prefix.size();
    if (starts(name.substr(end), prefix) && (name[end - 1] == '/' || name[end - 1] == '_')) {
      mode = full;
      name = name.substr(0, end - 1);
      break;
    }
  }
  std::string metric(name);
  if (metric == "lr" || metric == "learning_rate" || metric == "LearningRate") metric = "learning rate";
  if (metric == "objective_function" || metric == "objective") metric = "objective function";
  return {mode, metric};
}

}  // namespace lbann::log
