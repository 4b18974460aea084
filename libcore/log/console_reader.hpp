// Reads LBANN's console text of all eras, and ours, which is written the same way.
//
//   model0 (instance 0) training epoch 0 accuracy : 87.5926%      since 2018
//   Model 0 validation objective function : 43.6683               before
//   model0 global average training epoch 0 accuracy : 87.5926%    over all trainers
//
// Ranks interleave, jobs are killed in the middle of a line and bars redraw with '\r', so a line
// counts only if it is whole; lines that begin like one of ours and are not whole are counted as
// fragments. Evaluations carry no epoch: they belong to the last training epoch of their trainer.
// Epochs that begin again at 0 within one run (tournament rounds) are numbered on; after a new
// start of the program they are a repetition. Scanned by hand: std::regex recurses per character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::log {

struct ConsoleValue {
  int instance = 0;         // the trainer; -1: over all trainers
  std::string statistic{};  // over all trainers: average, min, max, stdev
  std::string mode{};       // training, validation, tournament, test
  std::int64_t epoch = 0;   // numbered on over tournament rounds
  std::string metric{};     // "mini-batch time": mean of the statistics line; "learning rate", "GPU memory"
  double value = 0;         // NaN and infinities as printed; what is N/A is NaN
  std::string unit{};       // "%", "s", "GiB", ...
};

/// A tournament decision.
struct ConsoleExchange {
  std::string model{};
  std::int64_t step = 0;
  int trainer = 0;
  int winner = 0;
};

struct ConsoleLog {
  std::vector<ConsoleValue> values{};  // in the order of the text
  std::vector<ConsoleExchange> exchanges{};
  std::int64_t steps_per_epoch = 0;  // 0: not said
  std::int64_t num_processes = 0;    // 0: not said
  std::int64_t processes_on_node = 0;
  std::int64_t num_trainers = 0;
  std::int64_t num_fragments = 0;
};

/// Never fails; text that is no log gives no values. A last line without its newline is a fragment.
ConsoleLog parse_console(std::string_view text);

}  // namespace lbann::log
