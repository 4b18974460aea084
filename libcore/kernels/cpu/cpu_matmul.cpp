// cpu.matmul: batches of small row-major products, one after the other on a thread, and the weight gradients
// of dense layers (weight_gradient.hpp). Other ones are the library's; catalogue_matmul.cpp draws the line.
#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/weight_gradient.hpp"

namespace lbann::kernels::cpu {

std::unique_ptr<Kernel> make_matmul(const NodeView& v, Isa isa) {
  if (v.out_shape().rank() == 2 && v.n.attrs.get_int("ta", 0) != 0) return make_weight_gradient(v, isa);
  v.check_plain();
  v.check_types(tensor::DataType::f32);
  if (v.num_inputs() > 2 || !v.n.attrs.get_text("act", "").empty()) v.refuse("takes no bias or activation");
  const tensor::Shape &a = v.in_shape(0), &y = v.out_shape();
  const int rank = y.rank();
  const bool ta = v.n.attrs.get_int("ta", 0) != 0, tb = v.n.attrs.get_int("tb", 0) != 0;
  SmallProduct p;
  p.m = y[rank - 2];
  p.n = y[rank - 1];
  p.k = a[ta ? rank - 2 : rank - 1];
  p.am = ta ? 1 : p.k;
  p.ak = ta ? p.m : 1;
  p.bk = tb ? 1 : p.n;
  p.bn = tb ? p.k : 1;
  const std::int64_t batch = y.num_elements() / (p.m * p.n);
  return make_function_kernel([=, &loops = loops_for(isa)](const KernelArgs& args) {
    parallel_tasks(batch, batch * p.m * p.n * p.k, [&](std::int64_t i) {
      loops.small_matmul(input<float>(args, 0) + i * p.m * p.k, input<float>(args, 1) + i * p.k * p.n,
                         output<float>(args, 0) + i * p.m * p.n, p);
    });
  });
}

}  // namespace lbann::kernels::cpu
