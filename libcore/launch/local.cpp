// No scheduler and no launcher: one process on this machine.
#include "launch/backend.hpp"

namespace lbann::launch {

namespace {
constexpr const char* no_queue = "there is no scheduler here: one process is started on this machine";
}

const Backend& local_backend() {
  using R = Request;
  static const Backend backend = {
      "local",
      "",
      {},
      false,
      {},
      true,
      "",
      "",
      "",
      {
          by(R::nodes, Honoured::implied),
          by(R::procs_per_node, Honoured::implied),
          by(R::cores_per_proc, Honoured::script),
          refuse(R::gpus_per_proc, "nobody hands out GPUs here; set CUDA_VISIBLE_DEVICES with --env"),
          refuse(R::memory_per_node, no_queue),
          by(R::time_limit, Honoured::script),
          refuse(R::partition, no_queue),
          refuse(R::account, no_queue),
          refuse(R::reservation, no_queue),
          refuse(R::qos, no_queue),
          refuse(R::constraint, no_queue),
          refuse(R::exclusive, no_queue),
          refuse(R::nodelist, no_queue),
          refuse(R::exclude, no_queue),
          refuse(R::begin, no_queue),
          refuse(R::dependency, no_queue),
          refuse(R::licenses, no_queue),
          refuse(R::mail_user, no_queue),
          refuse(R::mail_type, no_queue),
          refuse(R::comment, no_queue),
          by(R::job_name, Honoured::tool),
          by(R::work_dir, Honoured::script),
          by(R::out_log, Honoured::tool),
          by(R::err_log, Honoured::tool),
          by(R::env, Honoured::script),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script),
          by(R::signal_before, Honoured::script),
          refuse(R::launcher_arg, "there is no launcher to tell it to"),
          refuse(R::scheduler_arg, no_queue),
          refuse(R::bind, no_queue),
          refuse(R::mpi, "one process needs no MPI"),
          refuse(R::hostfile, "one process on this machine needs no hosts"),
          refuse(R::test_only, no_queue),
      }};
  return backend;
}

}  // namespace lbann::launch
