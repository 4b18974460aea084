// Checkpoint folders: cutting arrays into files, writing, checking, finding.
#include "checkpoint/container.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <compare>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "checkpoint/hdf5_image.hpp"
#include "checkpoint/manifest.hpp"

namespace lbann::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_manifest_bytes = std::size_t{1} << 28;
constexpr std::size_t max_fallbacks = 3;

[[noreturn]] void fail_storage(const std::string& what) {
  throw base::Error(base::ExitCode::storage, fmt::format("{}: {}", what, std::strerror(errno)));
}

/// `<dir>.partial-N`: is removed with all it holds unless it became the checkpoint.
class PartialFolder {
public:
  explicit PartialFolder(std::string dir) : dir_(std::move(dir)) {
    // mkdir picks the name: two writers of one checkpoint, on one machine or two, never share a folder.
    for (int n = 0;; ++n) {
      path_ = fmt::format("{}.partial-{:04}", dir_, n);
      if (::mkdir(path_.c_str(), 0777) == 0) return;
      if (errno == EINTR) --n;
      if (errno != EEXIST && errno != EINTR) {
        const std::string path = std::exchange(path_, {});
        fail_storage(fmt::format("cannot make the folder '{}'", path));
      }
    }
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

  /// Renames the folder to its final name. What was there of that name is removed only when the new
  /// name is on the disk for good; when it cannot be, everything is as before.
  void commit() {
    bool replaces = false;
    if (::rename(path_.c_str(), dir_.c_str()) != 0) {
      replaces = errno == EEXIST || errno == ENOTEMPTY;
      if (!replaces || !exchange()) fail_storage(fmt::format("cannot rename to '{}'", dir_));
    }
    try {
      base::sync_folder(base::folder_of(dir_));
    } catch (...) {
      if (replaces) {
        exchange();
      } else {
        ::rename(dir_.c_str(), path_.c_str());
      }
      throw;
    }
    if (!replaces) path_.clear();
  }

private:
  bool exchange() {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, dir_.c_str(), RENAME_EXCHANGE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    // File systems without exchange (NFS): for an instant the name is absent.
    const std::string aside = path_ + ".old";
    if (::rename(dir_.c_str(), aside.c_str()) != 0) return false;
    if (::rename(path_.c_str(), dir_.c_str()) != 0) {
      const int error = errno;
      ::rename(aside.c_str(), dir_.c_str());
      errno = error;
      return false;
    }
    return ::rename(aside.c_str(), path_.c_str()) == 0;
  }

  std::string dir_, path_;
};

bool is_utf8(std::string_view text) {
  bool valid = true;
  for (std::size_t pos = 0; valid && pos < text.size();) pos += base::utf8_length(text, pos, &valid);
  return valid;
}

void check_arrays(const std::vector<NamedArray>& arrays) {
  const auto fail = [](const NamedArray& a, std::string_view what) {
    throw base::Error(base::ExitCode::internal, fmt::format("checkpoint: array '{}' {}", a.name, what));
  };
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const NamedArray& a = arrays[i];
    if (i > 0 && arrays[i - 1].name == a.name) fail(a, "is there twice");
    if (a.name.empty() || a.name.find('\0') != std::string::npos) fail(a, "has a bad name");
    if (!is_utf8(a.name))
      throw base::Error(base::ExitCode::config, fmt::format("the name '{}' is not UTF-8 text", a.name));
    const std::int64_t size = num_bytes(a.type, a.shape);
    if (size != static_cast<std::int64_t>(a.bytes.size()))
      fail(a, fmt::format("{} {} needs {} bytes, {} given", tensor::to_string(a.type), a.shape.to_string(),
                          size, a.bytes.size()));
  }
}

/// Fills files in the order of the arrays and hands each to `write(pieces)` when it is full.
template <typename Write>
std::vector<Manifest::Array> cut_into_files(const std::vector<NamedArray>& arrays, std::int64_t limit,
                                            Write write) {
  std::vector<Manifest::Array> result;
  std::vector<NamedArray> pieces;
  std::int64_t filled = 0;
  std::size_t file = 0;
  const auto next_file = [&] {
    if (pieces.empty()) return;
    write(pieces);
    pieces.clear();
    filled = 0;
    ++file;
  };
  for (const NamedArray& a : arrays) {
    const std::int64_t rows = num_rows(a.shape);
    const std::int64_t size = static_cast<std::int64_t>(a.bytes.size());
    const std::int64_t row_bytes = rows == 0 ? 0 : size / rows;
    Manifest::Array& entry = result.emplace_back(Manifest::Array{a.name, a.type, a.shape, {}});
    if (filled + size > limit) next_file();
    const std::int64_t step = size <= limit ? rows : std::max<std::int64_t>(1, limit / row_bytes);
    std::int64_t begin = 0;
    do {
      if (begin > 0) next_file();
      const std::int64_t end = std::min(rows, begin + step);
      pieces.push_back({a.name, a.type, shape_of_rows(a.shape, end - begin),
                        a.bytes.subspan(static_cast<std::size_t>(begin * row_bytes),
                                        static_cast<std::size_t>((end - begin) * row_bytes))});
      filled += (end - begin) * row_bytes;
      entry.parts.push_back({file, begin, end});
      begin = end;
    } while (begin < rows);
  }
  next_file();
  return result;
}

std::string read_or_refuse(const std::string& path, std::size_t max_bytes) {
  try {
    return base::read_file(path, max_bytes);
  } catch (const base::Error& e) {
    throw base::Error(base::ExitCode::checkpoint, e.what());
  }
}

/// ", which holds 'a', 'b', ...": so that the user knows what is lost.
std::string describe_content(const Manifest& m, std::size_t file) {
  std::string text;
  int count = 0;
  for (const Manifest::Array& a : m.arrays) {
    const bool inside =
        std::any_of(a.parts.begin(), a.parts.end(), [&](const Manifest::Part& p) { return p.file == file; });
    if (!inside) continue;
    if (++count <= 3) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", a.name);
  }
  if (count > 3) text += fmt::format(" and {} more", count - 3);
  return text.empty() ? "" : fmt::format(" (it holds {})", text);
}

std::string read_checked(const std::string& dir, const Manifest& m, std::size_t index) {
  const Manifest::File& f = m.files[index];
  const std::string path = dir + "/" + f.name;
  const auto fail = [&](const std::string& what) {
    throw base::Error(base::ExitCode::checkpoint,
                      fmt::format("{}: {}{}", path, what, describe_content(m, index)));
  };
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) fail(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) fail("not a regular file");
  if (info.st_size != f.size)
    fail(fmt::format("{} bytes, the manifest says {}", static_cast<std::int64_t>(info.st_size), f.size));
  std::string bytes = read_or_refuse(path, static_cast<std::size_t>(f.size));
  if (static_cast<std::int64_t>(bytes.size()) != f.size || base::to_hex(base::digest128(bytes)) != f.digest)
    fail("damaged: its digest is not the one in the manifest");
  return bytes;
}

/// What orders checkpoints: steps, then epochs, then the name.
struct Age {
  std::int64_t step = -1, epoch = -1;
  std::string name;
  auto operator<=>(const Age&) const = default;
};

std::optional<std::int64_t> try_parse_digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || text.empty() || text[0] == '-') return std::nullopt;
  return value;
}

std::optional<Age> try_parse_name(const std::string& name) {
  constexpr std::string_view step_prefix = "step-", hook_prefix = "sgd.shared.";
  if (name.rfind(step_prefix, 0) == 0 && name.size() >= step_prefix.size() + 8) {
    const auto step = try_parse_digits(std::string_view(name).substr(step_prefix.size()));
    if (step) return Age{*step, -1, name};
  }
  const std::size_t epoch_at = name.find(".epoch."), step_at = name.find(".step.");
  if (name.rfind(hook_prefix, 0) != 0 || epoch_at == std::string::npos || step_at == std::string::npos ||
      step_at < epoch_at + 7)
    return std::nullopt;
  const auto epoch = try_parse_digits(std::string_view(name).substr(epoch_at + 7, step_at - epoch_at - 7));
  const auto step = try_parse_digits(std::string_view(name).substr(step_at + 6));
  if (!epoch || !step) return std::nullopt;
  return Age{*step, *epoch, name};
}

constexpr std::string_view removed_suffix = ".removed";

}  // namespace

void save_checkpoint(const std::string& dir, std::vector<NamedArray> arrays, const Scalars& scalars,
                     const SaveOptions& options) {
  std::sort(arrays.begin(), arrays.end(),
            [](const NamedArray& a, const NamedArray& b) { return a.name < b.name; });
  check_arrays(arrays);
  std::string target = dir;
  while (target.size() > 1 && target.back() == '/') target.pop_back();
  PartialFolder folder(target);
  Manifest m;
  m.scalars = scalars;
  m.arrays = cut_into_files(arrays, options.max_shard_bytes, [&](const std::vector<NamedArray>& pieces) {
    const std::vector<std::byte> image = make_hdf5_image(pieces);
    Manifest::File f;
    f.name = fmt::format("arrays-{:04}.h5", m.files.size());
    f.size = static_cast<std::int64_t>(image.size());
    f.digest = base::to_hex(base::digest128(image));
    // Syncs the file and, after its rename, the folder.
    base::atomic_write_file(folder.path() + "/" + f.name,
                            {reinterpret_cast<const char*>(image.data()), image.size()});
    m.files.push_back(std::move(f));
  });
  base::atomic_write_file(fmt::format("{}/{}", folder.path(), manifest_name), format_manifest(m));
  folder.commit();
}

Checkpoint load_checkpoint(const std::string& dir) {
  const std::string path = fmt::format("{}/{}", dir, manifest_name);
  const Manifest m = parse_manifest(read_or_refuse(path, max_manifest_bytes), path);
  Checkpoint result;
  result.scalars = m.scalars;
  // All sizes first: cheap, and finds most of what a full disk or a broken copy does.
  for (const Manifest::File& f : m.files) {
    struct stat info {};
    const std::string file = dir + "/" + f.name;
    if (::stat(file.c_str(), &info) != 0 || info.st_size != f.size)
      read_checked(dir, m, static_cast<std::size_t>(&f - m.files.data()));
  }
  for (std::size_t i = 0; i < m.files.size(); ++i) {
    const std::string bytes = read_checked(dir, m, i);
    const Hdf5Image image(std::as_bytes(std::span(bytes)), dir + "/" + m.files[i].name);
    for (const Manifest::Array& a : m.arrays) {
      for (const Manifest::Part& p : a.parts) {
        if (p.file != i) continue;
        LoadedArray& out = result.arrays[a.name];
        if (p.begin == 0) out = {a.type, a.shape, std::vector<std::byte>()};
        const tensor::Shape shape = shape_of_rows(a.shape, p.end - p.begin);
        const std::size_t offset = out.bytes.size();
        out.bytes.resize(offset + static_cast<std::size_t>(num_bytes(a.type, shape)));
        image.read(a.name, a.type, shape, std::span(out.bytes).subspan(offset));
      }
    }
  }
  return result;
}

void check_checkpoint(const std::string& dir) {
  const std::string path = fmt::format("{}/{}", dir, manifest_name);
  const Manifest m = parse_manifest(read_or_refuse(path, max_manifest_bytes), path);
  for (std::size_t i = 0; i < m.files.size(); ++i) read_checked(dir, m, i);
}

std::string make_step_name(std::int64_t step) { return fmt::format("step-{:08}", step); }

std::string make_hook_name(const std::string& hook, std::int64_t epoch, std::int64_t step) {
  return fmt::format("sgd.shared.{}.epoch.{}.step.{}", hook, epoch, step);
}

std::vector<std::string> list_checkpoints(const std::string& root) {
  std::vector<Age> found;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (auto age = try_parse_name(it->path().filename().string())) found.push_back(std::move(*age));
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw base::Error(
        error == std::errc::not_a_directory ? base::ExitCode::storage : base::ExitCode::checkpoint,
        fmt::format("cannot read the folder '{}': {}", root, error.message()));
  std::sort(found.begin(), found.end(), std::greater<>());
  std::vector<std::string> names;
  for (Age& age : found) names.push_back(std::move(age.name));
  return names;
}

void remove_checkpoint(const std::string& dir) {
  const std::string aside = fmt::format("{}{}", dir, removed_suffix);
  std::error_code error;
  fs::remove_all(aside, error);
  if (::rename(dir.c_str(), aside.c_str()) != 0) fail_storage(fmt::format("cannot remove '{}'", dir));
  fs::remove_all(aside, error);
  if (error)
    throw base::Error(base::ExitCode::storage, fmt::format("cannot remove '{}': {}", aside, error.message()));
}

void remove_leftovers(const std::string& root) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const std::size_t partial = name.find(".partial-");
    const bool removed = name.size() > removed_suffix.size() && name.ends_with(removed_suffix);
    const std::string stem = partial != std::string::npos ? name.substr(0, partial)
                             : removed ? name.substr(0, name.size() - removed_suffix.size())
                                       : "";
    if (try_parse_name(stem)) leftovers.push_back(it->path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, error);
}

std::optional<FoundCheckpoint> find_newest(const std::string& root) {
  const std::vector<std::string> names = list_checkpoints(root);
  if (names.empty()) return std::nullopt;
  FoundCheckpoint found;
  const std::size_t tries = std::min(names.size(), max_fallbacks + 1);
  for (std::size_t i = 0; i < tries; ++i) {
    found.dir = root + "/" + names[i];
    try {
      found.checkpoint = load_checkpoint(found.dir);
      return found;
    } catch (const base::Error& e) {
      if (e.code() != base::ExitCode::checkpoint) throw;
      found.notes.push_back(fmt::format("checkpoint '{}' is refused: {}", names[i], e.what()));
    }
  }
  throw base::Error(base::ExitCode::checkpoint,
                    fmt::format("no usable checkpoint in '{}' ({} of {} tried); {}", root, tries,
                                names.size(), fmt::join(found.notes, "; ")));
}

}  // namespace lbann::checkpoint
