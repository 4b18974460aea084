// Views of operands, creation of primitive descriptors, and reading back what the library chose.
#include "kernels/cpu/dnnl_op.hpp"

#include <algorithm>

#include "kernels/cpu/dnnl_engine.hpp"

namespace lbann::kernels::cpu {

using tensor::Layout;
using tensor::Shape;

namespace {

/// The order of dims with the last two swapped.
std::vector<int> swapped(int rank) {
  std::vector<int> order = Layout::plain(rank).order();
  std::swap(order[static_cast<std::size_t>(rank - 2)], order[static_cast<std::size_t>(rank - 1)]);
  return order;
}

Shape swap_last(const Shape& shape) {
  std::vector<std::int64_t> dims = shape.dims();
  std::swap(dims[dims.size() - 2], dims[dims.size() - 1]);
  return Shape(std::move(dims));
}

const graph::Value& operand(const OpRequest& r, const OpArg& arg) {
  const auto i = static_cast<std::size_t>(arg.index);
  return r.g.value(arg.is_output ? r.node.outputs[i] : r.node.inputs[i]);
}

std::optional<Layout> layout_of(const OpArg& arg, std::int64_t groups) {
  switch (arg.view) {
    case OpArg::View::grouped_weight:
      return try_weight_layout(arg.desc, groups);
    case OpArg::View::transposed: {
      const std::optional<Layout> layout = try_layout(arg.desc);
      if (!layout) return std::nullopt;
      const Shape shape(arg.desc.dims());
      return canonical(permuted(*layout, swapped(shape.rank())), swap_last(shape));
    }
    case OpArg::View::direct:
      break;
  }
  return try_layout(arg.desc);
}

}  // namespace

bool try_describe(const OpRequest& r, OpArg& arg, std::int64_t groups) {
  const tensor::TensorSpec& spec = operand(r, arg).spec;
  if (spec.type != tensor::DataType::f32 || spec.shape.num_elements() == 0) return false;
  const int extra = arg.view == OpArg::View::grouped_weight && groups > 1 ? 1 : 0;
  if (spec.shape.rank() < 1 || spec.shape.rank() + extra > DNNL_MAX_NDIMS) return false;
  const Layout& layout = (arg.is_output ? r.outputs : r.inputs)[static_cast<std::size_t>(arg.index)];
  switch (arg.view) {
    case OpArg::View::grouped_weight: {
      const std::optional<Desc> desc = try_make_weight_desc(spec.shape, layout, groups);
      if (desc) arg.desc = *desc;
      return desc.has_value();
    }
    case OpArg::View::transposed: {
      if (spec.shape.rank() < 2) return false;
      arg.desc = make_desc(swap_last(spec.shape),
                           layout.rank() == 0 ? layout : permuted(layout, swapped(spec.shape.rank())));
      return true;
    }
    case OpArg::View::direct:
      break;
  }
  arg.desc = make_desc(spec.shape, layout);
  return true;
}

dnnl::primitive_attr make_attr() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_fpmath_mode(dnnl::fpmath_mode::strict);
  return attr;
}

std::optional<DnnlOp> try_read_back(const OpRequest& r, dnnl::primitive_desc_base desc,
                                    std::vector<OpArg> args, std::int64_t groups) {
  DnnlOp op;
  op.implementation = desc.impl_info_str();
  if (op.implementation.find("ref") != std::string::npos) return std::nullopt;
  op.inputs = r.inputs;
  op.outputs = r.outputs;
  for (OpArg& arg : args) {
    arg.desc = desc.query_md(dnnl::query::exec_arg_md, arg.arg);
    std::optional<Layout> layout = layout_of(arg, groups);
    if (!layout) return std::nullopt;
    // A bias is a dense vector, whatever unit dims the library puts around it.
    if (operand(r, arg).spec.shape.rank() == 1) layout = Layout::plain(1);
    Layout& place = (arg.is_output ? op.outputs : op.inputs)[static_cast<std::size_t>(arg.index)];
    if (place.rank() > 0 && !same_storage(operand(r, arg).spec.shape, place, *layout)) return std::nullopt;
    place = *layout;
  }
  op.scratch_bytes = static_cast<std::int64_t>(desc.scratchpad_desc().get_size());
  op.desc = std::move(desc);
  op.args = std::move(args);
  return op;
}

std::optional<DnnlOp> try_finish(const OpRequest& r, const_dnnl_op_desc_t op_desc, std::vector<OpArg> args,
                                 std::int64_t groups, const_dnnl_primitive_desc_t forward_hint) {
  const dnnl::primitive_attr attr = make_attr();
  dnnl::primitive_desc desc(op_desc, &attr, engine(), forward_hint, true);
  if (desc.get(true) == nullptr) return std::nullopt;
  return try_read_back(r, desc, std::move(args), groups);
}

namespace {

std::optional<DnnlOp> try_one_spelling(std::string_view kernel, const OpRequest& r) {
  try {
    const bool winograd = kernel.ends_with("_winograd");
    const ConvAlgorithm algorithm = winograd ? ConvAlgorithm::winograd : ConvAlgorithm::direct;
    if (winograd) kernel.remove_suffix(std::string_view("_winograd").size());
    if (kernel == "dnnl.conv") return try_conv(r, algorithm);
    if (kernel == "dnnl.conv_bwd_data") return try_conv_bwd_data(r, algorithm);
    if (kernel == "dnnl.conv_bwd_weights") return try_conv_bwd_weights(r, algorithm);
    if (kernel == "dnnl.inner_product") return try_inner_product(r);
    if (kernel == "dnnl.inner_product_bwd_data") return try_inner_product_bwd_data(r);
    if (kernel == "dnnl.inner_product_bwd_weights") return try_inner_product_bwd_weights(r, false);
    if (kernel == "dnnl.inner_product_bwd_weights_t") return try_inner_product_bwd_weights(r, true);
    if (kernel == "dnnl.matmul") return try_matmul(r);
    if (kernel == "dnnl.pool") return try_pool(r);
    if (kernel == "dnnl.pool_bwd") return try_pool_bwd(r);
    if (kernel == "dnnl.reorder") return try_reorder(r);
  } catch (const dnnl::error&) {
    // The library refuses the combination: not offered.
  }
  return std::nullopt;
}

// Dims of one block may be spelled anywhere, but the library compares strides with those of the
// format it has in mind: [20,1,5,5] packed by 16 may have to be called Acdb16a or Abcd16a. These
// are the orders of its formats, kept where they mean the same storage.
std::vector<Layout> spellings(const Layout& layout, const Shape& shape) {
  if (layout.rank() == 0) return {layout};
  std::vector<Layout> list{canonical(layout, shape)};
  auto add = [&](const std::vector<int>& order) {
    const Layout other(order, layout.blocks());
    const bool known = std::find(list.begin(), list.end(), other) != list.end();
    if (!known && same_storage(shape, other, layout)) list.push_back(other);
  };
  const int rank = layout.rank();
  add(Layout::channels_last(rank).order());
  std::vector<int> order = Layout::plain(rank).order();
  if (rank > 1) std::swap(order[0], order[1]);
  add(order);  // input channels outermost
  std::rotate(order.begin(), order.begin() + std::min(2, rank), order.end());
  add(order);  // spatial dims outermost
  return list;
}

}  // namespace

bool is_gemm(const std::string& implementation) {  // and not "brgemm:..."
  return implementation.starts_with("gemm:") || implementation.find("x64:gemm") != std::string::npos;
}

double efficiency(const std::string& implementation) {
  auto has = [&](const char* part) { return implementation.find(part) != std::string::npos; };
  if (is_gemm(implementation)) return 0.35;
  if (has("simple")) return 0.3;
  const double lanes = has("avx512") ? 1.0 : has("avx2") ? 0.5 : has("avx") ? 0.3 : has("sse41") ? 0.2 : 0.3;
  return lanes * (has("brg") ? 0.82 : 0.85);
}

std::optional<DnnlOp> try_dnnl_op(std::string_view kernel, const OpRequest& r) {
  std::vector<std::vector<Layout>> choices;
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    choices.push_back(spellings(r.inputs[i], r.g.shape(r.node.inputs[i])));
  }
  for (std::size_t i = 0; i < r.outputs.size(); ++i) {
    choices.push_back(spellings(r.outputs[i], r.g.shape(r.node.outputs[i])));
  }
  std::optional<DnnlOp> best;
  std::vector<std::size_t> pick(choices.size(), 0);
  for (bool more = true; more;) {
    OpRequest spelled{r.g, r.node, {}, {}};
    for (std::size_t i = 0; i < choices.size(); ++i) {
      (i < r.inputs.size() ? spelled.inputs : spelled.outputs).push_back(choices[i][pick[i]]);
    }
    std::optional<DnnlOp> op = try_one_spelling(kernel, spelled);
    if (op && (!best || efficiency(op->implementation) > efficiency(best->implementation)))
      best = std::move(op);
    more = false;
    for (std::size_t i = 0; i < pick.size() && !more; ++i) {
      more = ++pick[i] < choices[i].size();
      if (!more) pick[i] = 0;
    }
  }
  if (!best) return std::nullopt;
  // What was asked for keeps its spelling, so that nobody sees a difference where none is.
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    if (r.inputs[i].rank() > 0) best->inputs[i] = r.inputs[i];
  }
  for (std::size_t i = 0; i < r.outputs.size(); ++i) {
    if (r.outputs[i].rank() > 0) best->outputs[i] = r.outputs[i];
  }
  return best;
}

}  // namespace lbann::kernels::cpu
