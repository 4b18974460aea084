// One back end: how each request is said to a scheduler or launcher, or why it cannot be.
//
// Each file slurm.cpp, flux.cpp, ... defines one column of the capability table. A Cell has up to
// three texts, templates in the sense of expand() (template.hpp):
//   directive   a line of the batch script's header
//   step        words of the launcher inside nodes that are there
//   alone       words of the launcher when it has to get the nodes itself
// or a word on who honours it otherwise, or a reason why it is refused. A leading `+` joins the text
// to the word before. `absent` texts are written when the request is not made.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "launch/job.hpp"

namespace lbann::launch {

/// Who honours a request beside (or instead of) flags.
enum class Honoured {
  flags,    // the texts alone
  script,   // the script itself: exports, cd, traps, timers, redirection
  tool,     // lbann-launch at submission or while it runs
  implied,  // holds anyway, e.g. the node list of an allocation decides
  refused,
};

struct Cell {
  Request request = Request::nodes;
  Honoured honoured = Honoured::flags;
  const char* directive = "";
  const char* step = "";
  const char* alone = "";
  const char* reason = "";  // refused
  const char* absent_directive = "";
  const char* absent_step = "";
};

/// The three ways to say the same thing.
constexpr Cell same(Request r, const char* text) { return {r, Honoured::flags, text, text, text}; }
/// Only what gets nodes is told.
constexpr Cell once(Request r, const char* text) { return {r, Honoured::flags, text, "", text}; }
/// Only the header of a batch job.
constexpr Cell header(Request r, const char* text) { return {r, Honoured::flags, text}; }
/// Only the launcher.
constexpr Cell step(Request r, const char* text) { return {r, Honoured::flags, "", text, text}; }
constexpr Cell by(Request r, Honoured h, const char* directive = "", const char* s = "") {
  return {r, h, directive, s, s};
}
constexpr Cell refuse(Request r, const char* why) { return {r, Honoured::refused, "", "", "", why}; }

struct Backend {
  const char* name;                 // as in messages
  const char* prefix;               // of directives; empty: there are no batch jobs
  std::vector<std::string> submit;  // the command; the script's path follows
  bool from_stdin;                  // the script is the command's standard input
  std::vector<std::string> launch;  // first words of the launcher
  bool allocates;                   // the launcher gets nodes itself where there are none
  const char* no_allocation;        // else: what to do instead
  const char* allocation_variable;  // set inside an allocation; empty: there are none
  const char* resubmit;             // shell words that submit "$script" and print the new id
  std::vector<Cell> cells;          // one for each request
};

const Backend& slurm_backend();
const Backend& flux_backend();
const Backend& lsf_backend();        // nodes by jsrun
const Backend& lsf_hosts_backend();  // slots on hosts, for another launcher
const Backend& pbs_backend();
const Backend& pjm_backend();
const Backend& openmpi_backend();
const Backend& mpich_backend();
const Backend& local_backend();

}  // namespace lbann::launch
