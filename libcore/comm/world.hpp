// The world of a process: all ranks that were started together, and how it ends.
//
//   open_world()   without a launcher one rank and no module; under one the MPI module that fits it
//
// Refused with a reason (base::Error, environment): several ranks but no module; a world of another size
// than the launcher's (a wrong PMI silently gives N worlds of one).
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"

namespace lbann::comm {

/// What the environment says about how this process was started.
struct Launch {
  std::string launcher;    // "Open MPI", "PMIx", "PMI", "Slurm"; empty: started alone
  int expected_ranks = 1;  // as LBANN_EXPECTED_WORLD or the launcher says; 0: not said
  std::string said_by;     // "OMPI_COMM_WORLD_SIZE"
  int rank = 0;            // as the launcher says
};
Launch find_launch();

class World {
public:
  virtual ~World() = default;
  virtual Communicator& ranks() = 0;
  /// What this rank is doing now, for the message when it fails to come.
  virtual void publish(std::int64_t step, const char* phase) = 0;
  /// Ends all ranks with this exit code, at once; the caller has said why.
  [[noreturn]] virtual void end_all(int code) = 0;
  /// Where this rank is, in words: "rank 2, training step 7, layer 'conv1', all_reduce".
  virtual std::string place() const = 0;
  /// "mpi_openmpi", or "self".
  virtual std::string name() const = 0;
};

/// What a module exports as `lbann_open_mpi_world`.
using OpenWorldFunction = World* (*)(double timeout_seconds);

std::unique_ptr<World> open_world(const Launch& launch, double timeout_seconds);

}  // namespace lbann::comm
