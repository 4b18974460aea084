// The script of a job, for schedulers, for runs that are supervised here, and for people.
//
// A bash script that depends on nothing of ours: header, exports, traps, the launch line, and what
// comes after it. The same job gives the same bytes. What it promises:
//   * cleanup commands run whatever ends the script; the exit code is the command's;
//   * INT and TERM stop the run (a trainer is asked to save first), the preemption signal and HUP are
//     passed on; where the scheduler has no signal before the limit, a timer of its own sends it;
//   * exit code 75 ("saved, start me again") starts the run again, by the scheduler or in place, until
//     it was so `max_restarts` times without a newer checkpoint;
//   * the final code is in RUN_DIR/exit_code, the ids of all submissions are in RUN_DIR/jobs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "launch/job.hpp"

namespace lbann::launch {

std::string script_text(const Job& job);
/// The same for a job that needs none of it (needs_script): exports and the launch line.
std::string plain_text(const Job& job);

/// Variables that the script exports: OMP_NUM_THREADS and LBANN_EXPECTED_WORLD as the job needs them, then
/// the user's.
std::vector<std::pair<std::string, std::string>> exports_of(const Job& job);

/// Whether something must be done besides becoming launcher and command.
bool needs_script(const Job& job);

}  // namespace lbann::launch
