// A script that runs here: its output goes to the terminal and to out.log and err.log.
#pragma once

#include <string>

namespace lbann::tools {

/// Runs the script with bash to its end; returns its exit code, 128 + n after signal n. Signals that
/// stop, save or report are passed on to it. The run has a process group of its own, so that Ctrl-C
/// reaches it once. Throws Error(environment) or, when a log cannot be written, Error(storage).
int run_and_copy(const std::string& script, const std::string& out_log, const std::string& err_log);

}  // namespace lbann::tools
