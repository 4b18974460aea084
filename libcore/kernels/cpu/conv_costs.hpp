// What convolution kernels cost: the time a kernel table knows for a kernel in given layouts, or an
// estimate from its arithmetic. Private to kernels/cpu.
//
//   direct     2 n oh ow k c taps flops at a share of the peak that depends on kernel and layout
//   Winograd   F(4x4, 3x3): tiles = n ceil(oh/4) ceil(ow/4); 36 products per tile, channel and filter
//              instead of 144, and three transforms that walk over memory
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/cpu/catalogue.hpp"
#include "kernels/cpu/catalogue_offers.hpp"
#include "kernels/cpu/direct_conv.hpp"

namespace lbann::kernels::cpu {

enum class Role { forward, data, weights };

/// The convolution behind a node of any of the three kinds.
struct Problem {
  Role role;
  tensor::Shape x, w, y;
  double groups;
};
Problem make_problem(const graph::Graph& g, const graph::Node& n);

/// What a node's operands lie like, in their forward roles and one spelling.
passes::ConvLayouts conv_layouts(const Problem& p, const std::vector<tensor::Layout>& inputs,
                                 const std::vector<tensor::Layout>& outputs);

/// The library's kernels that may compute the node.
std::vector<std::string> conv_kernels(const graph::Graph& g, const graph::Node& n, passes::Numerics numerics);

class ConvCosts {
public:
  ConvCosts(const graph::Graph& g, const ConvChoices& choices) : g_(g), choices_(choices) {}

  /// Milliseconds of one of the library's kernels or of ours.
  double kernel_ms(const graph::Node& n, std::string_view kernel, const DnnlOp& op) const;
  double direct_ms(const graph::Node& n, const std::vector<tensor::Layout>& inputs,
                   const std::vector<tensor::Layout>& outputs, const DirectConvOffer& offer) const;
  /// The arithmetic alone.
  double arithmetic_ms(const Problem& p, const tensor::Layout& x, const tensor::Layout& y,
                       const std::string& implementation) const;
  double winograd_ms(const Problem& p) const;

  double reorder_ms(graph::ValueId v) const;
  /// One pass over a tensor: 1e8 bytes per ms in a last-level cache, memory's rate beyond.
  double walk_ms(graph::ValueId v, const tensor::Layout& layout) const;

private:
  const graph::Graph& g_;
  const ConvChoices& choices_;
};

}  // namespace lbann::kernels::cpu
