// Run records: what a run writes down as it goes, one JSON object per line (`log.jsonl`).
//
//   {"schema":"lbann-log/1","run":"5f0c...","attempt":1,"kind":"epoch","step":211,"epoch":0,
//    "mode":"training","wall":1700000000.25,"metrics":{"objective function":0.41,"accuracy":87.5}}
//
// One write(2) per record on a descriptor opened with O_APPEND: a reader sees whole lines, and a
// killed run leaves at most one torn line at the end, which the next attempt cuts off. Numbers are
// the shortest that read back as the same double, in every locale; NaN and infinities are strings.
// Two runs of the same experiment write the same records but for `wall` and `attempt`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbann::log {

struct RunRecord {
  std::string run{};  // digest of the experiment: the same for every attempt
  std::int64_t attempt = 1;
  std::string kind = "epoch";  // "epoch": means over an epoch or evaluation; "step": one training step
  std::int64_t step = 0;       // training steps done so far
  std::int64_t epoch = 0;      // 0-based
  std::string mode{};          // training, validation, test, tournament
  double wall = 0;             // Unix time, seconds
  std::vector<std::pair<std::string, double>> metrics{};  // name, value; in the experiment's order
};

/// The record as one line with its newline.
std::string render_record(const RunRecord& record);

/// Appends records to a file, which it owns. Throws Error(storage) when the disk refuses.
class RecordWriter {
public:
  /// Opens or creates; cuts off a torn last line that a killed run left.
  explicit RecordWriter(const std::string& path);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;
  /// All of the record or, when the disk refuses, nothing of it.
  void write(const RunRecord& record);
  /// Lines in the file.
  std::int64_t num_records() const { return num_records_; }
  /// Cuts off what follows the first `count` lines; returns how many there are now.
  std::int64_t keep_records(std::int64_t count);
  /// Makes what was written survive a power loss.
  void sync() const;

private:
  std::string path_;
  int fd_ = -1;
  std::int64_t num_records_ = 0;
};

/// A line that is no record, 1-based.
struct BadLine {
  std::int64_t line = 0;
  std::string reason{};
};

struct RunLog {
  std::vector<RunRecord> records{};
  std::vector<BadLine> bad_lines{};
};

/// Reads what it can: lines that are no records are listed, blank lines and unknown members skipped.
RunLog parse_records(std::string_view text);
/// Throws Error(data) if the file cannot be read.
RunLog load_records(const std::string& path);

/// What run.json says about a run.
struct RunInfo {
  std::string run{};
  std::int64_t attempt = 1;
  std::int64_t seed = 0;
  std::string program{};
  std::string version{};
  std::string git{};
  std::string host{};
  double started = 0;  // Unix time, seconds
  std::vector<std::string> argv{};
  std::int64_t resumed_step = -1;  // training step this attempt goes on from; -1: it began anew
  std::int64_t threads = 0;
  std::int64_t pid = 0;
  std::string job{};  // the scheduler's id; empty: none
};

/// failure.json: why a run ended with an error.
struct FailureInfo {
  std::string run{};
  std::int64_t attempt = 1;
  int code = 0;  // the exit code
  std::string message{};
  std::string help{};
  std::string phase{};  // epoch_begin, training, validation, test, finished; "setup" before that
  std::int64_t epoch = 0;
  std::int64_t step = 0;     // training steps done
  std::string checkpoint{};  // the newest of this attempt; empty: none
  std::string host{};
  double wall = 0;  // Unix time, seconds
};

std::string render_failure(const FailureInfo& info);

std::string render_run_info(const RunInfo& info);
/// Replaces `path` atomically.
void save_run_info(const RunInfo& info, const std::string& path);
/// Throws Error(data) if the file cannot be read or is no run.json.
RunInfo load_run_info(const std::string& path);

}  // namespace lbann::log
