// What follows a library call in place: relu (the library's own would turn NaN into 0) and the bias
// of products that the library has no bias for.
#pragma once

#include <cstdint>

namespace lbann::kernels::cpu {

/// data[i] = data[i] <= 0 ? 0 : data[i] for count elements, on the calling thread's OpenMP team.
void relu_in_place(float* data, std::int64_t count);

/// y[i,j] += bias[j] for y [rows, columns] row-major.
void add_bias_in_place(float* y, const float* bias, std::int64_t rows, std::int64_t columns);

}  // namespace lbann::kernels::cpu
