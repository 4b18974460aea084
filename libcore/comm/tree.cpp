// See tree.hpp. Works in stretches that stay in the first-level cache: every level of the tree is a plain
// loop over a stretch.
#include "comm/tree.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::comm {
namespace {

using tensor::DataType;

template <typename T>
struct Plain {
  using Stored = T;
  using Number = T;
  static T load(T x) { return x; }
  static T store(T x) { return x; }
};

struct Bf16 {
  using Stored = std::uint16_t;
  using Number = float;
  static float load(std::uint16_t x) {
    const std::uint32_t bits = static_cast<std::uint32_t>(x) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  static std::uint16_t store(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if (std::isnan(x)) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    bits += 0x7fffu + ((bits >> 16) & 1u);  // to nearest even
    return static_cast<std::uint16_t>(bits >> 16);
  }
};

template <typename T>
bool is_nan(T x) {
  return x != x;
}

template <typename T>
T combine(T a, T b, ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return a + b;
    case ReduceOp::max:
      return a > b || is_nan(a) ? a : b;
    case ReduceOp::min:
      return a < b || is_nan(a) ? a : b;
  }
  return a;
}

template <typename Kind>
void reduce(std::span<const void* const> sources, void* out, std::int64_t begin, std::int64_t end,
            ReduceOp op) {
  using Stored = typename Kind::Stored;
  using Number = typename Kind::Number;
  constexpr std::int64_t stretch = 512;
  const std::size_t ranks = sources.size();
  std::vector<Number> work(ranks * static_cast<std::size_t>(stretch));
  for (std::int64_t first = begin; first < end; first += stretch) {
    const auto n = static_cast<std::size_t>(std::min(stretch, end - first));
    for (std::size_t r = 0; r < ranks; ++r) {
      const Stored* x = static_cast<const Stored*>(sources[r]) + first;
      Number* w = work.data() + r * static_cast<std::size_t>(stretch);
      for (std::size_t i = 0; i < n; ++i) w[i] = Kind::load(x[i]);
    }
    for (std::size_t s = 1; s < ranks; s *= 2) {
      for (std::size_t r = 0; r + s < ranks; r += 2 * s) {
        Number* a = work.data() + r * static_cast<std::size_t>(stretch);
        const Number* b = work.data() + (r + s) * static_cast<std::size_t>(stretch);
        for (std::size_t i = 0; i < n; ++i) a[i] = Kind::load(Kind::store(combine(a[i], b[i], op)));
      }
    }
    Stored* y = static_cast<Stored*>(out) + first;
    for (std::size_t i = 0; i < n; ++i) y[i] = Kind::store(work[i]);
  }
}

}  // namespace

void reduce_in_tree(std::span<const void* const> sources, void* out, std::int64_t begin, std::int64_t end,
                    DataType type, ReduceOp op) {
  switch (type) {
    case DataType::f32:
      return reduce<Plain<float>>(sources, out, begin, end, op);
    case DataType::f64:
      return reduce<Plain<double>>(sources, out, begin, end, op);
    case DataType::i64:
      return reduce<Plain<std::int64_t>>(sources, out, begin, end, op);
    case DataType::bf16:
      return reduce<Bf16>(sources, out, begin, end, op);
    default:
      throw base::Error(base::ExitCode::internal,
                        fmt::format("no reduction over ranks for type {}", tensor::to_string(type)));
  }
}

}  // namespace lbann::comm
