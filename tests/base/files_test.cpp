// Whole-file reading and atomic writing, and how they fail.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include <boost/test/unit_test.hpp>

#include "base/diagnostic.hpp"
#include "base/files.hpp"

using namespace lbann::base;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("lbann_files_test_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::size_t num_entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

ExitCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::ok;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_written_is_read_back, Folder) {
  const std::string file = path / "a";
  std::string content("\0\xFF\r\n", 4);
  for (int i = 0; i < 300000; ++i) content += static_cast<char>(i * 31 + i / 251);
  atomic_write_file(file, "old");
  atomic_write_file(file, content);
  BOOST_TEST((read_file(file) == content));
  BOOST_TEST(num_entries() == 1);
  atomic_write_file(file, "");
  BOOST_TEST(read_file(file).empty());
}

BOOST_FIXTURE_TEST_CASE(unreadable_input_is_error_4, Folder) {
  BOOST_TEST((code_of([&] { read_file(path / "missing"); }) == ExitCode::data));
  BOOST_TEST((code_of([&] { read_file(path); }) == ExitCode::data));
  std::ofstream(path / "long") << "12345";
  BOOST_TEST((code_of([&] { read_file(path / "long", 4); }) == ExitCode::data));
  BOOST_TEST(read_file(path / "long", 5) == "12345");
}

BOOST_AUTO_TEST_CASE(a_file_without_a_size_is_read_to_its_end) {
  BOOST_TEST(!read_file("/proc/self/status").empty());
}

BOOST_FIXTURE_TEST_CASE(a_failed_write_leaves_nothing_behind, Folder) {
  BOOST_TEST((code_of([&] { atomic_write_file(path / "no" / "folder", "x"); }) == ExitCode::storage));
  fs::create_directories(path / "taken" / "inside");
  BOOST_TEST((code_of([&] { atomic_write_file(path / "taken", "x"); }) == ExitCode::storage));
  BOOST_TEST(num_entries() == 1);
  if (fs::exists("/dev/full"))  // the temporary is beside the target, so this one is refused by /dev
    BOOST_TEST((code_of([&] { atomic_write_file("/dev/full/x", "x"); }) == ExitCode::storage));
}
