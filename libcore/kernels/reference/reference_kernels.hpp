// The naive kernels: row-major, one thread, sums in double. Clear and obviously right, because
// everything else is judged by them. Ids are "ref.<primitive>" and "view" (a reshape whose result
// takes its operand's buffer).
#pragma once

#include <memory>
#include <string_view>

#include "graph/graph.hpp"
#include "kernels/node_view.hpp"

namespace lbann::kernels {

/// Throws base::Error (internal) for an unknown id, an operand that is not row-major (except
/// "ref.reorder" and "view") or a type the primitive has no meaning for.
std::unique_ptr<Kernel> make_reference_kernel(const graph::Graph& g, graph::NodeId node);
/// The naive kernel of a row-major node, whatever kernel id the node has.
std::unique_ptr<Kernel> make_plain_reference_kernel(const NodeView& v);
/// Is there a naive kernel for this primitive?
bool has_reference_kernel(std::string_view op);

}  // namespace lbann::kernels
