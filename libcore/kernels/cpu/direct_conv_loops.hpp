// The inner loop of direct_conv: raw pointers and strides in floats. AVX-512 intrinsics behind a target
// attribute; callers have asked the processor. Window rows are `row` floats apart in dx, positions
// `step`; a row of the window is `run` floats.
#pragma once

#include <cstdint>

namespace lbann::kernels::cpu {

struct DataLoop {
  const float* weights;  // [filters][rows][ceil(run / 16)][16], zero behind the run
  std::int64_t rows, run, row, step, y_pitch;
  int filters;
};

/// Is there a loop for windows of so many rows and floats per row (on x86-64)?
bool has_direct_data_loop(std::int64_t rows, std::int64_t run);
/// dx[p..] += for p < count positions of one output row. Touches nothing outside the windows.
void direct_data(const DataLoop& loop, const float* dy, float* dx, std::int64_t count);

}  // namespace lbann::kernels::cpu
