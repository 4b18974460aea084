// Run records: see run_record.hpp.
#include "log/run_record.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "log/json.hpp"

namespace lbann::log {

using base::Error;
using base::ExitCode;
using base::json_quote;

namespace {

constexpr const char* record_schema = "lbann-log/1";
constexpr const char* run_schema = "lbann-run/1";

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw Error(ExitCode::storage, fmt::format("cannot {} '{}': {}", what, path, std::strerror(errno)));
}

// The size up to and including the last newline.
off_t whole_lines(int fd, off_t size, const std::string& path) {
  char block[4096];
  while (size > 0) {
    const off_t begin = size > static_cast<off_t>(sizeof block) ? size - static_cast<off_t>(sizeof block) : 0;
    const ssize_t n = ::pread(fd, block, static_cast<std::size_t>(size - begin), begin);
    if (n < 0 && errno == EINTR) continue;
    if (n != size - begin) refuse(path, "read");
    for (ssize_t i = n; i-- > 0;)
      if (block[i] == '\n') return begin + i + 1;
    size = begin;
  }
  return 0;
}

// Copies members of a JSON object into a record and remembers the first thing that is wrong.
class MemberReader {
public:
  explicit MemberReader(const JsonValue& object) : object_(object) {}

  void text(const char* name, std::string& out) {
    const JsonValue* value = need(name);
    if (!value) return;
    if (value->kind != JsonValue::Kind::string) return wrong(name, "a string");
    out = value->text;
  }
  void integer(const char* name, std::int64_t& out) {
    const JsonValue* value = need(name);
    if (!value) return;
    if (!value->integer) return wrong(name, "an integer");
    out = *value->integer;
  }
  void number(const char* name, double& out) {
    const JsonValue* value = need(name);
    if (!value) return;
    const auto number = try_json_double(*value);
    if (!number) return wrong(name, "a number");
    out = *number;
  }
  const JsonValue* need(const char* name) {
    const JsonValue* value = object_.find(name);
    if (!value && reason_.empty()) reason_ = fmt::format("'{}' is missing", name);
    return value;
  }
  void wrong(const char* name, const char* expected) {
    if (reason_.empty()) reason_ = fmt::format("'{}' is not {}", name, expected);
  }
  const std::string& reason() const { return reason_; }

private:
  const JsonValue& object_;
  std::string reason_;
};

std::string read_record(std::string_view line, RunRecord& record) {
  std::string why;
  const auto value = try_parse_json(line, &why);
  if (!value) return why;
  if (value->kind != JsonValue::Kind::object) return "not an object";
  MemberReader reader(*value);
  std::string schema;
  reader.text("schema", schema);
  if (reader.reason().empty() && schema != record_schema)
    return fmt::format("schema '{}' is not '{}'", schema, record_schema);
  reader.text("run", record.run);
  reader.integer("attempt", record.attempt);
  reader.text("kind", record.kind);
  reader.integer("step", record.step);
  reader.integer("epoch", record.epoch);
  reader.text("mode", record.mode);
  reader.number("wall", record.wall);
  if (const JsonValue* metrics = reader.need("metrics")) {
    if (metrics->kind != JsonValue::Kind::object) reader.wrong("metrics", "an object");
    for (const auto& [name, metric] : metrics->members) {
      const auto number = try_json_double(metric);
      if (!number) reader.wrong(name.c_str(), "a number");
      record.metrics.emplace_back(name, number.value_or(0));
    }
  }
  return reader.reason();
}

}  // namespace

std::string render_record(const RunRecord& r) {
  std::string metrics;
  for (const auto& [name, value] : r.metrics)
    metrics += fmt::format("{}{}:{}", metrics.empty() ? "" : ",", json_quote(name), json_number(value));
  return fmt::format(
      "{{\"schema\":\"{}\",\"run\":{},\"attempt\":{},\"kind\":{},\"step\":{},\"epoch\":{},\"mode\":{},"
      "\"wall\":{},"
      "\"metrics\":{{{}}}}}\n",
      record_schema, json_quote(r.run), r.attempt, json_quote(r.kind), r.step, r.epoch, json_quote(r.mode),
      json_number(r.wall), metrics);
}

RecordWriter::RecordWriter(const std::string& path) : path_(path) {
  do fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  while (fd_ < 0 && errno == EINTR);
  if (fd_ < 0) refuse(path, "open");
  const off_t size = ::lseek(fd_, 0, SEEK_END);
  if (size <= 0) return;  // new, or not a file that can be torn (a pipe, a terminal)
  const off_t whole = whole_lines(fd_, size, path);
  if (whole != size && ::ftruncate(fd_, whole) != 0) refuse(path, "truncate");
  keep_records(std::numeric_limits<std::int64_t>::max());
}

RecordWriter::~RecordWriter() {
  if (fd_ >= 0) ::close(fd_);
}

std::int64_t RecordWriter::keep_records(std::int64_t count) {
  char block[1 << 16];
  num_records_ = 0;
  off_t end = 0;
  for (off_t at = 0; num_records_ < count;) {
    const ssize_t n = ::pread(fd_, block, sizeof block, at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ESPIPE) return num_records_;
    if (n < 0) refuse(path_, "read");
    if (n == 0) return num_records_;
    for (ssize_t i = 0; i < n && num_records_ < count; ++i) {
      if (block[i] != '\n') continue;
      ++num_records_;
      end = at + i + 1;
    }
    at += n;
  }
  int rc = 0;
  do rc = ::ftruncate(fd_, end);
  while (rc != 0 && errno == EINTR);
  if (rc != 0 && errno != EINVAL) refuse(path_, "truncate");
  return num_records_;
}

void RecordWriter::sync() const {
  int rc = 0;
  do rc = ::fsync(fd_);
  while (rc != 0 && errno == EINTR);
  if (rc != 0 && errno != EINVAL && errno != EROFS) refuse(path_, "sync");
}

void RecordWriter::write(const RunRecord& record) {
  const off_t before = ::lseek(fd_, 0, SEEK_END);
  const int failure = base::write_all(fd_, render_record(record));
  if (failure == 0) {
    ++num_records_;
    return;
  }
  if (before >= 0 && ::ftruncate(fd_, before) != 0) errno = failure;  // a torn line is cut off next time
  errno = failure;
  refuse(path_, "write");
}

RunLog parse_records(std::string_view text) {
  RunLog log;
  std::int64_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool torn = end == std::string_view::npos;
    text.remove_prefix(torn ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    RunRecord record;
    std::string reason = read_record(line, record);
    if (reason.empty())
      log.records.push_back(std::move(record));
    else
      log.bad_lines.push_back({number, torn ? "torn line: " + reason : reason});
  }
  return log;
}

RunLog load_records(const std::string& path) { return parse_records(base::read_file(path)); }

std::string render_run_info(const RunInfo& info) {
  std::string argv;
  for (const std::string& word : info.argv) argv += (argv.empty() ? "" : ", ") + json_quote(word);
  return fmt::format(
      "{{\n  \"schema\": \"{}\",\n  \"run\": {},\n  \"attempt\": {},\n  \"seed\": {},\n  \"program\": {},\n"
      "  \"version\": {},\n  \"git\": {},\n  \"host\": {},\n  \"started\": {},\n  \"resumed_step\": {},\n  "
      "\"threads\": {},\n  \"pid\": {},\n"
      "  \"job\": {},\n  \"argv\": [{}]\n}}\n",
      run_schema, json_quote(info.run), info.attempt, info.seed, json_quote(info.program),
      json_quote(info.version), json_quote(info.git), json_quote(info.host), json_number(info.started),
      info.resumed_step, info.threads, info.pid, json_quote(info.job), argv);
}

std::string render_failure(const FailureInfo& f) {
  return fmt::format(
      "{{\n  \"schema\": \"lbann-failure/1\",\n  \"run\": {},\n  \"attempt\": {},\n  \"code\": {},\n"
      "  \"message\": {},\n  \"help\": {},\n  \"phase\": {},\n  \"epoch\": {},\n  \"step\": {},\n"
      "  \"checkpoint\": {},\n  \"host\": {},\n  \"wall\": {}\n}}\n",
      json_quote(f.run), f.attempt, f.code, json_quote(f.message), json_quote(f.help), json_quote(f.phase),
      f.epoch, f.step, json_quote(f.checkpoint), json_quote(f.host), json_number(f.wall));
}

void save_run_info(const RunInfo& info, const std::string& path) {
  base::atomic_write_file(path, render_run_info(info));
}

RunInfo load_run_info(const std::string& path) {
  std::string why;
  const auto value = try_parse_json(base::read_file(path), &why);
  if (!value) throw Error(ExitCode::data, fmt::format("'{}' is no run description: {}", path, why));
  MemberReader reader(*value);
  RunInfo info;
  std::string schema;
  reader.text("schema", schema);
  reader.text("run", info.run);
  reader.integer("attempt", info.attempt);
  reader.text("program", info.program);
  reader.text("version", info.version);
  reader.text("git", info.git);
  reader.text("host", info.host);
  reader.number("started", info.started);
  reader.integer("seed", info.seed);
  // Younger than the format: absent in old files.
  if (value->find("resumed_step")) reader.integer("resumed_step", info.resumed_step);
  if (value->find("threads")) reader.integer("threads", info.threads);
  if (value->find("pid")) reader.integer("pid", info.pid);
  if (value->find("job")) reader.text("job", info.job);
  if (const JsonValue* argv = reader.need("argv")) {
    for (const JsonValue& word : argv->items) {
      if (word.kind != JsonValue::Kind::string) reader.wrong("argv", "a list of strings");
      info.argv.push_back(word.text);
    }
  }
  if (!reader.reason().empty() || schema != run_schema)
    throw Error(ExitCode::data,
                fmt::format("'{}' is no run description: {}", path,
                            reader.reason().empty() ? "schema '" + schema + "'" : reader.reason()));
  return info;
}

}  // namespace lbann::log
