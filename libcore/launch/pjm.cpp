// PJM, Fujitsu's job manager (Fugaku): pjsub and mpiexec. Options as in RIKEN's user guide.
#include "launch/backend.hpp"

namespace lbann::launch {

const Backend& pjm_backend() {
  using R = Request;
  static const Backend backend = {
      "PJM",
      "#PJM ",
      {"pjsub"},
      false,
      {"mpiexec"},
      false,
      "mpiexec starts processes on nodes that are there: add --batch (and --wait), or start inside 'pjsub "
      "--interact'",
      "PJM_JOBID",
      // [INFO] PJM 0000 pjsub Job 123 submitted.
      "pjsub \"$script\" | sed -n 's/.*Job \\([0-9]*\\) submitted.*/\\1/p'",
      {
          header(R::nodes, "-L node={nodes}"),
          {R::procs_per_node, Honoured::flags, "--mpi proc={ranks} --mpi max-proc-per-node={procs}",
           "-n {ranks}"},
          by(R::cores_per_proc, Honoured::script),
          refuse(R::gpus_per_proc, "PJM has no option for GPUs; a resource group (--partition) has them"),
          header(R::memory_per_node, "-L node-mem={memory_mib}Mi"),
          header(R::time_limit, "-L elapse={hms}"),
          header(R::partition, "-L rscgrp={value}"),
          header(R::account, "-g {value}"),
          refuse(R::reservation, "PJM has no reservations for users; use a resource group (--partition)"),
          refuse(R::qos, "PJM has no quality of service; use a resource group (--partition)"),
          refuse(R::constraint, "PJM has no node features; use a resource group (--partition)"),
          refuse(R::exclusive, "PJM gives nodes as a whole"),
          refuse(R::nodelist, "PJM chooses the nodes"),
          refuse(R::exclude, "PJM chooses the nodes"),
          refuse(R::begin, "a start time is not supported for PJM; use --scheduler-arg"),
          refuse(R::dependency, "PJM has step jobs instead of dependencies; use --scheduler-arg=--step"),
          refuse(R::licenses, "PJM has no licenses"),
          header(R::mail_user, "--mail-list {value}"),
          header(R::mail_type, "-m {value}"),
          refuse(R::comment, "a comment is not supported for PJM"),
          header(R::job_name, "--name {value}"),
          by(R::work_dir, Honoured::script),
          by(R::out_log, Honoured::script, "-o {run_dir}/scheduler.log -j"),
          by(R::err_log, Honoured::script),
          by(R::env, Honoured::script, "", "-x {name}"),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script, "--restart"),
          by(R::signal_before, Honoured::script),
          step(R::launcher_arg, "{value}"),
          header(R::scheduler_arg, "{value}"),
          refuse(R::bind, "Fujitsu's mpiexec binds ranks to cores itself"),
          refuse(R::mpi, "Fujitsu's mpiexec brings its own"),
          refuse(R::hostfile, "PJM chooses the nodes"),
          refuse(R::test_only, "pjsub has no trial submission; --dry-run shows the script"),
      }};
  return backend;
}

}  // namespace lbann::launch
