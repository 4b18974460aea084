// Naive gather, scatter_add, sort, update_rows. Sums run over the indices in their order and in the type of
// the tensor, so that every other kernel can have the same bits: a sum of rows starts from +0.
#include <utility>

#include "kernels/reference/makers.hpp"
#include "kernels/shared/sort_order.hpp"
#include "kernels/shared/update_bodies.hpp"

namespace lbann::kernels::reference {
namespace {

void check_index_type(const NodeView& v, int i) {
  if (v.in_type(i) != tensor::DataType::i64) v.refuse("indices are not i64");
}

// `batch` tables of `rows` rows, `count` indices into each.
struct Tables {
  std::int64_t batch = 1, rows, width, count = 1;
  Tables(const NodeView& v, const tensor::Shape& table, const tensor::Shape& index)
    : rows(table[table.rank() - 2]), width(table[table.rank() - 1]) {
    const std::int64_t batch_dims = v.n.attrs.get_int("batch_dims", 0);
    for (int d = 0; d < index.rank(); ++d) (d < batch_dims ? batch : count) *= index[d];
  }
};

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
  const Tables t(v, v.in_shape(0), v.in_shape(1));
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const std::int64_t* index = input<std::int64_t>(args, 1);
      for (std::int64_t i = 0; i < t.batch * t.count; ++i) {
        const bool valid = index[i] >= 0 && index[i] < t.rows;
        const T* row = input<T>(args, 0) + (i / t.count * t.rows + (valid ? index[i] : 0)) * t.width;
        for (std::int64_t j = 0; j < t.width; ++j) {
          output<T>(args, 0)[i * t.width + j] = valid ? row[j] : T(0);
        }
      }
    });
  });
}

std::unique_ptr<Kernel> make_scatter_add(const NodeView& v) {
  check_index_type(v, 0);
  const Tables t(v, v.out_shape(), v.in_shape(0));
  return with_floating(v, v.in_type(1), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const std::int64_t* index = input<std::int64_t>(args, 0);
      T* sum = output<T>(args, 0);
      std::fill(sum, sum + t.batch * t.rows * t.width, T(0));
      for (std::int64_t i = 0; i < t.batch * t.count; ++i) {
        if (index[i] < 0 || index[i] >= t.rows) continue;
        T* row = sum + (i / t.count * t.rows + index[i]) * t.width;
        for (std::int64_t j = 0; j < t.width; ++j) row[j] += input<T>(args, 1)[i * t.width + j];
      }
    });
  });
}

std::unique_ptr<Kernel> make_sort(const NodeView& v) {
  const tensor::Shape& shape = v.in_shape(0);
  const std::int64_t length = shape[shape.rank() - 1];
  const std::int64_t lines = shape.num_elements() / std::max<std::int64_t>(1, length);
  const bool descending = v.n.attrs.get_int("descending", 0) != 0;
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      for (std::int64_t line = 0; line < lines; ++line) {
        const T* x = input<T>(args, 0) + line * length;
        std::int64_t* index = output<std::int64_t>(args, 1) + line * length;
        // Insertion into what is in order already.
        const shared::SortOrder<T> before{x, descending};
        for (std::int64_t i = 0; i < length; ++i) {
          std::int64_t at = i;
          for (; at > 0 && before(i, index[at - 1]); --at) index[at] = index[at - 1];
          index[at] = i;
        }
        for (std::int64_t i = 0; i < length; ++i) output<T>(args, 0)[line * length + i] = x[index[i]];
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
