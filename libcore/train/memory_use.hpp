// How much the process really grew, next to what the plan said.
//
// The plan promises weights + state + arena + the rings of the data pipeline. The measurement begins
// when everything else exists (program, data set, compiled plans) and nothing of that has been touched:
// the heap is trimmed and the resident anonymous memory is the baseline. Mappings with code are left out on
// both sides: libraries that generate code on first use (tens of kernels, megabytes) are part of the
// process's fixed cost, like their files. Buffers never shrink during a run, so growth at its end is what
// the run holds; the copy that initialising blocked weights needs for a moment does not count.
#pragma once

#include <cstdint>

namespace lbann::train {

struct MemoryUse {
  std::int64_t planned_bytes = 0;   // weights, state, arena of the largest plan, data pipelines
  std::int64_t pipeline_bytes = 0;  // of these, the data pipelines'
  std::int64_t baseline_bytes = 0;  // resident data before those were touched; 0: not measured

  /// Begins a measurement. `touched_bytes`: of the planned memory, what is resident already.
  void begin(std::int64_t touched_bytes);
  /// Leaves out of the measurement what has come since `resident_bytes` (a plan compiled in between).
  void leave_out(std::int64_t resident_bytes);
  /// Resident data now minus the baseline; 0 when nothing was measured.
  std::int64_t growth_bytes() const;
};

/// Resident anonymous memory of the process without code, in bytes; 0 where /proc does not tell.
std::int64_t resident_data_bytes();

}  // namespace lbann::train
