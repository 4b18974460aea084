// What the processor has.
#include "kernels/cpu/isa.hpp"

#include <algorithm>
#include <cstdlib>

namespace lbann::kernels::cpu {
namespace {

Isa processor_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) return Isa::avx512;
  if (avx2) return Isa::avx2;
#endif
  return Isa::generic;
}

}  // namespace

Isa detect_isa() {
  Isa isa = processor_isa();
  if (const char* limit = std::getenv("LBANN_MAX_ISA")) {
    const std::string_view text = limit;
    if (text == "sse") isa = Isa::generic;
    if (text == "avx2") isa = std::min(isa, Isa::avx2);
  }
  return isa;
}

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::generic:
      return "sse";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "";
}

}  // namespace lbann::kernels::cpu
