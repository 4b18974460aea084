// From options to a job: which scheduler, how many processes, which files.
#pragma once

#include "common/launch_options.hpp"

namespace lbann::tools {

/// Finds the scheduler, fills in what was left to us, checks numbers against the node and everything
/// against the capability table. Throws Error(usage) after reporting all refusals.
void resolve_scheduler(LaunchOptions& options);
void resolve_sizes(LaunchOptions& options);
void resolve_files(LaunchOptions& options);
void check_refusals(const LaunchOptions& options);
/// Throws Error(environment) where several ranks of a trainer without MPI would each train alone.
void check_trainer(const LaunchOptions& options);

/// Tools of the suite are found beside this one, whatever PATH says.
std::string find_tool(const std::string& program);

/// `--mpi=` for srun when nobody said it: the one that the program's MPI understands.
void choose_pmi(LaunchOptions& options);

}  // namespace lbann::tools
