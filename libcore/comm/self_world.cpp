// The in-process world: ranks are threads that meet, show each other their buffers, and copy or reduce what
// they need. A collective is two or three meetings; between two of them nobody writes what another reads.
//
// Whoever fails ends the world: the others wake up with its reason. Whoever waits too long does, too, and
// names the ranks that have not come.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "comm/communicator.hpp"
#include "comm/tree.hpp"

namespace lbann::comm {
namespace {

using tensor::DataType;

/// Shared by a world and all its subsets: how it ended.
struct Fate {
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::string reason;
};

struct Shown {
  const void* in = nullptr;
  std::span<const Segment> segments{};
  std::span<const std::int64_t> counts{};
};

struct World {
  World(std::vector<std::int64_t> members, double seconds, std::shared_ptr<Fate> shared_fate)
    : ranks(std::move(members)),
      timeout(seconds),
      fate(std::move(shared_fate)),
      shown(ranks.size()),
      here(ranks.size(), false) {}

  [[noreturn]] void refuse(const std::string& reason) const {
    throw base::Error(base::ExitCode::communication, reason);
  }

  void end(const std::string& reason) {
    {
      const std::lock_guard lock(fate->mutex);
      if (fate->ended) return;
      fate->ended = true;
      fate->reason = reason;
    }
    fate->changed.notify_all();
  }

  void meet(std::size_t rank, const char* what, const char* layer) {
    std::unique_lock lock(fate->mutex);
    if (fate->ended) refuse(fate->reason);
    const long round = generation;
    here[rank] = true;
    if (++arrived == static_cast<int>(ranks.size())) {
      arrived = 0;
      std::fill(here.begin(), here.end(), false);
      ++generation;
      lock.unlock();
      fate->changed.notify_all();
      return;
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout);
    const bool in_time =
        fate->changed.wait_until(lock, deadline, [&] { return generation != round || fate->ended; });
    if (generation != round) return;
    if (!in_time) {
      std::string missing;
      for (std::size_t r = 0; r < here.size(); ++r) {
        if (!here[r]) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", ranks[r]);
      }
      fate->reason = fmt::format("{}{}: rank {} waited {:g} s for rank {}", what,
                                 *layer == '\0' ? "" : fmt::format(" of layer '{}'", layer), ranks[rank],
                                 timeout, missing);
      fate->ended = true;
      lock.unlock();
      fate->changed.notify_all();
      refuse(fate->reason);
    }
    refuse(fate->reason);
  }

  const std::vector<std::int64_t> ranks;  // numbers in the whole world
  const double timeout;
  const std::shared_ptr<Fate> fate;
  std::vector<Shown> shown;
  std::vector<bool> here;
  int arrived = 0;
  long generation = 0;
  std::map<std::vector<std::int64_t>, std::weak_ptr<World>> subsets;  // under fate->mutex
  std::map<std::pair<int, int>, std::vector<std::span<const std::byte>>> mail;
};

class SelfCommunicator final : public Communicator {
public:
  SelfCommunicator(std::shared_ptr<World> world, int rank) : w_(std::move(world)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(w_->ranks.size()); }
  void barrier() override { meet("barrier"); }

  void all_reduce(std::span<const Segment> segments, DataType type, ReduceOp op) override {
    if (size() == 1) return;
    show({nullptr, segments, {}}, "all_reduce");
    // Each rank reduces a slice of every segment into everybody's buffer.
    std::vector<const void*> sources(w_->shown.size());
    for (std::size_t s = 0; s < segments.size(); ++s) {
      for (std::size_t r = 0; r < sources.size(); ++r) sources[r] = w_->shown[r].segments[s].data;
      const std::int64_t n = segments[s].count;
      const std::int64_t begin = n * rank_ / size(), end = n * (rank_ + 1) / size();
      reduce_in_tree(sources, segments[s].data, begin, end, type, op);
      const std::int64_t width = tensor::size_bytes(type);
      for (std::size_t r = 0; r < sources.size(); ++r) {
        if (static_cast<int>(r) == rank_) continue;
        copy(at(w_->shown[r].segments[s].data, begin * width), at(segments[s].data, begin * width),
             (end - begin) * width);
      }
    }
    meet("all_reduce");
  }

  void reduce_scatter(const void* in, void* out, std::span<const std::int64_t> counts,
                      DataType type) override {
    show({in, {}, counts}, "reduce_scatter");
    const std::int64_t first = sum_before(counts, rank_) * tensor::size_bytes(type);
    std::vector<const void*> sources;
    for (const Shown& other : w_->shown) sources.push_back(at(other.in, first));
    reduce_in_tree(sources, out, 0, counts[static_cast<std::size_t>(rank_)], type, ReduceOp::sum);
    meet("reduce_scatter");
  }

  void all_gather(const void* in, void* out, std::span<const std::int64_t> bytes) override {
    show({in, {}, bytes}, "all_gather");
    std::int64_t to = 0;
    for (std::size_t r = 0; r < bytes.size(); ++r) {
      copy(at(out, to), w_->shown[r].in, bytes[r]);
      to += bytes[r];
    }
    meet("all_gather");
  }

  void all_to_all(const void* in, std::span<const std::int64_t> send_bytes, void* out,
                  std::span<const std::int64_t> recv_bytes) override {
    show({in, {}, send_bytes}, "all_to_all");
    std::int64_t to = 0;
    for (std::size_t r = 0; r < recv_bytes.size(); ++r) {
      const Shown& other = w_->shown[r];
      copy(at(out, to), at(other.in, sum_before(other.counts, rank_)), recv_bytes[r]);
      to += recv_bytes[r];
    }
    meet("all_to_all");
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    show({bytes.data(), {}, {}}, "broadcast");
    if (rank_ != root) {
      copy(bytes.data(), w_->shown[static_cast<std::size_t>(root)].in,
           static_cast<std::int64_t>(bytes.size()));
    }
    meet("broadcast");
  }

  /// Hands the bytes over and waits until they have been taken.
  void send(std::span<const std::byte> bytes, int to) override {
    std::unique_lock lock(w_->fate->mutex);
    if (w_->fate->ended) w_->refuse(w_->fate->reason);
    auto& box = w_->mail[{rank_, to}];
    box.push_back(bytes);
    w_->fate->changed.notify_all();
    wait(lock, "send", to, [&] {
      return std::none_of(box.begin(), box.end(), [&](const auto& b) { return b.data() == bytes.data(); });
    });
  }

  void recv(std::span<std::byte> bytes, int from) override {
    std::unique_lock lock(w_->fate->mutex);
    auto& box = w_->mail[{from, rank_}];
    wait(lock, "recv", from, [&] { return !box.empty(); });
    copy(bytes.data(), box.front().data(), static_cast<std::int64_t>(bytes.size()));
    box.erase(box.begin());
    w_->fate->changed.notify_all();
  }

  std::unique_ptr<Communicator> subset(std::span<const std::int64_t> ranks) override {
    const std::vector<std::int64_t> key(ranks.begin(), ranks.end());
    const auto mine = std::find(key.begin(), key.end(), rank_);
    if (mine == key.end()) w_->refuse(fmt::format("rank {} asks for a group without itself", rank_));
    std::vector<std::int64_t> members;
    for (std::int64_t r : key) members.push_back(w_->ranks.at(static_cast<std::size_t>(r)));
    const std::lock_guard lock(w_->fate->mutex);
    std::weak_ptr<World>& known = w_->subsets[key];
    std::shared_ptr<World> world = known.lock();
    if (!world) known = world = std::make_shared<World>(members, w_->timeout, w_->fate);
    return std::make_unique<SelfCommunicator>(std::move(world), static_cast<int>(mine - key.begin()));
  }

  void abort(const std::string& reason) override { w_->end(reason); }

private:
  static void* at(void* p, std::int64_t bytes) { return static_cast<std::byte*>(p) + bytes; }
  static const void* at(const void* p, std::int64_t bytes) {
    return static_cast<const std::byte*>(p) + bytes;
  }
  static void copy(void* to, const void* from, std::int64_t bytes) {
    if (bytes > 0 && to != from) std::memmove(to, from, static_cast<std::size_t>(bytes));
  }
  static std::int64_t sum_before(std::span<const std::int64_t> counts, int rank) {
    return std::accumulate(counts.begin(), counts.begin() + rank, std::int64_t{0});
  }

  void meet(const char* what) {
    if (size() > 1) w_->meet(static_cast<std::size_t>(rank_), what, layer_);
  }

  void show(Shown mine, const char* what) {
    w_->shown[static_cast<std::size_t>(rank_)] = mine;
    meet(what);
  }

  template <typename Condition>
  void wait(std::unique_lock<std::mutex>& lock, const char* what, int other, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(w_->timeout);
    Fate& fate = *w_->fate;
    const bool in_time = fate.changed.wait_until(lock, deadline, [&] { return condition() || fate.ended; });
    if (in_time && condition()) return;
    if (!fate.ended) {
      fate.ended = true;
      fate.reason = fmt::format("{}: rank {} waited {:g} s for rank {}", what, rank_, w_->timeout, other);
      fate.changed.notify_all();
    }
    w_->refuse(fate.reason);
  }

  std::shared_ptr<World> w_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_self_world(int num_virtual_ranks, double timeout_seconds) {
  std::vector<std::int64_t> ranks(static_cast<std::size_t>(num_virtual_ranks));
  std::iota(ranks.begin(), ranks.end(), 0);
  auto world = std::make_shared<World>(ranks, timeout_seconds, std::make_shared<Fate>());
  std::vector<std::unique_ptr<Communicator>> ends;
  for (int r = 0; r < num_virtual_ranks; ++r) ends.push_back(std::make_unique<SelfCommunicator>(world, r));
  return ends;
}

}  // namespace lbann::comm
