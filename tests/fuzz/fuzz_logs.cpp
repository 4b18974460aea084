// Logs of any kind: whatever the bytes, every reader ends, keeps its promises and reads pieces like the
// whole.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "log/log_reader.hpp"

namespace {

using namespace lbann::log;

void demand(bool holds) {
  if (!holds) std::abort();
}

// Points are in order and no place comes twice; notes are few however much is skipped.
void check(const MetricLog& log) {
  demand(log.notes.size() <= 3 && log.num_skipped >= static_cast<std::int64_t>(log.notes.size()));
  for (const MetricSeries& s : log.series)
    for (std::size_t i = 1; i < s.points.size(); ++i) {
      const MetricPoint& a = s.points[i - 1];
      const MetricPoint& b = s.points[i];
      demand(a.epoch < b.epoch || (a.epoch == b.epoch && a.step < b.step));
    }
}

std::size_t num_points(const MetricLog& log) {
  std::size_t n = 0;
  for (const MetricSeries& s : log.series) n += s.points.size();
  return n;
}

void read_in_two(std::string_view text, LogKind kind, std::size_t cut, const MetricLog& whole) {
  MetricLog log;
  const auto reader = make_reader(kind, log);
  std::string pending(text.substr(0, cut));
  const std::size_t taken = reader->read(pending, false);
  demand(taken <= pending.size());
  pending.erase(0, taken);
  pending += text.substr(cut);
  reader->read(pending, true);
  log.settle();
  demand(num_points(log) == num_points(whole) && log.num_skipped == whole.num_skipped);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const LogKind kind : {LogKind::records, LogKind::console, LogKind::csv, LogKind::events}) {
    const MetricLog whole = read_log(text, kind);
    check(whole);
    if (size > 0) read_in_two(text, kind, data[size / 2] * size / 256, whole);
  }
  check(read_log(text));
  return 0;
}
