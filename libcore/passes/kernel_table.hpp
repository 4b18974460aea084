// Measured times of convolution kernels: the choices between layouts and algorithms that no formula
// predicts, as a text file, so that they depend on the file and not on the run.
//
//   lbann-kernel-table 1
//   machine avx512_core 2 oneDNN 2.6.3
//   conv 16,64,56,56 64,64,3,3 1,1 1,1 1,1 1 dnnl.conv aBcd16b ABcd16b16a aBcd16b 11359.2
//
// A line of times: primitive, shapes of x and w, strides, pads, dilations, groups, kernel, layouts of
// x, w and y (for the gradients too: of the tensors they belong to), microseconds. It counts only for
// plans made for the `machine` above it: instruction set, threads, library. '#' begins a comment.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "graph/graph.hpp"
#include "passes/kernel_catalogue.hpp"

namespace lbann::passes {

/// How far a kernel may round. exact: every product is computed, so that all convolutions are of one
/// bits class. fast: algorithms that save products by rounding more (Winograd's) where they pay.
enum class Numerics { exact, fast };

/// Layouts of a convolution's tensors, whichever of the three primitives computes with them.
struct ConvLayouts {
  tensor::Layout x, w, y;
};

class KernelTable {
public:
  /// `file` is for messages. Throws base::Error (config) with file:line:column for a text that is no table.
  static KernelTable parse(std::string_view text, const std::string& file);
  std::string print() const;
  /// 32 hexadecimal digits of what the table says, whatever its spelling.
  std::string digest() const;
  std::size_t num_times() const;

  /// Microseconds of a conv, conv_bwd_data or conv_bwd_weights node by this kernel in these layouts.
  std::optional<double> find_us(const Machine& machine, const graph::Graph& g, const graph::Node& node,
                                std::string_view kernel, const ConvLayouts& layouts) const;
  void set_us(const Machine& machine, const graph::Graph& g, const graph::Node& node, std::string_view kernel,
              const ConvLayouts& layouts, double us);
  /// Is there any time of the node's convolution on this machine?
  bool knows(const Machine& machine, const graph::Graph& g, const graph::Node& node) const;
  /// The times of the convolutions of a graph, on all machines.
  KernelTable select(const graph::Graph& g) const;
  /// All of `other`; its times win.
  void merge(const KernelTable& other);

private:
  // "avx512_core 2 oneDNN 2.6.3" -> line without its time -> microseconds
  std::map<std::string, std::map<std::string, double, std::less<>>> machines_;
};

/// What a catalogue is made for.
struct CatalogueOptions {
  int threads = 1;  // OpenMP threads the plan will run on (scratch sizes depend on it)
  Numerics numerics = Numerics::exact;
  /// Measured times of convolutions; null: those that ship with the library. Others are estimated.
  std::shared_ptr<const KernelTable> table{};
};

bool is_conv(const graph::Node& node);  // conv, conv_bwd_data, conv_bwd_weights
/// What tells one convolution from another: "conv 16,64,56,56 64,64,3,3 1,1 1,1 1,1 1".
std::string describe_conv(const graph::Graph& g, const graph::Node& node);

}  // namespace lbann::passes
