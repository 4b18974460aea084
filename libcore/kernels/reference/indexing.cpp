// Naive gather, scatter_add, update_rows. Sums run over the indices in their order and in the type of
// the tensor, so that every other kernel can have the same bits: a sum of rows starts from +0.
#include <utility>

#include "kernels/reference/makers.hpp"
#include "kernels/shared/update_bodies.hpp"

namespace lbann::kernels::reference {
namespace {

void check_index_type(const NodeView& v, int i) {
  if (v.in_type(i) != tensor::DataType::i64) v.refuse("indices are not i64");
}

struct RowsUpdate {
  std::int64_t rows, width, count, slot;
  bool predicated;
};

// Entries are summed into a dense gradient first, the obvious way; then named rows take the rule.
template <class Rule, class T>
void run_update_rows(const RowsUpdate& u, const KernelArgs& args) {
  const auto size = static_cast<std::size_t>(u.rows * u.width);
  const auto keep = [&](int from, int to) {
    if (args.inputs[from] != args.outputs[to])
      std::memcpy(args.outputs[to], args.inputs[from], size * sizeof(T));
  };
  keep(0, 0);
  for (int k = 0; k < Rule::num_states; ++k) keep(3 + k, 1 + k);
  if (u.predicated && input<float>(args, 4 + Rule::num_states)[0] == 0) return;

  double exact[shared::max_update_scalars] = {};
  Rule::prepare(input<double>(args, 3 + Rule::num_states) + u.slot, exact);
  T h[shared::max_update_scalars];
  std::copy(std::begin(exact), std::end(exact), h);

  std::vector<T> gradient(size, T(0));
  std::vector<bool> named(static_cast<std::size_t>(u.rows), false);
  const std::int64_t* index = input<std::int64_t>(args, 1);
  const T* g = input<T>(args, 2);
  for (std::int64_t i = 0; i < u.count; ++i) {
    if (index[i] < 0 || index[i] >= u.rows) continue;
    named[static_cast<std::size_t>(index[i])] = true;
    T* row = gradient.data() + index[i] * u.width;
    for (std::int64_t j = 0; j < u.width; ++j) row[j] += g[i * u.width + j];
  }
  for (std::int64_t r = 0; r < u.rows; ++r) {
    if (!named[static_cast<std::size_t>(r)]) continue;
    for (std::int64_t at = r * u.width; at < (r + 1) * u.width; ++at) {
      T s[2] = {};
      for (int k = 0; k < Rule::num_states; ++k) s[k] = output<T>(args, 1 + k)[at];
      Rule::template apply<StandardMath>(output<T>(args, 0)[at], gradient[static_cast<std::size_t>(at)], s[0],
                                         s[1], h);
      for (int k = 0; k < Rule::num_states; ++k) output<T>(args, 1 + k)[at] = s[k];
    }
  }
}

}  // namespace

std::unique_ptr<Kernel> make_gather(const NodeView& v) {
  check_index_type(v, 1);
  const std::int64_t rows = v.in_shape(0)[0];
  const std::int64_t width = v.in_shape(0)[1];
  const std::int64_t count = v.in_shape(1).num_elements();
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const std::int64_t* index = input<std::int64_t>(args, 1);
      for (std::int64_t i = 0; i < count; ++i) {
        const bool valid = index[i] >= 0 && index[i] < rows;
        for (std::int64_t j = 0; j < width; ++j) {
          output<T>(args, 0)[i * width + j] = valid ? input<T>(args, 0)[index[i] * width + j] : T(0);
        }
      }
    });
  });
}

std::unique_ptr<Kernel> make_scatter_add(const NodeView& v) {
  check_index_type(v, 0);
  const std::int64_t rows = v.out_shape()[0];
  const std::int64_t width = v.out_shape()[1];
  const std::int64_t count = v.in_shape(0).num_elements();
  return with_floating(v, v.in_type(1), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const std::int64_t* index = input<std::int64_t>(args, 0);
      T* sum = output<T>(args, 0);
      std::fill(sum, sum + rows * width, T(0));
      for (std::int64_t i = 0; i < count; ++i) {
        if (index[i] < 0 || index[i] >= rows) continue;
        for (std::int64_t j = 0; j < width; ++j)
          sum[index[i] * width + j] += input<T>(args, 1)[i * width + j];
      }
    });
  });
}

std::unique_ptr<Kernel> make_update_rows(const NodeView& v) {
  check_index_type(v, 1);
  const RowsUpdate u{v.in_shape(0)[0], v.in_shape(0)[1], v.in_shape(1).num_elements(),
                     v.n.attrs.get_int("slot", 0), v.n.attrs.get_int("commit", 0) != 0};
  return with_floating(v, v.in_type(0), [&](auto zero) -> std::unique_ptr<Kernel> {
    using T = decltype(zero);
    const std::string& name = v.n.attrs.get_text("rule");
    std::unique_ptr<Kernel> kernel;
    const auto try_rule = [&]<class Rule>(Rule) {
      if (name != Rule::name) return;
      if (v.num_outputs() != 1 + Rule::num_states) v.refuse("wrong number of states");
      kernel = make_function_kernel([u](const KernelArgs& args) { run_update_rows<Rule, T>(u, args); });
    };
    try_rule(shared::Sgd{});
    try_rule(shared::Momentum{});
    try_rule(shared::Nesterov{});
    try_rule(shared::Adagrad{});
    try_rule(shared::Rmsprop{});
    try_rule(shared::Adam{});
    if (kernel == nullptr) v.refuse("unknown rule '" + name + "'");
    return kernel;
  });
}

}  // namespace lbann::kernels::reference
