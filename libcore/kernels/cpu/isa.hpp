// Instruction sets our own loops are compiled for, and the choice among them when a kernel is made.
#pragma once

#include <string_view>

namespace lbann::kernels::cpu {

enum class Isa { generic, avx2, avx512 };  // ascending

/// The best this processor has, but not above the environment's LBANN_MAX_ISA (sse, avx2, avx512).
Isa detect_isa();
std::string_view to_string(Isa isa);

}  // namespace lbann::kernels::cpu
