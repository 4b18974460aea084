// Other programs: where they are, and what they answer.
//
// Programs such as gnuplot or sbatch are optional: they are looked up in PATH when they are needed,
// and a missing one is a reason the user can read, never a failure to start. Input goes through an
// anonymous file instead of a pipe, so that no pair of full pipes can block both sides.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::base {

/// The executable that the shell would run for `name` (with a slash: the file itself).
std::optional<std::string> try_find_program(const std::string& name);

struct ProcessResult {
  int exit_code = 0;  // 128 + n when signal n ended it
  std::string out{};
  std::string err{};
};

/// Runs `argv` to its end with `input` as its standard input. Throws Error(environment) if it
/// cannot be started.
ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input);

/// Becomes `argv`: exit code, signals and terminal are then the program's own. `input`, if given,
/// is its standard input. Returns only by throwing Error(environment).
[[noreturn]] void replace_process(const std::vector<std::string>& argv,
                                  const std::optional<std::string>& input = std::nullopt);

}  // namespace lbann::base
