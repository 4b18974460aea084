// Collective communication over the ranks of a trainer, as the trainer sees them: virtual ranks.
//
// A world of V virtual ranks is spread over the real ranks of a back end; with the back end `self`
// all V live in this process (tests, planning, `--reproducible`). Sums combine in rank order, so
// their bits depend on V alone. Every rank must call the same collectives in the same order.
#pragma once

#include <memory>
#include <span>
#include <vector>

namespace lbann::comm {

enum class ReduceOp { sum, max, min };

class Communicator {
public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void barrier() = 0;
  virtual void all_reduce(std::span<float> values, ReduceOp op) = 0;
  virtual void all_reduce(std::span<double> values, ReduceOp op) = 0;
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
};

/// V endpoints of one in-process world; each is used by its own thread (V = 1: by the caller).
std::vector<std::unique_ptr<Communicator>> make_self_world(int num_virtual_ranks);

}  // namespace lbann::comm
