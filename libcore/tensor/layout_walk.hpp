// Visits every logical element of a tensor with its storage offset, in C order.
//
// A storage offset is a sum of one term per dim (outer stride plus inner blocks), so one small
// table per dim replaces the general index arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/layout.hpp"

namespace lbann::tensor {

/// offset(index) = sum over d of tables[d][index[d]].
std::vector<std::vector<std::int64_t>> make_offset_tables(const Layout& layout, const Shape& shape);

/// True when both layouts put every element (and all padding) of `shape` at the same offset, however they are
/// spelled: [8,16,9,9] lies alike channels last and blocked by 16, [4,64,1,1] also row-major. Storage with
/// padding may be taken for different although it is the same.
bool same_storage(const Shape& shape, const Layout& a, const Layout& b);

/// Calls visit(position in C order, storage offset in elements) for every element.
template <typename Visit>
void for_each_element(const Layout& layout, const Shape& shape, Visit visit) {
  const std::int64_t count = shape.num_elements();
  if (layout.is_plain() || shape.rank() == 0) {
    for (std::int64_t i = 0; i < count; ++i) visit(i, i);
    return;
  }
  const auto tables = make_offset_tables(layout, shape);
  const int last = shape.rank() - 1;
  const std::vector<std::int64_t>& inner = tables[static_cast<std::size_t>(last)];
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()), 0);
  for (std::int64_t position = 0; position < count;) {
    std::int64_t base = 0;
    for (int d = 0; d < last; ++d) {
      const std::size_t k = static_cast<std::size_t>(d);
      base += tables[k][static_cast<std::size_t>(index[k])];
    }
    for (const std::int64_t term : inner) visit(position++, base + term);
    for (int d = last - 1; d >= 0; --d) {
      if (++index[static_cast<std::size_t>(d)] < shape[d]) break;
      index[static_cast<std::size_t>(d)] = 0;
    }
  }
}

}  // namespace lbann::tensor
