// See node_window.hpp.
#include "comm/mpi/node_window.hpp"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "comm/tree.hpp"

namespace lbann::comm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t status_bytes = 256;
static_assert(sizeof(RankStatus) <= status_bytes);
constexpr std::int64_t sum_slot_bytes = std::int64_t{1} << 22;

void set_text(char* to, std::size_t size, const char* text) {
  std::strncpy(to, text, size - 1);
  to[size - 1] = '\0';
}

/// Bytes of a message, walked through in rounds.
class Cursor {
public:
  Cursor(std::span<const Segment> segments, std::int64_t width) : segments_(segments), width_(width) {}
  /// Copies up to `bytes` between the segments and `buffer`; returns how many.
  template <typename Copy>
  std::int64_t take(std::int64_t bytes, std::byte* buffer, Copy copy) {
    std::int64_t done = 0;
    while (done < bytes && at_ < segments_.size()) {
      const std::int64_t whole = segments_[at_].count * width_;
      const std::int64_t n = std::min(bytes - done, whole - offset_);
      if (n > 0)
        copy(static_cast<std::byte*>(segments_[at_].data) + offset_, buffer + done,
             static_cast<std::size_t>(n));
      done += n;
      offset_ += n;
      if (offset_ == whole) {
        ++at_;
        offset_ = 0;
      }
    }
    return done;
  }

private:
  std::span<const Segment> segments_;
  std::int64_t width_;
  std::size_t at_ = 0;
  std::int64_t offset_ = 0;
};

}  // namespace

NodeWindow::NodeWindow(MPI_Comm comm, double timeout, std::int64_t slot_bytes)
  : timeout_(timeout), slot_bytes_(slot_bytes) {
  MPI_Comm_rank(comm, &rank_);
  MPI_Comm_size(comm, &size_);
  void* mine = nullptr;
  const std::int64_t bytes = status_bytes + slot_bytes_ * (rank_ == 0 ? 2 : 1);  // rank 0 keeps the result
  if (MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, MPI_INFO_NULL, comm, &mine, &window_) !=
      MPI_SUCCESS) {
    throw base::Error(base::ExitCode::environment, "MPI gives no memory shared by the ranks of this node");
  }
  for (int r = 0; r < size_; ++r) {
    MPI_Aint size = 0;
    int unit = 0;
    void* base = nullptr;
    MPI_Win_shared_query(window_, r, &size, &unit, &base);
    base_.push_back(static_cast<std::byte*>(base));
  }
  RankStatus* own = new (mine) RankStatus{};
  own->process = static_cast<int>(::getpid());
  set_text(own->phase, sizeof own->phase, "setup");
  MPI_Group here, world;
  MPI_Comm_group(comm, &here);
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  std::vector<int> ranks(static_cast<std::size_t>(size_));
  std::iota(ranks.begin(), ranks.end(), 0);
  world_ranks_.resize(ranks.size());
  MPI_Group_translate_ranks(here, size_, ranks.data(), world, world_ranks_.data());
  MPI_Group_free(&here);
  MPI_Group_free(&world);
  MPI_Barrier(comm);
}

NodeWindow::~NodeWindow() = default;  // MPI frees windows at its end; freeing is collective, failing is not

std::unique_ptr<NodeWindow> NodeWindow::open_node(double timeout) {
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  return std::unique_ptr<NodeWindow>(new NodeWindow(node, timeout, 0));
}

std::unique_ptr<NodeWindow> NodeWindow::open(MPI_Comm comm, double timeout, NodeWindow* page) {
  std::unique_ptr<NodeWindow> window(new NodeWindow(comm, timeout, sum_slot_bytes));
  window->page_ = page;
  return window;
}

RankStatus& NodeWindow::status(int rank) const {
  return *reinterpret_cast<RankStatus*>(base_[static_cast<std::size_t>(rank)]);
}
std::byte* NodeWindow::slot(int rank) const { return base_[static_cast<std::size_t>(rank)] + status_bytes; }
std::byte* NodeWindow::result() const { return slot(0) + slot_bytes_; }

bool NodeWindow::on_one_node(const std::vector<int>& world_ranks) const {
  return std::all_of(world_ranks.begin(), world_ranks.end(), [&](int r) {
    return std::find(world_ranks_.begin(), world_ranks_.end(), r) != world_ranks_.end();
  });
}

void NodeWindow::publish(std::int64_t step, const char* phase) {
  RankStatus& s = status(rank_);
  s.step = step;
  set_text(s.phase, sizeof s.phase, phase);
}

void NodeWindow::enter(const char* collective, const char* layer) {
  RankStatus& s = status(rank_);
  set_text(s.layer, sizeof s.layer, layer);
  set_text(s.collective, sizeof s.collective, collective);
  s.waiting = 1;
}

void NodeWindow::leave() { status(rank_).waiting = 0; }

std::string NodeWindow::describe(int rank) const {
  const RankStatus& s = status(rank);
  std::string text = fmt::format("rank {} ({}, step {}", world_ranks_[static_cast<std::size_t>(rank)],
                                 s.phase, s.step.load());
  if (s.layer[0] != '\0') text += fmt::format(", layer '{}'", s.layer);
  if (s.collective[0] != '\0') text += fmt::format(", {} {}", s.waiting != 0 ? "in" : "after", s.collective);
  return text + ")";
}

std::string NodeWindow::place() const { return describe(rank_); }

void NodeWindow::check_alive(const char* what) const {
  for (int r = 0; r < size_; ++r) {
    if (::kill(status(r).process, 0) == 0 || errno != ESRCH) continue;
    throw base::Error(base::ExitCode::communication,
                      fmt::format("{}: the process of {} is gone", what, describe(r)));
  }
}

std::string NodeWindow::who_is_missing(const char* what, double timeout, int missing) const {
  int worst = -1;
  for (int r = 0; r < size_; ++r) {
    const bool known = missing >= 0;
    if (known ? world_ranks_[static_cast<std::size_t>(r)] == missing : r != rank_ && status(r).waiting == 0)
      worst = r;
  }
  if (worst < 0)
    return fmt::format("{}: {} waited {:g} s; all ranks of its node wait, too", what, place(), timeout);
  return fmt::format("{}: {} waited {:g} s for {}", what, place(), timeout, describe(worst));
}

void NodeWindow::barrier(const char* what, const char* layer) {
  NodeWindow& page = page_ == nullptr ? *this : *page_;
  page.enter(what, layer);
  ++meeting_;
  status(rank_).meetings.store(meeting_, std::memory_order_release);
  const auto start = Clock::now();
  for (int r = 0; r < size_; ++r) {
    for (std::int64_t tries = 0; status(r).meetings.load(std::memory_order_acquire) < meeting_; ++tries) {
      if (tries > 2000) sched_yield();
      if (tries % 4096 != 4095) continue;
      check_alive(what);
      if (std::chrono::duration<double>(Clock::now() - start).count() > timeout_) {
        throw base::Error(base::ExitCode::communication,
                          page.who_is_missing(what, timeout_, world_ranks_[static_cast<std::size_t>(r)]));
      }
    }
  }
  page.leave();
}

void NodeWindow::all_reduce(std::span<const Segment> segments, tensor::DataType type, ReduceOp op,
                            const char* layer) {
  const std::int64_t width = tensor::size_bytes(type);
  Cursor out(segments, width), in(segments, width);
  std::int64_t left = 0;
  for (const Segment& s : segments) left += s.count * width;
  std::vector<const void*> sources;
  for (int r = 0; r < size_; ++r) sources.push_back(slot(r));
  // Slots are free again after the second meeting of a round, the result after the first one of the next.
  while (left > 0) {
    const std::int64_t bytes =
        out.take(std::min(left, slot_bytes_ / width * width), slot(rank_),
                 [](std::byte* x, std::byte* buffer, std::size_t n) { std::memcpy(buffer, x, n); });
    barrier("all_reduce", layer);
    const std::int64_t count = bytes / width;
    reduce_in_tree(sources, result(), count * rank_ / size_, count * (rank_ + 1) / size_, type, op);
    barrier("all_reduce", layer);
    in.take(bytes, result(),
            [](std::byte* x, std::byte* buffer, std::size_t n) { std::memcpy(x, buffer, n); });
    left -= bytes;
  }
}

}  // namespace lbann::comm
