// Reading, printing and asking kernel tables. Times are kept in tenths of a microsecond, so that a
// printed table reads back as the same one.
#include "passes/kernel_table.hpp"

#include <charconv>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/hash.hpp"

namespace lbann::passes {
namespace {

constexpr std::string_view header = "lbann-kernel-table 1";

std::string machine_line(const Machine& m) { return fmt::format("{} {} {}", m.isa, m.threads, m.library); }

std::string line_of(const graph::Graph& g, const graph::Node& n, std::string_view kernel,
                    const ConvLayouts& layouts) {
  return fmt::format("{} {} {} {} {}", describe_conv(g, n), kernel, layouts.x.tag(), layouts.w.tag(),
                     layouts.y.tag());
}

struct Word {
  std::string_view text;
  std::size_t column;  // from 1
};

std::vector<Word> split(std::string_view line) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && line[end] != ' ' && line[end] != '\t' && line[end] != '\r') ++end;
    words.push_back({line.substr(i, end - i), i + 1});
    i = end;
  }
  return words;
}

std::string_view from_to(std::string_view line, const Word& first, const Word& last) {
  return line.substr(first.column - 1, last.column - first.column + last.text.size());
}

class Reader {
public:
  explicit Reader(const std::string& file) : file_(file) {}

  void begin(std::size_t line) { line_ = line; }
  [[noreturn]] void fail(std::size_t column, const std::string& what) const {
    throw base::Error(base::ExitCode::config, fmt::format("{}:{}:{}: {}", file_, line_, column, what),
                      "lbann-train --autotune=FILE writes a table");
  }
  template <class T>
  T number(const Word& w, T least, const char* what) const {
    T value{};
    const auto [end, error] = std::from_chars(w.text.data(), w.text.data() + w.text.size(), value);
    const bool sane = error == std::errc() && end == w.text.data() + w.text.size() && value >= least;
    if (!sane || !(static_cast<double>(value) <= 1e12))
      fail(w.column, fmt::format("'{}' is no {}", w.text, what));
    return value;
  }
  void numbers(const Word& w, std::int64_t least, const char* what) const {
    std::string_view rest = w.text;
    for (std::size_t at = 0; at <= w.text.size();) {
      const std::size_t comma = std::min(rest.find(',', at), rest.size());
      number<std::int64_t>({rest.substr(at, comma - at), w.column + at}, least, what);
      at = comma + 1;
    }
  }
  void layout(const Word& w) const {
    try {
      tensor::Layout::from_tag(w.text);
    } catch (const base::Error&) {
      fail(w.column, fmt::format("'{}' is no layout", w.text));
    }
  }

private:
  const std::string& file_;
  std::size_t line_ = 0;
};

}  // namespace

std::string describe_conv(const graph::Graph& g, const graph::Node& n) {
  const bool is_data = n.op == "conv_bwd_data", is_weights = n.op == "conv_bwd_weights";
  const tensor::Shape& x = g.shape(is_data ? n.outputs[0] : n.inputs[0]);
  const tensor::Shape& w = g.shape(is_weights ? n.outputs[0] : n.inputs[1]);
  const auto& strides = n.attrs.get_ints("strides");
  const std::vector<std::int64_t> ones(strides.size(), 1);
  return fmt::format("{} {} {} {} {} {} {}", n.op, fmt::join(x.dims(), ","), fmt::join(w.dims(), ","),
                     fmt::join(strides, ","), fmt::join(n.attrs.get_ints("pads"), ","),
                     fmt::join(n.attrs.has("dilations") ? n.attrs.get_ints("dilations") : ones, ","),
                     n.attrs.get_int("groups", 1));
}

KernelTable KernelTable::parse(std::string_view text, const std::string& file) {
  KernelTable table;
  Reader reader(file);
  std::map<std::string, double, std::less<>>* times = nullptr;
  bool has_header = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const std::vector<Word> words = split(line);
    if (words.empty()) continue;
    reader.begin(number);
    if (!has_header) {
      has_header = from_to(line, words[0], words.back()) == header;
      if (!has_header) reader.fail(words[0].column, fmt::format("a kernel table begins with '{}'", header));
      continue;
    }
    if (words[0].text == "machine") {
      if (words.size() < 4) reader.fail(1, "a machine is an instruction set, threads and a library");
      Machine m;
      m.isa = words[1].text;
      m.threads = static_cast<int>(reader.number<std::int64_t>(words[2], 1, "number of threads"));
      m.library = from_to(line, words[3], words.back());
      times = &table.machines_[machine_line(m)];
      continue;
    }
    if (words[0].text != "conv" && words[0].text != "conv_bwd_data" && words[0].text != "conv_bwd_weights")
      reader.fail(words[0].column, fmt::format("'{}' is no convolution", words[0].text));
    if (times == nullptr) reader.fail(words[0].column, "no machine stands above this line");
    if (words.size() != 12)
      reader.fail(words[0].column, fmt::format("12 words are needed, here are {}", words.size()));
    for (std::size_t i = 1; i < 7; ++i) reader.numbers(words[i], i == 4 ? 0 : 1, "list of extents");
    for (std::size_t i = 8; i < 11; ++i) reader.layout(words[i]);
    std::string key;
    for (std::size_t i = 0; i < 11; ++i) key += (i > 0 ? " " : "") + std::string(words[i].text);
    (*times)[key] = std::round(reader.number<double>(words[11], 0.0, "time in microseconds") * 10) / 10;
  }
  if (!has_header) {
    reader.begin(1);
    reader.fail(1, fmt::format("a kernel table begins with '{}'", header));
  }
  return table;
}

std::string KernelTable::print() const {
  std::string text(header);
  text += '\n';
  for (const auto& [machine, times] : machines_) {
    text += fmt::format("machine {}\n", machine);
    for (const auto& [key, us] : times) text += fmt::format("{} {:.1f}\n", key, us);
  }
  return text;
}

std::string KernelTable::digest() const { return base::to_hex(base::digest128(print())); }

std::size_t KernelTable::num_times() const {
  std::size_t count = 0;
  for (const auto& [machine, times] : machines_) count += times.size();
  return count;
}

std::optional<double> KernelTable::find_us(const Machine& machine, const graph::Graph& g,
                                           const graph::Node& node, std::string_view kernel,
                                           const ConvLayouts& layouts) const {
  const auto times = machines_.find(machine_line(machine));
  if (times == machines_.end()) return std::nullopt;
  const auto found = times->second.find(line_of(g, node, kernel, layouts));
  return found == times->second.end() ? std::nullopt : std::optional(found->second);
}

void KernelTable::set_us(const Machine& machine, const graph::Graph& g, const graph::Node& node,
                         std::string_view kernel, const ConvLayouts& layouts, double us) {
  machines_[machine_line(machine)][line_of(g, node, kernel, layouts)] = std::round(us * 10) / 10;
}

bool is_conv(const graph::Node& n) {
  return n.op == "conv" || n.op == "conv_bwd_data" || n.op == "conv_bwd_weights";
}

bool KernelTable::knows(const Machine& machine, const graph::Graph& g, const graph::Node& node) const {
  const auto times = machines_.find(machine_line(machine));
  if (times == machines_.end()) return false;
  const std::string start = describe_conv(g, node) + " ";
  const auto first = times->second.lower_bound(start);
  return first != times->second.end() && first->first.starts_with(start);
}

KernelTable KernelTable::select(const graph::Graph& g) const {
  KernelTable result;
  for (const graph::Node& n : g.nodes) {
    if (n.dead || !is_conv(n)) continue;
    const std::string start = describe_conv(g, n) + " ";
    for (const auto& [machine, times] : machines_) {
      for (auto at = times.lower_bound(start); at != times.end() && at->first.starts_with(start); ++at)
        result.machines_[machine].insert(*at);
    }
  }
  return result;
}

void KernelTable::merge(const KernelTable& other) {
  for (const auto& [machine, times] : other.machines_) {
    for (const auto& [key, us] : times) machines_[machine].insert_or_assign(key, us);
  }
}

}  // namespace lbann::passes
