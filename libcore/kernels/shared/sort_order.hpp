// The order of `sort`: by value, NaN behind everything, equal entries by position.
#pragma once

#include <cstdint>

namespace lbann::kernels::shared {

template <class T>
struct SortOrder {
  const T* x;
  bool descending;
  bool operator()(std::int64_t a, std::int64_t b) const {
    const bool a_known = x[a] == x[a], b_known = x[b] == x[b];
    if (a_known != b_known) return a_known;
    if (a_known && x[a] != x[b]) return descending ? x[a] > x[b] : x[a] < x[b];
    return a < b;
  }
};

}  // namespace lbann::kernels::shared
