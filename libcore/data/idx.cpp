// IDX reader over zlib, which hands through files that are not compressed.
#include "data/idx.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/diagnostic.hpp"

namespace lbann::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& what, std::string help = {}) {
  throw base::Error(base::ExitCode::data, path + ": " + what, std::move(help));
}

/// A file that is read front to back.
class Source {
public:
  explicit Source(const std::string& path) : path_(path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) fail(path, "no such file");
    if (fs::is_directory(status)) fail(path, "is a directory, an IDX file was expected");
    if (!fs::is_regular_file(status)) fail(path, "is not a regular file");
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) fail(path, std::string("cannot be opened: ") + std::strerror(errno ? errno : ENOMEM));
    gzbuffer(file_.get(), 1u << 17);
    file_bytes_ = fs::file_size(path, error);
    if (error) fail(path, "cannot be measured: " + error.message());
  }

  /// Up to `n` bytes; fewer only at the end of the data. Damage of the compressed stream is an error.
  std::size_t read(std::uint8_t* out, std::size_t n) {
    std::size_t got = 0;
    while (got < n) {
      const unsigned chunk = static_cast<unsigned>(std::min<std::size_t>(n - got, 1u << 30));
      const int r = gzread(file_.get(), out + got, chunk);
      if (r < 0) fail_read();
      if (r == 0) break;
      got += static_cast<std::size_t>(r);
    }
    // A compressed stream that just stops is reported here, not by the byte count.
    int code = Z_OK;
    gzerror(file_.get(), &code);
    if (code != Z_OK) fail_read();
    return got;
  }

  /// Known once the first byte was read.
  bool compressed() const { return gzdirect(file_.get()) == 0; }
  std::uint64_t file_bytes() const { return file_bytes_; }

private:
  [[noreturn]] void fail_read() {
    int code = Z_OK;
    const char* text = gzerror(file_.get(), &code);
    if (code == Z_BUF_ERROR) fail(path_, "the compressed file is truncated");
    if (code == Z_ERRNO) fail(path_, std::string("cannot be read: ") + std::strerror(errno));
    fail(path_, std::string("the compressed file is damaged: ") + text);
  }

  struct Close {
    void operator()(gzFile f) const { gzclose_r(f); }
  };
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::uint64_t file_bytes_ = 0;
};

/// Not fmt::join: g++ 12 warns about fmt's own code when that is inlined.
std::string join(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (std::int64_t d : dims) text += fmt::format("{}{}", text.empty() ? "" : ",", d);
  return text;
}

const char* kind(std::size_t rank) { return rank == 3 ? "images" : rank == 1 ? "labels" : "values"; }

void check_magic(const std::string& path, std::uint32_t magic, std::size_t rank) {
  const std::uint32_t expected = 0x0800u + static_cast<std::uint32_t>(rank);
  if (magic == expected) return;
  std::string help;
  if (magic == 0x0801u && rank == 3)
    help = "this is an IDX label file: are image and label file exchanged?";
  else if (magic == 0x0803u && rank == 1)
    help = "this is an IDX image file: are image and label file exchanged?";
  else if (magic >> 16 == 0 && (magic >> 8 & 0xFF) >= 0x09 && (magic >> 8 & 0xFF) <= 0x0E)
    help = "only IDX files of unsigned bytes (type 0x08) can be read";
  fail(path,
       fmt::format("not an IDX file of {}: magic number 0x{:08x}, expected 0x{:08x}", kind(rank), magic,
                   expected),
       help);
}

}  // namespace

IdxArray load_idx(const std::string& given_path, std::size_t rank) {
  std::error_code ignored;
  const bool fall_back = !fs::exists(given_path, ignored) && fs::exists(given_path + ".gz", ignored);
  const std::string path = fall_back ? given_path + ".gz" : given_path;
  Source source(path);

  const std::size_t header_bytes = 4 + 4 * rank;
  std::vector<std::uint8_t> header(header_bytes);
  const std::size_t got = source.read(header.data(), header_bytes);
  const auto word = [&](std::size_t i) {
    return std::uint32_t{header[4 * i]} << 24 | std::uint32_t{header[4 * i + 1]} << 16 |
           std::uint32_t{header[4 * i + 2]} << 8 | std::uint32_t{header[4 * i + 3]};
  };
  if (got >= 4) check_magic(path, word(0), rank);
  if (got < header_bytes)
    fail(path, fmt::format("truncated: {} bytes, the header alone has {}", got, header_bytes));

  IdxArray array;
  std::uint64_t num_values = 1;
  bool overflow = false;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::uint32_t extent = word(d + 1);
    if (extent == 0) fail(path, fmt::format("extent {} of {} is 0, at least 1 was expected", d + 1, rank));
    array.dims.push_back(extent);
    overflow = __builtin_mul_overflow(num_values, std::uint64_t{extent}, &num_values) || overflow;
  }
  const std::string promise = "the header promises [" + join(array.dims) + "]";
  if (overflow || num_values > UINT64_MAX / 2) fail(path, promise + ", which no file can hold");
  const std::uint64_t expected_bytes = header_bytes + num_values;
  if (!source.compressed() && source.file_bytes() != expected_bytes)
    fail(path, fmt::format("{}: {} = {} bytes, the file has {}",
                           source.file_bytes() < expected_bytes ? "truncated" : "too long", promise,
                           expected_bytes, source.file_bytes()));
  if (source.compressed() && expected_bytes / 1032 > source.file_bytes())
    fail(path, fmt::format("truncated: {} = {} bytes, more than {} compressed bytes can hold", promise,
                           expected_bytes, source.file_bytes()));

  // Compressed data may still fall short of the promise: grow with what really comes.
  std::size_t have = 0;
  const std::size_t total = static_cast<std::size_t>(num_values);
  while (have < total) {
    const std::size_t want =
        source.compressed() ? std::min(total, std::max<std::size_t>(1u << 20, 2 * have)) : total;
    array.values.resize(want);
    const std::size_t n = source.read(array.values.data() + have, want - have);
    have += n;
    if (have < want)
      fail(path,
           fmt::format("truncated: {} = {} bytes, found {}", promise, expected_bytes, header_bytes + have));
  }
  std::uint8_t extra = 0;  // reading past the end also makes zlib check its sum
  if (source.read(&extra, 1) != 0)
    fail(path, fmt::format("too long: {} = {} bytes, there are more", promise, expected_bytes));
  return array;
}

}  // namespace lbann::data
