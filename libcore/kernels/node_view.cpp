// Reading a node for a kernel.
#include "kernels/node_view.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::kernels {

void NodeView::refuse(std::string_view what) const {
  throw base::Error(base::ExitCode::internal,
                    fmt::format("kernel '{}' ({}) of layer '{}': {}", n.kernel, n.op,
                                g.origins[static_cast<std::size_t>(n.origin)].layer, what));
}

void NodeView::check_plain() const {
  for (int i = 0; i < num_inputs(); ++i) {
    if (!in(i).layout.is_plain()) refuse(fmt::format("operand {} lies as {}", i, in(i).layout.tag()));
  }
  for (int i = 0; i < num_outputs(); ++i) {
    if (!out(i).layout.is_plain()) refuse(fmt::format("result {} lies as {}", i, out(i).layout.tag()));
  }
}

void NodeView::check_types(tensor::DataType type) const {
  for (int i = 0; i < num_inputs(); ++i) {
    if (in_type(i) != type) refuse(fmt::format("operand {} is {}", i, tensor::to_string(in_type(i))));
  }
  for (int i = 0; i < num_outputs(); ++i) {
    if (out_type(i) != type) refuse(fmt::format("result {} is {}", i, tensor::to_string(out_type(i))));
  }
}

std::vector<std::int64_t> ints_or(const graph::Attrs& attrs, std::string_view name, int size,
                                  std::int64_t fallback) {
  if (attrs.has(name)) return attrs.get_ints(name);
  return std::vector<std::int64_t>(static_cast<std::size_t>(size), fallback);
}

std::vector<std::int64_t> row_major_strides(const tensor::Shape& shape) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  std::int64_t stride = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[static_cast<std::size_t>(d)] = stride;
    stride *= shape[d];
  }
  return strides;
}

std::vector<std::int64_t> broadcast_strides(const tensor::Shape& shape) {
  std::vector<std::int64_t> strides = row_major_strides(shape);
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d] == 1) strides[static_cast<std::size_t>(d)] = 0;
  }
  return strides;
}

Window make_window(const tensor::Shape& x, const tensor::Shape& y, const std::vector<std::int64_t>& taps,
                   const graph::Attrs& attrs) {
  const int rank = x.rank() - 2;
  if (rank < 1 || rank > 3 || y.rank() != x.rank() || static_cast<int>(taps.size()) != rank) {
    throw base::Error(base::ExitCode::internal,
                      fmt::format("no window of {} dims over {}", taps.size(), x.to_string()));
  }
  const auto strides = ints_or(attrs, "strides", rank, 1);
  const auto pads = ints_or(attrs, "pads", rank, 0);
  const auto dilations = ints_or(attrs, "dilations", rank, 1);
  Window w;
  for (int d = 0; d < rank; ++d) {
    const int to = 3 - rank + d;
    const auto from = static_cast<std::size_t>(d);
    w.in[to] = x[2 + d];
    w.out[to] = y[2 + d];
    w.kernel[to] = taps[from];
    w.stride[to] = strides[from];
    w.pad[to] = pads[from];
    w.dilation[to] = dilations[from];
  }
  return w;
}

}  // namespace lbann::kernels
