// The exit codes every tool of the suite shares. Scripts and schedulers judge a run by
// this number alone, so a code never changes its meaning.
#pragma once

namespace lbann::base {

enum class ExitCode : int {
  ok = 0,
  check_failed = 1,   // the tool ran; what it checked has findings
  usage = 2,          // command line
  config = 3,         // experiment description invalid
  data = 4,           // input file or data set unreadable
  checkpoint = 5,     // no usable checkpoint
  out_of_memory = 6,  // host or device, predicted or real
  numerical = 7,      // NaN, infinity or divergence under a policy that stops
  storage = 8,        // disk full, I/O error, quota
  communication = 9,  // a rank failed or hangs
  environment = 10,   // driver, device, library or launcher unusable
  internal = 70,      // a bug of ours
  interrupted = 75,   // stopped by a signal after a good checkpoint: requeue
};

}  // namespace lbann::base
