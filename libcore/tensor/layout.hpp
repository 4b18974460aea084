// How a tensor lies in memory: an order of the dims, outermost first, and inner blocks.
//
// The text form is the tag the CPU library's manual uses: letters are dims ('a' = dim 0), in
// memory order; a dim that is also split into inner blocks is a capital there, and the blocks
// follow as size and letter. For [n,c,h,w]: "abcd" row-major, "acdb" channels last, "aBcd16b" =
// n, c/16, h, w, 16 channels. Blocked dims are padded up to the block; padding is always +0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.hpp"

namespace lbann::tensor {

struct InnerBlock {
  int dim;
  int size;
  bool operator==(const InnerBlock&) const = default;
};

class Layout {
public:
  Layout() = default;
  static Layout plain(int rank);
  static Layout channels_last(int rank);                // dim 1 innermost
  static Layout blocked_channels(int rank, int block);  // dim 1 split by `block`
  /// Throws base::Error (internal) on a malformed tag.
  static Layout from_tag(std::string_view tag);
  Layout(std::vector<int> order, std::vector<InnerBlock> blocks)
    : order_(std::move(order)), blocks_(std::move(blocks)) {}

  int rank() const { return static_cast<int>(order_.size()); }
  const std::vector<int>& order() const { return order_; }
  const std::vector<InnerBlock>& blocks() const { return blocks_; }
  bool is_plain() const;
  bool is_blocked() const { return !blocks_.empty(); }
  std::string tag() const;

  /// Extent of each dim rounded up to its blocks.
  Shape padded(const Shape& shape) const;
  /// Elements of storage, padding included.
  std::int64_t storage_elements(const Shape& shape) const;
  bool has_padding(const Shape& shape) const;
  /// Strides of the outer (block-granular) dims in elements, indexed by dim.
  std::vector<std::int64_t> outer_strides(const Shape& shape) const;
  /// Storage offset in elements of a logical index. Slow; for reference code and tests.
  std::int64_t offset(const Shape& shape, const std::int64_t* index) const;

  bool operator==(const Layout&) const = default;

private:
  int block_of(int dim) const;
  std::vector<int> order_;          // dims, outermost first
  std::vector<InnerBlock> blocks_;  // inner blocks, outermost first
};

}  // namespace lbann::tensor
