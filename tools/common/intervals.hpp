// Texts of options that name a time, an interval or a signal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lbann::tools {

/// Seconds: "90", "90s", "15m", "2h", "1:30:00" (h:mm:ss), "15:00" (mm:ss), "1-00:00:00" (as Slurm writes
/// days). Nothing when it is none or not positive.
std::optional<double> try_parse_duration(std::string_view text);

/// When checkpoints are due; 0: not by this.
struct CheckpointEvery {
  std::int64_t steps = 0;
  std::int64_t epochs = 0;
  double seconds = 0;
  bool given = false;
};

/// "500steps", "2epochs" (or "1step", "1epoch"), a duration with its unit, or "never"; adds to `every`.
/// False: none of these.
bool try_parse_interval(std::string_view text, CheckpointEvery& every);

/// "USR1", "SIGUSR1", "10"; 0 for "none"; nothing when it is no signal that can be caught.
std::optional<int> try_parse_signal(std::string_view text);
/// "SIGTERM"
std::string signal_name(int number);

}  // namespace lbann::tools
