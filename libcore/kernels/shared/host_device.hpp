// Marks a function that is one text for CPU and GPU. On the host it is always inlined: the CPU
// loops are compiled once per instruction set, and an out-of-line copy made with AVX-512 could
// otherwise be the one the linker keeps for everybody.
#pragma once

#if defined(__CUDACC__)
#define LBANN_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define LBANN_HOST_DEVICE inline __attribute__((always_inline))
#endif

// Before a loop whose iterations touch equal indices only, although pointers may be equal.
#if defined(__clang__)
#define LBANN_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define LBANN_IVDEP _Pragma("GCC ivdep")
#endif
