// What schedulers are asked about submitted jobs, and how their answers are read.
//
// Pure functions between texts and commands; nothing is started here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launch/job.hpp"

namespace lbann::launch {

/// The id in what the submission command printed; nullopt if there is none.
std::optional<std::string> try_parse_job_id(Scheduler scheduler, std::string_view text);

enum class Phase { unknown, waiting, running, ended };

struct JobState {
  Phase phase = Phase::unknown;
  std::string word{};              // the scheduler's own
  std::optional<int> exit_code{};  // where the scheduler knows it; 128 + n after a signal
};

std::vector<std::string> state_command(Scheduler scheduler, const std::string& id);
JobState parse_state(Scheduler scheduler, std::string_view text);

std::vector<std::string> cancel_command(Scheduler scheduler, const std::string& id);

}  // namespace lbann::launch
