// relu over a buffer, NaN kept: what follows a library call whose own relu would turn NaN into 0.
#pragma once

#include <cstdint>

namespace lbann::kernels::cpu {

/// data[i] = data[i] <= 0 ? 0 : data[i] for count elements, on the calling thread's OpenMP team.
void relu_in_place(float* data, std::int64_t count);

}  // namespace lbann::kernels::cpu
