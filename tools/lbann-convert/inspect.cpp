// --inspect and --diff: tables of arrays, as text or as JSON.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "checkpoint/array_values.hpp"
#include "checkpoint/source.hpp"
#include "lbann-convert/arrays.hpp"

namespace lbann::tools {
namespace {

using checkpoint::LoadedArray;
using checkpoint::Scalar;
using checkpoint::Source;

struct Statistics {
  double smallest = 0, largest = 0, mean = 0, rms = 0;  // of the finite elements
  std::int64_t count = 0, not_finite = 0;
};

Statistics statistics_of(const std::vector<double>& values) {
  Statistics s;
  double sum = 0, squares = 0;
  for (const double x : values) {
    if (!std::isfinite(x)) {
      ++s.not_finite;
      continue;
    }
    s.smallest = s.count == 0 ? x : std::min(s.smallest, x);
    s.largest = s.count == 0 ? x : std::max(s.largest, x);
    ++s.count;
    sum += x;
    squares += x * x;
  }
  if (s.count > 0) {
    s.mean = sum / static_cast<double>(s.count);
    s.rms = std::sqrt(squares / static_cast<double>(s.count));
  }
  return s;
}

std::string scalar_text(const Scalar& scalar) {
  if (const auto* n = std::get_if<std::int64_t>(&scalar)) return fmt::to_string(*n);
  if (const auto* x = std::get_if<double>(&scalar)) return base::json_number(*x);
  return std::get<std::string>(scalar);
}

std::string scalar_json(const Scalar& scalar) {
  const auto* text = std::get_if<std::string>(&scalar);
  return text != nullptr ? base::json_quote(*text) : scalar_text(scalar);
}

/// One line: line breaks of long texts are shown, not printed.
std::string shortened(const std::string& text) {
  constexpr std::size_t width = 60;
  std::string line;
  for (const char c : text) line += c == '\n' ? std::string("; ") : std::string(1, c);
  return line.size() <= width ? line : line.substr(0, width - 3) + "...";
}

using Row = std::vector<std::string>;

/// Columns as wide as their widest entry; the first is flush left, numbers flush right.
std::string table_text(const std::vector<Row>& rows, std::size_t left_columns) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += i < left_columns ? fmt::format("{:<{}}", row[i], widths[i])
                               : fmt::format("{:>{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string describe(const LoadedArray& a) {
  return fmt::format("{} {}", tensor::to_string(a.type), a.shape.to_string());
}

std::string inspect_json(const Source& source) {
  std::string arrays, scalars;
  for (const auto& [name, a] : source.arrays) {
    const Statistics s = statistics_of(checkpoint::values_of(a));
    arrays += fmt::format(
        "{}\n    {{\"name\": {}, \"type\": \"{}\", \"shape\": [{}], \"state\": {}, \"min\": {}, \"max\": {}, "
        "\"mean\": {}, \"rms\": {}, \"not_finite\": {}}}",
        arrays.empty() ? "" : ",", base::json_quote(name), tensor::to_string(a.type),
        fmt::join(a.shape.dims(), ", "), checkpoint::is_state(source.arrays, name),
        base::json_number(s.smallest), base::json_number(s.largest), base::json_number(s.mean),
        base::json_number(s.rms), s.not_finite);
  }
  for (const auto& [name, value] : source.scalars) {
    scalars +=
        fmt::format("{}\n    {}: {}", scalars.empty() ? "" : ",", base::json_quote(name), scalar_json(value));
  }
  return fmt::format("{{\"place\": {}, \"kind\": \"{}\",\n  \"arrays\": [{}],\n  \"scalars\": {{{}}}}}\n",
                     base::json_quote(source.place), source.kind, arrays, scalars);
}

std::string inspect_text(const Source& source) {
  std::int64_t bytes = 0;
  std::vector<Row> rows{{"array", "type", "shape", "min", "max", "mean", "rms", "not finite"}};
  for (const auto& [name, a] : source.arrays) {
    const Statistics s = statistics_of(checkpoint::values_of(a));
    bytes += static_cast<std::int64_t>(a.bytes.size());
    const auto number = [](double x) { return fmt::format("{:.4g}", x); };
    rows.push_back({name, std::string(tensor::to_string(a.type)), a.shape.to_string(), number(s.smallest),
                    number(s.largest), number(s.mean), number(s.rms), fmt::to_string(s.not_finite)});
  }
  std::string text = fmt::format("{}: {}, {} arrays, {} bytes, {} scalars\n", source.place, source.kind,
                                 source.arrays.size(), bytes, source.scalars.size());
  if (!source.arrays.empty()) text += "\n" + table_text(rows, 3);
  rows = {{"scalar", "value"}};
  for (const auto& [name, value] : source.scalars) rows.push_back({name, shortened(scalar_text(value))});
  if (!source.scalars.empty()) text += "\n" + table_text(rows, 2);
  return text;
}

// ---- two of them --------------------------------------------------------------------------------

struct Difference {
  std::int64_t count = 0;  // of elements that differ
  std::int64_t worst = 0;  // position of the largest |a - b|
  double distance = 0;
};

/// numpy.isclose's rule, NaN equal to NaN; without tolerances -0 and +0 are equal too.
Difference compare(const std::vector<double>& a, const std::vector<double>& b, double rtol, double atol) {
  Difference d;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double distance = std::abs(a[i] - b[i]);
    if (std::isfinite(a[i]) && std::isfinite(b[i]) && distance <= atol + rtol * std::abs(b[i])) continue;
    const double rank = std::isfinite(distance) ? distance : INFINITY;
    if (d.count++ == 0 || rank > d.distance) {
      d.distance = rank;
      d.worst = static_cast<std::int64_t>(i);
    }
  }
  return d;
}

std::string position_text(std::int64_t position, const tensor::Shape& shape) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[static_cast<std::size_t>(i)] = position % shape[i];
    position /= shape[i];
  }
  return fmt::format("[{}]", fmt::join(index, ","));
}

class Comparison {
public:
  Comparison(const Source& a, const Source& b, double rtol, double atol)
    : a_(a), b_(b), rtol_(rtol), atol_(atol) {}

  int run(bool as_json) {
    std::set<std::string> names;
    for (const auto& [name, array] : a_.arrays) names.insert(name);
    for (const auto& [name, array] : b_.arrays) names.insert(name);
    for (const std::string& name : names) compare_arrays(name);
    const std::int64_t arrays_differ = found_;
    compare_scalars();
    if (as_json) {
      base::log().print(fmt::format("{{\"arrays\": {}, \"differ\": {}, \"findings\": [{}]}}\n", names.size(),
                                    found_, fmt::join(json_, ", ")));
    } else {
      text_ += fmt::format("{} of {} arrays differ\n", arrays_differ, names.size());
      base::log().print(text_);
    }
    return found_ > 0 ? 1 : 0;
  }

private:
  void report(const std::string& name, const char* kind, const std::string& what) {
    ++found_;
    text_ += fmt::format("{}: {}\n", name, what);
    json_.push_back(fmt::format("{{\"name\": {}, \"kind\": \"{}\", \"message\": {}}}", base::json_quote(name),
                                kind, base::json_quote(what)));
  }

  void compare_arrays(const std::string& name) {
    const auto in_a = a_.arrays.find(name), in_b = b_.arrays.find(name);
    if (in_b == b_.arrays.end()) {
      return report(name, "missing", fmt::format("only in {} ({})", a_.place, describe(in_a->second)));
    }
    if (in_a == a_.arrays.end()) {
      return report(name, "missing", fmt::format("only in {} ({})", b_.place, describe(in_b->second)));
    }
    const LoadedArray &a = in_a->second, &b = in_b->second;
    if (a.shape != b.shape) {
      return report(name, "shape", fmt::format("{} there, {} here", describe(a), describe(b)));
    }
    const std::vector<double> x = checkpoint::values_of(a), y = checkpoint::values_of(b);
    const Difference d = compare(x, y, rtol_, atol_);
    if (d.count > 0) {
      const auto i = static_cast<std::size_t>(d.worst);
      return report(name, "values",
                    fmt::format("{} of {} elements differ; largest |a - b| = {:.6g} at {}: {:.9g}, {:.9g}",
                                d.count, x.size(), d.distance, position_text(d.worst, a.shape), x[i], y[i]));
    }
    if (a.type != b.type) report(name, "type", fmt::format("{} there, {} here", describe(a), describe(b)));
  }

  void compare_scalars() {
    if (a_.scalars.empty() || b_.scalars.empty()) return;  // a file of arrays has none
    for (const auto& [name, value] : a_.scalars) {
      const auto other = b_.scalars.find(name);
      if (other == b_.scalars.end()) {
        report(name, "scalar", fmt::format("{} there, absent here", shortened(scalar_text(value))));
      } else if (other->second != value) {
        report(name, "scalar",
               fmt::format("{} there, {} here", shortened(scalar_text(value)),
                           shortened(scalar_text(other->second))));
      }
    }
    for (const auto& [name, value] : b_.scalars) {
      if (!a_.scalars.contains(name))
        report(name, "scalar", fmt::format("absent there, {} here", shortened(scalar_text(value))));
    }
  }

  const Source &a_, &b_;
  double rtol_, atol_;
  std::int64_t found_ = 0;
  std::string text_;
  std::vector<std::string> json_;
};

Source load(const std::string& file) {
  Source source = checkpoint::load_source(file);
  for (const std::string& note : source.notes) base::log().warning(note);
  return source;
}

}  // namespace

int inspect_arrays(const ConvertOptions& o) {
  for (const std::string& file : o.experiment.files) {
    const Source source = load(file);
    base::log().print(o.common.format == ReportFormat::json ? inspect_json(source) : inspect_text(source));
  }
  return 0;
}

int diff_arrays(const ConvertOptions& o) {
  const Source a = load(o.experiment.files[0]), b = load(o.experiment.files[1]);
  return Comparison(a, b, o.rtol.value_or(0), o.atol.value_or(0)).run(o.common.format == ReportFormat::json);
}

}  // namespace lbann::tools
