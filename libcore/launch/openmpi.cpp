// Open MPI's mpirun, on its own or as the launcher inside another scheduler's nodes.
//
// Options as in the manual of 4.1. Cores are bound only where they were asked for. mpirun passes
// SIGUSR1 on to the ranks.
#include "launch/backend.hpp"

namespace lbann::launch {

namespace {
constexpr const char* no_queue = "mpirun has no queues: it starts processes on hosts that are there";
}

const Backend& openmpi_backend() {
  using R = Request;
  static const Backend backend = {
      "Open MPI",
      "",
      {},
      false,
      {"mpirun"},
      true,
      "",
      "",
      "",
      {
          by(R::nodes, Honoured::implied),
          step(R::procs_per_node, "-n {ranks} --map-by ppr:{procs}:node"),
          {R::cores_per_proc, Honoured::script, "", "+:PE={cores} -x OMP_NUM_THREADS",
           "+:PE={cores} -x OMP_NUM_THREADS"},
          refuse(R::gpus_per_proc,
                 "mpirun hands out no GPUs; lbann-train takes one for each process of a node by itself"),
          refuse(R::memory_per_node, no_queue),
          {R::time_limit, Honoured::flags, "", "--timeout {seconds}", "--timeout {seconds}"},
          refuse(R::partition, no_queue),
          refuse(R::account, no_queue),
          refuse(R::reservation, no_queue),
          refuse(R::qos, no_queue),
          refuse(R::constraint, no_queue),
          refuse(R::exclusive, no_queue),
          refuse(R::nodelist, "mpirun takes hosts from --hostfile"),
          refuse(R::exclude, "mpirun takes hosts from --hostfile"),
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
          by(R::env, Honoured::script, "", "-x {name}"),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script),
          by(R::signal_before, Honoured::script),
          step(R::launcher_arg, "{value}"),
          refuse(R::scheduler_arg, no_queue),
          {R::bind, Honoured::flags, "", "--bind-to {bind_openmpi}", "--bind-to {bind_openmpi}", "", "",
           "--bind-to {bind_default}"},
          refuse(R::mpi, "mpirun brings its own PMIx"),
          step(R::hostfile, "--hostfile {value}"),
          refuse(R::test_only, no_queue),
      }};
  return backend;
}

}  // namespace lbann::launch
