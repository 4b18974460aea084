// The capability table: requests x back ends, and what follows from it for a job.
//
// Every request is either said to the back end (a directive, a word of the launcher, a line of the
// script) or refused by name with the reason; nothing is dropped. The cells are in slurm.cpp,
// flux.cpp, ...; tests go through all of them.
#pragma once

#include <string>
#include <vector>

#include "launch/backend.hpp"

namespace lbann::launch {

/// The back ends of the table, each once; LSF twice (see backend.hpp).
const std::vector<const Backend*>& all_backends();
const Cell& cell_of(const Backend& backend, Request request);
/// The option's name without dashes: "procs-per-node".
const char* option_of(Request request);

/// Who gives the nodes and who starts the ranks. `launcher` "none": the script's command itself.
const Backend& scheduler_of(const Job& job);
const Backend& launcher_of(const Job& job);

/// Words that say one request; a directive is one line of them.
struct Flag {
  Request request;
  std::vector<std::string> words{};
};
/// The header of the batch script, without prefix; each flag is a line.
std::vector<Flag> directives(const Job& job);
/// The launcher and its options, without the command; empty for a local process. launcher_arg first.
std::vector<Flag> launch_flags(const Job& job);
std::vector<std::string> launch_words(const Job& job);

struct Refusal {
  Request request;
  std::string message;
  std::string help{};
};
/// What the back end cannot honour, all of it.
std::vector<Refusal> refusals(const Job& job);

}  // namespace lbann::launch
