// .npy reader: files NumPy wrote (the golden tables), every version by hand, and broken files.
#include "base/npy.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "base/diagnostic.hpp"

using namespace lbann::base;

namespace {

std::string npy(std::string dict, std::string data, char major = 1) {
  dict += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += major;
  bytes += '\0';
  bytes += static_cast<char>(dict.size() % 256);
  bytes += static_cast<char>(dict.size() / 256);
  if (major > 1) bytes += std::string(2, '\0');
  return bytes + dict + data;
}

template <class T>
std::string raw(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

std::string message_of(const std::string& bytes) {
  try {
    parse_npy(bytes, "w.npy");
  } catch (const Error& e) {
    BOOST_TEST(static_cast<int>(e.code()) == static_cast<int>(ExitCode::data));
    return e.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(npy_files)

BOOST_AUTO_TEST_CASE(numpy_files_of_the_golden_table) {
  const std::string row = LBANN_SOURCE_DIR "/tests/layers/golden/relu_image/";
  const NpyArray x = load_npy(row + "in0.npy"), y = load_npy(row + "out0.npy");
  BOOST_TEST(x.shape.size() >= 3u);
  BOOST_TEST(x.is_double);
  BOOST_REQUIRE_EQUAL(x.values.size(), y.values.size());
  BOOST_TEST((x.shape == y.shape));
  int positive = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    BOOST_TEST(y.values[i] == std::max(x.values[i], 0.0));
    positive += x.values[i] > 0;
  }
  BOOST_TEST(positive > 0);
}

BOOST_AUTO_TEST_CASE(versions_and_types) {
  const std::string f4 = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  for (char major = 1; major <= 3; ++major) {
    const NpyArray a = parse_npy(npy(f4, raw<float>({1, 2, 3, 4, 5, -0.5f}), major), "a");
    BOOST_TEST((a.shape == std::vector<std::int64_t>{2, 3}));
    BOOST_TEST((a.values == std::vector<double>{1, 2, 3, 4, 5, -0.5}));
    BOOST_TEST(!a.is_double);
  }
  const NpyArray one =
      parse_npy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", raw({2.5})), "a");
  BOOST_TEST(one.shape.empty());
  BOOST_TEST(one.values.at(0) == 2.5);
  const NpyArray vector =
      parse_npy(npy("{'shape': (1,), 'fortran_order': True, 'descr': '<f8'}", raw({2.5})), "a");
  BOOST_TEST(vector.values.at(0) == 2.5);
  BOOST_TEST(
      parse_npy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 281474976710656), }", ""), "a")
          .values.empty());
}

BOOST_AUTO_TEST_CASE(refusals) {
  const auto dict = [](std::string descr, std::string order, std::string shape) {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  };
  const std::string two = raw({1.0, 2.0});
  const std::pair<std::string, std::string> table[] = {
      {"", "signature"},
      {"\x93NUMPY", "only 6 bytes"},
      {npy(dict("'<f8'", "False", "(2,)"), two).substr(0, 30), "the header needs"},
      {npy(dict("'<f8'", "False", "(3,)"), two), "needs 24 bytes of data, 16 follow"},
      {npy(dict("'<f8'", "False", "(1,)"), two), "needs 8 bytes of data, 16 follow"},
      {npy(dict("'>f8'", "False", "(2,)"), two), "'>f8'"},
      {npy(dict("'<i8'", "False", "(2,)"), two), "'<i8'"},
      {npy(dict("'<f8'", "True", "(1, 2)"), two), "Fortran order"},
      {npy(dict("'<f8'", "Maybe", "(2,)"), two), "neither True nor False"},
      {npy(dict("'<f8'", "False", "(-2,)"), two), "not a tuple of numbers"},
      {npy(dict("'<f8'", "False", "(2 2)"), two), "no ',' between dims"},
      {npy(dict("'<f8'", "False", "2"), two), "no '('"},
      {npy(dict("'<f8'", "False", "(99999999999999999999,)"), two), "too large"},
      {npy(dict("'<f8'", "False", "(281474976710656, 281474976710656)"), two), "too many entries"},
      {npy(dict("'<f8", "False", "(2,)"), two), "no ',' between entries"},
      {npy("{'descr': '<f8', 'shape': (2,), }", two), "is missing"},
      {npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", two),
       "unexpected entry"},
      {npy("{'evil': __import__('os'), }", two), "unexpected entry 'evil'"},
      {npy(dict("'<f8'", "False", "(2,)") + "x", two), "after the dictionary"},
      {npy("", two), "no '{'"},
      {npy("{'descr", two), "does not end"},
      {npy(dict("'<f8'", "False", "(2,)"), two, 9), "version 9"},
  };
  for (const auto& [bytes, part] : table) {
    const std::string message = message_of(bytes);
    BOOST_TEST_CONTEXT(part << " / " << message) { BOOST_TEST(message.find(part) != std::string::npos); }
  }
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
  const std::string good =
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", raw<float>({1, 2}));
  BOOST_TEST(message_of(good) == "");
  for (std::size_t n = 0; n < good.size(); ++n) BOOST_TEST(message_of(good.substr(0, n)) != "");
}

BOOST_AUTO_TEST_CASE(missing_file) { BOOST_CHECK_THROW(load_npy("/nonexistent/w.npy"), Error); }

BOOST_AUTO_TEST_SUITE_END()
