// Naive lrn and lrn_bwd: every window summed anew, in double.
#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {
namespace {

struct Geometry {
  std::int64_t n, c, inner = 1;
  std::int64_t before, behind;
  double alpha, beta, k;  // alpha divided by the window

  explicit Geometry(const NodeView& v) : n(v.in_shape(0)[0]), c(v.in_shape(0)[1]) {
    for (int d = 2; d < v.in_shape(0).rank(); ++d) inner *= v.in_shape(0)[d];
    const std::int64_t size = v.n.attrs.get_int("size");
    before = (size - 1) / 2;
    behind = size / 2;
    alpha = v.n.attrs.get_real("alpha") / static_cast<double>(size);
    beta = v.n.attrs.get_real("beta");
    k = v.n.attrs.get_real("k");
  }
  /// Calls visit(offset, window) for every channel; window(term) sums term(offset) around it.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::int64_t i = 0; i < n * c * inner; ++i) visit(i, i / inner % c);
  }
  /// Sum of term(offset) over channels from - first .. from + last around offset i.
  template <class Term>
  double sum(std::int64_t i, std::int64_t channel, std::int64_t first, std::int64_t last, Term term) const {
    double total = 0;
    for (std::int64_t j = std::max<std::int64_t>(channel - first, 0); j <= std::min(channel + last, c - 1);
         ++j)
      total += term(i + (j - channel) * inner);
    return total;
  }
  template <class T>
  double energy(const T* x, std::int64_t i, std::int64_t channel) const {
    return k + alpha * sum(i, channel, before, behind, [&](std::int64_t at) {
                 const double value = static_cast<double>(x[at]);
                 return value * value;
               });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_lrn(const NodeView& v) {
  const Geometry s(v);
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* x = input<T>(args, 0);
      s.for_each([&](std::int64_t i, std::int64_t c) {
        output<T>(args, 0)[i] =
            static_cast<T>(static_cast<double>(x[i]) * std::pow(s.energy(x, i, c), -s.beta));
      });
    });
  });
}

std::unique_ptr<Kernel> make_lrn_bwd(const NodeView& v) {
  const Geometry s(v);
  return with_floating(v, v.in_type(0), [&](auto zero) {
    using T = decltype(zero);
    return make_function_kernel([=](const KernelArgs& args) {
      const T* dy = input<T>(args, 0);
      const T* x = input<T>(args, 1);
      s.for_each([&](std::int64_t i, std::int64_t c) {
        // The windows that hold channel c are those of c - behind .. c + before.
        const double shared = s.sum(i, c, s.behind, s.before, [&](std::int64_t at) {
          const std::int64_t channel = at / s.inner % s.c;
          return static_cast<double>(dy[at]) * static_cast<double>(x[at]) *
                 std::pow(s.energy(x, at, channel), -s.beta - 1);
        });
        const double own = static_cast<double>(dy[i]) * std::pow(s.energy(x, i, c), -s.beta);
        output<T>(args, 0)[i] =
            static_cast<T>(own - 2 * s.alpha * s.beta * static_cast<double>(x[i]) * shared);
      });
    });
  });
}

}  // namespace lbann::kernels::reference
