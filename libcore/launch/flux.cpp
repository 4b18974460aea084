// Flux: flux batch and flux run. Options as in flux-core's manuals; directives per RFC 36 (`# flux:`).
//
// flux batch takes its size as slots, flux run as tasks. A signal before the limit goes to the step:
// that of a batch job would go to its broker.
#include "launch/backend.hpp"

namespace lbann::launch {

const Backend& flux_backend() {
  using R = Request;
  static const Backend backend = {
      "Flux",
      "# flux: ",
      {"flux", "batch"},
      false,
      {"flux", "run"},
      true,
      "",
      "FLUX_URI",
      "flux --parent batch \"$script\"",
      {
          same(R::nodes, "--nodes={nodes}"),
          {R::procs_per_node, Honoured::flags, "--nslots={ranks}", "--ntasks={ranks}", "--ntasks={ranks}"},
          {R::cores_per_proc, Honoured::flags, "--cores-per-slot={cores}", "--cores-per-task={cores}",
           "--cores-per-task={cores}"},
          {R::gpus_per_proc, Honoured::flags, "--gpus-per-slot={gpus}", "--gpus-per-task={gpus}",
           "--gpus-per-task={gpus}"},
          refuse(R::memory_per_node, "Flux does not allocate memory; ask for nodes with --exclusive"),
          same(R::time_limit, "--time-limit={seconds}s"),
          once(R::partition, "--queue={value}"),
          once(R::account, "--bank={value}"),
          refuse(R::reservation,
                 "Flux has no reservations; sites offer them as a queue (--partition) or a property "
                 "(--constraint)"),
          refuse(R::qos, "Flux has no quality of service; use a queue (--partition)"),
          once(R::constraint, "--requires={value}"),
          once(R::exclusive, "--exclusive"),
          once(R::nodelist, "--requires=host:{value}"),
          once(R::exclude, "--requires=-host:{value}"),
          once(R::begin, "--begin-time={value}"),
          once(R::dependency, "--dependency=afterok:{value}"),
          refuse(R::licenses, "Flux has no licenses"),
          refuse(R::mail_user, "Flux sends no mail"),
          refuse(R::mail_type, "Flux sends no mail"),
          once(R::comment, "--setattr=user.comment={value}"),
          same(R::job_name, "--job-name={value}"),
          same(R::work_dir, "--cwd={value}"),
          by(R::out_log, Honoured::script),
          by(R::err_log, Honoured::script),
          by(R::env, Honoured::script),
          by(R::preamble, Honoured::script),
          by(R::cleanup, Honoured::script),
          by(R::max_restarts, Honoured::script),
          step(R::signal_before, "--signal={signal}@{signal_seconds}s"),
          step(R::launcher_arg, "{value}"),
          once(R::scheduler_arg, "{value}"),
          step(R::bind, "--setopt=cpu-affinity={bind_flux}"),
          step(R::mpi, "--setopt=pmi={value}"),
          refuse(R::hostfile, "Flux chooses the hosts; name them with --nodelist"),
          refuse(R::test_only, "Flux has no trial submission; --dry-run shows the script"),
      }};
  return backend;
}

}  // namespace lbann::launch
