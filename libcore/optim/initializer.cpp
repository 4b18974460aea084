// See initializer.hpp. Variance scaling: glorot 2 / (fan_in + fan_out), he 2 / fan_in, lecun 1 / fan_in; the
// uniform kinds draw from +-sqrt(3 variance), the normal kinds are not truncated.
#include "optim/initializer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "base/npy.hpp"
#include "base/philox.hpp"

namespace lbann::optim {
namespace {

using Kind = InitializerKind;

/// A distribution with its parameters worked out.
struct Distribution {
  bool normal;
  double a, b;  // mean and deviation, or bounds [a, b)
};

double scaled_variance(Kind kind, const InitializerTarget& t) {
  const double in = static_cast<double>(t.fan_in), out = static_cast<double>(t.fan_out);
  if (kind == Kind::glorot_normal || kind == Kind::glorot_uniform) return 2 / (in + out);
  if (kind == Kind::he_normal || kind == Kind::he_uniform) return 2 / in;
  return 1 / in;
}

bool scales_variance(Kind kind) { return kind >= Kind::glorot_normal && kind <= Kind::lecun_uniform; }

std::optional<Distribution> try_distribution(const InitializerConfig& c, const InitializerTarget& t) {
  switch (c.kind) {
    case Kind::uniform:
      if (c.min == 0 && c.max == 0) return Distribution{false, 0, 1};
      return Distribution{false, c.min, c.max};
    case Kind::normal:
      if (c.mean == 0 && c.deviation == 0) return Distribution{true, 0, 1};
      return Distribution{true, c.mean, c.deviation};
    case Kind::glorot_normal:
    case Kind::he_normal:
    case Kind::lecun_normal:
      return Distribution{true, 0, std::sqrt(scaled_variance(c.kind, t))};
    case Kind::glorot_uniform:
    case Kind::he_uniform:
    case Kind::lecun_uniform: {
      const double bound = std::sqrt(3 * scaled_variance(c.kind, t));
      return Distribution{false, -bound, bound};
    }
    default:
      return std::nullopt;
  }
}

/// Throws base::Error(data) when the array does not fit.
base::NpyArray load_fitting(const std::string& file, const InitializerTarget& t) {
  base::NpyArray array = base::load_npy(file);
  const std::int64_t size = t.shape.num_elements();
  const std::int64_t width = t.matrix_height > 0 ? size / t.matrix_height : 1;
  const std::string shape = tensor::Shape(array.shape).to_string();
  if (width > 1) {
    if (array.shape != std::vector<std::int64_t>{t.matrix_height, width}) {
      throw base::Error(base::ExitCode::data, fmt::format("{}: shape {}, weights '{}' need [{},{}]", file,
                                                          shape, t.name, t.matrix_height, width));
    }
  } else if (static_cast<std::int64_t>(array.values.size()) != size) {
    throw base::Error(base::ExitCode::data,
                      fmt::format("{}: shape {} has {} entries, weights '{}' {} have {}", file, shape,
                                  array.values.size(), t.name, t.shape.to_string(), size));
  }
  return array;
}

/// Parts of large weights are filled side by side: each number depends on its position only. Half of the time
/// goes into the first touch of the pages.
template <class T>
void fill_random(const Distribution& d, const base::RandomStream& stream, std::span<T> out) {
  constexpr std::size_t part_size = std::size_t{1} << 18;
  const auto fill_part = [&](std::size_t begin, std::size_t end) {
    const std::span<T> part = out.subspan(begin, end - begin);
    if (d.normal)
      base::fill_normal(stream, d.a, d.b, part, begin);
    else
      base::fill_uniform(stream, d.a, d.b, part, begin);
  };
  const std::size_t num_threads =
      std::clamp<std::size_t>(out.size() / part_size, 1, std::max(1u, std::thread::hardware_concurrency()));
  const auto start_of = [&](std::size_t i) { return out.size() / num_threads * i; };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < num_threads; ++i)
    helpers.emplace_back(fill_part, start_of(i), i + 1 < num_threads ? start_of(i + 1) : out.size());
  fill_part(0, num_threads > 1 ? start_of(1) : out.size());
}

template <class T>
void fill(const InitializerConfig& c, const InitializerTarget& t, std::uint64_t key, std::span<T> out) {
  // A numpy file is checked where it is read, below.
  if (c.kind != Kind::numpy) {
    if (const auto finding = check_initializer(c, t)) {
      throw base::Error(finding->code, finding->message, finding->help);
    }
  }
  if (static_cast<std::int64_t>(out.size()) != t.shape.num_elements()) {
    throw base::Error(base::ExitCode::internal,
                      fmt::format("{} values wanted for '{}' {}", out.size(), t.name, t.shape.to_string()));
  }
  if (const auto d = try_distribution(c, t)) {
    fill_random(*d, base::RandomStream(key, base::make_stream(t.name, "initializer")), out);
    return;
  }
  const std::size_t n = out.size();
  switch (c.kind) {
    case Kind::value_list:
      for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(c.values[i]);
      break;
    case Kind::numpy: {
      const base::NpyArray array = load_fitting(c.file, t);
      const std::size_t height = t.matrix_height > 0 ? static_cast<std::size_t>(t.matrix_height) : n;
      const std::size_t width = height == 0 ? 0 : n / height;
      for (std::size_t col = 0; col < width; ++col) {
        for (std::size_t row = 0; row < height; ++row) {
          out[row + height * col] = static_cast<T>(array.values[row * width + col]);
        }
      }
      break;
    }
    case Kind::scale_bias:
      for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(i < n / 2 ? 1 : 0);
      break;
    default:
      for (T& value : out) value = static_cast<T>(c.value);
  }
}

std::optional<Finding> check_bounds(const InitializerConfig& c) {
  if (c.kind == Kind::uniform && !(c.min == 0 && c.max == 0)) {
    if (!(c.max > c.min) || !std::isfinite(c.max - c.min)) {
      return Finding{"value-out-of-range",
                     fmt::format("min = {}, max = {}, max must be greater", c.min, c.max), "max"};
    }
  }
  if (c.kind == Kind::normal && (!(c.deviation >= 0) || !std::isfinite(c.deviation + c.mean))) {
    return Finding{"value-out-of-range",
                   fmt::format("standard_deviation = {}, must be at least 0", c.deviation),
                   "standard_deviation"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_initializer(const InitializerConfig& c, const InitializerTarget& t) {
  if (scales_variance(c.kind) && (t.fan_in <= 0 || t.fan_out <= 0)) {
    return Finding{
        "no-fans",
        fmt::format("weights '{}' {} have no fan-in: this initializer is for the matrices and kernels "
                    "of fully connected and convolution layers",
                    t.name, t.shape.to_string()),
        "", "use normal_initializer or uniform_initializer"};
  }
  const std::int64_t size = t.shape.num_elements();
  if (c.kind == Kind::value_list && static_cast<std::int64_t>(c.values.size()) != size) {
    return Finding{"list-length",
                   fmt::format("{} values for weights '{}' {} of {} entries", c.values.size(), t.name,
                               t.shape.to_string(), size),
                   ""};
  }
  if (c.kind == Kind::numpy) {
    if (c.file.empty()) return Finding{"missing-field", "numpy_initializer needs 'file'"};
    try {
      load_fitting(c.file, t);
    } catch (const base::Error& e) {
      return Finding{"numpy-file", e.what(), "file", e.help(), e.code()};
    }
  }
  return check_bounds(c);
}

void fill_initial(const InitializerConfig& config, const InitializerTarget& target, std::uint64_t key,
                  std::span<float> out) {
  fill(config, target, key, out);
}

void fill_initial(const InitializerConfig& config, const InitializerTarget& target, std::uint64_t key,
                  std::span<double> out) {
  fill(config, target, key, out);
}

}  // namespace lbann::optim
