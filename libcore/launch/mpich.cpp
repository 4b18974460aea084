// MPICH's and Intel MPI's mpiexec.hydra, on its own or as the launcher inside another scheduler's nodes.
//
// Hydra hands the whole environment to the ranks, so the script's exports suffice; its time limit is a
// variable too.
#include "launch/backend.hpp"

namespace lbann::launch {

namespace {
constexpr const char* no_queue = "mpiexec has no queues: it starts processes on hosts that are there";
}

const Backend& mpich_backend() {
  using R = Request;
  static const Backend backend = {
      "MPICH",
      "",
      {},
      false,
      {"mpiexec.hydra"},
      true,
      "",
      "",
      "",
      {
          by(R::nodes, Honoured::implied),
          step(R::procs_per_node, "-n {ranks} -ppn {procs}"),
          by(R::cores_per_proc, Honoured::script),
          refuse(R::gpus_per_proc,
                 "mpiexec hands out no GPUs; lbann-train takes one for each process of a node by itself"),
          refuse(R::memory_per_node, no_queue),
          by(R::time_limit, Honoured::script),
          refuse(R::partition, no_queue),
          refuse(R::account, no_queue),
          refuse(R::reservation, no_queue),
          refuse(R::qos, no_queue),
          refuse(R::constraint, no_queue),
          refuse(R::exclusive, no_queue),
          refuse(R::nodelist, "mpiexec takes hosts from --hostfile"),
          refuse(R::exclude, "mpiexec takes hosts from --hostfile"),
          refuse(R::begin, no_queue),
          refuse(R::dependency, no_queue),
          refuse(R::licenses, no_queue),
          refuse(R::mail_user, no_queue),
          refuse(R::mail_type, no_queue),
          refuse(R::comment, no_queue),
          by(R::job_name, Honoured::tool),
          step(R::work_dir, "-wdir {value}"),
          by(R::out_log, Honoured::tool),
          by(R::err_log, Honoured::tool),
          by(R::env, Honoured::script),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script),
          by(R::signal_before, Honoured::script),
          step(R::launcher_arg, "{value}"),
          refuse(R::scheduler_arg, no_queue),
          step(R::bind, "-bind-to {bind_hydra}"),
          refuse(R::mpi, "mpiexec brings its own PMI"),
          step(R::hostfile, "-f {value}"),
          refuse(R::test_only, no_queue),
      }};
  return backend;
}

}  // namespace lbann::launch
