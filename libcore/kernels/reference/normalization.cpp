// Naive norm_stats, norm_apply, norm_bwd_stats, norm_bwd_apply over x [n,c,..]: statistics over all
// dims but 1, in two passes and in double. The pointwise formulas are evaluated in the tensor's own
// type with the fma the primitive prescribes, so that others can match their bits.
#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {
namespace {

// x seen as [n, c, inner]
struct Channels {
  std::int64_t n = 1, c = 1, inner = 1;
  explicit Channels(const tensor::Shape& x) : n(x[0]), c(x[1]) {
    for (int d = 2; d < x.rank(); ++d) inner *= x[d];
  }
  double count() const { return static_cast<double>(n * inner); }
};

// Calls visit(offset, channel) for every element.
template <class Visit>
void for_each_element(const Channels& s, Visit visit) {
  for (std::int64_t i = 0; i < s.n * s.c * s.inner; ++i) visit(i, i / s.inner % s.c);
}

template <class T>
T normalized(T x, T mean, T rstd) {
  return (x - mean) * rstd;
}

// dy where the activation behind norm_apply let something through, else 0.
template <class T>
T masked(T dy, T xhat, T scale, T bias) {
  return std::fma(xhat, scale, bias) > T(0) ? dy : T(0);
}

}  // namespace

std::unique_ptr<Kernel> make_norm_stats(const NodeView& v) {
  const Channels s(v.in_shape(0));
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* x = input<T>(args, 0);
      std::vector<double> mean(static_cast<std::size_t>(s.c), 0.0);
      std::vector<double> var(static_cast<std::size_t>(s.c), 0.0);
      for_each_element(s, [&](std::int64_t i, std::int64_t c) {
        mean[static_cast<std::size_t>(c)] += static_cast<double>(x[i]) / s.count();
      });
      for_each_element(s, [&](std::int64_t i, std::int64_t c) {
        const double d = static_cast<double>(x[i]) - mean[static_cast<std::size_t>(c)];
        var[static_cast<std::size_t>(c)] += d * d / s.count();
      });
      for (std::int64_t c = 0; c < s.c; ++c) {
        output<T>(args, 0)[c] = static_cast<T>(mean[static_cast<std::size_t>(c)]);
        output<T>(args, 1)[c] = static_cast<T>(var[static_cast<std::size_t>(c)]);
      }
    });
  });
}

std::unique_ptr<Kernel> make_norm_apply(const NodeView& v) {
  const Channels s(v.in_shape(0));
  const bool relu = v.n.attrs.get_text("act", "") == "relu";
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      for_each_element(s, [&](std::int64_t i, std::int64_t c) {
        const T xhat = normalized(input<T>(args, 0)[i], input<T>(args, 1)[c], input<T>(args, 2)[c]);
        const T y = std::fma(xhat, input<T>(args, 3)[c], input<T>(args, 4)[c]);
        output<T>(args, 0)[i] = relu && y <= T(0) ? T(0) : y;
      });
    });
  });
}

std::unique_ptr<Kernel> make_norm_bwd_stats(const NodeView& v) {
  const Channels s(v.in_shape(0));
  const bool relu = v.n.attrs.get_text("act", "") == "relu";
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      std::vector<double> sum_dy(static_cast<std::size_t>(s.c), 0.0);
      std::vector<double> sum_dy_xhat(static_cast<std::size_t>(s.c), 0.0);
      for_each_element(s, [&](std::int64_t i, std::int64_t c) {
        const T xhat = normalized(input<T>(args, 1)[i], input<T>(args, 2)[c], input<T>(args, 3)[c]);
        T dy = input<T>(args, 0)[i];
        if (relu) dy = masked(dy, xhat, input<T>(args, 4)[c], input<T>(args, 5)[c]);
        sum_dy[static_cast<std::size_t>(c)] += static_cast<double>(dy);
        sum_dy_xhat[static_cast<std::size_t>(c)] += static_cast<double>(dy) * static_cast<double>(xhat);
      });
      for (std::int64_t c = 0; c < s.c; ++c) {
        output<T>(args, 0)[c] = static_cast<T>(sum_dy[static_cast<std::size_t>(c)]);
        output<T>(args, 1)[c] = static_cast<T>(sum_dy_xhat[static_cast<std::size_t>(c)]);
      }
    });
  });
}

std::unique_ptr<Kernel> make_norm_bwd_apply(const NodeView& v) {
  const Channels s(v.in_shape(0));
  const bool relu = v.n.attrs.get_text("act", "") == "relu";
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      for_each_element(s, [&](std::int64_t i, std::int64_t c) {
        const T xhat = normalized(input<T>(args, 1)[i], input<T>(args, 2)[c], input<T>(args, 3)[c]);
        T dy = input<T>(args, 0)[i];
        if (relu) dy = masked(dy, xhat, input<T>(args, 7)[c], input<T>(args, 8)[c]);
        const T p = input<T>(args, 4)[c];
        const T q = input<T>(args, 5)[c];
        output<T>(args, 0)[i] = std::fma(p, dy, std::fma(q, xhat, input<T>(args, 6)[c]));
      });
    });
  });
}

}  // namespace lbann::kernels::reference
