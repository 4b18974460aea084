// The optimizer rules of `update`, entry by entry, one text for CPU and GPU.
//
// w weight, g gradient, s0, s1 the states (changed in place), h the rule's scalars, prepared on the
// host in double (prepare_*) and rounded once to T. The formulas are those of docs/primitives.md,
// evaluated left to right without contraction: every back end gives the same bits in f32 (sqrt and
// division are correctly rounded everywhere). Scalars are prepared, not read raw, so that Adam's
// correction is computed once per step in double.
#pragma once

#include <cmath>

#include "kernels/shared/host_device.hpp"

namespace lbann::kernels::shared {

inline constexpr int max_update_scalars = 7;

// x - x is 0 for finite x, NaN otherwise: vectorises, unlike std::isfinite.
template <class T>
LBANN_HOST_DEVICE bool is_finite(T x) {
  return x - x == T(0);
}

struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr int num_states = 0, num_slots = 1;
  static void prepare(const double* slot, double* h) { h[0] = slot[0]; }
  template <class M, class T>
  static LBANN_HOST_DEVICE void apply(T& w, T g, T&, T&, const T* h) {
    w = w - h[0] * g;
  }
};

struct Momentum {
  static constexpr const char* name = "momentum";
  static constexpr int num_states = 1, num_slots = 2;
  static void prepare(const double* slot, double* h) { h[0] = slot[0], h[1] = slot[1]; }
  template <class M, class T>
  static LBANN_HOST_DEVICE void apply(T& w, T g, T& v, T&, const T* h) {
    v = h[1] * v + g;
    w = w - h[0] * v;
  }
};

struct Nesterov {
  static constexpr const char* name = "nesterov";
  static constexpr int num_states = 1, num_slots = 2;
  static void prepare(const double* slot, double* h) { h[0] = slot[0], h[1] = slot[1]; }
  template <class M, class T>
  static LBANN_HOST_DEVICE void apply(T& w, T g, T& v, T&, const T* h) {
    v = h[1] * v + g;
    w = w - h[0] * (h[1] * v + g);
  }
};

struct Adagrad {
  static constexpr const char* name = "adagrad";
  static constexpr int num_states = 1, num_slots = 2;
  static void prepare(const double* slot, double* h) { h[0] = slot[0], h[1] = slot[1]; }
  template <class M, class T>
  static LBANN_HOST_DEVICE void apply(T& w, T g, T& c, T&, const T* h) {
    c = c + g * g;
    w = w - h[0] * g / (M::sqrt(c) + h[1]);
  }
};

struct Rmsprop {
  static constexpr const char* name = "rmsprop";
  static constexpr int num_states = 1, num_slots = 3;
  static void prepare(const double* slot, double* h) {
    h[0] = slot[0], h[1] = slot[1], h[2] = slot[2], h[3] = 1 - slot[1];
  }
  template <class M, class T>
  static LBANN_HOST_DEVICE void apply(T& w, T g, T& c, T&, const T* h) {
    c = h[1] * c + h[3] * (g * g);
    w = w - h[0] * g / (M::sqrt(c) + h[2]);
  }
};

// Entries whose gradient is not finite are skipped: w, m, v stay. Written as selects.
struct Adam {
  static constexpr const char* name = "adam";
  static constexpr int num_states = 2, num_slots = 7;
  // slots lr, beta1, beta2, eps, weight_decay, beta1^t, beta2^t
  static void prepare(const double* slot, double* h) {
    h[0] = slot[0] * std::sqrt(1 - slot[6]) / (1 - slot[5]);
    h[1] = slot[1], h[2] = slot[2], h[3] = slot[3];
    h[4] = slot[0] * slot[4];
    h[5] = 1 - slot[1], h[6] = 1 - slot[2];
  }
  template <class M, class T>
  static LBANN_HOST_DEVICE void apply(T& w, T g, T& m, T& v, const T* h) {
    const bool finite = is_finite(g);
    const T m_new = h[1] * m + h[5] * g;
    const T v_new = h[2] * v + h[6] * (g * g);
    const T w_new = w - (h[0] * m_new / (M::sqrt(v_new) + h[3]) + h[4] * w);
    m = finite ? m_new : m;
    v = finite ? v_new : v;
    w = finite ? w_new : w;
  }
};

}  // namespace lbann::kernels::shared
