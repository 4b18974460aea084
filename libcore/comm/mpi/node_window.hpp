// Shared memory of the ranks on one node: a status page that says what each of them is doing, and sums.
//
//   window = per rank { status, data slot } + result region        (MPI_Win_allocate_shared)
//
//   all_reduce: everybody packs its segments into its slot; meet; everybody reduces its slice of the elements
//   over all slots, in the fixed tree, into the result; meet; everybody copies the result. Messages larger
//   than a slot go in rounds.
//
// Meetings are counters in the window, spun on and then yielded at. A rank that does not come within the
// time-out, or whose process is gone, is named with its step, phase, layer and collective.
#pragma once

#include <mpi.h>

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace lbann::comm {

/// One rank's entry of the status page. Written by its owner, read by whoever waits for it.
struct RankStatus {
  std::atomic<std::int64_t> step;
  std::atomic<std::int64_t> meetings;  // how often it has arrived
  std::atomic<int> process;
  std::atomic<int> waiting;  // in a collective right now
  char phase[24];
  char layer[64];
  char collective[24];
};

class NodeWindow {
public:
  /// The page of all ranks of this node. Collective over the world.
  static std::unique_ptr<NodeWindow> open_node(double timeout);
  /// With room for sums; the ranks of `comm` are on this node. Status goes to `page`.
  static std::unique_ptr<NodeWindow> open(MPI_Comm comm, double timeout, NodeWindow* page);
  ~NodeWindow();

  bool on_one_node(const std::vector<int>& world_ranks) const;
  void publish(std::int64_t step, const char* phase);
  void enter(const char* collective, const char* layer);
  void leave();
  /// Throws base::Error (communication) when the process of a rank is gone.
  void check_alive(const char* what) const;
  /// The message about the rank that has not come: `missing` (number in the world), or, where nobody knows
  /// (-1), one that is not in a collective.
  std::string who_is_missing(const char* what, double timeout, int missing = -1) const;
  std::string place() const;

  void barrier(const char* what, const char* layer);
  void all_reduce(std::span<const Segment> segments, tensor::DataType type, ReduceOp op, const char* layer);

private:
  NodeWindow(MPI_Comm comm, double timeout, std::int64_t slot_bytes);
  RankStatus& status(int rank) const;
  std::byte* slot(int rank) const;
  std::byte* result() const;
  std::string describe(int rank) const;

  MPI_Win window_ = MPI_WIN_NULL;
  int rank_ = 0, size_ = 1;
  double timeout_;
  std::int64_t slot_bytes_;
  std::vector<std::byte*> base_;  // of every rank's segment
  std::vector<int> world_ranks_;
  NodeWindow* page_ = nullptr;
  std::int64_t meeting_ = 0;
};

}  // namespace lbann::comm
