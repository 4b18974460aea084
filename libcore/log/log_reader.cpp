// Telling logs apart: see log_reader.hpp.
#include "log/log_reader.hpp"

#include <algorithm>

#include "log/event_reader.hpp"

namespace lbann::log {

namespace {

constexpr std::size_t enough_bytes = 1 << 16;

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A header and a row of as many cells, a number among them.
bool looks_like_table(std::string_view header, std::string_view row) {
  for (const char c : {',', '\t', ';'}) {
    const auto n = std::count(header.begin(), header.end(), c);
    if (n > 0 && n == std::count(row.begin(), row.end(), c) && has_digit(row) &&
        header.find(" : ") == std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace

const char* to_string(LogKind kind) {
  switch (kind) {
    case LogKind::records:
      return "records";
    case LogKind::csv:
      return "csv";
    case LogKind::events:
      return "events";
    default:
      return "console";
  }
}

std::optional<LogKind> sniff(std::string_view text, bool end) {
  if (text.size() >= 12 && begins_event_file(text)) return LogKind::events;
  end = end || text.size() >= enough_bytes;
  // The first two lines that say anything.
  std::string_view lines[2];
  int num_lines = 0;
  std::string_view rest = text;
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
  while (!rest.empty() && num_lines < 2) {
    const std::size_t stop = rest.find('\n');
    const std::string_view line = rest.substr(0, stop);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (num_lines == 0 && first != std::string_view::npos && line[first] == '{') return LogKind::records;
    if (stop == std::string_view::npos && !end) break;
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (first == std::string_view::npos || line[first] == '#') continue;
    if (num_lines == 0 && line.find_first_of(",;\t") == std::string_view::npos) return LogKind::console;
    lines[num_lines++] = line;
  }
  if (num_lines == 2) return looks_like_table(lines[0], lines[1]) ? LogKind::csv : LogKind::console;
  if (!end) return std::nullopt;
  return LogKind::console;
}

std::unique_ptr<LogReader> make_reader(LogKind kind, MetricLog& log) {
  switch (kind) {
    case LogKind::records:
      return make_record_reader(log);
    case LogKind::csv:
      return make_csv_reader(log);
    case LogKind::events:
      return make_event_reader(log);
    default:
      return make_console_reader(log);
  }
}

MetricLog read_log(std::string_view text, LogKind kind) {
  MetricLog log;
  make_reader(kind, log)->read(text, true);
  log.settle();
  return log;
}

MetricLog read_log(std::string_view text) {
  const LogKind kind = *sniff(text, true);
  MetricLog log = read_log(text, kind);
  if (!log.series.empty() || kind == LogKind::console) return log;
  MetricLog console = read_log(text, LogKind::console);
  return console.series.empty() ? std::move(log) : std::move(console);
}

}  // namespace lbann::log
