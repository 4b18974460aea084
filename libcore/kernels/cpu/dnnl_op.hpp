// A node of the op graph prepared as one call of the library: which implementation would run,
// the layout of every operand, scratch. The catalogue reads it as an offer; the kernel executes it.
// Both go through the same functions, so what was offered is what runs.
//
// Kernel ids:
//   dnnl.conv, dnnl.conv_bwd_data, dnnl.conv_bwd_weights     direct: every product, one bits class
//   dnnl.conv_winograd, dnnl.conv_bwd_data_winograd, dnnl.conv_bwd_weights_winograd     F(4x4, 3x3)
//   dnnl.inner_product             matmul y = a b, b packed as weights
//   dnnl.inner_product_bwd_data    the same product, b read as the weights of a layer's transposed pass
//   dnnl.inner_product_bwd_weights       y as [in,out] weight gradient: a holds x, b holds dy
//   dnnl.inner_product_bwd_weights_t     y as [out,in] weight gradient: a holds dy, b holds x
//   dnnl.matmul                    any strides, batch dims
//   dnnl.pool, dnnl.pool_bwd       averages only (see dnnl_pool.cpp)
//   dnnl.reorder
//
// The library's own reference implementations are never used: such a call is "not offered".
// relu is a pass of ours over the output: the library's max(x, 0) turns NaN into 0 and would hide
// a diverged run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dnnl.hpp>

#include "graph/graph.hpp"
#include "kernels/cpu/dnnl_layout.hpp"

namespace lbann::kernels::cpu {

/// A node and the layouts wished for its operands; rank 0: the library may choose.
struct OpRequest {
  const graph::Graph& g;
  const graph::Node& node;
  std::vector<tensor::Layout> inputs;
  std::vector<tensor::Layout> outputs;
};

/// How the library sees one of the node's operands.
struct OpArg {
  enum class View { direct, grouped_weight, transposed };
  int arg = 0;  // DNNL_ARG_*
  bool is_output = false;
  int index = 0;  // among the node's inputs or outputs
  View view = View::direct;
  Desc desc{};
};

struct DnnlOp {
  std::string implementation;
  dnnl::primitive_desc_base desc;
  std::vector<OpArg> args;
  std::vector<tensor::Layout> inputs;
  std::vector<tensor::Layout> outputs;
  std::int64_t scratch_bytes = 0;
  bool relu_after = false;
  int bias_after = -1;  // input added to the rows of a row-major output after the call
};

/// A call of the library's general matrix product: for a convolution it unfolds the image first.
bool is_gemm(const std::string& implementation);
/// Share of the machine's arithmetic peak to expect of an implementation (0..1), by its name.
double efficiency(const std::string& implementation);

/// nullopt: the library does not do this, or only by a reference implementation. Layouts are
/// compared as storage: any spelling of dims of extent 1 is accepted, and the request's is kept.
std::optional<DnnlOp> try_dnnl_op(std::string_view kernel, const OpRequest& request);

// For the files that know one primitive each.

enum class ConvAlgorithm { direct, winograd };
std::optional<DnnlOp> try_conv(const OpRequest& request, ConvAlgorithm algorithm);
std::optional<DnnlOp> try_conv_bwd_data(const OpRequest& request, ConvAlgorithm algorithm);
std::optional<DnnlOp> try_conv_bwd_weights(const OpRequest& request, ConvAlgorithm algorithm);
std::optional<DnnlOp> try_inner_product(const OpRequest& request);
std::optional<DnnlOp> try_inner_product_bwd_data(const OpRequest& request);
std::optional<DnnlOp> try_inner_product_bwd_weights(const OpRequest& request, bool transposed);
std::optional<DnnlOp> try_matmul(const OpRequest& request);
std::optional<DnnlOp> try_pool(const OpRequest& request);
std::optional<DnnlOp> try_pool_bwd(const OpRequest& request);
std::optional<DnnlOp> try_reorder(const OpRequest& request);

/// Fills `arg.desc` from the request (groups: of the convolution); false: no descriptor, or not f32.
bool try_describe(const OpRequest& request, OpArg& arg, std::int64_t groups = 1);
/// Attributes every primitive here is made with: caller's scratch, exact f32.
dnnl::primitive_attr make_attr();
/// Creates the primitive descriptor from a (v2) operation descriptor and reads the layouts back.
std::optional<DnnlOp> try_finish(const OpRequest& request, const_dnnl_op_desc_t op_desc,
                                 std::vector<OpArg> args, std::int64_t groups = 1,
                                 const_dnnl_primitive_desc_t forward_hint = nullptr);
/// The same for a primitive descriptor that exists.
std::optional<DnnlOp> try_read_back(const OpRequest& request, dnnl::primitive_desc_base desc,
                                    std::vector<OpArg> args, std::int64_t groups = 1);

}  // namespace lbann::kernels::cpu
