// Naive convolution and its two gradients, 1 to 3 spatial dims, groups, dilation; pooling and its
// gradient. Every term is visited through one walk over (output position, tap); sums in double.
#include <limits>

#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {
namespace {

// Calls visit(output offset, input offset, tap) for every output position and every tap that falls
// inside the input.
template <class Visit>
void for_each_tap(const Window& w, Visit visit) {
  for (std::int64_t o = 0; o < w.num_out(); ++o) {
    const std::int64_t od[3] = {o / (w.out[1] * w.out[2]), o / w.out[2] % w.out[1], o % w.out[2]};
    for (std::int64_t t = 0; t < w.num_taps(); ++t) {
      const std::int64_t td[3] = {t / (w.kernel[1] * w.kernel[2]), t / w.kernel[2] % w.kernel[1],
                                  t % w.kernel[2]};
      std::int64_t offset = 0;
      bool inside = true;
      for (int d = 0; d < 3; ++d) {
        const std::int64_t i = od[d] * w.stride[d] - w.pad[d] + td[d] * w.dilation[d];
        inside = inside && i >= 0 && i < w.in[d];
        offset = offset * w.in[d] + i;
      }
      if (inside) visit(o, offset, t);
    }
  }
}

struct Convolution {
  Window window;
  std::int64_t n = 0, c = 0, k = 0, groups = 1;

  // x [n,c,..], w [k,c/groups,..], y [n,k,..]
  Convolution(const NodeView& v, const tensor::Shape& x, const tensor::Shape& weights, const tensor::Shape& y)
    : n(x[0]), c(x[1]), k(y[1]), groups(v.n.attrs.get_int("groups", 1)) {
    const std::vector<std::int64_t> taps(weights.dims().begin() + 2, weights.dims().end());
    window = make_window(x, y, taps, v.n.attrs);
    if (weights[0] != k || weights[1] * groups != c) v.refuse("weights do not fit");
  }

  // Calls visit(x offset, w offset, y offset) for every product of the convolution.
  template <class Visit>
  void for_each_product(Visit visit) const {
    const std::int64_t c_group = c / groups;
    for (std::int64_t in = 0; in < n; ++in) {
      for (std::int64_t ik = 0; ik < k; ++ik) {
        const std::int64_t group = ik / (k / groups);
        for (std::int64_t ic = 0; ic < c_group; ++ic) {
          const std::int64_t x = (in * c + group * c_group + ic) * window.num_in();
          const std::int64_t w = (ik * c_group + ic) * window.num_taps();
          const std::int64_t y = (in * k + ik) * window.num_out();
          for_each_tap(window,
                       [&](std::int64_t o, std::int64_t i, std::int64_t t) { visit(x + i, w + t, y + o); });
        }
      }
    }
  }
};

template <class T>
void store_all(const std::vector<double>& values, T* to) {
  std::transform(values.begin(), values.end(), to, [](double x) { return static_cast<T>(x); });
}

std::vector<double> zeros(std::int64_t count) {
  return std::vector<double>(static_cast<std::size_t>(count), 0.0);
}

double& at(std::vector<double>& values, std::int64_t i) { return values[static_cast<std::size_t>(i)]; }

}  // namespace

std::unique_ptr<Kernel> make_conv(const NodeView& v) {
  const Convolution conv(v, v.in_shape(0), v.in_shape(1), v.out_shape());
  const bool has_bias = v.num_inputs() > 2;
  const bool relu = v.n.attrs.get_text("act", "") == "relu";
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* x = input<T>(args, 0);
      const T* w = input<T>(args, 1);
      std::vector<double> y = zeros(conv.n * conv.k * conv.window.num_out());
      conv.for_each_product([&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
        at(y, iy) += static_cast<double>(x[ix]) * static_cast<double>(w[iw]);
      });
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto channel = static_cast<std::int64_t>(i) / conv.window.num_out() % conv.k;
        if (has_bias) y[i] += static_cast<double>(input<T>(args, 2)[channel]);
        if (relu && y[i] <= 0) y[i] = 0;
      }
      store_all(y, output<T>(args, 0));
    });
  });
}

std::unique_ptr<Kernel> make_conv_bwd_data(const NodeView& v) {
  const Convolution conv(v, v.out_shape(), v.in_shape(1), v.in_shape(0));
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* dy = input<T>(args, 0);
      const T* w = input<T>(args, 1);
      std::vector<double> dx = zeros(conv.n * conv.c * conv.window.num_in());
      conv.for_each_product([&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
        at(dx, ix) += static_cast<double>(dy[iy]) * static_cast<double>(w[iw]);
      });
      store_all(dx, output<T>(args, 0));
    });
  });
}

std::unique_ptr<Kernel> make_conv_bwd_weights(const NodeView& v) {
  const Convolution conv(v, v.in_shape(0), v.out_shape(), v.in_shape(1));
  const bool has_bias = v.num_outputs() > 1;
  const std::int64_t num_weights = v.out_shape().num_elements();
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* x = input<T>(args, 0);
      const T* dy = input<T>(args, 1);
      std::vector<double> dw = zeros(num_weights);
      conv.for_each_product([&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
        at(dw, iw) += static_cast<double>(x[ix]) * static_cast<double>(dy[iy]);
      });
      store_all(dw, output<T>(args, 0));
      if (!has_bias) return;
      std::vector<double> db = zeros(conv.k);
      const std::int64_t out = conv.window.num_out();
      for (std::int64_t i = 0; i < conv.n * conv.k * out; ++i) {
        at(db, i / out % conv.k) += static_cast<double>(dy[i]);
      }
      store_all(db, output<T>(args, 1));
    });
  });
}

namespace {

enum class PoolMode { max, avg, avg_no_pad };

PoolMode pool_mode(const NodeView& v) {
  const std::string& mode = v.n.attrs.get_text("mode");
  if (mode == "max") return PoolMode::max;
  if (mode == "avg") return PoolMode::avg;
  if (mode == "avg_no_pad") return PoolMode::avg_no_pad;
  v.refuse("unknown mode '" + mode + "'");
}

// The winners of one image: per output the input offset (or -1) and the tap.
struct Winners {
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> taps;
};

template <class T>
Winners find_winners(const Window& w, const T* x) {
  Winners winners;
  winners.inputs.assign(static_cast<std::size_t>(w.num_out()), -1);
  winners.taps.assign(static_cast<std::size_t>(w.num_out()), 0);
  for_each_tap(w, [&](std::int64_t o, std::int64_t i, std::int64_t t) {
    std::int64_t& best = winners.inputs[static_cast<std::size_t>(o)];
    // First of equal wins; the first NaN wins for good.
    if (best < 0 || x[i] > x[best] || (std::isnan(x[i]) && !std::isnan(x[best]))) {
      best = i;
      winners.taps[static_cast<std::size_t>(o)] = t;
    }
  });
  return winners;
}

// Number of terms an average divides by, per output position.
std::vector<double> divisors(const Window& w, PoolMode mode) {
  std::vector<double> counts = zeros(w.num_out());
  for_each_tap(w, [&](std::int64_t o, std::int64_t, std::int64_t) { at(counts, o) += 1; });
  if (mode == PoolMode::avg) counts.assign(counts.size(), static_cast<double>(w.num_taps()));
  return counts;
}

}  // namespace

std::unique_ptr<Kernel> make_pool(const NodeView& v) {
  const Window w = make_window(v.in_shape(0), v.out_shape(), v.n.attrs.get_ints("window"), v.n.attrs);
  const PoolMode mode = pool_mode(v);
  const std::int64_t images = v.in_shape(0)[0] * v.in_shape(0)[1];
  const bool saves = v.num_outputs() > 1;
  if (saves && w.num_taps() > 256) v.refuse("a winner's number does not fit in a byte");
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      for (std::int64_t image = 0; image < images; ++image) {
        const T* x = input<T>(args, 0) + image * w.num_in();
        T* y = output<T>(args, 0) + image * w.num_out();
        if (mode == PoolMode::max) {
          const Winners winners = find_winners(w, x);
          for (std::int64_t o = 0; o < w.num_out(); ++o) {
            const std::int64_t i = winners.inputs[static_cast<std::size_t>(o)];
            y[o] = i < 0 ? -std::numeric_limits<T>::infinity() : x[i];
            if (saves) {
              output<std::uint8_t>(args, 1)[image * w.num_out() + o] =
                  static_cast<std::uint8_t>(winners.taps[static_cast<std::size_t>(o)]);
            }
          }
        } else {
          std::vector<double> sums = zeros(w.num_out());
          for_each_tap(w, [&](std::int64_t o, std::int64_t i, std::int64_t) {
            at(sums, o) += static_cast<double>(x[i]);
          });
          const std::vector<double> counts = divisors(w, mode);
          for (std::size_t o = 0; o < sums.size(); ++o) y[o] = static_cast<T>(sums[o] / counts[o]);
        }
      }
    });
  });
}

std::unique_ptr<Kernel> make_pool_bwd(const NodeView& v) {
  const Window w = make_window(v.out_shape(), v.in_shape(0), v.n.attrs.get_ints("window"), v.n.attrs);
  const PoolMode mode = pool_mode(v);
  const std::int64_t images = v.out_shape()[0] * v.out_shape()[1];
  const bool has_saved = v.num_inputs() > 1 && v.in_type(1) == tensor::DataType::u8;
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      for (std::int64_t image = 0; image < images; ++image) {
        const T* dy = input<T>(args, 0) + image * w.num_out();
        std::vector<double> dx = zeros(w.num_in());
        if (mode == PoolMode::max && has_saved) {
          const std::uint8_t* saved = input<std::uint8_t>(args, 1) + image * w.num_out();
          for_each_tap(w, [&](std::int64_t o, std::int64_t i, std::int64_t t) {
            if (t == saved[o]) at(dx, i) += static_cast<double>(dy[o]);
          });
        } else if (mode == PoolMode::max) {
          const Winners winners = find_winners(w, input<T>(args, 1) + image * w.num_in());
          for (std::int64_t o = 0; o < w.num_out(); ++o) {
            const std::int64_t i = winners.inputs[static_cast<std::size_t>(o)];
            if (i >= 0) at(dx, i) += static_cast<double>(dy[o]);
          }
        } else {
          std::vector<double> counts = divisors(w, mode);
          for_each_tap(w, [&](std::int64_t o, std::int64_t i, std::int64_t) {
            at(dx, i) += static_cast<double>(dy[o]) / at(counts, o);
          });
        }
        store_all(dx, output<T>(args, 0) + image * w.num_in());
      }
    });
  });
}

}  // namespace lbann::kernels::reference
