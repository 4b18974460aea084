// What this machine can do at best, measured in a tenth of a second: the roof that kernels are judged by.
//
//   roof(flops, bytes) = max(flops / peak, bytes / bandwidth(bytes))     microseconds
//
// Peak is that of a large matrix product, bandwidth that of a = b + s c over arrays in memory or in caches.
#pragma once

namespace lbann::runtime {

struct Roofline {
  int threads = 1;
  double peak_gflops = 0;
  double cache_gbs = 0;  // gigabytes per second
  double memory_gbs = 0;
  double bandwidth_gbs(double bytes) const;
  double roof_us(double flops, double bytes) const;
};

Roofline measure_roofline(int threads);

}  // namespace lbann::runtime
