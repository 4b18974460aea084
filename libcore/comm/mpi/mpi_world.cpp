// The MPI module: one per MPI implementation, opened at run time by comm/world.cpp.
//
// Collectives of ranks that share a node go through shared memory (node_window.hpp): sums are made there in
// the fixed tree, each rank reducing its slice. Everything else, and groups across nodes, is non-blocking MPI
// that is polled against the time-out. Only the calling thread uses MPI.
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "comm/mpi/node_window.hpp"
#include "comm/tree.hpp"
#include "comm/world.hpp"

namespace lbann::comm {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& reason) {
  throw base::Error(base::ExitCode::communication, reason);
}

void check(int result, const char* what) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(result, text, &length);
  fail(fmt::format("{}: {}", what, std::string(text, static_cast<std::size_t>(length))));
}

MPI_Datatype mpi_type(tensor::DataType type) {
  switch (type) {
    case tensor::DataType::f32:
      return MPI_FLOAT;
    case tensor::DataType::f64:
      return MPI_DOUBLE;
    case tensor::DataType::i64:
      return MPI_INT64_T;
    default:
      return MPI_DATATYPE_NULL;
  }
}

MPI_Op mpi_op(ReduceOp op) { return op == ReduceOp::sum ? MPI_SUM : op == ReduceOp::max ? MPI_MAX : MPI_MIN; }

class MpiCommunicator final : public Communicator {
public:
  MpiCommunicator(MPI_Comm comm, double timeout, NodeWindow* page)
    : comm_(comm), timeout_(timeout), page_(page) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
    std::vector<int> world_ranks = ranks_in_world();
    if (page_ != nullptr && page_->on_one_node(world_ranks))
      window_ = NodeWindow::open(comm_, timeout_, page_);
  }
  ~MpiCommunicator() override = default;

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void barrier() override {
    if (window_) return window_->barrier("barrier", layer_);
    MPI_Request request;
    check(MPI_Ibarrier(comm_, &request), "barrier");
    wait(request, "barrier");
  }

  void all_reduce(std::span<const Segment> segments, tensor::DataType type, ReduceOp op) override {
    if (size_ == 1) return;
    if (window_) return window_->all_reduce(segments, type, op, layer_);
    for (const Segment& s : segments) across_nodes(s, type, op);
  }

  void reduce_scatter(const void* in, void* out, std::span<const std::int64_t> counts,
                      tensor::DataType type) override {
    const std::int64_t width = tensor::size_bytes(type);
    const std::int64_t mine = counts[static_cast<std::size_t>(rank_)] * width;
    std::vector<std::int64_t> send, recv(static_cast<std::size_t>(size_), mine);
    for (std::int64_t c : counts) send.push_back(c * width);
    std::vector<std::byte> received(static_cast<std::size_t>(mine * size_));
    all_to_all(in, send, received.data(), recv);
    std::vector<const void*> sources;
    for (int r = 0; r < size_; ++r) sources.push_back(received.data() + static_cast<std::int64_t>(r) * mine);
    reduce_in_tree(sources, out, 0, counts[static_cast<std::size_t>(rank_)], type, ReduceOp::sum);
  }

  void all_gather(const void* in, void* out, std::span<const std::int64_t> bytes) override {
    const std::vector<int> counts = to_int(bytes), starts = starts_of(counts);
    MPI_Request request;
    check(MPI_Iallgatherv(in, counts[static_cast<std::size_t>(rank_)], MPI_BYTE, out, counts.data(),
                          starts.data(), MPI_BYTE, comm_, &request),
          "all_gather");
    wait(request, "all_gather");
  }

  void all_to_all(const void* in, std::span<const std::int64_t> send_bytes, void* out,
                  std::span<const std::int64_t> recv_bytes) override {
    const std::vector<int> send = to_int(send_bytes), recv = to_int(recv_bytes);
    const std::vector<int> send_at = starts_of(send), recv_at = starts_of(recv);
    MPI_Request request;
    check(MPI_Ialltoallv(in, send.data(), send_at.data(), MPI_BYTE, out, recv.data(), recv_at.data(),
                         MPI_BYTE, comm_, &request),
          "all_to_all");
    wait(request, "all_to_all");
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    MPI_Request request;
    check(MPI_Ibcast(bytes.data(), to_int(static_cast<std::int64_t>(bytes.size())), MPI_BYTE, root, comm_,
                     &request),
          "broadcast");
    wait(request, "broadcast");
  }

  void send(std::span<const std::byte> bytes, int to) override {
    MPI_Request request;
    check(MPI_Isend(bytes.data(), to_int(static_cast<std::int64_t>(bytes.size())), MPI_BYTE, to, 0, comm_,
                    &request),
          "send");
    wait(request, "send");
  }

  void recv(std::span<std::byte> bytes, int from) override {
    MPI_Request request;
    check(MPI_Irecv(bytes.data(), to_int(static_cast<std::int64_t>(bytes.size())), MPI_BYTE, from, 0, comm_,
                    &request),
          "recv");
    wait(request, "recv");
  }

  std::unique_ptr<Communicator> subset(std::span<const std::int64_t> ranks) override {
    const std::vector<int> members = to_int(ranks);
    MPI_Group all, some;
    MPI_Comm_group(comm_, &all);
    check(MPI_Group_incl(all, static_cast<int>(members.size()), members.data(), &some), "subset");
    MPI_Comm comm = MPI_COMM_NULL;
    check(MPI_Comm_create_group(comm_, some, members.empty() ? 0 : members.front(), &comm), "subset");
    MPI_Group_free(&some);
    MPI_Group_free(&all);
    return std::make_unique<MpiCommunicator>(comm, timeout_, page_);
  }

  void abort(const std::string& reason) override { fail(reason); }

private:
  std::vector<int> ranks_in_world() const {
    MPI_Group here, world;
    MPI_Comm_group(comm_, &here);
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    std::vector<int> mine(static_cast<std::size_t>(size_)), theirs(mine.size());
    std::iota(mine.begin(), mine.end(), 0);
    MPI_Group_translate_ranks(here, size_, mine.data(), world, theirs.data());
    MPI_Group_free(&here);
    MPI_Group_free(&world);
    return theirs;
  }

  static int to_int(std::int64_t n) {
    if (n > std::int64_t{0x7fffffff}) fail(fmt::format("a message of {} bytes is more than MPI takes", n));
    return static_cast<int>(n);
  }
  static std::vector<int> to_int(std::span<const std::int64_t> list) {
    std::vector<int> result;
    for (std::int64_t n : list) result.push_back(to_int(n));
    return result;
  }
  static std::vector<int> starts_of(const std::vector<int>& counts) {
    std::vector<int> starts(counts.size(), 0);
    std::int64_t at = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      starts[i] = to_int(at);
      at += counts[i];
    }
    return starts;
  }

  /// Ranks on several nodes. The order of MPI's sums is its own.
  void across_nodes(const Segment& s, tensor::DataType type, ReduceOp op) {
    const MPI_Datatype datatype = mpi_type(type);
    if (datatype == MPI_DATATYPE_NULL) {
      const std::int64_t bytes = s.count * tensor::size_bytes(type);
      std::vector<std::byte> all(static_cast<std::size_t>(bytes * size_));
      all_gather(s.data, all.data(), std::vector<std::int64_t>(static_cast<std::size_t>(size_), bytes));
      std::vector<const void*> sources;
      for (int r = 0; r < size_; ++r) sources.push_back(all.data() + static_cast<std::int64_t>(r) * bytes);
      return reduce_in_tree(sources, s.data, 0, s.count, type, op);
    }
    MPI_Request request;
    check(MPI_Iallreduce(MPI_IN_PLACE, s.data, to_int(s.count), datatype, mpi_op(op), comm_, &request),
          "all_reduce");
    wait(request, "all_reduce");
  }

  void wait(MPI_Request& request, const char* what) {
    if (page_ != nullptr) page_->enter(what, layer_);
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_);
    for (std::int64_t tries = 0;; ++tries) {
      int done = 0;
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), what);
      if (done != 0) break;
      if (tries > 1000) sched_yield();
      if (tries % 1024 != 1023) continue;
      if (page_ != nullptr) page_->check_alive(what);
      if (Clock::now() < deadline) continue;
      fail(page_ != nullptr ? page_->who_is_missing(what, timeout_)
                            : fmt::format("{}: rank {} waited {:g} s", what, rank_, timeout_));
    }
    if (page_ != nullptr) page_->leave();
  }

  MPI_Comm comm_;
  double timeout_;
  NodeWindow* page_;  // of the whole node: status, liveness
  int rank_ = 0, size_ = 1;
  std::unique_ptr<NodeWindow> window_;
};

class MpiWorld final : public World {
public:
  explicit MpiWorld(double timeout) {
    int ready = 0;
    MPI_Initialized(&ready);
    int provided = 0;
    if (ready == 0)
      check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    page_ = NodeWindow::open_node(timeout);
    ranks_ = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, timeout, page_.get());
  }
  ~MpiWorld() override {
    // Whoever gets here has done its work; one that failed ended everybody with end_all.
    MPI_Finalize();
  }

  Communicator& ranks() override { return *ranks_; }
  void publish(std::int64_t step, const char* phase) override { page_->publish(step, phase); }
  void end_all(int code) override {
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
  }
  std::string place() const override { return page_->place(); }
  std::string name() const override { return LBANN_MPI_MODULE; }

private:
  std::unique_ptr<NodeWindow> page_;
  std::unique_ptr<MpiCommunicator> ranks_;
};

}  // namespace
}  // namespace lbann::comm

extern "C" lbann::comm::World* lbann_open_mpi_world(double timeout_seconds) {
  return new lbann::comm::MpiWorld(timeout_seconds);
}
