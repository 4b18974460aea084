// Checkpoint folders: exact round trip, equal bytes for equal content, refusal of every damage, full
// disks, the order of falling back. What h5py reads is judged in judge.py.
#include <sys/resource.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include <boost/test/unit_test.hpp>

#include "base/diagnostic.hpp"
#include "checkpoint/container.hpp"

using namespace lbann;
using namespace lbann::checkpoint;
using tensor::DataType;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("lbann_checkpoint_test_" + std::to_string(::getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return path.string() + "/" + name; }
};

/// Arrays of known values, kept alive beside the views of them.
struct Content {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<NamedArray> arrays;
  Scalars scalars;

  template <typename T>
  void add(const std::string& name, DataType type, tensor::Shape shape, const std::vector<T>& values) {
    const std::span<const std::byte> view = std::as_bytes(std::span(values));
    bytes.emplace_back(view.begin(), view.end());
    arrays.push_back({name, type, std::move(shape), bytes.back()});
  }
};

Content make_content(float shift = 0) {
  Content c;
  std::vector<float> w(6 * 4);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i) + shift;
  c.add<float>("conv/weights", DataType::f32, {6, 4}, w);
  c.add<double>("100%", DataType::f64, {3}, {0.1, -0.0, std::numeric_limits<double>::quiet_NaN()});
  c.add<std::uint16_t>("bf16", DataType::bf16, {2, 2}, {0x3F80, 0xC000, 0x0001, 0x7F80});  // 1 -2 min inf
  c.add<std::uint16_t>("f16", DataType::f16, {3}, {0x3C00, 0xC000, 0x3555});               // 1 -2 1/3
  c.add<std::int32_t>("i32", DataType::i32, {2}, {-1, 7});
  c.add<std::int64_t>("i64", DataType::i64, {}, {std::int64_t{1} << 62});
  c.add<std::uint8_t>(".", DataType::u8, {1, 1, 3}, {0, 128, 255});
  c.add<float>("empty", DataType::f32, {0, 5}, {});
  c.scalars = {{"step", std::int64_t{9007199254740993}},
               {"rate", 0.1},
               {"bound", std::numeric_limits<double>::infinity()},
               {"name", std::string("modèle \"0\"\n")}};
  return c;
}

void save(const std::string& dir, const Content& c, std::int64_t shard = 64) {
  save_checkpoint(dir, c.arrays, c.scalars, {shard});
}

bool equal(const Checkpoint& k, const Content& c) {
  if (k.arrays.size() != c.arrays.size() || k.scalars != c.scalars) return false;
  for (const NamedArray& a : c.arrays) {
    const auto found = k.arrays.find(a.name);
    if (found == k.arrays.end() || found->second.type != a.type || !(found->second.shape == a.shape) ||
        !std::equal(a.bytes.begin(), a.bytes.end(), found->second.bytes.begin(), found->second.bytes.end()))
      return false;
  }
  return true;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::map<std::string, std::string> files_of(const std::string& dir) {
  std::map<std::string, std::string> result;
  for (const auto& e : fs::directory_iterator(dir))
    result[e.path().filename().string()] = read(e.path().string());
  return result;
}

/// The message of the refusal; empty when it was loaded.
std::string refusal(const std::string& dir) {
  try {
    load_checkpoint(dir);
  } catch (const base::Error& e) {
    BOOST_TEST(static_cast<int>(e.code()) == static_cast<int>(base::ExitCode::checkpoint), e.what());
    return e.what();
  }
  return "";
}

std::size_t num_entries(const fs::path& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

}  // namespace

BOOST_AUTO_TEST_CASE(round_trip_and_cutting) {
  const Folder f;
  const Content c = make_content();
  for (std::int64_t shard : {1, 40, 64, 1 << 28}) {
    save(f / "k", c, shard);  // replaces the one before
    BOOST_TEST(equal(load_checkpoint(f / "k"), c), "shards of " << shard);
  }
  BOOST_TEST(num_entries(f / "k") == 2u);
  save(f / "k", c, 40);  // rows of 16 bytes, so two of them in a file: three files for 6 rows
  BOOST_TEST(num_entries(f / "k") > 4u);
  BOOST_TEST(num_entries(f.path) == 1u);
}

BOOST_AUTO_TEST_CASE(equal_content_gives_equal_bytes) {
  const Folder f;
  Content c = make_content();
  save(f / "a", c);
  ::usleep(1100 * 1000);  // HDF5's own time stamps count seconds
  std::reverse(c.arrays.begin(), c.arrays.end());
  fs::create_directories(f / "other");
  save(f / "other/b", c);
  BOOST_TEST((files_of(f / "a") == files_of(f / "other/b")));
  save(f / "a", make_content(1));
  BOOST_TEST((files_of(f / "a") != files_of(f / "other/b")));
}

BOOST_AUTO_TEST_CASE(every_damage_is_refused) {
  const Folder f;
  const std::string k = f / "k";
  save(k, make_content());
  const auto good = files_of(k);
  BOOST_REQUIRE(good.size() > 3u);
  int trials = 0;
  for (const auto& [name, bytes] : good) {
    const std::string path = k + "/" + name;
    const std::size_t stride = std::max<std::size_t>(1, bytes.size() / 150);
    for (std::size_t at = 0; at < bytes.size(); at += stride, ++trials) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at / stride % 8)));
      write(path, bad);
      const std::string why = refusal(k);
      BOOST_TEST(why.find(name) != std::string::npos, name << " bit flipped in byte " << at << ": " << why);
    }
    for (std::size_t length : {std::size_t{0}, std::size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
      write(path, bytes.substr(0, length));
      BOOST_TEST(refusal(k).find(name) != std::string::npos, name << " cut to " << length);
    }
    write(path, bytes + '\0');
    BOOST_TEST(refusal(k).find(name) != std::string::npos, name << " made longer");
    fs::remove(path);
    BOOST_TEST(refusal(k).find(name) != std::string::npos, name << " removed");
    fs::create_directory(path);
    BOOST_TEST(refusal(k).find(name) != std::string::npos, name << " is a folder");
    fs::remove(path);
    write(path, bytes);
    for (const auto& [other, content] : good) {
      if (content == bytes) continue;
      write(path, content);
      write(k + "/" + other, bytes);
      BOOST_TEST(refusal(k) != "", name << " and " << other << " swapped");
      write(path, bytes);
      write(k + "/" + other, content);
    }
  }
  BOOST_TEST(trials > 400);
  BOOST_TEST(equal(load_checkpoint(k), make_content()));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_tells_its_arrays) {
  const Folder f;
  save(f / "k", make_content(), 1 << 28);
  fs::resize_file(f / "k/arrays-0000.h5", 100);
  BOOST_TEST(refusal(f / "k").find("it holds '.', '100%', 'bf16' and 5 more") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_of_another_checkpoint_are_refused) {
  const Folder f;
  save(f / "a", make_content());
  save(f / "b", make_content(1));
  fs::copy_file(f / "b/manifest.json", f / "a/manifest.json", fs::copy_options::overwrite_existing);
  BOOST_TEST(refusal(f / "a") != "");
}

// A file-size limit makes each write fail in its turn, as a full disk does (EFBIG for ENOSPC).
BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_old_one) {
  const Folder f;
  save(f / "k", make_content());
  const auto before = files_of(f / "k");
  std::uintmax_t largest = 0;
  for (const auto& [name, bytes] : before) largest = std::max<std::uintmax_t>(largest, bytes.size());
  rlimit old{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  int refused = 0;
  for (std::uintmax_t limit = 0; limit < largest; limit += largest / 16) {
    for (const std::string& dir : {f / "k", f / "new"}) {
      int code = 0;
      const rlimit small{limit, old.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &small);
      try {
        save(dir, make_content(1));
      } catch (const base::Error& e) {
        code = static_cast<int>(e.code());
      }
      ::setrlimit(RLIMIT_FSIZE, &old);
      BOOST_TEST(code == static_cast<int>(base::ExitCode::storage), "limit " << limit);
      refused += code != 0;
    }
    BOOST_TEST((files_of(f / "k") == before));
    BOOST_TEST(num_entries(f.path) == 1u);
  }
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(refused >= 32);
  BOOST_TEST(equal(load_checkpoint(f / "k"), make_content()));
}

BOOST_AUTO_TEST_CASE(no_place_to_write) {
  const Folder f;
  write(f / "file", "x");
  for (const std::string& dir : {f / "none/k", f / "file/k", f / "file"}) {
    BOOST_CHECK_EXCEPTION(save(dir, make_content()), base::Error,
                          [](const base::Error& e) { return e.code() == base::ExitCode::storage; });
  }
  BOOST_TEST(read(f / "file") == "x");
  BOOST_TEST(num_entries(f.path) == 1u);
}

BOOST_AUTO_TEST_CASE(the_newest_good_one_is_found) {
  const Folder f;
  BOOST_TEST(!find_newest(f / "none"));
  BOOST_TEST(!find_newest(f.path.string()));
  BOOST_TEST(make_step_name(12) == "step-00000012");
  for (int step : {9, 20, 100, 3, 100000000})
    save(f / make_step_name(step), make_content(static_cast<float>(step)));
  save(f / "step-00000500.partial-0000", make_content());
  save(f / "best", make_content());
  const auto newest = [&] { return find_newest(f.path.string()); };
  BOOST_TEST(newest()->dir == f / "step-100000000");
  BOOST_TEST(newest()->notes.empty());
  const auto spoil = [&](int step) { fs::remove(f / (make_step_name(step) + "/manifest.json")); };
  spoil(100000000);
  BOOST_TEST(newest()->dir == f / "step-00000100");
  spoil(100);
  spoil(20);
  const auto found = newest();
  BOOST_REQUIRE(found->notes.size() == 3u);
  BOOST_TEST(found->notes[1].find("step-00000100") != std::string::npos);
  BOOST_TEST(found->dir == f / "step-00000009");
  BOOST_TEST(equal(found->checkpoint, make_content(9)));
  spoil(9);  // the fourth bad one: the good step 3 is too old to be taken silently
  BOOST_CHECK_EXCEPTION(newest(), base::Error,
                        [](const base::Error& e) { return e.code() == base::ExitCode::checkpoint; });
}

BOOST_AUTO_TEST_CASE(both_forms_of_names_are_ordered_by_age) {
  const Folder f;
  for (const char* name :
       {"sgd.shared.epoch_begin.epoch.2.step.20", "sgd.shared.training_batch_begin.epoch.1.step.15",
        "sgd.shared.training_end.epoch.10.step.100", "step-00000016", "step-1", "step-0000001x",
        "sgd.shared.epoch_begin.epoch.2", "sgd.last.shared.checkpoint", "step-00000099.set-aside"})
    fs::create_directory(f / name);
  const std::vector<std::string> expected{"sgd.shared.training_end.epoch.10.step.100",
                                          "sgd.shared.epoch_begin.epoch.2.step.20", "step-00000016",
                                          "sgd.shared.training_batch_begin.epoch.1.step.15"};
  BOOST_TEST(list_checkpoints(f.path.string()) == expected, boost::test_tools::per_element());
  BOOST_TEST(make_hook_name("epoch_begin", 2, 20) == expected[1]);
}

BOOST_AUTO_TEST_CASE(what_killed_runs_leave_is_removed_and_nothing_else) {
  const Folder f;
  save(f / "step-00000001", make_content());
  save(f / "step-00000002", make_content());
  for (const char* name : {"step-00000003.partial-0000", "step-00000001.removed",
                           "sgd.shared.epoch_begin.epoch.2.step.20.partial-0001", "notes.partial-0000",
                           "thesis.removed", "step-00000009.set-aside"})
    fs::create_directory(f / name);
  remove_leftovers(f.path.string());
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(f.path)) left.insert(entry.path().filename().string());
  const std::set<std::string> expected{"step-00000001", "step-00000002", "notes.partial-0000",
                                       "thesis.removed", "step-00000009.set-aside"};
  BOOST_TEST(left == expected, boost::test_tools::per_element());
  remove_checkpoint(f / "step-00000001");
  BOOST_TEST(!fs::exists(f / "step-00000001"));
  check_checkpoint(f / "step-00000002");
  BOOST_CHECK_EXCEPTION(remove_checkpoint(f / "step-00000001"), base::Error,
                        [](const base::Error& e) { return e.code() == base::ExitCode::storage; });
}

BOOST_AUTO_TEST_CASE(h5py_reads_the_same) {
  const std::string python = "/usr/bin/python3";
  if (std::system((python + " -c 'import h5py' 2> /dev/null").c_str()) != 0) {
    BOOST_TEST_MESSAGE("no h5py for " << python << ": skipped");
    return;
  }
  const Folder f;
  save(f / "k", make_content(), 40);
  const std::string command = python + " -B " LBANN_SOURCE_DIR "/tests/checkpoint/judge.py " + (f / "k");
  BOOST_TEST(std::system(command.c_str()) == 0);
}
