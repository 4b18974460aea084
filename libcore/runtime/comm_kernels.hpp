// The kernels of the collectives: they pack row-major pieces and hand them to a communicator.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/kernel.hpp"

namespace lbann::runtime {

/// The groups of ranks that plans of one rank talk to; made when first asked for, by all members at the same
/// place of the same program.
class RankGroups {
public:
  explicit RankGroups(comm::Communicator& world) : world_(world) {}
  comm::Communicator& group(const std::vector<std::int64_t>& ranks);
  comm::Communicator& world() { return world_; }

private:
  comm::Communicator& world_;
  std::map<std::vector<std::int64_t>, std::unique_ptr<comm::Communicator>> groups_;
};

/// For a node whose kernel is "comm.<op>".
std::unique_ptr<kernels::Kernel> make_comm_kernel(const graph::Graph& g, graph::NodeId node,
                                                  RankGroups& ranks);

}  // namespace lbann::runtime
