// LBANN_TARGET_CLONES before a function compiles it for AVX-512, AVX2 and the baseline; the loader picks one.
//
// For loops without library calls whose result must not depend on the machine: with -ffp-contract=off all
// clones give the same bits as long as no sum is reordered. Helpers called inside must be inlined to profit.
// ThreadSanitizer's runtime is not ready yet when the loader runs the resolvers (the program would crash at
// start), so its builds have the baseline only.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define LBANN_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LBANN_THREAD_SANITIZER 1
#endif
#endif

#if defined(__x86_64__) && !defined(LBANN_THREAD_SANITIZER)
#define LBANN_TARGET_CLONES [[gnu::target_clones("avx512f", "avx2", "default")]]
#else
#define LBANN_TARGET_CLONES
#endif
