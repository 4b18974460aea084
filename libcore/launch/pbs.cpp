// PBS Pro and OpenPBS: qsub and the mpiexec of the site, which reads PBS_NODEFILE.
//
// All resources of a node are one chunk of -l select; place=scatter puts each chunk on a node of its
// own. qsub does not change folders and keeps output until the end: the script does both itself.
#include "launch/backend.hpp"

namespace lbann::launch {

const Backend& pbs_backend() {
  using R = Request;
  static const Backend backend = {
      "PBS",
      "#PBS ",
      {"qsub"},
      false,
      {"mpiexec"},
      false,
      "mpiexec starts processes on nodes that are there: add --batch (and --wait), or start inside 'qsub -I'",
      "PBS_JOBID",
      "qsub \"$script\"",
      {
          header(R::nodes, "-l select={nodes}"),
          {R::procs_per_node, Honoured::flags, "+:mpiprocs={procs}", "-n {ranks}"},
          {R::cores_per_proc, Honoured::script, "+:ncpus={node_cores}:ompthreads={cores}", "", "", "",
           "+:ncpus={procs}"},
          header(R::gpus_per_proc, "+:ngpus={node_gpus}"),
          header(R::memory_per_node, "+:mem={memory_mib}mb"),
          header(R::constraint, "+:{value}"),
          {R::exclusive, Honoured::flags, "-l place=scatter:excl", "", "", "", "-l place=scatter"},
          header(R::time_limit, "-l walltime={hms}"),
          header(R::partition, "-q {value}"),
          header(R::account, "-A {value}"),
          header(R::reservation, "-q {value}"),  // a reservation is a queue
          refuse(R::qos, "PBS has no quality of service; use a queue (--partition)"),
          refuse(R::nodelist, "PBS names hosts chunk by chunk; use --constraint=host=NAME for one node"),
          refuse(R::exclude, "PBS cannot name hosts to avoid"),
          header(R::begin, "-a {value}"),
          header(R::dependency, "-W depend=afterok:{value}"),
          header(R::licenses, "-l {value}"),
          header(R::mail_user, "-M {value}"),
          header(R::mail_type, "-m {value}"),
          refuse(R::comment, "qsub takes no comment"),
          header(R::job_name, "-N {value}"),
          by(R::work_dir, Honoured::script),
          by(R::out_log, Honoured::script, "-o {run_dir}/scheduler.log -j oe"),
          by(R::err_log, Honoured::script),
          by(R::env, Honoured::script),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script, "-r y"),
          by(R::signal_before, Honoured::script),
          step(R::launcher_arg, "{value}"),
          header(R::scheduler_arg, "{value}"),
          refuse(R::bind, "the mpiexec of the site decides; --launcher=openmpi or mpich binds"),
          refuse(R::mpi, "the mpiexec of the site brings its own"),
          refuse(R::hostfile, "PBS chooses the hosts"),
          refuse(R::test_only, "qsub has no trial submission; --dry-run shows the script"),
      }};
  return backend;
}

}  // namespace lbann::launch
