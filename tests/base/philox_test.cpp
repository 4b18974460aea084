// Philox: the published known-answer vectors, our layout of keys and counters over it, and statistics whose
// critical values come from the chi-square and Kolmogorov distributions (level 1e-6; seeds are fixed, so a
// pass stays a pass). `statistics_can_fail` runs the same statistics on numbers that are slightly wrong.
#include "base/philox.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <set>

using namespace lbann::base;

namespace {

constexpr std::uint64_t sample_size = 1 << 20;

/// Chi-square of `bins` equally likely cells.
double chi_square(std::size_t bins, const std::function<std::size_t(std::uint64_t)>& cell) {
  std::vector<double> count(bins, 0.0);
  for (std::uint64_t i = 0; i < sample_size; ++i) count.at(cell(i)) += 1;
  const double expected = static_cast<double>(sample_size) / static_cast<double>(bins);
  double sum = 0;
  for (double c : count) sum += (c - expected) * (c - expected) / expected;
  return sum;
}

/// Upper 1e-6 point of chi-square (Wilson-Hilferty; z = 4.7534).
double chi_square_limit(double degrees) {
  const double a = 2.0 / (9.0 * degrees);
  return degrees * std::pow(1.0 - a + 4.7534 * std::sqrt(a), 3.0);
}

/// Kolmogorov-Smirnov distance times sqrt(n); the 1e-6 point is sqrt(-ln(0.5e-6) / 2) = 2.694.
double kolmogorov(std::vector<double> values, const std::function<double(double)>& cdf) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double d = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double f = cdf(values[i]);
    d = std::max({d, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  return d * std::sqrt(n);
}
constexpr double kolmogorov_limit = 2.694;

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

std::vector<double> draw_many(const std::function<double(std::uint64_t)>& f) {
  std::vector<double> v(sample_size);
  for (std::uint64_t i = 0; i < sample_size; ++i) v[i] = f(i);
  return v;
}

RandomStream stream_of(std::string_view name, std::uint64_t draw = 0) {
  return RandomStream(make_random_key(42), make_stream(name, "test"), draw);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(philox)

// Random123, kat_vectors, philox4x32 with 10 rounds.
BOOST_AUTO_TEST_CASE(known_answers) {
  const auto is = [](PhiloxCounter got, PhiloxCounter want) {
    BOOST_TEST(got == want, boost::test_tools::per_element());
  };
  is(philox4x32({0, 0, 0, 0}, {0, 0}), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  is(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  is(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

// The third vector again, reached through key, stream, draw and index.
BOOST_AUTO_TEST_CASE(coordinates) {
  const std::uint64_t key = 0x0123456789abcdefu, stream = key ^ 0x299f31d0a4093822u;
  const RandomStream s(key, stream, 0x0370734413198a2eu);
  const std::uint64_t b = 0x85a308d3243f6a88u;
  BOOST_TEST(s.block(b) == (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}),
             boost::test_tools::per_element());
  const RandomStream zero(5, 5, 0);  // key ^ stream = 0: the first vector
  BOOST_TEST(zero.word(0) == 0x6627e8d5u);
  BOOST_TEST(zero.word(3) == 0x9b00dbd8u);
  BOOST_TEST(zero.word64(1) == 0x9b00dbd8bc57ac4cu);
  BOOST_TEST(zero.uniform(1) == static_cast<float>(0xe169c5) / 16777216.0f);
  BOOST_TEST(zero.uniform_double(1) == static_cast<double>(0x9b00dbd8bc57ac4cu >> 11) / 9007199254740992.0);
  BOOST_TEST(s.at(7).draw() == 7u);
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
}

BOOST_AUTO_TEST_CASE(uniform_range_and_bulk_fill) {
  BOOST_TEST(RandomStream::to_uniform(0xffffffffu) == 1.0f - 0x1p-24f);
  BOOST_TEST(RandomStream::to_uniform_double(~std::uint64_t{0}) == 1.0 - 0x1p-53);
  const RandomStream s = stream_of("bulk", 9);
  for (std::uint64_t first : {0u, 1u, 2u, 3u, 130u}) {
    for (std::size_t n : {0u, 1u, 3u, 64u, 65u, 200u, 1000u}) {
      std::vector<float> u(n), g(n), c(n);
      fill_uniform(s, u, first);
      fill_normal(s, g, first);
      fill_bernoulli(s, 0.7, 2.5f, c, first);
      std::vector<double> scaled(n), between(n);
      fill_normal(s, -0.5, 3.25, std::span<double>(scaled), first);
      fill_uniform(s, -2.0, 3.0, std::span<double>(between), first);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < n; ++i) {
        wrong += u[i] != s.uniform(first + i);
        wrong += g[i] != static_cast<float>(s.normal(first + i));
        wrong += c[i] != (s.uniform(first + i) < 0.7f ? 2.5f : 0.0f);
        wrong += s.bernoulli(0.7, first + i) != (c[i] != 0);
        wrong += scaled[i] != -0.5 + 3.25 * s.normal(first + i);
        wrong += between[i] != -2.0 + 5.0 * s.uniform_double(first + i);
      }
      BOOST_TEST(wrong == 0u);
    }
  }
  // Block indices that carry into the second counter word, in the middle of a vectorised group.
  std::vector<float> high(1000);
  const std::uint64_t first = (std::uint64_t{1} << 34) - 300;
  fill_uniform(s, high, first);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < high.size(); ++i) wrong += high[i] != s.uniform(first + i);
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(uniform_statistics) {
  const RandomStream s = stream_of("uniform");
  BOOST_TEST(chi_square(256, [&](auto i) { return static_cast<std::size_t>(s.uniform(i) * 256); }) <
             chi_square_limit(255));
  BOOST_TEST(chi_square(256, [&](auto i) { return s.word(i) & 255u; }) < chi_square_limit(255));
  BOOST_TEST(kolmogorov(draw_many([&](auto i) { return s.uniform_double(i); }), [](double x) { return x; }) <
             kolmogorov_limit);
  // Serial pairs, neighbouring draws and neighbouring streams: 32 x 32 cells each.
  const RandomStream next_draw = s.at(1), other = stream_of("uniforn");
  const auto cells = [](float a, float b) {
    return static_cast<std::size_t>(a * 32) * 32 + static_cast<std::size_t>(b * 32);
  };
  BOOST_TEST(chi_square(1024, [&](auto i) { return cells(s.uniform(2 * i), s.uniform(2 * i + 1)); }) <
             chi_square_limit(1023));
  BOOST_TEST(chi_square(1024, [&](auto i) { return cells(s.uniform(i), next_draw.uniform(i)); }) <
             chi_square_limit(1023));
  BOOST_TEST(chi_square(1024, [&](auto i) { return cells(s.uniform(i), other.uniform(i)); }) <
             chi_square_limit(1023));
}

BOOST_AUTO_TEST_CASE(normal_statistics) {
  const RandomStream s = stream_of("normal");
  const auto values = draw_many([&](auto i) { return s.normal(i); });
  BOOST_TEST(kolmogorov(values, normal_cdf) < kolmogorov_limit);
  double mean = 0, variance = 0, lag = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean += values[i];
    variance += values[i] * values[i];
    if (i > 0) lag += values[i] * values[i - 1];
  }
  const double n = static_cast<double>(values.size());
  BOOST_TEST(std::abs(mean / n) < 5 / std::sqrt(n));
  BOOST_TEST(std::abs(variance / n - 1) < 5 * std::sqrt(2 / n));
  BOOST_TEST(std::abs(lag / n) < 5 / std::sqrt(n));
}

// Our series against the C library's functions in extended precision, corners of (u, v) included.
BOOST_AUTO_TEST_CASE(box_muller_values) {
  const RandomStream s = stream_of("box muller");
  long double worst = 0;
  for (std::uint64_t b = 0; b < 200000; ++b) {
    PhiloxCounter w = s.block(b);
    if (b < 16)
      for (unsigned i = 0; i < 4; ++i) w[i] = b >> i & 1 ? 0xffffffffu : 0u;
    else if (b < 1000)
      w[3] = static_cast<std::uint32_t>(b % 8 << 29) + static_cast<std::uint32_t>(b / 8 % 3) -
             1;  // octants' edges
    const auto bits = [&](unsigned i) { return (w[i] | std::uint64_t{w[i + 1]} << 32) >> 11; };
    const long double u = 1 - static_cast<long double>(bits(0)) * 0x1p-53L;
    const long double angle = 2 * 3.14159265358979323846L * static_cast<long double>(bits(2)) * 0x1p-53L;
    const long double r = std::sqrt(-2 * std::log(u));
    const auto got = box_muller(w);
    if (u == 1)
      BOOST_TEST((got[0] == 0 && got[1] == 0));
    else
      worst = std::max(
          {worst, std::abs(got[0] - r * std::cos(angle)) / r, std::abs(got[1] - r * std::sin(angle)) / r});
  }
  BOOST_TEST(worst < 6e-16L);
}

BOOST_AUTO_TEST_CASE(bounded_integers) {
  const RandomStream s = stream_of("bounded");
  for (std::uint64_t n : {1u, 2u, 3u, 10u, 1000u}) {
    const double x = chi_square(n, [&](auto i) { return s.bounded(n, i); });
    BOOST_TEST(x <= (n == 1 ? 0.0 : chi_square_limit(static_cast<double>(n - 1))));
  }
  // n = 3 * 2^62: multiply without rejection would put half the numbers into a third of the range.
  const std::uint64_t huge = 3 * (std::uint64_t{1} << 62);
  BOOST_TEST(chi_square(3, [&](auto i) { return s.bounded(huge, i) >> 62; }) < chi_square_limit(2));
  BOOST_TEST(chi_square(3, [&](auto i) { return s.bounded(huge, i) % 3; }) < chi_square_limit(2));
}

BOOST_AUTO_TEST_CASE(statistics_can_fail) {
  const RandomStream s = stream_of("uniform");
  BOOST_TEST(chi_square(256, [&](auto i) {
               return static_cast<std::size_t>(std::pow(s.uniform(i), 1.02f) * 256);
             }) > chi_square_limit(255));
  BOOST_TEST(kolmogorov(draw_many([&](auto i) { return s.normal(i) * 1.02; }), normal_cdf) >
             kolmogorov_limit);
  const std::uint64_t huge = 3 * (std::uint64_t{1} << 62);
  BOOST_TEST(chi_square(3, [&](auto i) { return s.word64(i) % huge >> 62; }) > chi_square_limit(2));
}

BOOST_AUTO_TEST_CASE(permutations) {
  const std::uint64_t key = make_random_key(1), stream = make_stream("reader", "shuffle");
  for (std::int64_t n : {0, 1, 2, 7, 1000}) {
    const auto p = permutation(n, key, stream, 3);
    BOOST_TEST(std::set<std::int64_t>(p.begin(), p.end()).size() == static_cast<std::size_t>(n));
    if (n > 0)
      BOOST_TEST(
          (*std::min_element(p.begin(), p.end()) == 0 && *std::max_element(p.begin(), p.end()) == n - 1));
    BOOST_TEST(p == permutation(n, key, stream, 3), boost::test_tools::per_element());
  }
  const auto a = permutation(1000, key, stream, 0), b = permutation(1000, key, stream, 1);
  const auto c = permutation(1000, make_random_key(2), stream, 0);
  const auto d = permutation(1000, key, make_stream("reader2", "shuffle"), 0);
  BOOST_TEST((a != b && a != c && a != d));
  // All 24 orders of four items equally often over epochs.
  BOOST_TEST(chi_square(24, [&](std::uint64_t epoch) {
               std::int64_t v[4] = {0, 1, 2, 3};
               shuffle(RandomStream(key, stream, epoch), v);
               std::size_t rank = 0;
               for (int i = 0; i < 4; ++i) {
                 std::size_t smaller = 0;
                 for (int j = i + 1; j < 4; ++j) smaller += v[j] < v[i];
                 rank = rank * static_cast<std::size_t>(4 - i) + smaller;
               }
               return rank;
             }) < chi_square_limit(23));
}

BOOST_AUTO_TEST_CASE(keys_and_streams_differ) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (std::uint64_t trainer = 0; trainer < 100; ++trainer) seen.insert(make_random_key(seed, trainer));
  BOOST_TEST(seen.size() == 10000u);
  BOOST_TEST(make_stream("ab", "c", 0) != make_stream("a", "bc", 0));
  BOOST_TEST(make_stream("a", "b", 0) != make_stream("a", "b", 1));
}

BOOST_AUTO_TEST_SUITE_END()
