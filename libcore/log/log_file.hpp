// A log on disk or in a pipe, read once or followed while it grows.
//
// update() reads what has been added since. A file that was replaced or cut is read again from its
// beginning. Compressed logs (gzip) are expanded on the way. Memory: one piece of the file and the points.
#pragma once

#include <memory>
#include <string>

#include "log/log_reader.hpp"

namespace lbann::log {

class LogFile {
public:
  /// `-` is standard input. Throws Error(data) when it cannot be opened.
  explicit LogFile(std::string path, std::optional<LogKind> kind = std::nullopt);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Reads to the present end; true if there was something new. Throws Error(data) on a failed read.
  bool update();
  /// For a pipe: waits up to `milliseconds` for something to read. A file is always ready.
  bool wait(int milliseconds) const;
  /// A pipe whose writer may still write.
  bool is_open_pipe() const { return is_pipe_ && !closed_; }
  /// nullopt: too few bytes to tell.
  std::optional<LogKind> kind() const { return kind_; }
  /// The values so far; `final`: nothing follows, so a last line without its end counts as torn.
  const MetricLog& settle(bool final);
  /// Moves the values out; the file is of no use afterwards.
  MetricLog take();
  const std::string& path() const { return path_; }

private:
  struct Inflater;
  void open();
  void start_again();
  void feed(std::string_view bytes);
  void parse(bool end);

  std::string path_;
  int fd_ = -1;
  bool is_pipe_ = false;
  bool closed_ = false;
  bool ended_ = false;
  bool skipping_ = false;  // inside a line that is too long
  std::uint64_t num_read_ = 0;
  std::uint64_t inode_ = 0;
  std::string pending_;
  std::string piece_;
  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<MetricLog> log_;
  std::optional<LogKind> kind_;
  std::unique_ptr<LogReader> reader_;
};

/// The whole log at once. A file that looks like records or a table and holds no values is read as
/// console text: programs print all sorts of things first. Throws Error(data).
MetricLog load_log(const std::string& path);

}  // namespace lbann::log
