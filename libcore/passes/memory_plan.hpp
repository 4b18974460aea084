// Where every value of a plan lives. Offline: made once, before anything is allocated, so that a
// run's memory is known exactly before it starts.
//
//   arena    one block for activations, gradients, workspaces; reused by lifetime
//   weight   weights and their state, resident between steps
//   input    buffers of the data pipeline, bound anew each step
#pragma once

#include <cstdint>
#include <vector>

namespace lbann::passes {

enum class Space : std::uint8_t { none, arena, weight, input };

struct Slot {
  Space space = Space::none;
  std::int64_t offset = 0;  // arena: bytes from its start; weight, input: the boundary's value id
  std::int64_t bytes = 0;   // storage with padding
  int storage = -1;         // values with the same storage share the buffer
};

struct MemoryPlan {
  std::vector<Slot> values;                  // by value id
  std::vector<std::int64_t> scratch_offset;  // by node id; -1 without scratch
  std::int64_t arena_bytes = 0;
  std::int64_t weight_bytes = 0;         // role weight
  std::int64_t state_bytes = 0;          // optimizer state and running statistics
  std::int64_t input_bytes = 0;          // one batch of every field
  std::int64_t sum_of_values_bytes = 0;  // arena if nothing were reused
  bool exact = true;                     // false: some scratch is an upper bound
};

inline constexpr std::int64_t buffer_alignment = 64;

/// What the data readers hold beside the plan: the mini-batches read ahead, of every role.
struct PipelineMemory {
  std::int64_t bytes = 0;
  bool exact = true;  // false: a role whose number of samples is not known may hold fewer
};

}  // namespace lbann::passes
