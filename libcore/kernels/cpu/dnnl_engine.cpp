// The widest instruction set is asked of the CPU and then capped by the library's own limit
// (environment variable ONEDNN_MAX_CPU_ISA), whose bit masks are nested.
#include "kernels/cpu/dnnl_engine.hpp"

#include <fmt/format.h>

namespace lbann::kernels::cpu {

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::stream& this_thread_stream() {
  static thread_local dnnl::stream instance(engine());
  return instance;
}

std::string library_version() {
  const dnnl_version_t* v = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", v->major, v->minor, v->patch);
}

std::string instruction_set() {
#if defined(__x86_64__)
  const auto limit = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  auto allowed = [limit](dnnl::cpu_isa isa) {
    const auto bits = static_cast<unsigned>(isa);
    return (limit & bits) == bits;
  };
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      allowed(dnnl::cpu_isa::avx512_core)) {
    return "avx512_core";
  }
  if (__builtin_cpu_supports("avx2") && allowed(dnnl::cpu_isa::avx2)) return "avx2";
  if (__builtin_cpu_supports("avx") && allowed(dnnl::cpu_isa::avx)) return "avx";
  if (__builtin_cpu_supports("sse4.1")) return "sse41";
#endif
  return "generic";
}

}  // namespace lbann::kernels::cpu
