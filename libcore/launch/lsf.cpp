// LSF: bsub, with IBM's jsrun (nodes as a whole: -nnodes) or with MPI's own launcher (slots on hosts).
//
// bsub reads directives from standard input only, so the script is fed to it. jsrun takes one resource
// set per host with all its tasks: they share the host's GPUs, as LBANN's launcher has it.
#include "launch/backend.hpp"

namespace lbann::launch {

namespace {

using R = Request;

// What both forms say in the same way.
std::vector<Cell> make_cells(std::vector<Cell> cells) {
  const Cell common[] = {
      header(R::time_limit, "-W {hm}"),
      header(R::partition, "-q {value}"),
      header(R::account, "-P {value}"),
      header(R::reservation, "-U {value}"),
      refuse(R::qos, "LSF has no quality of service; a service class goes through --scheduler-arg=-sla"),
      header(R::constraint, "-R select[{value}]"),
      header(R::exclusive, "-x"),
      header(R::nodelist, "-m {value_spaces}"),
      refuse(R::exclude, "bsub cannot name hosts to avoid; use --constraint=\"hname!='HOST'\""),
      header(R::begin, "-b {value}"),
      header(R::dependency, "-w done({value})"),
      refuse(R::licenses, "LSF counts licenses as site resources; use --scheduler-arg=-Rrusage[NAME=1]"),
      header(R::mail_user, "-u {value}"),
      refuse(R::mail_type, "LSF sends mail when a job ends, whatever the reason"),
      header(R::comment, "-Jd {value}"),
      header(R::job_name, "-J {value}"),
      by(R::out_log, Honoured::script, "-o {run_dir}/scheduler.log"),
      by(R::err_log, Honoured::script),
      by(R::env, Honoured::script),
      by(R::preamble, Honoured::script),
      by(R::cleanup, Honoured::script),
      by(R::max_restarts, Honoured::script, "-r"),
      by(R::signal_before, Honoured::script, "-wa {signal} -wt {signal_minutes}"),
      step(R::launcher_arg, "{value}"),
      header(R::scheduler_arg, "{value}"),
      refuse(R::hostfile, "LSF chooses the hosts; name them with --nodelist"),
      refuse(R::test_only, "bsub has no trial submission; --dry-run shows the script"),
  };
  cells.insert(cells.end(), std::begin(common), std::end(common));
  return cells;
}

constexpr const char* submit_first =
    "jsrun and mpirun start processes on nodes that are there: add --batch (and --wait), or start inside "
    "'bsub -Is'";
// Job <123> is submitted to queue <normal>.
constexpr const char* resubmit = "bsub < \"$script\" | sed -n 's/^Job <\\([0-9]*\\)>.*/\\1/p'";

}  // namespace

const Backend& lsf_backend() {
  static const Backend backend = {
      "LSF",
      "#BSUB ",
      {"bsub"},
      true,
      {"jsrun"},
      false,
      submit_first,
      "LSB_JOBID",
      resubmit,
      make_cells({
          {R::nodes, Honoured::flags, "-nnodes {nodes}", "--nrs={nodes} --rs_per_host=1"},
          step(R::procs_per_node, "--tasks_per_rs={procs} --launch_distribution=packed"),
          {R::cores_per_proc, Honoured::script, "", "--cpu_per_rs={node_cores}", "", "", "",
           "--cpu_per_rs=ALL_CPUS"},
          {R::gpus_per_proc, Honoured::flags, "", "--gpu_per_rs={node_gpus}", "", "", "",
           "--gpu_per_rs=ALL_GPUS"},
          refuse(R::memory_per_node, "nodes are given as a whole with all their memory"),
          {R::work_dir, Honoured::flags, "-cwd {value}", "--chdir={value}"},
          step(R::bind, "--bind={bind_jsrun}"),
          refuse(R::mpi, "jsrun brings its own PMIx"),
      })};
  return backend;
}

const Backend& lsf_hosts_backend() {
  static const Backend backend = {"LSF",
                                  "#BSUB ",
                                  {"bsub"},
                                  true,
                                  {},
                                  false,
                                  submit_first,
                                  "LSB_JOBID",
                                  resubmit,
                                  make_cells({
                                      header(R::nodes, "-n {ranks}"),
                                      header(R::procs_per_node, "-R span[ptile={procs}]"),
                                      by(R::cores_per_proc, Honoured::script, "-R affinity[core({cores})]"),
                                      header(R::gpus_per_proc, "-gpu num={node_gpus}"),
                                      header(R::memory_per_node, "-R rusage[mem={memory_mib}MB]"),
                                      header(R::work_dir, "-cwd {value}"),
                                      by(R::bind, Honoured::implied),
                                      refuse(R::mpi, "the launcher brings its own"),
                                  })};
  return backend;
}

}  // namespace lbann::launch
