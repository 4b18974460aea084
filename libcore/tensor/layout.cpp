// Layout: tags, strides and offsets of blocked row-major-like storage.
#include "tensor/layout.hpp"

#include "tensor/layout_walk.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::tensor {

Layout Layout::plain(int rank) {
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return Layout(std::move(order), {});
}

Layout Layout::channels_last(int rank) {
  std::vector<int> order{0};
  for (int d = 2; d < rank; ++d) order.push_back(d);
  if (rank > 1) order.push_back(1);
  return Layout(std::move(order), {});
}

Layout Layout::blocked_channels(int rank, int block) {
  Layout layout = plain(rank);
  layout.blocks_ = {{1, block}};
  return layout;
}

Layout Layout::from_tag(std::string_view tag) {
  std::vector<int> order;
  std::vector<InnerBlock> blocks;
  std::string outer;  // the letters before the blocks
  int number = 0;
  bool good = true;
  for (char ch : tag) {
    if (std::isdigit(static_cast<unsigned char>(ch))) {
      good = good && number < 100000000;
      number = good ? number * 10 + (ch - '0') : 0;
    } else if (number > 0) {
      blocks.push_back({ch - 'a', number});
      number = 0;
    } else {
      good = good && std::isalpha(static_cast<unsigned char>(ch)) && blocks.empty();
      order.push_back(std::tolower(static_cast<unsigned char>(ch)) - 'a');
      outer += ch;
    }
  }
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) good = good && sorted[i] == static_cast<int>(i);
  for (const InnerBlock& b : blocks) good = good && b.dim >= 0 && b.dim < static_cast<int>(order.size());
  // A dim is a capital exactly where it has blocks.
  for (std::size_t i = 0; good && i < outer.size(); ++i) {
    const bool blocked =
        std::any_of(blocks.begin(), blocks.end(), [&](const InnerBlock& b) { return b.dim == order[i]; });
    good = blocked == (std::isupper(static_cast<unsigned char>(outer[i])) != 0);
  }
  if (!good || number > 0) {
    throw base::Error(base::ExitCode::internal, fmt::format("malformed layout tag '{}'", tag));
  }
  return Layout(std::move(order), std::move(blocks));
}

bool Layout::is_plain() const {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (order_[i] != static_cast<int>(i)) return false;
  }
  return blocks_.empty();
}

int Layout::block_of(int dim) const {
  int block = 1;
  for (const InnerBlock& b : blocks_) {
    if (b.dim == dim) block *= b.size;
  }
  return block;
}

std::string Layout::tag() const {
  std::string text;
  for (int dim : order_) text += static_cast<char>((block_of(dim) > 1 ? 'A' : 'a') + dim);
  for (const InnerBlock& b : blocks_) text += fmt::format("{}{}", b.size, static_cast<char>('a' + b.dim));
  return text;
}

Shape Layout::padded(const Shape& shape) const {
  Shape result = shape;
  for (int d = 0; d < shape.rank(); ++d) {
    const std::int64_t block = block_of(d);
    result[d] = (shape[d] + block - 1) / block * block;
  }
  return result;
}

std::int64_t Layout::storage_elements(const Shape& shape) const { return padded(shape).num_elements(); }

bool Layout::has_padding(const Shape& shape) const { return !(padded(shape) == shape); }

std::vector<std::int64_t> Layout::outer_strides(const Shape& shape) const {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()), 0);
  std::int64_t stride = 1;
  for (const InnerBlock& b : blocks_) stride *= b.size;
  const Shape extent = padded(shape);
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    strides[static_cast<std::size_t>(*it)] = stride;
    stride *= extent[*it] / block_of(*it);
  }
  return strides;
}

std::int64_t Layout::offset(const Shape& shape, const std::int64_t* index) const {
  const std::vector<std::int64_t> strides = outer_strides(shape);
  std::vector<std::int64_t> rest(index, index + shape.rank());
  std::int64_t position = 0;
  std::int64_t inner_stride = 1;
  for (auto it = blocks_.rbegin(); it != blocks_.rend(); ++it) {
    std::int64_t& r = rest[static_cast<std::size_t>(it->dim)];
    position += (r % it->size) * inner_stride;
    r /= it->size;
    inner_stride *= it->size;
  }
  for (int d = 0; d < shape.rank(); ++d) {
    position += rest[static_cast<std::size_t>(d)] * strides[static_cast<std::size_t>(d)];
  }
  return position;
}

namespace {

struct Loop {
  int dim;
  std::int64_t size;
  bool operator==(const Loop&) const = default;
};

// The storage as nested loops, outermost first, loops of one turn dropped and adjacent loops over
// the same dim merged: two layouts are the same storage if these agree, and without padding only then.
std::vector<Loop> storage_loops(const Shape& shape, const Layout& layout) {
  const Shape padded = layout.padded(shape);
  std::vector<Loop> loops;
  const auto push = [&loops](int dim, std::int64_t size) {
    if (size == 1) return;
    if (!loops.empty() && loops.back().dim == dim) {
      loops.back().size *= size;
    } else {
      loops.push_back({dim, size});
    }
  };
  const auto block_of = [&layout](int dim) {
    std::int64_t block = 1;
    for (const InnerBlock& b : layout.blocks()) block *= b.dim == dim ? b.size : 1;
    return block;
  };
  for (int dim : layout.order()) push(dim, padded[dim] / block_of(dim));
  for (const InnerBlock& b : layout.blocks()) push(b.dim, b.size);
  return loops;
}

}  // namespace

bool same_storage(const Shape& shape, const Layout& a, const Layout& b) {
  if (a == b) return true;
  return a.rank() == b.rank() && storage_loops(shape, a) == storage_loops(shape, b);
}

std::vector<std::vector<std::int64_t>> make_offset_tables(const Layout& layout, const Shape& shape) {
  std::vector<std::vector<std::int64_t>> tables;
  for (int d = 0; d < shape.rank(); ++d) {
    std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()), 0);
    std::vector<std::int64_t> table;
    for (std::int64_t i = 0; i < shape[d]; ++i) {
      index[static_cast<std::size_t>(d)] = i;
      table.push_back(layout.offset(shape, index.data()));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace lbann::tensor
