// The numpy and numpy_npz readers over files that NumPy wrote (make_arrays.py states the formulas of their
// values), and over damaged ones.
#include "data/numpy.hpp"

#include "base/npy.hpp"
#include "base/philox.hpp"
#include "base/zip.hpp"
#include "files.hpp"

using namespace lbann;
using namespace lbann::data;
using namespace lbann::data::test;
using Dims = std::vector<std::int64_t>;

namespace {

const std::string folder = LBANN_SOURCE_DIR "/tests/data/arrays";

NumpyOptions options(const std::string& file) {
  NumpyOptions o;
  o.directory = folder;
  o.file = file;
  return o;
}

std::vector<float> read(const Dataset& d, const std::string& field, std::vector<std::int64_t> indices) {
  const auto f = d.try_find_field(field);
  BOOST_REQUIRE(f.has_value());
  std::vector<float> out(indices.size() * static_cast<std::size_t>(d.fields()[*f].num_elements()), -1.0f);
  d.read(*f, indices, out.data());
  return out;
}

/// 10 i + 3 j + k of samples with dims [2,3].
std::vector<float> formula(std::vector<std::int64_t> indices, float scale = 1) {
  std::vector<float> out;
  for (const std::int64_t i : indices)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 3; ++k) out.push_back(scale * static_cast<float>(10 * i + 3 * j + k));
  return out;
}

std::string bytes_of(const std::string& name) {
  std::ifstream in(folder + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void check_damaged(const std::string& name, const std::string& bytes, const std::vector<std::string>& parts) {
  Directory dir;
  write_file(dir.file(name), bytes);
  NumpyOptions o;
  o.directory = dir.path();
  o.file = name;
  auto expected = parts;
  expected.push_back(dir.file(name));
  const bool npz = name.ends_with("npz");
  check_error([&] { npz ? make_numpy_npz_dataset(o) : make_numpy_dataset(o); }, base::ExitCode::data,
              expected);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(numpy)

BOOST_AUTO_TEST_CASE(every_element_type) {
  for (const char* type : {"uint8", "int16", "int32", "int64", "float32", "float64"}) {
    BOOST_TEST_CONTEXT(type) {
      const auto d = make_numpy_dataset(options(std::string("plain_") + type + ".npy"));
      BOOST_TEST(d->size() == 6);
      BOOST_REQUIRE(d->fields().size() == 1u);
      BOOST_TEST(d->fields()[0].dims == (Dims{2, 3}), boost::test_tools::per_element());
      BOOST_TEST(read(*d, "samples", {5, 0, 3}) == formula({5, 0, 3}), boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(scale) {
  NumpyOptions o = options("plain_uint8.npy");
  o.scale = 0.5f;
  BOOST_TEST(read(*make_numpy_dataset(o), "samples", {4}) == formula({4}, 0.5f),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(labels_in_the_last_entry_of_the_same_row) {
  NumpyOptions o = options("labels_last.npy");
  o.labels = Wanted::yes;
  const auto d = make_numpy_dataset(o);
  BOOST_TEST(d->fields()[0].dims == (Dims{4}), boost::test_tools::per_element());
  BOOST_TEST(d->fields()[1].dims == (Dims{3}), boost::test_tools::per_element());
  BOOST_TEST(read(*d, "samples", {1}) == (std::vector<float>{10, 13, 16, 19}),
             boost::test_tools::per_element());
  // Sample 5 is the last one: LBANN reads beyond the array here.
  BOOST_TEST(read(*d, "labels", {5, 1}) == (std::vector<float>{0, 0, 1, 0, 1, 0}),
             boost::test_tools::per_element());
  o.num_labels = 5;
  BOOST_TEST(make_numpy_dataset(o)->fields()[1].dims[0] == 5);
  o.num_labels = 2;
  check_error([&] { make_numpy_dataset(o); }, base::ExitCode::data, {"row 2", "label 2 is outside 0..1"});
}

BOOST_AUTO_TEST_CASE(responses_in_the_last_entry) {
  NumpyOptions o = options("responses_last.npy");
  o.responses = Wanted::yes;
  const auto d = make_numpy_dataset(o);
  BOOST_TEST(read(*d, "responses", {0, 5}) == (std::vector<float>{-0.5f, 4.5f}),
             boost::test_tools::per_element());
  o.responses = Wanted::no;
  o.labels = Wanted::yes;
  check_error([&] { make_numpy_dataset(o); }, base::ExitCode::data, {"row 0", "-0.5 is no class number"});
}

BOOST_AUTO_TEST_CASE(archives_stored_and_deflated) {
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    BOOST_TEST_CONTEXT(name) {
      NumpyOptions o = options(name);
      o.labels = Wanted::if_there;
      o.responses = Wanted::if_there;
      const auto d = make_numpy_npz_dataset(o);
      BOOST_TEST(d->fields().size() == 3u);
      BOOST_TEST(read(*d, "samples", {2, 5}) == formula({2, 5}), boost::test_tools::per_element());
      BOOST_TEST(read(*d, "labels", {4}) == (std::vector<float>{0, 1, 0}), boost::test_tools::per_element());
      BOOST_TEST(read(*d, "responses", {3}) == (std::vector<float>{3, 2.5f}),
                 boost::test_tools::per_element());
      o.labels = Wanted::no;
      BOOST_TEST(!make_numpy_npz_dataset(o)->try_find_field("labels").has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(sixteen_bits_are_scaled) {
  NumpyOptions o = options("int16.npz");
  o.labels = Wanted::if_there;
  o.responses = Wanted::if_there;
  o.int16_scale = 0.25f;
  const auto d = make_numpy_npz_dataset(o);
  BOOST_TEST(d->fields().size() == 2u);  // there are no responses
  BOOST_TEST(read(*d, "samples", {5}) == formula({5}, 0.25f), boost::test_tools::per_element());
  o.responses = Wanted::yes;
  check_error([&] { make_numpy_npz_dataset(o); }, base::ExitCode::data,
              {"no array 'responses'", "it holds data.npy, labels.npy"});
}

BOOST_AUTO_TEST_CASE(arrays_that_do_not_fit) {
  NumpyOptions o = options("few_labels.npz");
  o.labels = Wanted::yes;
  check_error([&] { make_numpy_npz_dataset(o); }, base::ExitCode::data,
              {"labels.npy", "4 rows for 6 samples"});
  check_error([&] { make_numpy_npz_dataset(options("no_data.npz")); }, base::ExitCode::data,
              {"no array 'data'"});
  check_error([&] { make_numpy_dataset(options("fortran.npy")); }, base::ExitCode::data, {"Fortran order"});
  check_error([&] { make_numpy_dataset(options("big_endian.npy")); }, base::ExitCode::data, {"'>f4'"});
  check_error([&] { make_numpy_dataset(options("complex.npy")); }, base::ExitCode::data, {"'<c8'"});
  check_error([&] { make_numpy_dataset(options("stored.npz")); }, base::ExitCode::data, {"not a .npy file"});
  check_error([&] { make_numpy_npz_dataset(options("plain_uint8.npy")); }, base::ExitCode::data,
              {"no zip archive"});
  check_error([&] { make_numpy_dataset(options("absent.npy")); }, base::ExitCode::data, {"No such file"});
  check_error([&] { make_numpy_dataset(options(".")); }, base::ExitCode::data, {"is a directory"});
}

BOOST_AUTO_TEST_CASE(truncated_and_lying_files) {
  const std::string npy = bytes_of("plain_float32.npy");
  check_damaged("a.npy", npy.substr(0, npy.size() - 1), {"needs 144 bytes of data, 143 follow"});
  check_damaged("b.npy", npy + "x", {"145 follow"});
  check_damaged("c.npy", npy.substr(0, 20), {"the header needs"});
  std::string huge = npy;
  huge.replace(huge.find("(6, 2, 3)"), 9, "(99999999999999, )").resize(npy.size());
  check_damaged("d.npy", huge, {"bytes of data"});
  check_damaged("empty.npy", "", {"not a .npy file"});

  const std::string npz = bytes_of("deflated.npz");
  check_damaged("a.npz", npz.substr(0, npz.size() - 30), {"no zip archive"});
  check_damaged("b.npz", npz.substr(0, 100), {"no zip archive"});
  check_damaged("empty.npz", "", {"no zip archive"});
}

// Every byte of the archives changed in three ways: an error of ours, or the very values (a byte that means
// nothing, e.g. a date); never other values, a crash or a hang.
BOOST_AUTO_TEST_CASE(no_changed_byte_gives_other_values) {
  int refused = 0, unharmed = 0;
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    const std::string good = bytes_of(name);
    Directory dir;
    NumpyOptions o;
    o.directory = dir.path();
    o.file = "x.npz";
    o.labels = Wanted::yes;
    o.responses = Wanted::yes;
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const int flip : {1, 0x80, 0xff}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ flip);
        write_file(dir.file("x.npz"), bad);
        try {
          const auto d = make_numpy_npz_dataset(o);
          BOOST_TEST_REQUIRE((read(*d, "samples", {2, 5}) == formula({2, 5})), name << ", byte " << at);
          BOOST_TEST_REQUIRE((read(*d, "labels", {4}) == std::vector<float>{0, 1, 0}),
                             name << ", byte " << at);
          ++unharmed;
        } catch (const base::Error& e) {
          BOOST_TEST((e.code() == base::ExitCode::data));
          ++refused;
        }
      }
    }
  }
  BOOST_TEST_MESSAGE(refused << " refused, " << unharmed << " unharmed");
  BOOST_TEST(refused > 3000);
}

BOOST_AUTO_TEST_SUITE_END()
