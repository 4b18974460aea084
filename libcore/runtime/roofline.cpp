// See roofline.hpp.
#include "runtime/roofline.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "device/buffer.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "ops/builder.hpp"
#include "passes/passes.hpp"
#include "runtime/timing.hpp"

namespace lbann::runtime {
namespace {

constexpr double cached_bytes = 4 << 20;  // what the caches of a few cores hold

double shortest_us(int repetitions, const std::function<void()>& f) {
  double best = 0;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const double us =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    if (i == 0 || us < best) best = us;
  }
  return best;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void triad_loop(float* a, const float* b, const float* c, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) a[i] = b[i] + 0.5f * c[i];
}

/// a = b + s c over three arrays of so many bytes together; every thread its own part.
double measure_bandwidth(std::int64_t bytes, int passes, int repetitions) {
  const std::int64_t n = bytes / (3 * static_cast<std::int64_t>(sizeof(float)));
  device::Buffer buffer(bytes, "measuring memory bandwidth");
  auto* a = reinterpret_cast<float*>(buffer.data());
  float* b = a + n;
  float* c = b + n;
  const auto triad = [&] {
#pragma omp parallel
    {
      const std::int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      const std::int64_t begin = n * me / threads, end = n * (me + 1) / threads;
      for (int pass = 0; pass < passes; ++pass) triad_loop(a + begin, b + begin, c + begin, end - begin);
    }
  };
  triad();
  return static_cast<double>(bytes) * passes / shortest_us(repetitions, triad) * 1e-3;
}

double measure_peak(int threads) {
  constexpr std::int64_t n = 1024;
  const auto catalogue = kernels::cpu::make_cpu_catalogue(threads);
  passes::Compilation c;
  c.graph.name = "peak";
  c.catalogue = catalogue.get();
  ops::Builder b(c.graph);
  const tensor::TensorSpec square{tensor::DataType::f32, tensor::Shape{n, n}, {}};
  const graph::ValueId product = b.add("matmul", {b.input("x", square), b.weight("w", square)});
  c.graph.outputs.push_back({"y", b.reduce("sum", product, {0, 1})});
  passes::compile(c);
  double best = 0;
  for (const StepTime& t : time_plan(c, 1, 6)) {
    if (c.graph.node(t.node).op == "matmul") best = 2.0 * n * n * n / t.us * 1e-3;
  }
  return best;
}

}  // namespace

double Roofline::bandwidth_gbs(double bytes) const { return bytes <= cached_bytes ? cache_gbs : memory_gbs; }

double Roofline::roof_us(double flops, double bytes) const {
  return std::max(flops / (peak_gflops * 1e3), bytes / (bandwidth_gbs(bytes) * 1e3));
}

Roofline measure_roofline(int threads) {
  omp_set_num_threads(threads);
  Roofline r;
  r.threads = threads;
  r.memory_gbs = measure_bandwidth(std::int64_t{192} << 20, 1, 4);
  r.cache_gbs = std::max(r.memory_gbs, measure_bandwidth(std::int64_t{384} << 10, 40, 6));
  r.peak_gflops = measure_peak(threads);
  return r;
}

}  // namespace lbann::runtime
