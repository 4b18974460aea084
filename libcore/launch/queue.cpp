// Answers of sbatch, scontrol, flux, bjobs, qstat, pjstat: see queue.hpp.
#include "launch/queue.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace lbann::launch {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<int> try_int(std::string_view text) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc()) return std::nullopt;
  return value;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c))) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::string digits_after(std::string_view text, std::string_view marker) {
  const std::size_t place = text.find(marker);
  std::string digits;
  if (place == std::string_view::npos) return digits;
  for (std::size_t i = place + marker.size(); i < text.size() && is_digit(text[i]); ++i) digits += text[i];
  return digits;
}

std::string word_after(std::string_view text, std::string_view marker) {
  const std::size_t place = text.find(marker);
  if (place == std::string_view::npos) return {};
  const std::vector<std::string> words = split_words(text.substr(place + marker.size()));
  return words.empty() ? std::string() : words[0];
}

Phase phase_of(const std::string& word, const std::vector<std::string>& waiting,
               const std::vector<std::string>& running) {
  if (word.empty()) return Phase::unknown;
  const auto has = [&](const auto& list) { return std::find(list.begin(), list.end(), word) != list.end(); };
  return has(waiting) ? Phase::waiting : has(running) ? Phase::running : Phase::ended;
}

JobState parse_slurm(std::string_view text) {
  JobState state;
  state.word = word_after(text, "JobState=");
  state.phase = phase_of(state.word,
                         {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT",
                          "RESV_DEL_HOLD", "SUSPENDED"},
                         {"RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT", "STOPPED", "RESIZING"});
  const std::string code = word_after(text, "ExitCode=");  // 3:0, or 0:9 after signal 9
  const auto status = try_int(code);
  const std::size_t colon = code.find(':');
  int signal = 0;
  if (colon != std::string::npos) signal = try_int(code.substr(colon + 1)).value_or(0);
  if (state.phase == Phase::ended && status) state.exit_code = signal > 0 ? 128 + signal : *status;
  return state;
}

// Two words: a state and an exit code or a dash.
JobState parse_two(std::string_view text, const std::vector<std::string>& waiting,
                   const std::vector<std::string>& running) {
  JobState state;
  const std::vector<std::string> words = split_words(text);
  if (words.empty()) return state;
  state.word = words[0];
  state.phase = phase_of(state.word, waiting, running);
  if (state.phase == Phase::ended && words.size() > 1) state.exit_code = try_int(words[1]);
  return state;
}

}  // namespace

std::optional<std::string> try_parse_job_id(Scheduler scheduler, std::string_view text) {
  std::string id;
  const std::vector<std::string> words = split_words(text);
  switch (scheduler) {
    case Scheduler::slurm:  // 123 or 123;cluster
      for (const std::string& word : words)
        if (is_digit(word[0])) id = word.substr(0, word.find(';'));
      break;
    case Scheduler::lsf:  // Job <123> is submitted to queue <normal>.
      id = digits_after(text, "Job <");
      break;
    case Scheduler::pjm:  // [INFO] PJM 0000 pjsub Job 123 submitted.
      id = digits_after(text, "pjsub Job ");
      break;
    default:  // 123.server, or Flux's own form
      if (!words.empty()) id = words.back();
  }
  if (id.empty()) return std::nullopt;
  return id;
}

std::vector<std::string> state_command(Scheduler scheduler, const std::string& id) {
  switch (scheduler) {
    case Scheduler::slurm:
      return {"scontrol", "show", "job", "--oneliner", id};
    case Scheduler::flux:
      return {"flux", "jobs", "--no-header", "--format={state} {returncode}", id};
    case Scheduler::lsf:
      return {"bjobs", "-noheader", "-o", "stat exit_code", id};
    case Scheduler::pbs:
      return {"qstat", "-x", "-f", id};
    case Scheduler::pjm:
      return {"pjstat", "--choose", "st,ec", id};
    default:
      return {};
  }
}

JobState parse_state(Scheduler scheduler, std::string_view text) {
  switch (scheduler) {
    case Scheduler::slurm:
      return parse_slurm(text);
    case Scheduler::flux:
      return parse_two(text, {"NEW", "DEPEND", "PRIORITY", "SCHED"}, {"RUN", "CLEANUP"});
    case Scheduler::lsf:
      return parse_two(text, {"PEND", "PSUSP", "WAIT"}, {"RUN", "USUSP", "SSUSP", "PROV"});
    case Scheduler::pbs: {
      JobState state;
      state.word = word_after(text, "job_state =");
      state.phase = phase_of(state.word, {"Q", "H", "W", "T", "M"}, {"R", "E", "S", "B", "U"});
      if (state.phase == Phase::ended) state.exit_code = try_int(word_after(text, "Exit_status ="));
      return state;
    }
    case Scheduler::pjm: {
      const std::size_t header = text.find("EC");
      return parse_two(header == std::string_view::npos ? text : text.substr(header + 2),
                       {"ACC", "QUE", "HLD"}, {"RNA", "RNP", "RUN", "RNE", "RNO", "SWO", "SWD", "SPP"});
    }
    default:
      return {};
  }
}

std::vector<std::string> cancel_command(Scheduler scheduler, const std::string& id) {
  switch (scheduler) {
    case Scheduler::slurm:
      return {"scancel", id};
    case Scheduler::flux:
      return {"flux", "cancel", id};
    case Scheduler::lsf:
      return {"bkill", id};
    case Scheduler::pbs:
      return {"qdel", id};
    case Scheduler::pjm:
      return {"pjdel", id};
    default:
      return {};
  }
}

}  // namespace lbann::launch
