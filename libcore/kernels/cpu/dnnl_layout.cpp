// The library's v2 descriptor is a plain struct: per dim a stride of whole blocks, then a list of
// inner blocks (size, dim), outermost first. That is tensor::Layout with strides instead of an
// order. Reading one back therefore sorts the dims by stride and then insists that the strides,
// the padded dims and the offset are exactly those of a dense tensor.
#include "kernels/cpu/dnnl_layout.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::kernels::cpu {

using tensor::InnerBlock;
using tensor::Layout;
using tensor::Shape;

namespace {

std::int64_t block_of(const Layout& layout, int dim) {
  std::int64_t block = 1;
  for (const InnerBlock& b : layout.blocks()) {
    if (b.dim == dim) block *= b.size;
  }
  return block;
}

[[noreturn]] void fail_rank(int rank) {
  throw base::Error(
      base::ExitCode::internal,
      fmt::format("a tensor of rank {} has no oneDNN descriptor (1 to {} dims)", rank, DNNL_MAX_NDIMS));
}

void fill_descriptor(dnnl_memory_desc_t& d, const Shape& shape, const Layout& layout,
                     dnnl::memory::data_type type) {
  const Shape padded = layout.padded(shape);
  const std::vector<std::int64_t> strides = layout.outer_strides(shape);
  d = dnnl_memory_desc_t{};
  d.ndims = shape.rank();
  d.data_type = static_cast<dnnl_data_type_t>(type);
  d.format_kind = dnnl_blocked;
  for (int i = 0; i < shape.rank(); ++i) {
    d.dims[i] = shape[i];
    d.padded_dims[i] = padded[i];
    d.format_desc.blocking.strides[i] = strides[static_cast<std::size_t>(i)];
  }
  dnnl_blocking_desc_t& blocking = d.format_desc.blocking;
  blocking.inner_nblks = static_cast<int>(layout.blocks().size());
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    const InnerBlock& b = layout.blocks()[static_cast<std::size_t>(i)];
    blocking.inner_blks[i] = b.size;
    blocking.inner_idxs[i] = b.dim;
  }
}

}  // namespace

dnnl::memory::data_type to_dnnl_type(tensor::DataType type) {
  using To = dnnl::memory::data_type;
  switch (type) {
    case tensor::DataType::f32:
      return To::f32;
    case tensor::DataType::bf16:
      return To::bf16;
    case tensor::DataType::f16:
      return To::f16;
    case tensor::DataType::i32:
      return To::s32;
    case tensor::DataType::u8:
      return To::u8;
    case tensor::DataType::f64:
    case tensor::DataType::i64:
      break;
  }
  return To::undef;
}

Desc make_desc(const Shape& shape, const Layout& layout, dnnl::memory::data_type type) {
  if (shape.rank() < 1 || shape.rank() > DNNL_MAX_NDIMS) fail_rank(shape.rank());
  if (layout.rank() == 0) return Desc(shape.dims(), type, dnnl::memory::format_tag::any);
  Desc desc;
  fill_descriptor(desc.data, shape, layout, type);
  return desc;
}

std::optional<Layout> try_layout(const Desc& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  if (d.ndims < 1 || d.format_kind != dnnl_blocked || d.offset0 != 0 || d.extra.flags != 0) {
    return std::nullopt;
  }
  const dnnl_blocking_desc_t& blocking = d.format_desc.blocking;
  std::vector<int> order;
  std::vector<std::int64_t> dims;
  for (int i = 0; i < d.ndims; ++i) {
    if (d.padded_offsets[i] != 0) return std::nullopt;
    order.push_back(i);
    dims.push_back(d.dims[i]);
  }
  std::vector<InnerBlock> blocks;
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    blocks.push_back({static_cast<int>(blocking.inner_idxs[i]), static_cast<int>(blocking.inner_blks[i])});
  }
  const Shape shape(dims);
  const Layout blocks_only(order, blocks);
  // Dims of one block come after longer ones of the same stride; canonical() then places them.
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto stride_a = blocking.strides[a];
    const auto stride_b = blocking.strides[b];
    if (stride_a != stride_b) return stride_a > stride_b;
    return d.padded_dims[a] / block_of(blocks_only, a) > d.padded_dims[b] / block_of(blocks_only, b);
  });
  const Layout layout = canonical(Layout(order, blocks), shape);
  const Shape padded = layout.padded(shape);
  const std::vector<std::int64_t> strides = layout.outer_strides(shape);
  for (int i = 0; i < d.ndims; ++i) {
    if (d.padded_dims[i] != padded[i]) return std::nullopt;
    const bool one_block = padded[i] == block_of(layout, i);
    if (!one_block && blocking.strides[i] != strides[static_cast<std::size_t>(i)]) return std::nullopt;
  }
  return layout;
}

std::optional<Desc> try_make_weight_desc(const Shape& shape, const Layout& layout, std::int64_t groups,
                                         dnnl::memory::data_type type) {
  if (groups == 1) return make_desc(shape, layout, type);
  if (shape.rank() + 1 > DNNL_MAX_NDIMS) fail_rank(shape.rank() + 1);
  std::vector<std::int64_t> dims{groups};
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  dims[1] = shape[0] / groups;
  if (layout.rank() == 0) return Desc(dims, type, dnnl::memory::format_tag::any);
  // Dim 0 splits into (group, channel within the group), group outermost. Depthwise weights have
  // one channel per group, so there the blocks belong to the group.
  const bool blocks_of_groups = dims[1] == 1;
  if (!blocks_of_groups && dims[1] % block_of(layout, 0) != 0) return std::nullopt;
  std::vector<int> order;
  for (int dim : layout.order()) {
    if (dim == 0) order.push_back(0);
    order.push_back(dim + 1);
  }
  // The library's own formats name the single channel before groups that stand innermost.
  if (blocks_of_groups && layout.order().back() == 0)
    std::swap(order[order.size() - 1], order[order.size() - 2]);
  std::vector<InnerBlock> blocks;
  for (const InnerBlock& b : layout.blocks()) {
    blocks.push_back({b.dim == 0 && blocks_of_groups ? 0 : b.dim + 1, b.size});
  }
  return make_desc(Shape(dims), Layout(order, blocks), type);
}

std::optional<Layout> try_weight_layout(const Desc& desc, std::int64_t groups) {
  const std::optional<Layout> full = try_layout(desc);
  if (!full || groups == 1) return full;
  const dnnl_memory_desc_t& d = desc.data;
  const int absent = d.dims[1] == 1 ? 1 : 0;  // the half of dim 0 that may not be blocked
  std::vector<std::int64_t> dims(d.dims + 1, d.dims + d.ndims);
  dims[0] *= d.dims[0];
  std::vector<InnerBlock> blocks;
  for (const InnerBlock& b : full->blocks()) {
    if (b.dim == absent) return std::nullopt;
    blocks.push_back({std::max(b.dim - 1, 0), b.size});
  }
  std::vector<int> order;
  for (int dim : full->order()) {
    if (dim != absent) order.push_back(std::max(dim - 1, 0));
  }
  // Whether group and channel were neighbours is seen by going back again.
  const Layout layout = canonical(Layout(order, blocks), Shape(dims));
  const std::optional<Desc> back =
      try_make_weight_desc(Shape(dims), layout, groups, static_cast<dnnl::memory::data_type>(d.data_type));
  if (!back || try_layout(*back) != full) return std::nullopt;
  return layout;
}

Layout canonical(const Layout& layout, const Shape& shape) {
  const Shape padded = layout.padded(shape);
  std::vector<int> order;
  std::vector<int> single;
  for (int dim : layout.order()) {
    (padded[dim] == block_of(layout, dim) ? single : order).push_back(dim);
  }
  std::sort(single.begin(), single.end());
  for (int dim : single) {
    const auto place = std::find_if(order.begin(), order.end(), [dim](int other) { return other > dim; });
    order.insert(place, dim);
  }
  return Layout(std::move(order), layout.blocks());
}

bool same_storage(const Shape& shape, const Layout& a, const Layout& b) {
  return tensor::same_storage(shape, a, b);
}

Layout permuted(const Layout& layout, const std::vector<int>& perm) {
  std::vector<int> position(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    position[static_cast<std::size_t>(perm[i])] = static_cast<int>(i);
  std::vector<int> order;
  for (int dim : layout.order()) order.push_back(position[static_cast<std::size_t>(dim)]);
  std::vector<InnerBlock> blocks;
  for (const InnerBlock& b : layout.blocks()) {
    blocks.push_back({position[static_cast<std::size_t>(b.dim)], b.size});
  }
  return Layout(std::move(order), std::move(blocks));
}

}  // namespace lbann::kernels::cpu
