// The scanner of console text: see console_reader.hpp. One line at a time, left to right.
#include "log/console_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>

namespace lbann::log {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A line being consumed from the left. Every take_ leaves the text alone when it does not match.
class Line {
public:
  explicit Line(std::string_view text) : text_(text) {}

  std::string_view rest() const { return text_; }

  bool take(std::string_view word) {
    if (text_.substr(0, word.size()) != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  void skip_blanks() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) text_.remove_prefix(1);
  }

  std::optional<std::int64_t> take_integer() {
    std::int64_t value = 0;
    if (text_.empty() || !is_digit(text_[0])) return std::nullopt;
    const auto result = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (result.ec != std::errc()) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(result.ptr - text_.data()));
    return value;
  }

  // [-+]?(digits[.digits][e[-+]digits] | nan | inf)
  std::optional<double> take_number() {
    Line at = *this;
    const bool negative = at.take("-");
    if (!negative) at.take("+");
    double value = 0;
    if (at.take("nan")) {
      value = not_a_number;
    } else if (at.take("inf")) {
      value = std::numeric_limits<double>::infinity();
    } else {
      if (at.text_.empty() || !is_digit(at.text_[0])) return std::nullopt;
      const char* end = at.text_.data() + at.text_.size();
      const auto result = std::from_chars(at.text_.data(), end, value);
      if (result.ec == std::errc::invalid_argument) return std::nullopt;
      if (result.ec == std::errc::result_out_of_range)
        value = std::strtod(std::string(at.text_).c_str(), nullptr);
      at.text_.remove_prefix(static_cast<std::size_t>(result.ptr - at.text_.data()));
    }
    *this = at;
    return negative ? -value : value;
  }

  // A number with `unit` behind it if there is one, or N/A.
  std::optional<double> take_statistic(std::string_view unit) {
    if (take("N/A")) {
      take(unit);
      return not_a_number;
    }
    const auto value = take_number();
    if (value) take(unit);
    return value;
  }

  std::string_view take_until(std::string_view end) {
    const std::size_t at = text_.find(end);
    if (at == std::string_view::npos) return {};
    const std::string_view found = text_.substr(0, at);
    text_.remove_prefix(at + end.size());
    return found;
  }

private:
  std::string_view text_;
};

struct Head {
  int instance = 0;
  std::string statistic{};
};

// Labels that launchers put before each line: srun --label and mpirun --tag-output.
Line without_label(std::string_view text) {
  Line line(text);
  line.skip_blanks();
  if (line.take_integer() && line.take(": ")) return line;
  line = Line(text);
  if (line.take("[") && line.take_integer() && line.take(",") && line.take_integer() &&
      line.take("]<stdout>:"))
    return line;
  return Line(text);
}

// `Model 0 `, `name (instance 0) `, `name global average `, `name (global min) `
std::optional<Head> take_head(Line& line) {
  Line at = line;
  if (at.take("Model ")) {
    const auto instance = at.take_integer();
    if (instance && *instance < std::numeric_limits<int>::max() && at.take(" ")) {
      line = at;
      return Head{static_cast<int>(*instance), {}};
    }
  }
  at = line;
  if (at.take_until(" ").empty()) return std::nullopt;
  Head head{-1, {}};
  if (at.take("(instance ")) {
    const auto instance = at.take_integer();
    if (!instance || *instance >= std::numeric_limits<int>::max() || !at.take(") ")) return std::nullopt;
    head.instance = static_cast<int>(*instance);
  } else if (at.take("global average ")) {
    head.statistic = "average";
  } else if (at.take("(global ")) {
    head.statistic = at.take_until(") ");
    if (head.statistic != "average" && head.statistic != "min" && head.statistic != "max" &&
        head.statistic != "stdev")
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  line = at;
  return head;
}

class Reader {
public:
  explicit Reader(ConsoleLog& log) : log_(log) {}

  void read(std::string_view text, bool whole) {
    Line line = without_label(text);
    if (line.rest().find("STARTING lbann with this command line") != std::string_view::npos) {
      trainers_.clear();
      return;
    }
    if (read_epoch_head(line) || read_learning_rate(line) || read_exchange(line) || read_gpu_memory(line))
      return;
    if (read_world(line)) return;
    if (const auto head = take_head(line)) {
      if (!whole || !read_value(line, *head)) ++log_.num_fragments;
    } else if (line.rest().find(" epoch ") != std::string_view::npos &&
               line.rest().find(" : ") != std::string_view::npos) {
      ++log_.num_fragments;
    }
  }

private:
  struct Trainer {
    std::int64_t last = -1;   // as printed
    std::int64_t offset = 0;  // epochs of the rounds before
  };

  std::int64_t training_epoch(int instance, std::int64_t printed) {
    Trainer& t = trainers_[instance];
    // Only a new beginning is a new round: a smaller number that is not 0 is a run that was resumed.
    if (printed == 0 && t.last > 0) t.offset += t.last + 1;
    t.last = printed;
    return t.offset + printed;
  }

  std::int64_t evaluation_epoch(int instance) const {
    const auto found = trainers_.find(instance);
    if (found != trainers_.end()) return std::max<std::int64_t>(0, found->second.offset + found->second.last);
    std::int64_t latest = 0;
    if (instance < 0)
      for (const auto& [other, t] : trainers_) latest = std::max(latest, t.offset + t.last);
    return latest;
  }

  // After the head: mode, name, " : ", number, unit.
  bool read_value(Line& line, const Head& head) {
    ConsoleValue v;
    v.instance = head.instance;
    v.statistic = head.statistic;
    std::optional<std::int64_t> printed;
    if (line.take("training epoch ")) {
      v.mode = "training";
      printed = line.take_integer();
      if (!printed || *printed > (std::int64_t{1} << 40) || !line.take(" ")) return false;
    } else {
      for (const char* mode : {"validation", "tournament", "test"})
        if (line.take(std::string(mode) + " ")) v.mode = mode;
      if (v.mode.empty()) return false;
    }
    v.metric = line.take_until(" : ");
    if (v.metric.empty()) return false;
    if (v.metric == "mini-batch time statistics") {
      v.metric = "mini-batch time";
      if (!read_times(line, v.value)) return false;
      v.unit = "s";
    } else {
      const auto number = line.take_number();
      if (!number || line.rest().find(' ') != std::string_view::npos) return false;
      v.value = *number;
      v.unit = line.rest();
    }
    v.epoch = printed ? training_epoch(v.instance, *printed) : evaluation_epoch(v.instance);
    log_.values.push_back(std::move(v));
    return true;
  }

  static bool read_times(Line& line, double& mean) {
    const auto first = line.take_statistic("s");
    if (!first || !line.take(" mean, ")) return false;
    mean = *first;
    auto next = line.take_statistic("s");
    if (next && line.take(" median, ")) next = line.take_statistic("s");
    if (!next || !line.take(" max, ")) return false;
    if (!line.take_statistic("s") || !line.take(" min, ")) return false;
    return line.take_statistic("s") && line.take(" stdev");
  }

  bool read_epoch_head(Line line) {
    if (!line.take("[") || !line.take_integer() || !line.take("] Epoch : stats formated [tr/v/te"))
      return false;
    line.take("/to");
    if (!line.take("] iter/epoch = [")) return false;
    if (const auto steps = line.take_integer()) log_.steps_per_epoch = *steps;
    return true;
  }

  bool read_learning_rate(Line line) {
    if (!line.take("Model ")) return false;
    const auto instance = line.take_integer();
    if (!instance || !line.take(": changing global learning rate to ")) return false;
    const auto rate = line.take_number();
    if (!rate || !line.take(" at epoch ")) return false;
    const auto epoch = line.take_integer();
    if (epoch)
      log_.values.push_back(
          {static_cast<int>(*instance), {}, "training", *epoch, "learning rate", *rate, {}});
    return true;
  }

  bool read_exchange(Line line) {
    if (!line.take("LTFB (model \"")) return false;
    ConsoleExchange e;
    e.model = line.take_until("\", step ");
    const auto step = line.take_integer();
    const bool named = step && line.take("): trainer ");
    const auto trainer = named ? line.take_integer() : std::nullopt;
    const auto winner =
        trainer && line.take(" selected model from trainer ") ? line.take_integer() : std::nullopt;
    if (!winner || line.rest().substr(0, 2) != " (") return false;
    e.step = *step;
    e.trainer = static_cast<int>(*trainer);
    e.winner = static_cast<int>(*winner);
    log_.exchanges.push_back(std::move(e));
    return true;
  }

  bool read_gpu_memory(Line line) {
    if (!line.take("Model ")) return false;
    const auto instance = line.take_integer();
    if (!instance || !line.take(" GPU memory usage statistics : ")) return false;
    const auto mean = line.take_number();
    if (mean && line.take(" GiB mean,"))
      log_.values.push_back({static_cast<int>(*instance),
                             {},
                             "training",
                             evaluation_epoch(static_cast<int>(*instance)),
                             "GPU memory",
                             *mean,
                             "GiB"});
    return true;
  }

  bool read_world(Line line) {
    line.skip_blanks();
    for (const auto& [name, target] : {std::pair{"Total number of processes", &log_.num_processes},
                                       std::pair{"Processes on node", &log_.processes_on_node},
                                       std::pair{"Trainers", &log_.num_trainers}}) {
      Line at = line;
      if (!at.take(name)) continue;
      at.skip_blanks();
      if (!at.take(":")) continue;
      at.skip_blanks();
      if (const auto n = at.take_integer()) *target = *n;
      return true;
    }
    return false;
  }

  ConsoleLog& log_;
  std::map<int, Trainer> trainers_;
};

}  // namespace

ConsoleLog parse_console(std::string_view text) {
  ConsoleLog log;
  Reader reader(log);
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    if (!line.empty()) reader.read(line, end != std::string_view::npos);
  }
  return log;
}

}  // namespace lbann::log
