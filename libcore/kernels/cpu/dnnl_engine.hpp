// The library's engine and streams. One engine per process (it owns nothing that changes); one
// stream per executing thread, because a stream may not be shared. Calls run on the OpenMP team of
// the calling thread and return when the work is done.
#pragma once

#include <string>

#include <dnnl.hpp>

namespace lbann::kernels::cpu {

const dnnl::engine& engine();
dnnl::stream& this_thread_stream();

/// "oneDNN 2.6.3"
std::string library_version();
/// Widest instruction set the library will use: "avx512_core", "avx2", "avx", "sse41", "generic".
std::string instruction_set();

}  // namespace lbann::kernels::cpu
