// lbann-digits: writes a set of drawn digits as IDX files, named and laid out as MNIST's.
//
//   lbann-digits DIR [--count N] [--seed S] [--gz]
//
// An example's generator, not a tool of the suite: so that the examples run without a download, on a set that
// a linear model cannot solve. The same arguments give the same bytes.
#include <fmt/format.h>
#include <zlib.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "render.hpp"

namespace {

using lbann::base::Error;
using lbann::base::ExitCode;

constexpr std::string_view usage =
    "Usage: lbann-digits DIR [--count N] [--seed S] [--gz]\n"
    "Draws N images of digits (default 10000) into DIR/train-images-idx3-ubyte and "
    "DIR/train-labels-idx1-ubyte.\n"
    "  --count N   number of images, 1 to 1000000 (default 10000)\n"
    "  --seed S    another seed draws another set (default 1)\n"
    "  --gz        compress; the files' names end in .gz\n";

struct Arguments {
  std::string directory;
  std::uint64_t count = 10000, seed = 1;
  bool gz = false, help = false;
};

std::uint64_t parse_number(std::string_view option, std::string_view text, std::uint64_t low,
                           std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high)
    throw Error(ExitCode::usage,
                fmt::format("{} '{}': a number from {} to {} was expected", option, text, low, high));
  return value;
}

Arguments parse_arguments(int argc, char** argv) {
  Arguments a;
  bool options_end = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (options_end || !word.starts_with('-')) {
      if (!a.directory.empty()) throw Error(ExitCode::usage, fmt::format("a second directory, '{}'", word));
      a.directory = word;
      continue;
    }
    std::string_view value;
    const std::size_t equal = word.find('=');
    const std::string_view name = word.substr(0, equal);
    const auto take_value = [&] {
      if (equal != std::string_view::npos) return word.substr(equal + 1);
      if (i + 1 == argc) throw Error(ExitCode::usage, fmt::format("{} needs a value", name));
      return std::string_view(argv[++i]);
    };
    if (word == "--")
      options_end = true;
    else if (name == "--count")
      a.count = parse_number(name, take_value(), 1, 1000000);
    else if (name == "--seed")
      a.seed = parse_number(name, take_value(), 0, UINT64_MAX);
    else if (word == "--gz")
      a.gz = true;
    else if (word == "--help" || word == "-h")
      a.help = true;
    else
      throw Error(ExitCode::usage, fmt::format("unknown option '{}'", word));
  }
  if (a.directory.empty() && !a.help) throw Error(ExitCode::usage, "no directory given");
  return a;
}

/// A gzip stream without name and time: equal data give equal bytes.
std::string gzip(const std::string& bytes) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());  // below 2^32: the count is limited
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  if (status != Z_STREAM_END) throw Error(ExitCode::internal, "zlib could not finish the stream");
  return out;
}

void append_big_endian(std::string& out, std::uint64_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(v >> shift & 0xFF));
}

void run(const Arguments& a) {
  std::string images, labels;
  images.reserve(16 + a.count * digits::image_size);
  append_big_endian(images, 0x803);
  append_big_endian(images, a.count);
  append_big_endian(images, digits::image_side);
  append_big_endian(images, digits::image_side);
  append_big_endian(labels, 0x801);
  append_big_endian(labels, a.count);
  const digits::Renderer renderer(a.seed);
  for (std::uint64_t i = 0; i < a.count; ++i) {
    const digits::Image image = renderer.render(i);
    images.append(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size());
    labels.push_back(static_cast<char>(image.label));
  }

  std::error_code error;
  std::filesystem::create_directories(a.directory, error);
  if (error)
    throw Error(ExitCode::storage, fmt::format("{}: cannot be created: {}", a.directory, error.message()));
  const auto write = [&](const char* name, const std::string& bytes) {
    const std::string path = (std::filesystem::path(a.directory) / name).string() + (a.gz ? ".gz" : "");
    lbann::base::atomic_write_file(path, a.gz ? gzip(bytes) : bytes);
    fmt::print(stderr, "wrote {}\n", path);
  };
  write("train-images-idx3-ubyte", images);
  write("train-labels-idx1-ubyte", labels);
}

/// The end all tools have: what was wrong, then a line that scripts can match.
int fail(ExitCode code, std::string_view message) {
  const int number = static_cast<int>(code);
  fmt::print(stderr, "error: {}\n", message);
  if (code == ExitCode::usage) fmt::print(stderr, "help: lbann-digits --help\n");
  fmt::print(stderr, "LBANN error: 1 errors, exit {}\n", number);
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse_arguments(argc, argv);
    if (arguments.help)
      fmt::print("{}", usage);
    else
      run(arguments);
    return 0;
  } catch (const Error& e) {
    return fail(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::out_of_memory, "out of memory");
  }
}
