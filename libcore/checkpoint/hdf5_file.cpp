// HDF5 files of weights. Ours are laid out like a checkpoint's (hdf5_image.hpp). Those of others may be
// damaged, and HDF5 then sometimes crashes or hangs, so a child process reads them: it puts the arrays into
// an anonymous file, which the parent believes only when the child has ended well within the time limit.
//
//   stream   per array: name, type (u8), rank (u8), dims (u64 each), data; texts and data led by u64 length
#include <hdf5.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/input_file.hpp"
#include "checkpoint/array_file.hpp"
#include "checkpoint/hdf5_image.hpp"
#include "checkpoint/manifest.hpp"

namespace lbann::checkpoint {
namespace {

using tensor::DataType;

constexpr std::uint64_t bytes_per_second = 20'000'000;  // of a very slow disk
constexpr int seconds_at_least = 30;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw base::Error(base::ExitCode::data, path + ": " + what);
}

// ---- the child ---------------------------------------------------------------------------------

class Child {
public:
  Child(std::string path, int out) : path_(std::move(path)), out_(out) {}

  void run() {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) fail(path_, "HDF5 cannot open it: no HDF5 file, or a damaged one");
    const auto visit = [](hid_t root, const char* name, const H5O_info_t* info, void* self) -> herr_t {
      if (info->type != H5O_TYPE_DATASET) return 0;
      static_cast<Child*>(self)->add(root, name);
      return 0;
    };
    if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, this, H5O_INFO_BASIC) < 0)
      fail(path_, "HDF5 cannot list its data sets");
    H5Fclose(file);
  }

private:
  void add(hid_t file, const std::string& name) {
    const auto refuse = [&](const std::string& what) {
      fail(path_, fmt::format("data set '{}' {}", name, what));
    };
    const hid_t set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
    const hid_t found = set < 0 ? -1 : H5Dget_type(set);
    const hid_t space = set < 0 ? -1 : H5Dget_space(set);
    if (found < 0 || space < 0) refuse("cannot be opened");
    DataType type = DataType::f32;
    hid_t wanted = H5T_IEEE_F32LE;
    const std::size_t size = H5Tget_size(found);
    if (H5Tget_class(found) == H5T_FLOAT) {
      if (size > 4) type = DataType::f64, wanted = H5T_IEEE_F64LE;
    } else if (H5Tget_class(found) == H5T_INTEGER) {
      type = size > 4 ? DataType::i64 : size > 1 ? DataType::i32 : DataType::u8;
      wanted = size > 4 ? H5T_STD_I64LE : size > 1 ? H5T_STD_I32LE : H5T_STD_U8LE;
    } else {
      refuse("holds neither floats nor integers");
    }
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > 32) refuse("has no simple shape");
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space, extents.data(), nullptr);
    const tensor::Shape shape(std::vector<std::int64_t>(extents.begin(), extents.end()));
    std::vector<std::byte> data(static_cast<std::size_t>(num_bytes(type, shape)));
    if (!data.empty() && H5Dread(set, wanted, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) < 0)
      refuse("cannot be read");
    put(original_name(name));
    const unsigned char head[2] = {static_cast<unsigned char>(type), static_cast<unsigned char>(rank)};
    write(head, 2);
    for (const std::int64_t d : shape.dims()) write(&d, sizeof d);
    const std::uint64_t bytes = data.size();
    write(&bytes, sizeof bytes);
    write(data.data(), data.size());
    H5Sclose(space);
    H5Tclose(found);
    H5Dclose(set);
  }

  /// The inverse of what save_hdf5 does to '/', '%' and '.'.
  static std::string original_name(const std::string& name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const std::string code = name.substr(i, 3);
      const char plain = code == "%2F" ? '/' : code == "%25" ? '%' : code == "%2E" ? '.' : '\0';
      result += plain != '\0' ? plain : name[i];
      if (plain != '\0') i += 2;
    }
    return result;
  }
  void put(const std::string& text) {
    const std::uint64_t length = text.size();
    write(&length, sizeof length);
    write(text.data(), text.size());
  }
  void write(const void* data, std::size_t n) {
    for (const char* p = static_cast<const char*>(data); n > 0;) {
      const ssize_t done = ::write(out_, p, n);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail(path_, std::strerror(errno));
      p += done;
      n -= static_cast<std::size_t>(done);
    }
  }

  std::string path_;
  int out_;
};

// ---- the parent --------------------------------------------------------------------------------

class AnonymousFile {
public:
  explicit AnonymousFile(const char* name) : fd_(::memfd_create(name, MFD_CLOEXEC)) {
    if (fd_ < 0) throw base::Error(base::ExitCode::environment, "no anonymous file can be made");
  }
  ~AnonymousFile() { ::close(fd_); }
  AnonymousFile(const AnonymousFile&) = delete;
  AnonymousFile& operator=(const AnonymousFile&) = delete;
  int fd() const { return fd_; }
  std::uint64_t size() const {
    struct stat info {};
    return ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  }
  void read(std::uint64_t& offset, void* out, std::uint64_t n) const {
    for (std::uint64_t got = 0; got < n;) {
      const ssize_t r =
          ::pread(fd_, static_cast<char*>(out) + got, n - got, static_cast<off_t>(offset + got));
      if (r <= 0) throw base::Error(base::ExitCode::internal, "the reader of HDF5 wrote too little");
      got += static_cast<std::uint64_t>(r);
    }
    offset += n;
  }

private:
  int fd_;
};

/// waitpid with a limit; the child is killed when it is over. nullopt: it was.
std::optional<int> wait_for(pid_t child, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  auto pause = std::chrono::microseconds(200);
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(20000));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return std::nullopt;
}

ArrayMap read_stream(const AnonymousFile& file, const std::string& path) {
  ArrayMap arrays;
  const std::uint64_t size = file.size();
  for (std::uint64_t at = 0; at < size;) {
    std::uint64_t length = 0, bytes = 0;
    file.read(at, &length, sizeof length);
    std::string name(length, '\0');
    file.read(at, name.data(), length);
    unsigned char head[2] = {};
    file.read(at, head, 2);
    std::vector<std::int64_t> dims(head[1]);
    for (std::int64_t& d : dims) file.read(at, &d, sizeof d);
    file.read(at, &bytes, sizeof bytes);
    LoadedArray array{static_cast<DataType>(head[0]), tensor::Shape(std::move(dims)), {}};
    array.bytes.resize(bytes);
    file.read(at, array.bytes.data(), bytes);
    if (!arrays.emplace(name, std::move(array)).second)
      fail(path, fmt::format("two data sets are named '{}'", name));
  }
  return arrays;
}

}  // namespace

ArrayMap load_hdf5(const std::string& path) {
  const std::uint64_t file_bytes = base::InputFile(path, "an HDF5 file").size();
  const AnonymousFile out("lbann_hdf5"), message("lbann_hdf5_message");
  const pid_t child = ::fork();
  if (child < 0) throw base::Error(base::ExitCode::environment, "no process can be started");
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);
    ::signal(SIGABRT, SIG_DFL);
    int code = 0;
    try {
      Child(path, out.fd()).run();
    } catch (const std::exception& e) {
      code = 1;
      if (::write(message.fd(), e.what(), std::strlen(e.what())) < 0) code = 2;
    }
    ::_exit(code);  // nothing of the parent's is flushed or destroyed twice
  }
  const auto limit =
      std::chrono::seconds(seconds_at_least + static_cast<std::int64_t>(file_bytes / bytes_per_second));
  const std::optional<int> status = wait_for(child, limit);
  if (!status) fail(path, fmt::format("HDF5 did not come to an end within {} s: damaged", limit.count()));
  if (WIFSIGNALED(*status))
    fail(path, fmt::format("HDF5 crashed while reading it (signal {}): damaged", WTERMSIG(*status)));
  if (WEXITSTATUS(*status) != 0) {
    std::string text(message.size(), '\0');
    std::uint64_t at = 0;
    message.read(at, text.data(), text.size());
    throw base::Error(base::ExitCode::data, text.empty() ? path + ": HDF5 cannot read it" : text);
  }
  return read_stream(out, path);
}

void save_hdf5(const std::string& path, const ArrayMap& arrays) {
  std::vector<NamedArray> list;
  for (const auto& [name, a] : arrays) list.push_back({name, a.type, a.shape, a.bytes});
  const std::vector<std::byte> image = make_hdf5_image(list);
  base::atomic_write_file(path, {reinterpret_cast<const char*>(image.data()), image.size()});
}

}  // namespace lbann::checkpoint
