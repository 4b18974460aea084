// Slurm: sbatch and srun. Flags as in the manuals of 22.05.
//
// Every resource is named for sbatch and again for srun: since Slurm 22.05 srun does not take
// --cpus-per-task over from the batch script, and under salloc the node counts of the allocation win
// over what is not repeated.
#include "launch/backend.hpp"

namespace lbann::launch {

const Backend& slurm_backend() {
  using R = Request;
  static const Backend backend = {
      "Slurm",
      "#SBATCH ",
      {"sbatch", "--parsable"},
      false,
      {"srun"},
      true,
      "",
      "SLURM_JOB_ID",
      "sbatch --parsable \"$script\" | cut -d ';' -f 1",
      {
          same(R::nodes, "--nodes={nodes}"),
          same(R::procs_per_node, "--ntasks={ranks} --ntasks-per-node={procs}"),
          same(R::cores_per_proc, "--cpus-per-task={cores}"),
          same(R::gpus_per_proc, "--gpus-per-node={node_gpus}"),
          once(R::memory_per_node, "--mem={memory_mib}M"),
          same(R::time_limit, "--time={dhms}"),
          once(R::partition, "--partition={value}"),
          once(R::account, "--account={value}"),
          once(R::reservation, "--reservation={value}"),
          once(R::qos, "--qos={value}"),
          once(R::constraint, "--constraint={value}"),
          once(R::exclusive, "--exclusive"),
          once(R::nodelist, "--nodelist={value}"),
          once(R::exclude, "--exclude={value}"),
          once(R::begin, "--begin={value}"),
          once(R::dependency, "--dependency=afterok:{value}"),
          once(R::licenses, "--licenses={value}"),
          once(R::mail_user, "--mail-user={value}"),
          once(R::mail_type, "--mail-type={value}"),
          once(R::comment, "--comment={value}"),
          same(R::job_name, "--job-name={value}"),
          same(R::work_dir, "--chdir={value}"),
          by(R::out_log, Honoured::tool, "--output={value} --open-mode=append"),
          by(R::err_log, Honoured::tool, "--error={value}"),
          by(R::env, Honoured::script),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script, "--requeue"),
          // To the script, which passes it on: whatever launcher runs in it gets it once.
          {R::signal_before, Honoured::script, "--signal=B:{signal}@{signal_seconds}", "",
           "--signal={signal}@{signal_seconds}"},
          step(R::launcher_arg, "{value}"),
          once(R::scheduler_arg, "{value}"),
          step(R::bind, "--cpu-bind={bind_slurm}"),
          step(R::mpi, "--mpi={value}"),
          refuse(R::hostfile, "Slurm chooses the hosts; name them with --nodelist"),
          by(R::test_only, Honoured::tool),
      }};
  return backend;
}

}  // namespace lbann::launch
