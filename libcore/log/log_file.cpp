// Logs piece by piece: see log_file.hpp.
#include "log/log_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/diagnostic.hpp"

namespace lbann::log {

using base::Error;
using base::ExitCode;

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;
constexpr std::size_t longest_line = std::size_t{1} << 28;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ExitCode::data, fmt::format("cannot read '{}': {}", path, why));
}

}  // namespace

// gzip members one behind the other.
struct LogFile::Inflater {
  z_stream stream{};
  Inflater() { inflateInit2(&stream, 15 + 16); }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

LogFile::LogFile(std::string path, std::optional<LogKind> kind) : path_(std::move(path)) {
  open();
  kind_ = kind;
  if (kind) reader_ = make_reader(*kind, *log_);
}

LogFile::~LogFile() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

void LogFile::open() {
  fd_ = path_ == "-" ? STDIN_FILENO : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) refuse(path_, std::strerror(errno));
  struct stat status {};
  if (::fstat(fd_, &status) != 0) refuse(path_, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) refuse(path_, "it is a folder");
  is_pipe_ = !S_ISREG(status.st_mode);
  inode_ = status.st_ino;
  log_ = std::make_unique<MetricLog>();
}

void LogFile::start_again() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
  pending_.clear();
  num_read_ = 0;
  skipping_ = false;
  inflater_.reset();
  reader_.reset();
  kind_.reset();
  open();
}

bool LogFile::wait(int milliseconds) const {
  if (!is_pipe_) return true;
  pollfd p{fd_, POLLIN, 0};
  return ::poll(&p, 1, milliseconds) > 0;
}

bool LogFile::update() {
  if (!is_pipe_) {
    struct stat status {};
    const bool replaced = ::stat(path_.c_str(), &status) == 0 && path_ != "-" && status.st_ino != inode_;
    if (replaced || (::fstat(fd_, &status) == 0 && static_cast<std::uint64_t>(status.st_size) < num_read_))
      start_again();
  }
  piece_.resize(piece_bytes);
  bool any = false;
  for (;;) {
    const ssize_t n = ::read(fd_, piece_.data(), piece_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse(path_, std::strerror(errno));
    if (n == 0) {
      closed_ = is_pipe_;
      return any;
    }
    num_read_ += static_cast<std::uint64_t>(n);
    any = true;
    feed({piece_.data(), static_cast<std::size_t>(n)});
    if (is_pipe_ && !wait(0)) return true;
  }
}

// Expands if it is compressed, then parses.
void LogFile::feed(std::string_view bytes) {
  if (num_read_ == bytes.size() && bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b')
    inflater_ = std::make_unique<Inflater>();
  if (!inflater_) {
    pending_ += bytes;
    return parse(false);
  }
  z_stream& z = inflater_->stream;
  std::string in(bytes);
  std::string out(piece_bytes, '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  do {
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const int code = ::inflate(&z, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      log_->skip(fmt::format("the compressed data is damaged near byte {}", num_read_ - z.avail_in));
      z.avail_in = 0;
      return;
    }
    pending_.append(out, 0, out.size() - z.avail_out);
    parse(false);
    if (code == Z_STREAM_END) ::inflateReset(&z);
    if (code == Z_BUF_ERROR) break;
  } while (z.avail_in > 0 || z.avail_out == 0);
}

void LogFile::parse(bool end) {
  if (!kind_) {
    kind_ = sniff(pending_, end);
    if (!kind_) return;
    reader_ = make_reader(*kind_, *log_);
    if (pending_.rfind("\xEF\xBB\xBF", 0) == 0) pending_.erase(0, 3);
  }
  if (skipping_) {
    const std::size_t stop = pending_.find('\n');
    pending_.erase(0, stop == std::string::npos ? pending_.size() : stop + 1);
    skipping_ = stop == std::string::npos;
  }
  pending_.erase(0, reader_->read(pending_, end));
  if (pending_.size() <= longest_line) return;
  log_->skip(fmt::format("a line of more than {} MiB", longest_line >> 20));
  pending_.clear();
  skipping_ = true;
}

const MetricLog& LogFile::settle(bool final) {
  if (final && !ended_) {
    ended_ = true;
    parse(true);
  }
  log_->settle();
  return *log_;
}

MetricLog LogFile::take() {
  settle(true);
  return std::move(*log_);
}

MetricLog load_log(const std::string& path) {
  LogFile file(path);
  file.update();
  while (file.is_open_pipe() && file.wait(-1)) file.update();
  MetricLog log = file.take();
  if (!log.series.empty() || path == "-" || file.kind() == LogKind::console || file.kind() == LogKind::events)
    return log;
  LogFile again(path, LogKind::console);
  again.update();
  MetricLog console = again.take();
  return console.series.empty() ? std::move(log) : std::move(console);
}

}  // namespace lbann::log
