// The in-process world: ranks are threads that meet at a barrier, expose their buffers, and each
// reduce a slice of the elements in rank order. No copies of whole buffers, fixed bits.
#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <vector>

#include "comm/communicator.hpp"

namespace lbann::comm {
namespace {

struct World {
  explicit World(int n) : size(n), posted(static_cast<std::size_t>(n), nullptr) {}

  void meet() {
    std::unique_lock lock(mutex);
    const long round = generation;
    if (++arrived == size) {
      arrived = 0;
      ++generation;
      all_here.notify_all();
      return;
    }
    all_here.wait(lock, [&] { return generation != round; });
  }

  const int size;
  std::vector<void*> posted;
  std::mutex mutex;
  std::condition_variable all_here;
  int arrived = 0;
  long generation = 0;
};

class SelfCommunicator final : public Communicator {
public:
  SelfCommunicator(std::shared_ptr<World> world, int rank) : world_(std::move(world)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return world_->size; }
  void barrier() override {
    if (size() > 1) world_->meet();
  }
  void all_reduce(std::span<float> values, ReduceOp op) override { reduce(values, op); }
  void all_reduce(std::span<double> values, ReduceOp op) override { reduce(values, op); }

  void broadcast(std::span<std::byte> bytes, int root) override {
    if (size() == 1) return;
    World& w = *world_;
    w.posted[static_cast<std::size_t>(rank_)] = bytes.data();
    w.meet();
    const void* source = w.posted[static_cast<std::size_t>(root)];
    if (rank_ != root) std::memcpy(bytes.data(), source, bytes.size());
    w.meet();
  }

private:
  template <typename T>
  void reduce(std::span<T> values, ReduceOp op) {
    if (size() == 1) return;
    World& w = *world_;
    w.posted[static_cast<std::size_t>(rank_)] = values.data();
    w.meet();
    const std::size_t n = values.size();
    const std::size_t ranks = static_cast<std::size_t>(size());
    const std::size_t begin = n * static_cast<std::size_t>(rank_) / ranks;
    const std::size_t end = n * (static_cast<std::size_t>(rank_) + 1) / ranks;
    for (std::size_t i = begin; i < end; ++i) {
      T total = static_cast<const T*>(w.posted[0])[i];
      for (std::size_t r = 1; r < ranks; ++r) {
        const T x = static_cast<const T*>(w.posted[r])[i];
        total = op == ReduceOp::sum   ? total + x
                : op == ReduceOp::max ? std::max(total, x)
                                      : std::min(total, x);
      }
      // Only this rank reads or writes element i of any buffer before the next meeting.
      for (std::size_t r = 0; r < ranks; ++r) static_cast<T*>(w.posted[r])[i] = total;
    }
    w.meet();
  }

  std::shared_ptr<World> world_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_self_world(int num_virtual_ranks) {
  auto world = std::make_shared<World>(num_virtual_ranks);
  std::vector<std::unique_ptr<Communicator>> endpoints;
  for (int r = 0; r < num_virtual_ranks; ++r)
    endpoints.push_back(std::make_unique<SelfCommunicator>(world, r));
  return endpoints;
}

}  // namespace lbann::comm
