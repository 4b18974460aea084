// Communication between the ranks of a trainer, as the trainer sees them: virtual ranks.
//
// A communicator is one rank's end of a group of ranks. Every rank of the group calls the same collectives
// in the same order. A collective that cannot be completed because another rank has failed, or has not come
// within the time-out, throws base::Error (communication) that names it.
//
// Sums are taken in a fixed tree over the ranks, ((0 1)(2 3))((4 5)(6 7)), so that their bits depend on the
// number of (virtual) ranks alone, not on where they live or who comes first.
//
//   self   all ranks in one process, one thread each: tests, planning, --reproducible on one rank
//   mpi    a module opened at run time (mpi/), shared memory within a node
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/data_type.hpp"

namespace lbann::comm {

enum class ReduceOp { sum, max, min };

/// A tensor of a message.
struct Segment {
  void* data;
  std::int64_t count;  // elements
};

class Communicator {
public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void barrier() = 0;
  /// In place; the segments travel as one message and have the same lengths on every rank.
  virtual void all_reduce(std::span<const Segment> segments, tensor::DataType type, ReduceOp op) = 0;
  /// `in` holds the pieces of all ranks one after the other, counts[i] elements for rank i; `out` gets the
  /// sum of the own pieces.
  virtual void reduce_scatter(const void* in, void* out, std::span<const std::int64_t> counts,
                              tensor::DataType type) = 0;
  /// bytes[i] from rank i, one after the other; `in` are the own ones.
  virtual void all_gather(const void* in, void* out, std::span<const std::int64_t> bytes) = 0;
  /// send_bytes[i] to rank i, recv_bytes[i] from rank i, packed one after the other.
  virtual void all_to_all(const void* in, std::span<const std::int64_t> send_bytes, void* out,
                          std::span<const std::int64_t> recv_bytes) = 0;
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  virtual void send(std::span<const std::byte> bytes, int to) = 0;
  virtual void recv(std::span<std::byte> bytes, int from) = 0;
  /// The communicator of these ranks (of this one), in this order; called by its members alone.
  virtual std::unique_ptr<Communicator> subset(std::span<const std::int64_t> ranks) = 0;
  /// Ends the group: whoever waits in a collective, or enters one, gets an error with this reason.
  virtual void abort(const std::string& reason) = 0;

  /// Whose message comes next, for the report when it does not arrive. Must stay valid.
  void set_layer(const char* layer) { layer_ = layer; }

  void all_reduce(std::span<double> values, ReduceOp op) {
    const Segment s{values.data(), static_cast<std::int64_t>(values.size())};
    all_reduce({&s, 1}, tensor::DataType::f64, op);
  }

protected:
  const char* layer_ = "";
};

/// The ends of one in-process world; each is used by its own thread (one rank: by the caller). A rank that
/// waits longer than `timeout_seconds` ends the world.
std::vector<std::unique_ptr<Communicator>> make_self_world(int num_virtual_ranks,
                                                           double timeout_seconds = 600);

}  // namespace lbann::comm
