// Tables as series: a header, then one row per epoch or step.
//
// Two forms. Long: columns `metric` (or `tag`) and `value`, with run, trainer, mode, unit and places
// beside them; that is what lbann-plot writes. Wide: every other column is a metric, its mode in its name
// (`val_loss`, `train/accuracy`), a unit in brackets behind it; that is what Keras, Lightning and
// pandas write. Empty cells are no values; a column without any number is left out.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "log/log_reader.hpp"

namespace lbann::log {

namespace {

enum class Role { metric, epoch, step, time, run, instance, mode, name, unit, value };

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Any spelling of a number, nan and inf, a percent sign behind it.
bool read_number(std::string_view text, double& value, bool* percent = nullptr) {
  text = trimmed(text);
  if (!text.empty() && text.back() == '%') {
    if (percent) *percent = true;
    text.remove_suffix(1);
  }
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  if (text.empty()) return false;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ptr != text.data() + text.size() || result.ec == std::errc::invalid_argument) return false;
  if (result.ec == std::errc::result_out_of_range) value = std::strtod(std::string(text).c_str(), nullptr);
  return true;
}

bool read_place(std::string_view text, std::int64_t& place) {
  double number = 0;
  if (!read_number(text, number) || !(std::abs(number) < 9e15)) return false;
  place = static_cast<std::int64_t>(number);
  return place >= 0;
}

Role role_of(std::string name) {
  for (char& c : name)
    c = c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto is = [&name](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&name](const char* w) { return name == w; });
  };
  if (is({"epoch", "epochs"})) return Role::epoch;
  if (is({"step", "steps", "global_step", "iteration", "iterations", "iter", "numiters", "_step", "batch",
          "trainer/global_step"}))
    return Role::step;
  if (is({"time", "wall", "wall_time", "seconds", "elapsed", "timestamp", "_timestamp", "relative_time"}))
    return Role::time;
  if (is({"run"})) return Role::run;
  if (is({"trainer", "instance"})) return Role::instance;
  if (is({"mode", "phase", "split"})) return Role::mode;
  if (is({"metric", "tag"})) return Role::name;
  if (is({"unit"})) return Role::unit;
  if (is({"value"})) return Role::value;
  return Role::metric;
}

char delimiter_of(std::string_view header) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char c : {',', '\t', ';'}) {
    const auto n = std::count(header.begin(), header.end(), c);
    if (n > most) {
      most = n;
      best = c;
    }
  }
  return best;
}

// RFC 4180: a cell in quotes may hold the delimiter, and two quotes for one.
void split_row(std::string_view line, char delimiter, std::vector<std::string>& cells) {
  cells.clear();
  std::size_t at = 0;
  for (;;) {
    std::string cell;
    if (at < line.size() && line[at] == '"') {
      for (++at; at < line.size(); ++at) {
        if (line[at] == '"') {
          if (at + 1 >= line.size() || line[at + 1] != '"') break;
          ++at;
        }
        cell += line[at];
      }
      at = std::min(line.find(delimiter, at), line.size());
    } else {
      const std::size_t stop = std::min(line.find(delimiter, at), line.size());
      cell = trimmed(line.substr(at, stop - at));
      at = stop;
    }
    cells.push_back(std::move(cell));
    if (at >= line.size()) return;
    ++at;
  }
}

struct Column {
  Role role = Role::metric;
  std::string mode{};
  std::string metric{};
  std::string unit{};
};

// `time [s]`, `loss (nats)`: the unit is behind the name.
Column column_of(const std::string& header) {
  Column c;
  std::string name = header;
  for (const auto& [open, close] : {std::pair{'[', ']'}, std::pair{'(', ')'}}) {
    const std::size_t begin = name.rfind(open);
    if (name.empty() || name.back() != close || begin == std::string::npos || begin == 0) continue;
    c.unit = name.substr(begin + 1, name.size() - begin - 2);
    name = trimmed(std::string_view(name).substr(0, begin));
    break;
  }
  c.role = role_of(name);
  std::tie(c.mode, c.metric) = split_metric_name(name);
  return c;
}

class CsvReaderImpl final : public LogReader {
public:
  explicit CsvReaderImpl(MetricLog& log) : log_(log) {}

  std::size_t read(std::string_view text, bool end) override {
    return for_each_line(text, end, false, [this](std::string_view line, bool whole) {
      ++number_;
      if (trimmed(line).empty() || line[0] == '#') return;
      if (line.back() == '\r') line.remove_suffix(1);
      if (columns_.empty()) return take_header(line);
      split_row(line, delimiter_, cells_);
      if (cells_.size() != columns_.size())
        return log_.skip(fmt::format("line {}: {} of {} cells{}", number_, cells_.size(), columns_.size(),
                                     whole ? "" : ", torn"));
      is_long_ ? take_long() : take_wide();
    });
  }

private:
  void take_header(std::string_view line) {
    delimiter_ = delimiter_of(line);
    split_row(line, delimiter_, cells_);
    bool has_name = false;
    bool has_value = false;
    for (const std::string& cell : cells_) {
      columns_.push_back(column_of(cell));
      has_name = has_name || columns_.back().role == Role::name;
      has_value = has_value || columns_.back().role == Role::value;
    }
    is_long_ = has_name && has_value;
    if (is_long_) return;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      Column& c = columns_[i];
      if (c.role == Role::name || c.role == Role::value || c.role == Role::unit || c.role == Role::mode)
        c.role = Role::metric;
    }
  }

  void take_place(const Column& c, const std::string& cell, MetricPoint& p) {
    if (c.role == Role::epoch) read_place(cell, p.epoch);
    if (c.role == Role::step) read_place(cell, p.step);
    double time = 0;
    if (c.role != Role::time || !read_number(cell, time)) return;
    if (std::isnan(began_)) began_ = time > 1e8 ? time : 0;  // Unix time, or seconds of the run
    p.time = time - began_;
  }

  void take_wide() {
    MetricPoint p;
    MetricKey key;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      take_place(columns_[i], cells_[i], p);
      if (columns_[i].role == Role::run) key.run = cells_[i];
      if (columns_[i].role == Role::instance) take_instance(cells_[i], key);
    }
    if (p.epoch < 0 && p.step < 0) p.epoch = rows_;
    ++rows_;
    bool any = false;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const Column& c = columns_[i];
      bool percent = false;
      if (c.role != Role::metric || !read_number(cells_[i], p.value, &percent)) continue;
      any = true;
      key.mode = c.mode;
      key.metric = c.metric;
      log_.add(key, percent ? "%" : c.unit, p);
    }
    if (!any && rows_ > 1) log_.skip(fmt::format("line {}: no number in it", number_));
  }

  static void take_instance(const std::string& cell, MetricKey& key) {
    std::int64_t number = 0;
    if (cell == "all")
      key.instance = -1;
    else if (read_place(cell, number) && number < std::numeric_limits<int>::max())
      key.instance = static_cast<int>(number);
  }

  void take_long() {
    MetricPoint p;
    MetricKey key;
    std::string_view unit;
    bool has_value = false;
    std::string mode;
    std::string metric;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const std::string& cell = cells_[i];
      take_place(columns_[i], cell, p);
      switch (columns_[i].role) {
        case Role::run:
          key.run = cell;
          break;
        case Role::instance:
          take_instance(cell, key);
          break;
        case Role::mode:
          mode = cell;
          break;
        case Role::name:
          metric = cell;
          break;
        case Role::unit:
          unit = cell;
          break;
        case Role::value:
          has_value = read_number(cell, p.value);
          break;
        default:
          break;
      }
    }
    if (!has_value || metric.empty())
      return log_.skip(fmt::format("line {}: no {}", number_, has_value ? "name of a metric" : "value"));
    if (mode.empty()) std::tie(mode, metric) = split_metric_name(std::string(metric));
    for (const char* statistic : {" average", " min", " max", " stdev"}) {
      const std::size_t length = std::string_view(statistic).size();
      if (key.instance >= 0 || mode.size() <= length || mode.compare(mode.size() - length, length, statistic))
        continue;
      key.statistic = statistic + 1;
      mode.resize(mode.size() - length);
      break;
    }
    key.mode = mode;
    key.metric = metric;
    log_.add(key, unit, p);
  }

  MetricLog& log_;
  std::vector<Column> columns_;
  std::vector<std::string> cells_;
  char delimiter_ = ',';
  bool is_long_ = false;
  std::int64_t number_ = 0;
  std::int64_t rows_ = 0;
  double began_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace

std::unique_ptr<LogReader> make_csv_reader(MetricLog& log) { return std::make_unique<CsvReaderImpl>(log); }

}  // namespace lbann::log
