// Naive layer_norm and layer_norm_bwd: rows of the dims from `axis` on; statistics and sums in two
// passes and in double, the map itself in the tensor's type with the fma the primitive prescribes.
#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {
namespace {

struct Rows {
  std::int64_t count = 1, length = 1;
  Rows(const tensor::Shape& x, std::int64_t axis) {
    for (int d = 0; d < x.rank(); ++d) (d < axis ? count : length) *= x[d];
  }
};

template <class T>
double mean_of(const Rows& rows, const T* x) {
  double total = 0;
  for (std::int64_t i = 0; i < rows.length; ++i) total += static_cast<double>(x[i]);
  return total / static_cast<double>(rows.length);
}

}  // namespace

std::unique_ptr<Kernel> make_layer_norm(const NodeView& v) {
  const Rows rows(v.in_shape(0), v.n.attrs.get_int("axis"));
  const double epsilon = v.n.attrs.get_real("epsilon");
  const bool affine = v.num_inputs() > 1;
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      for (std::int64_t r = 0; r < rows.count; ++r) {
        const T* x = input<T>(args, 0) + r * rows.length;
        const double mean = mean_of(rows, x);
        double var = 0;
        for (std::int64_t i = 0; i < rows.length; ++i) {
          const double d = static_cast<double>(x[i]) - mean;
          var += d * d / static_cast<double>(rows.length);
        }
        const T m = static_cast<T>(mean);
        const T rstd = rows.length == 1 ? T(1) : static_cast<T>(1 / std::sqrt(var + epsilon));
        output<T>(args, 1)[r] = m;
        output<T>(args, 2)[r] = rstd;
        for (std::int64_t i = 0; i < rows.length; ++i) {
          const T xhat = (x[i] - m) * rstd;
          output<T>(args, 0)[r * rows.length + i] =
              affine ? std::fma(xhat, input<T>(args, 1)[i], input<T>(args, 2)[i]) : xhat;
        }
      }
    });
  });
}

std::unique_ptr<Kernel> make_layer_norm_bwd(const NodeView& v) {
  const Rows rows(v.in_shape(0), v.n.attrs.get_int("axis"));
  const bool affine = v.num_inputs() > 4;
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      std::vector<double> dscale(static_cast<std::size_t>(rows.length), 0.0);
      std::vector<double> dbias(static_cast<std::size_t>(rows.length), 0.0);
      for (std::int64_t r = 0; r < rows.count; ++r) {
        const T* dy = input<T>(args, 0) + r * rows.length;
        const T* x = input<T>(args, 1) + r * rows.length;
        const T mean = input<T>(args, 2)[r];
        const T rstd = input<T>(args, 3)[r];
        const auto xhat = [&](std::int64_t i) { return static_cast<double>((x[i] - mean) * rstd); };
        const auto h = [&](std::int64_t i) {
          return static_cast<double>(dy[i]) * (affine ? static_cast<double>(input<T>(args, 4)[i]) : 1.0);
        };
        double mean_h = 0;
        double mean_h_xhat = 0;
        for (std::int64_t i = 0; i < rows.length; ++i) {
          mean_h += h(i) / static_cast<double>(rows.length);
          mean_h_xhat += h(i) * xhat(i) / static_cast<double>(rows.length);
          dscale[static_cast<std::size_t>(i)] += static_cast<double>(dy[i]) * xhat(i);
          dbias[static_cast<std::size_t>(i)] += static_cast<double>(dy[i]);
        }
        for (std::int64_t i = 0; i < rows.length; ++i) {
          output<T>(args, 0)[r * rows.length + i] =
              static_cast<T>(static_cast<double>(rstd) * (h(i) - mean_h - xhat(i) * mean_h_xhat));
        }
      }
      for (std::int64_t i = 0; affine && i < rows.length; ++i) {
        output<T>(args, 1)[i] = static_cast<T>(dscale[static_cast<std::size_t>(i)]);
        output<T>(args, 2)[i] = static_cast<T>(dbias[static_cast<std::size_t>(i)]);
      }
    });
  });
}

}  // namespace lbann::kernels::reference
