// Records as series: log.jsonl by the million, and files of one JSON object per line that others write.
//
// A line in the form in which records are written (no blanks, plain names) is scanned in place;
// whatever looks different goes through the JSON reader, which is strict and says what is wrong.
// Objects without `schema` are taken for the logs of other programs: their numbers are metrics,
// epoch, step and time among them are places, lists of numbers are one value per epoch.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "log/json.hpp"
#include "log/log_reader.hpp"
#include "log/run_record.hpp"

namespace lbann::log {

namespace {

// The fields of one line as views into it.
struct RecordView {
  std::string_view kind{};
  std::string_view mode{};
  std::int64_t attempt = 0;
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double wall = 0;
  std::vector<std::pair<std::string_view, double>> metrics{};
};

// A strict scan of the plain form; false means "not this form", not "wrong".
class PlainScanner {
public:
  explicit PlainScanner(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool scan(RecordView& r) {
    r.metrics.clear();
    unsigned seen = 0;
    if (!take('{')) return false;
    do {
      std::string_view name;
      if (!text(name) || !take(':')) return false;
      const int member = index_of(name);
      if (member < 0 || (seen >> member & 1)) return false;
      seen |= 1U << member;
      if (!value(member, r)) return false;
    } while (take(','));
    return take('}') && at_ == end_ && seen == (1U << num_members) - 1;
  }

private:
  static constexpr int num_members = 9;

  static int index_of(std::string_view name) {
    constexpr std::string_view names[num_members] = {"schema", "run",  "attempt", "kind",   "step",
                                                     "epoch",  "mode", "wall",    "metrics"};
    for (int i = 0; i < num_members; ++i)
      if (names[i] == name) return i;
    return -1;
  }

  bool value(int member, RecordView& r) {
    std::string_view ignored;
    switch (member) {
      case 0:
        return text(ignored) && ignored == "lbann-log/1";
      case 1:
        return text(ignored);
      case 2:
        return integer(r.attempt);
      case 3:
        return text(r.kind);
      case 4:
        return integer(r.step);
      case 5:
        return integer(r.epoch);
      case 6:
        return text(r.mode);
      case 7:
        return number(r.wall);
      default:
        return metrics(r);
    }
  }

  bool metrics(RecordView& r) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      std::string_view name;
      double value = 0;
      if (!text(name) || !take(':') || !number(value)) return false;
      r.metrics.emplace_back(name, value);
    } while (take(','));
    return take('}');
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool text(std::string_view& out) {
    if (!take('"')) return false;
    const char* begin = at_;
    while (at_ != end_ && *at_ != '"') {
      if (*at_ < ' ' || *at_ == '\\' || *at_ == 0x7f) return false;  // bytes above 0x7f are negative
      ++at_;
    }
    out = {begin, static_cast<std::size_t>(at_ - begin)};
    return take('"');
  }

  bool integer(std::int64_t& out) {
    const char* begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    if (at_ == begin || (*begin == '0' && at_ - begin > 1)) return false;
    return std::from_chars(begin, at_, out).ec == std::errc();
  }

  bool number(double& out) {
    if (at_ != end_ && *at_ == '"') {
      std::string_view word;
      if (!text(word)) return false;
      if (word == "NaN")
        out = std::numeric_limits<double>::quiet_NaN();
      else if (word == "Infinity" || word == "-Infinity")
        out = word[0] == '-' ? -HUGE_VAL : HUGE_VAL;
      else
        return false;
      return true;
    }
    const char* begin = at_;
    take('-');
    const char* digits = at_;
    if (!skip_digits() || (*digits == '0' && at_ - digits > 1)) return false;
    if (take('.') && !skip_digits()) return false;
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (!take('-')) take('+');
      if (!skip_digits()) return false;
    }
    return std::from_chars(begin, at_, out).ec == std::errc();
  }

  bool skip_digits() {
    const char* begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  const char* at_;
  const char* end_;
};

class RecordReaderImpl final : public LogReader {
public:
  explicit RecordReaderImpl(MetricLog& log) : log_(log) {}

  std::size_t read(std::string_view text, bool end) override {
    return for_each_line(text, end, false, [this](std::string_view line, bool whole) { take(line, whole); });
  }

private:
  void take(std::string_view line, bool whole) {
    ++number_;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (PlainScanner(line).scan(view_)) return add(view_);
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    std::string why;
    const auto value = try_parse_json(line, &why);
    if (value && value->kind == JsonValue::Kind::object && !value->find("schema")) return add_foreign(*value);
    const RunLog parsed = parse_records(line);
    if (!parsed.records.empty()) {
      const RunRecord& r = parsed.records[0];
      view_ = {r.kind, r.mode, r.attempt, r.step, r.epoch, r.wall, {}};
      for (const auto& [name, number] : r.metrics) view_.metrics.emplace_back(name, number);
      return add(view_);
    }
    log_.skip(fmt::format("line {}: {}", number_, whole ? parsed.bad_lines[0].reason : "torn line"));
  }

  void add(const RecordView& r) {
    MetricPoint p;
    p.epoch = r.epoch;
    p.step = r.step;
    if (r.attempt != attempt_) {
      if (attempt_ >= 0) {
        p.time = last_;
        log_.restart(p);
      }
      before_ = last_;
      began_ = r.wall;
      attempt_ = r.attempt;
    }
    p.time = last_ = before_ + r.wall - began_;
    const bool per_step = r.kind == "step";
    for (const auto& [metric, value] : r.metrics) {
      p.value = value;
      MetricLog::append(log_.find({{}, 0, per_step, r.mode, {}, metric}), p);
    }
  }

  void add_foreign(const JsonValue& object) {
    MetricPoint p;
    std::vector<std::pair<std::string_view, double>> values;
    for (const auto& [name, value] : object.members) {
      if (value.kind == JsonValue::Kind::array) {
        add_list(name, value);
        continue;
      }
      if (value.kind != JsonValue::Kind::number && value.kind != JsonValue::Kind::string) continue;
      const auto number = try_json_double(value);
      if (!number) continue;
      if (name == "epoch") {
        p.epoch = value.integer.value_or(
            std::isfinite(*number) && std::abs(*number) < 1e15 ? static_cast<std::int64_t>(*number) : -1);
      } else if (name == "step" || name == "global_step" || name == "iteration" || name == "iter" ||
                 name == "_step") {
        p.step = value.integer.value_or(-1);
      } else if (name == "time" || name == "wall" || name == "timestamp" || name == "_timestamp") {
        if (std::isnan(foreign_began_)) foreign_began_ = *number > 1e8 ? *number : 0;
        p.time = *number - foreign_began_;
      } else {
        values.emplace_back(name, *number);
      }
    }
    if (p.epoch < 0 && p.step < 0) p.step = ++rows_;
    for (const auto& [name, value] : values) {
      const auto [mode, metric] = split_metric_name(name);
      p.value = value;
      log_.add({{}, 0, false, mode, {}, metric}, {}, p);
    }
  }

  // One value per epoch.
  void add_list(const std::string& name, const JsonValue& list) {
    const auto [mode, metric] = split_metric_name(name);
    MetricPoint p;
    for (const JsonValue& item : list.items) {
      const auto number = try_json_double(item);
      if (!number) return;
      ++p.epoch;
      p.value = *number;
      log_.add({{}, 0, false, mode, {}, metric}, {}, p);
    }
  }

  MetricLog& log_;
  RecordView view_{};
  std::int64_t number_ = 0;
  std::int64_t attempt_ = -1;
  double began_ = 0;
  double before_ = 0;  // seconds of earlier attempts
  double last_ = 0;
  double foreign_began_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<LogReader> make_record_reader(MetricLog& log) {
  return std::make_unique<RecordReaderImpl>(log);
}

}  // namespace lbann::log
