// Naive reduce, arg_reduce, softmax, softmax_bwd, matmul. Sums in double.
#include <limits>

#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// A tensor seen as [outer, k, inner] around one axis.
struct AxisView {
  std::int64_t outer = 1;
  std::int64_t k = 1;
  std::int64_t inner = 1;
};

AxisView around_axis(const tensor::Shape& shape, std::int64_t axis) {
  AxisView view;
  if (axis < 0) axis += shape.rank();
  for (int d = 0; d < shape.rank(); ++d) {
    (d < axis ? view.outer : d == axis ? view.k : view.inner) *= shape[d];
  }
  return view;
}

// Calls visit(start, stride) for every line along the axis.
template <class Visit>
void for_each_line(const AxisView& view, Visit visit) {
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t i = 0; i < view.inner; ++i) visit(o * view.k * view.inner + i, view.inner);
  }
}

}  // namespace

std::unique_ptr<Kernel> make_reduce(const NodeView& v) {
  const std::string& fn = v.n.attrs.get_text("fn");
  enum { sum, mean, max, min } kind = sum;
  if (fn == "mean") {
    kind = mean;
  } else if (fn == "max") {
    kind = max;
  } else if (fn == "min") {
    kind = min;
  } else if (fn != "sum") {
    v.refuse("unknown function '" + fn + "'");
  }
  const std::vector<std::int64_t> strides = broadcast_strides(v.out_shape());
  const std::int64_t num_out = v.out_shape().num_elements();
  const double scale =
      kind == mean ? static_cast<double>(num_out) / static_cast<double>(v.in_shape(0).num_elements()) : 1.0;
  const tensor::DataType from = v.in_type(0);
  const tensor::DataType to = v.out_type();
  return make_function_kernel([=, shape = v.in_shape(0)](const KernelArgs& args) {
    const double start = kind == max ? -infinity : kind == min ? infinity : 0.0;
    std::vector<double> result(static_cast<std::size_t>(num_out), start);
    std::int64_t position = 0;
    for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
      const double x = load(args.inputs[0], from, position++);
      double& r = result[static_cast<std::size_t>(offset_of(index, strides))];
      switch (kind) {
        case sum:
        case mean:
          r += x;
          break;
        case max:
          r = x > r || std::isnan(x) ? x : r;
          break;  // NaN wins and stays
        case min:
          r = x < r || std::isnan(x) ? x : r;
          break;
      }
    });
    for (std::int64_t i = 0; i < num_out; ++i) {
      store(args.outputs[0], to, i, result[static_cast<std::size_t>(i)] * scale);
    }
  });
}

std::unique_ptr<Kernel> make_arg_reduce(const NodeView& v) {
  const AxisView view = around_axis(v.in_shape(0), v.n.attrs.get_int("axis"));
  const bool is_max = v.n.attrs.get_text("fn") == "max";
  const tensor::DataType from = v.in_type(0);
  const tensor::DataType to = v.out_type();
  return make_function_kernel([=](const KernelArgs& args) {
    std::int64_t position = 0;
    for_each_line(view, [&](std::int64_t start, std::int64_t stride) {
      std::int64_t winner = 0;
      bool found = false;
      double best = 0;
      for (std::int64_t j = 0; j < view.k; ++j) {
        const double x = load(args.inputs[0], from, start + j * stride);
        if (std::isnan(x)) continue;
        if (!found || (is_max ? x > best : x < best)) {
          best = x;
          winner = j;
          found = true;
        }
      }
      store(args.outputs[0], to, position++, static_cast<double>(winner));
    });
  });
}

std::unique_ptr<Kernel> make_softmax(const NodeView& v) {
  const AxisView view = around_axis(v.in_shape(0), v.n.attrs.get_int("axis"));
  const bool log = v.n.attrs.get_int("log", 0) != 0;
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* x = input<T>(args, 0);
      T* y = output<T>(args, 0);
      for_each_line(view, [&](std::int64_t start, std::int64_t stride) {
        double shift = -infinity;
        for (std::int64_t j = 0; j < view.k; ++j) {
          const double value = static_cast<double>(x[start + j * stride]);
          shift = value > shift || std::isnan(value) ? value : shift;
        }
        double total = 0;
        for (std::int64_t j = 0; j < view.k; ++j) {
          total += std::exp(static_cast<double>(x[start + j * stride]) - shift);
        }
        for (std::int64_t j = 0; j < view.k; ++j) {
          const double d = static_cast<double>(x[start + j * stride]) - shift;
          y[start + j * stride] = static_cast<T>(log ? d - std::log(total) : std::exp(d) / total);
        }
      });
    });
  });
}

std::unique_ptr<Kernel> make_softmax_bwd(const NodeView& v) {
  const AxisView view = around_axis(v.in_shape(0), v.n.attrs.get_int("axis"));
  const bool log = v.n.attrs.get_int("log", 0) != 0;
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* dy = input<T>(args, 0);
      const T* y = input<T>(args, 1);
      T* dx = output<T>(args, 0);
      for_each_line(view, [&](std::int64_t start, std::int64_t stride) {
        double total = 0;
        for (std::int64_t j = 0; j < view.k; ++j) {
          const std::int64_t i = start + j * stride;
          total += static_cast<double>(dy[i]) * (log ? 1.0 : static_cast<double>(y[i]));
        }
        for (std::int64_t j = 0; j < view.k; ++j) {
          const std::int64_t i = start + j * stride;
          const double g = static_cast<double>(dy[i]);
          const double value = static_cast<double>(y[i]);
          dx[i] = static_cast<T>(log ? g - std::exp(value) * total : value * (g - total));
        }
      });
    });
  });
}

std::unique_ptr<Kernel> make_matmul(const NodeView& v) {
  const bool ta = v.n.attrs.get_int("ta", 0) != 0;
  const bool tb = v.n.attrs.get_int("tb", 0) != 0;
  const bool relu = v.n.attrs.get_text("act", "") == "relu";
  const bool has_bias = v.num_inputs() > 2;
  const tensor::Shape shape = v.out_shape();
  const int rank = shape.rank();
  const std::int64_t m = shape[rank - 2];
  const std::int64_t n = shape[rank - 1];
  const tensor::Shape& a_shape = v.in_shape(0);
  const tensor::Shape& b_shape = v.in_shape(1);
  const std::int64_t k = a_shape[a_shape.rank() - (ta ? 2 : 1)];
  // Leading dims are batches; an operand without them, or with extent 1, is shared.
  const tensor::Shape batches(std::vector<std::int64_t>(shape.dims().begin(), shape.dims().end() - 2));
  const auto batch_strides = [&](const tensor::Shape& s) {
    std::vector<std::int64_t> strides(static_cast<std::size_t>(batches.rank()), 0);
    const std::vector<std::int64_t> all = broadcast_strides(s);
    const int shift = batches.rank() - (s.rank() - 2);
    for (int d = 0; d < s.rank() - 2; ++d) {
      strides[static_cast<std::size_t>(d + shift)] = all[static_cast<std::size_t>(d)];
    }
    return strides;
  };
  const auto a_strides = batch_strides(a_shape);
  const auto b_strides = batch_strides(b_shape);
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      T* y = output<T>(args, 0);
      for_each_index(batches, [&](const std::vector<std::int64_t>& batch) {
        const T* a = input<T>(args, 0) + offset_of(batch, a_strides);
        const T* b = input<T>(args, 1) + offset_of(batch, b_strides);
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            double total = has_bias ? static_cast<double>(input<T>(args, 2)[j]) : 0.0;
            for (std::int64_t l = 0; l < k; ++l) {
              total += static_cast<double>(ta ? a[l * m + i] : a[i * k + l]) *
                       static_cast<double>(tb ? b[j * k + l] : b[l * n + j]);
            }
            *y++ = static_cast<T>(relu && total <= 0 ? 0.0 : total);
          }
        }
      });
    });
  });
}

}  // namespace lbann::kernels::reference
