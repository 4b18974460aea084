// Initializers: distributions against closed-form targets (tests/layers/golden_init/targets.txt, written
// without our code) by Kolmogorov-Smirnov and moments, orders of lists and files, purity, refusals.
#include "optim/initializer.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "base/files.hpp"
#include "base/philox.hpp"

using namespace lbann::optim;
using lbann::tensor::Shape;

namespace {

using Kind = InitializerKind;

const std::uint64_t key = lbann::base::make_random_key(42);

template <class T>
std::vector<T> filled(const InitializerConfig& c, const InitializerTarget& t, std::uint64_t k = key) {
  std::vector<T> out(static_cast<std::size_t>(t.shape.num_elements()), T(-77));
  fill_initial(c, t, k, std::span<T>(out));
  return out;
}

/// Largest distance between the sample's distribution and `cdf`, times sqrt(n).
template <class Cdf>
double ks(std::vector<double> x, Cdf cdf) {
  std::sort(x.begin(), x.end());
  const double n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double f = cdf(x[i]), low = static_cast<double>(i) / n;
    worst = std::max({worst, f - low, low + 1 / n - f});
  }
  return worst * std::sqrt(n);
}

InitializerConfig config_of(const std::string& text) {
  static const std::map<std::string, Kind> kinds{{"constant", Kind::constant},
                                                 {"uniform", Kind::uniform},
                                                 {"normal", Kind::normal},
                                                 {"glorot_normal", Kind::glorot_normal},
                                                 {"glorot_uniform", Kind::glorot_uniform},
                                                 {"he_normal", Kind::he_normal},
                                                 {"he_uniform", Kind::he_uniform},
                                                 {"lecun_normal", Kind::lecun_normal},
                                                 {"lecun_uniform", Kind::lecun_uniform}};
  std::istringstream in(text);
  std::string word;
  in >> word;
  InitializerConfig c;
  c.kind = kinds.at(word.substr(0, word.find("_initializer")));
  while (in >> word) {
    if (word == "value:") in >> c.value;
    if (word == "min:") in >> c.min;
    if (word == "max:") in >> c.max;
    if (word == "mean:") in >> c.mean;
    if (word == "standard_deviation:") in >> c.deviation;
  }
  return c;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(initializers)

BOOST_AUTO_TEST_CASE(distributions) {
  // Fans of the three layers in the table.
  const std::map<std::string, InitializerTarget> targets{
      {"300x784", {"fc_linearity_weights", {784, 300}, 784, 300, 300}},
      {"64x17x5x5", {"conv_kernel", {64, 17, 5, 5}, 17 * 25, 64 * 25}},
      {"60x5x3x3", {"grouped_kernel", {60, 5, 3, 3}, 5 * 9, 60 * 9 / 4}}};
  std::ifstream file(LBANN_SOURCE_DIR "/tests/layers/golden_init/targets.txt");
  std::string line;
  int rows = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> f;
    std::istringstream in(line);
    for (std::string s; std::getline(in, s, '\t');) f.push_back(s);
    BOOST_REQUIRE_EQUAL(f.size(), 8u);
    ++rows;
    BOOST_TEST_CONTEXT(line) {
      const double mean = std::stod(f[4]), variance = std::stod(f[5]);
      const double low = std::stod(f[6]), high = std::stod(f[7]), deviation = std::sqrt(variance);
      const InitializerTarget& target = targets.at(f[2]);
      const std::vector<float> single = filled<float>(config_of(f[1]), target);
      const std::vector<double> x = filled<double>(config_of(f[1]), target);
      const double n = static_cast<double>(x.size());
      double sum = 0, squares = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        BOOST_REQUIRE(single[i] == static_cast<float>(x[i]));
        BOOST_REQUIRE(x[i] >= low && (x[i] < high || f[3] == "constant"));
        sum += x[i] - mean;
        squares += (x[i] - mean) * (x[i] - mean);
      }
      if (f[3] == "constant") {
        BOOST_TEST(squares == 0);
        continue;
      }
      // 5 standard errors; the variance of a squared deviation is 2 v^2 (normal) or 0.8 v^2 (uniform).
      BOOST_TEST(std::abs(sum / n) < 5 * deviation / std::sqrt(n));
      BOOST_TEST(std::abs(squares / n - variance) < 5 * variance * std::sqrt(2 / n));
      const double distance =
          f[3] == "normal"
              ? ks(x, [&](double v) { return 0.5 * std::erfc(-(v - mean) / deviation / std::sqrt(2.0)); })
              : ks(x, [&](double v) { return (v - low) / (high - low); });
      BOOST_TEST(distance < 2.7);  // exceeded with probability 1e-6
    }
  }
  BOOST_TEST(rows == 24);
}

BOOST_AUTO_TEST_CASE(values_depend_on_name_seed_and_position_only) {
  const InitializerConfig normal{Kind::normal};
  const auto a = filled<double>(normal, {"a", {1000}}), again = filled<double>(normal, {"a", {10, 100}});
  BOOST_TEST((a == again));
  const auto shorter = filled<double>(normal, {"a", {7}});
  BOOST_TEST(std::equal(shorter.begin(), shorter.end(), a.begin()));
  int equal = 0;
  const auto other_name = filled<double>(normal, {"b", {1000}});
  const auto other_seed = filled<double>(normal, {"a", {1000}}, lbann::base::make_random_key(43));
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == other_name[i] || a[i] == other_seed[i];
  BOOST_TEST(equal == 0);
  const lbann::base::RandomStream stream(key, lbann::base::make_stream("a", "initializer"));
  for (const std::size_t i : {0u, 1u, 2u, 999u}) BOOST_TEST(a[i] == stream.normal(i));
}

BOOST_AUTO_TEST_CASE(float_rounding_keeps_the_interval_half_open) {
  InitializerConfig c{Kind::uniform};
  c.min = 1;
  c.max = std::nextafter(1.0f, 2.0f);  // no float between: half of the doubles round up to max
  for (const float v : filled<float>(c, {"w", {1000}})) BOOST_TEST(v == 1.0f);
}

BOOST_AUTO_TEST_CASE(lists_and_halves) {
  InitializerConfig list{Kind::value_list};
  list.values = {1, 2, 3, 4, 5, 6};
  BOOST_TEST((filled<float>(list, {"w", {2, 3}, 0, 0, 3}) == std::vector<float>{1, 2, 3, 4, 5, 6}));
  BOOST_TEST((filled<float>({Kind::scale_bias}, {"w", {2, 3}}) == std::vector<float>{1, 1, 1, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(numpy_matrix_is_transposed_into_column_major_order) {
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  bytes += static_cast<char>(dict.size());
  bytes += '\0';
  const float data[] = {11, 12, 13, 21, 22, 23};  // row, column
  bytes += dict + std::string(reinterpret_cast<const char*>(data), sizeof data);
  const std::string path = "initializer_test.npy";
  lbann::base::atomic_write_file(path, bytes);

  InitializerConfig c{Kind::numpy};
  c.file = path;
  // Fully connected, 3 inputs and 2 outputs: matrix 2 x 3 in linear order o + 2 i.
  BOOST_TEST((filled<float>(c, {"w", {3, 2}, 3, 2, 2}) == std::vector<float>{11, 21, 12, 22, 13, 23}));
  // A kernel keeps the order of the file, whatever its shape.
  BOOST_TEST((filled<float>(c, {"w", {6, 1}}) == std::vector<float>{11, 12, 13, 21, 22, 23}));

  const auto wrong = check_initializer(c, {"w", {2, 3}, 2, 3, 3});
  BOOST_REQUIRE(wrong.has_value());
  BOOST_TEST(wrong->message == "initializer_test.npy: shape [2,3], weights 'w' need [3,2]");
  BOOST_TEST(static_cast<int>(wrong->code) == static_cast<int>(lbann::base::ExitCode::data));
  BOOST_TEST(check_initializer(c, {"w", {5}})->message.find("6 entries") != std::string::npos);
  std::vector<float> five(5);
  BOOST_CHECK_THROW(fill_initial(c, {"w", {5}}, key, std::span<float>(five)), lbann::base::Error);
}

BOOST_AUTO_TEST_CASE(refusals) {
  const auto id = [](const InitializerConfig& c, const InitializerTarget& t) {
    const auto finding = check_initializer(c, t);
    return finding ? finding->id : "";
  };
  const InitializerTarget bias{"b", {10}}, matrix{"w", {10, 4}, 10, 4, 4};
  BOOST_TEST(id({Kind::he_normal}, bias) == "no-fans");
  BOOST_TEST(id({Kind::lecun_uniform}, bias) == "no-fans");
  BOOST_TEST(id({Kind::glorot_uniform}, matrix) == "");
  InitializerConfig list{Kind::value_list};
  list.values = {1, 2};
  BOOST_TEST(check_initializer(list, bias)->message == "2 values for weights 'b' [10] of 10 entries");
  InitializerConfig uniform{Kind::uniform};
  uniform.min = 1;
  BOOST_TEST(id(uniform, bias) == "value-out-of-range");
  InitializerConfig normal{Kind::normal};
  normal.deviation = -1;
  BOOST_TEST(id(normal, bias) == "value-out-of-range");
  InitializerConfig missing{Kind::numpy};
  BOOST_TEST(id(missing, bias) == "missing-field");
  missing.file = "/nonexistent/w.npy";
  BOOST_TEST(id(missing, bias) == "numpy-file");
  BOOST_TEST(id({Kind::normal}, bias) == "");
}

/// Big weights are filled by several threads in parts; each entry is what its position alone says.
BOOST_AUTO_TEST_CASE(big_weights_are_filled_in_parts_like_small_ones) {
  const std::int64_t n = (std::int64_t{1} << 20) + 12347;
  const lbann::base::RandomStream stream(key, lbann::base::make_stream("w", "initializer"));
  InitializerConfig normal, uniform;
  normal.kind = Kind::normal;
  normal.mean = 0.25;
  normal.deviation = 3;
  uniform.kind = Kind::uniform;
  uniform.min = -1;
  uniform.max = 2;
  const std::vector<float> g = filled<float>(normal, {"w", {n}}), u = filled<float>(uniform, {"w", {n}});
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    wrong += g[i] != static_cast<float>(0.25 + 3 * stream.normal(i));
    wrong +=
        u[i] != static_cast<float>(-1 + 3 * stream.uniform_double(i)) && u[i] != std::nextafter(2.0f, -1.0f);
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
