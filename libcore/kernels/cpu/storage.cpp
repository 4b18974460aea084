// Layouts in memory order.
#include "kernels/cpu/storage.hpp"

#include <algorithm>
#include <cstring>

namespace lbann::kernels::cpu {

std::vector<StorageDim> storage_dims(const tensor::Layout& layout, const tensor::Shape& shape) {
  const tensor::Shape padded = layout.padded(shape);
  const std::vector<std::int64_t> strides = layout.outer_strides(shape);
  std::vector<std::int64_t> block(static_cast<std::size_t>(shape.rank()), 1);
  for (const tensor::InnerBlock& b : layout.blocks()) block[static_cast<std::size_t>(b.dim)] *= b.size;
  std::vector<StorageDim> dims;
  for (int d : layout.order()) {
    const auto i = static_cast<std::size_t>(d);
    dims.push_back({d, padded[d] / block[i], strides[i], block[i]});
  }
  std::int64_t stride = 1;
  for (const tensor::InnerBlock& b : layout.blocks()) stride *= b.size;
  std::vector<std::int64_t> logical = block;
  for (const tensor::InnerBlock& b : layout.blocks()) {
    const auto i = static_cast<std::size_t>(b.dim);
    stride /= b.size;
    logical[i] /= b.size;
    dims.push_back({b.dim, b.size, stride, logical[i]});
  }
  return dims;
}

Padding::Padding(const tensor::Layout& layout, const tensor::Shape& shape) {
  if (!layout.has_padding(shape)) return;
  const std::vector<StorageDim> dims = storage_dims(layout, shape);
  if (layout.blocks().size() == 1) {
    const tensor::InnerBlock& b = layout.blocks().front();
    block_ = b.size;
    num_blocks_ = layout.padded(shape)[b.dim] / b.size;
    used_ = shape[b.dim] - (num_blocks_ - 1) * b.size;
    for (const StorageDim& d : dims) {
      if (d.dim == b.dim && d.stride >= b.size) rows_ = d.stride / b.size;
    }
    return;
  }
  const std::int64_t count = layout.storage_elements(shape);
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  for (std::int64_t i = 0; i < count; ++i) {
    std::fill(index.begin(), index.end(), 0);
    std::int64_t rest = i;
    for (const StorageDim& d : dims) {  // strides fall along dims: digits of i
      index[static_cast<std::size_t>(d.dim)] += rest / d.stride * d.logical;
      rest %= d.stride;
    }
    bool outside = false;
    for (int d = 0; d < shape.rank(); ++d)
      outside = outside || index[static_cast<std::size_t>(d)] >= shape[d];
    if (!outside) continue;
    if (!spans_.empty() && spans_.back().end == i) {
      spans_.back().end = i + 1;
    } else {
      spans_.push_back({i, i + 1});
    }
  }
}

void Padding::clear(float* data, std::int64_t begin, std::int64_t end) const {
  if (block_ > 0) {
    const std::int64_t last = end / block_;
    for (std::int64_t row = begin / block_; row < last;) {
      const std::int64_t stretch = std::min(last, (row / rows_ + 1) * rows_);
      if (row / rows_ % num_blocks_ == num_blocks_ - 1) {
        for (; row < stretch; ++row) {
          for (std::int64_t l = used_; l < block_; ++l) data[row * block_ + l] = 0;
        }
      }
      row = stretch;
    }
    return;
  }
  auto it = std::upper_bound(spans_.begin(), spans_.end(), begin,
                             [](std::int64_t value, const Span& span) { return value < span.end; });
  for (; it != spans_.end() && it->begin < end; ++it) {
    std::fill(data + std::max(it->begin, begin), data + std::min(it->end, end), 0.0f);
  }
}

}  // namespace lbann::kernels::cpu
