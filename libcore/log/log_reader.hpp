// Logs by their content: which kind of log some bytes are, and a reader for each kind.
//
//   records   log.jsonl (run_record.hpp), and any file of one JSON object per line
//   console   LBANN's console text of every era and ours (console_reader.hpp); anything else
//   csv       tables with a header: ours, Keras, Lightning, pandas; comma, semicolon or tab
//   events    TensorBoard event files: TFRecord frames with masked CRC32C around protobuf messages
//
// A reader takes text piece by piece, so that a log of any size needs the memory of its points only
// and a live run can be followed.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "log/metric_log.hpp"

namespace lbann::log {

enum class LogKind { records, console, csv, events };

const char* to_string(LogKind kind);

class LogReader {
public:
  virtual ~LogReader() = default;
  /// Takes what is whole of `text` and returns how many bytes that was; the rest is to be handed in
  /// again with more behind it. `end`: nothing follows, everything is taken.
  virtual std::size_t read(std::string_view text, bool end) = 0;
};

/// nullopt: more bytes are needed to tell. `end`: there are no more.
std::optional<LogKind> sniff(std::string_view beginning, bool end);

/// `log` is borrowed.
std::unique_ptr<LogReader> make_record_reader(MetricLog& log);
std::unique_ptr<LogReader> make_console_reader(MetricLog& log);
std::unique_ptr<LogReader> make_csv_reader(MetricLog& log);
std::unique_ptr<LogReader> make_event_reader(MetricLog& log);
std::unique_ptr<LogReader> make_reader(LogKind kind, MetricLog& log);

/// Lines of a text that comes in pieces: calls `take(line, whole)` without the line's end.
/// "\n" ends a line; with `bars`, "\r" does too. Returns the bytes taken.
template <class Take>
std::size_t for_each_line(std::string_view text, bool end, bool bars, Take take) {
  std::size_t begin = 0;
  std::size_t bar = bars ? text.find('\r') : std::string_view::npos;  // the next one; most texts have none
  while (begin < text.size()) {
    if (bar != std::string_view::npos && bar < begin) bar = text.find('\r', begin);
    std::size_t stop = text.find('\n', begin);
    if (bar < stop) stop = bar;
    if (stop == std::string_view::npos) {
      if (!end) return begin;
      take(text.substr(begin), false);
      return text.size();
    }
    take(text.substr(begin, stop - begin), true);
    begin = stop + 1;
  }
  return begin;
}

/// All of a text that is in memory.
MetricLog read_log(std::string_view text, LogKind kind);
/// The same, its kind found out; a text that looks like records and holds none is tried as console text.
MetricLog read_log(std::string_view text);

}  // namespace lbann::log
