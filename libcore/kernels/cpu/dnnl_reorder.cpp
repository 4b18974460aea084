// Change of layout by the library; both layouts are given.
#include "kernels/cpu/dnnl_engine.hpp"
#include "kernels/cpu/dnnl_op.hpp"

namespace lbann::kernels::cpu {

std::optional<DnnlOp> try_reorder(const OpRequest& r) {
  if (r.inputs[0].rank() == 0 || r.outputs[0].rank() == 0) return std::nullopt;
  std::vector<OpArg> args{{DNNL_ARG_FROM, false, 0}, {DNNL_ARG_TO, true, 0}};
  if (!try_describe(r, args[0]) || !try_describe(r, args[1])) return std::nullopt;
  const dnnl::reorder::primitive_desc desc(engine(), args[0].desc, engine(), args[1].desc, make_attr(), true);
  if (desc.get(true) == nullptr) return std::nullopt;
  return try_read_back(r, desc, std::move(args));
}

}  // namespace lbann::kernels::cpu
