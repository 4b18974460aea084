// The scanner of console text: see console_reader.hpp. One line at a time, left to right.
#include "log/console_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>

#include "log/log_reader.hpp"

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
  std::string_view statistic{};
};

// One value as views into its line.
struct ValueView {
  int instance = 0;
  std::string_view statistic{};
  std::string_view mode{};
  std::int64_t epoch = 0;
  std::string_view metric{};
  double value = 0;
  std::string_view unit{};
};

// Where the scanner's findings go.
class ConsoleSink {
public:
  virtual ~ConsoleSink() = default;
  virtual void value(const ValueView& v) = 0;
  virtual void exchange(ConsoleExchange e) = 0;
  virtual void start() = 0;  // the program starts, perhaps again
  // A trainer goes on behind an epoch it had passed.
  virtual void step_back(int instance, std::int64_t epoch) = 0;
  virtual void fragment(std::string_view line) = 0;
};

// Numbers that are said once.
struct ConsoleWorld {
  std::int64_t steps_per_epoch = 0;
  std::int64_t num_processes = 0;
  std::int64_t processes_on_node = 0;
  std::int64_t num_trainers = 0;
};

// Labels that launchers put before each line: srun --label and mpirun --tag-output.
Line without_label(std::string_view text) {
  if (!is_digit(text[0]) && text[0] != ' ' && text[0] != '\t' && text[0] != '[') return Line(text);
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

class Scanner {
public:
  explicit Scanner(ConsoleSink& sink) : sink_(sink) {}

  ConsoleWorld world{};

  void read(std::string_view text, bool whole) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    if (text.empty()) return;
    Line line = without_label(text);
    // A value line begins with its model's name; the banner is a line of its own, perhaps labelled.
    if (!line.rest().empty() && line.rest()[0] == 'S' && line.rest().size() < 200 &&
        line.rest().find("STARTING lbann with this command line") != std::string_view::npos) {
      trainers_.clear();
      sink_.start();
      return;
    }
    // Value lines are nearly all there are: what cannot be one of the others by its first letter is not
    // tried.
    switch (line.rest().empty() ? '\0' : line.rest()[0]) {
      case '[':
        if (read_epoch_head(line)) return;
        break;
      case 'M':
        if (read_learning_rate(line) || read_gpu_memory(line)) return;
        break;
      case 'L':
        if (read_exchange(line)) return;
        break;
      case ' ':
      case '\t':
      case 'T':
      case 'P':
        if (read_world(line)) return;
        break;
      default:
        break;
    }
    if (const auto head = take_head(line)) {
      if (!whole || !read_value(line, *head)) sink_.fragment(text);
    } else if (line.rest().find(" epoch ") != std::string_view::npos &&
               line.rest().find(" : ") != std::string_view::npos) {
      sink_.fragment(text);
    }
  }

private:
  struct Trainer {
    std::int64_t last = -1;   // as printed
    std::int64_t offset = 0;  // epochs of the rounds before
  };

  std::int64_t training_epoch(int instance, std::int64_t printed) {
    Trainer& t = trainers_[instance];
    if (printed == t.last) return t.offset + printed;
    if (printed > 0 && printed < t.last) sink_.step_back(instance, t.offset + printed);
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
    ValueView v;
    v.instance = head.instance;
    v.statistic = head.statistic;
    std::optional<std::int64_t> printed;
    if (line.take("training epoch ")) {
      v.mode = "training";
      printed = line.take_integer();
      if (!printed || *printed > (std::int64_t{1} << 40) || !line.take(" ")) return false;
    } else {
      for (const std::string_view mode : {"validation ", "tournament ", "test "})
        if (line.take(mode)) v.mode = mode.substr(0, mode.size() - 1);
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
    sink_.value(v);
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
    if (const auto steps = line.take_integer()) world.steps_per_epoch = *steps;
    return true;
  }

  bool read_learning_rate(Line line) {
    if (!line.take("Model ")) return false;
    const auto instance = line.take_integer();
    if (!instance || !line.take(": changing global learning rate to ")) return false;
    const auto rate = line.take_number();
    if (!rate || !line.take(" at epoch ")) return false;
    const auto epoch = line.take_integer();
    if (epoch) sink_.value({static_cast<int>(*instance), {}, "training", *epoch, "learning rate", *rate, {}});
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
    sink_.exchange(std::move(e));
    return true;
  }

  bool read_gpu_memory(Line line) {
    if (!line.take("Model ")) return false;
    const auto instance = line.take_integer();
    if (!instance || !line.take(" GPU memory usage statistics : ")) return false;
    const auto mean = line.take_number();
    if (mean && line.take(" GiB mean,"))
      sink_.value({static_cast<int>(*instance),
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
    for (const auto& [name, target] : {std::pair{"Total number of processes", &world.num_processes},
                                       std::pair{"Processes on node", &world.processes_on_node},
                                       std::pair{"Trainers", &world.num_trainers}}) {
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

  ConsoleSink& sink_;
  std::map<int, Trainer> trainers_;
};

class ListSink final : public ConsoleSink {
public:
  explicit ListSink(ConsoleLog& log) : log_(log) {}
  void value(const ValueView& v) override {
    log_.values.push_back({v.instance, std::string(v.statistic), std::string(v.mode), v.epoch,
                           std::string(v.metric), v.value, std::string(v.unit)});
  }
  void exchange(ConsoleExchange e) override { log_.exchanges.push_back(std::move(e)); }
  void start() override {}
  void step_back(int, std::int64_t) override {}
  void fragment(std::string_view) override { ++log_.num_fragments; }

private:
  ConsoleLog& log_;
};

// Console text as series. Lines have no clock and no step; epochs are places.
class SeriesSink final : public ConsoleSink {
public:
  explicit SeriesSink(MetricLog& log) : log_(log) {}
  void value(const ValueView& v) override {
    if (started_again_ && v.mode == "training") {
      started_again_ = false;
      MetricPoint place;
      place.epoch = v.epoch;
      if (!log_.series.empty()) log_.restart(place);
    }
    MetricPoint p;
    p.epoch = v.epoch;
    p.value = v.value;
    log_.add({{}, v.instance, false, v.mode, v.statistic, v.metric}, v.unit, p);
  }
  void exchange(ConsoleExchange) override {}
  void start() override { started_again_ = true; }
  void step_back(int instance, std::int64_t epoch) override {
    MetricPoint place;
    place.epoch = epoch;
    log_.restart(place, instance);
  }
  void fragment(std::string_view line) override {
    log_.skip("torn line '" + std::string(line.substr(0, 60)) + (line.size() > 60 ? "...'" : "'"));
  }

private:
  MetricLog& log_;
  bool started_again_ = false;
};

class ConsoleSeries final : public LogReader {
public:
  explicit ConsoleSeries(MetricLog& log) : log_(log), sink_(log), scanner_(sink_) {}
  std::size_t read(std::string_view text, bool end) override {
    const std::size_t taken = for_each_line(
        text, end, true, [this](std::string_view line, bool whole) { scanner_.read(line, whole); });
    log_.steps_per_epoch = scanner_.world.steps_per_epoch;
    return taken;
  }

private:
  MetricLog& log_;
  SeriesSink sink_;
  Scanner scanner_;
};

}  // namespace

ConsoleLog parse_console(std::string_view text) {
  ConsoleLog log;
  ListSink sink(log);
  Scanner scanner(sink);
  for_each_line(text, true, true, [&](std::string_view line, bool whole) { scanner.read(line, whole); });
  log.steps_per_epoch = scanner.world.steps_per_epoch;
  log.num_processes = scanner.world.num_processes;
  log.processes_on_node = scanner.world.processes_on_node;
  log.num_trainers = scanner.world.num_trainers;
  return log;
}

std::unique_ptr<LogReader> make_console_reader(MetricLog& log) {
  return std::make_unique<ConsoleSeries>(log);
}

}  // namespace lbann::log
