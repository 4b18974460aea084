// Calibration: the fit finds back the machine that made the times; the file reads back; bad files are
// refused.
#include "passes/calibration.hpp"

#include <boost/test/unit_test.hpp>

using namespace lbann::passes;

namespace {

const Machine machine{"avx2", 2, "library 1"};

/// A machine of 100 GFLOP/s and 10 GB/s, on which kernel "a" has 3 us of overhead and half of the peak.
std::vector<KernelTime> made_up_times() {
  std::vector<KernelTime> times{{"peak/x", 1e9, 0, 1e4}, {"copy/x", 0, 1e6, 100}, {"copy/x", 0, 1e8, 1e4}};
  for (const double gflop : {0.0, 0.001, 0.01, 0.1})
    times.push_back({"a/x", gflop * 1e9, 0, 3 + gflop * 2e4});
  return times;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(calibration)

BOOST_AUTO_TEST_CASE(fits_what_made_the_times) {
  const Calibration c = make_calibration(machine, made_up_times());
  BOOST_TEST(c.peak_gflops == 100, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.cache_gbs == 10, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.memory_gbs == 10, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.kernels.at("a/x").overhead_us == 3, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.kernels.at("a/x").factor == 2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.kernels.at("copy/x").overhead_us == 0);
  BOOST_TEST(is_for(c, machine));
  BOOST_TEST(!is_for(c, Machine{"avx2", 4, "library 1"}));
}

BOOST_AUTO_TEST_CASE(reads_back_to_the_bit) {
  const Calibration c = make_calibration(machine, made_up_times());
  std::string why;
  const auto again = try_parse_calibration(print_calibration(c), &why);
  BOOST_REQUIRE(again);
  BOOST_TEST(print_calibration(*again) == print_calibration(c));
  BOOST_TEST(is_for(*again, machine));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_calibration) {
  const std::string good = print_calibration(make_calibration(machine, made_up_times()));
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string(), std::string("{}"), good.substr(0, good.size() / 2),
        changed("calibration-1", "calibration-9"), changed("\"peak_gflops\":100", "\"peak_gflops\":-1"),
        changed("\"kernels\":{", "\"kernels\":{\"b\":3,"), changed("\"other\"", "\"others\"")}) {
    std::string why;
    BOOST_TEST(!try_parse_calibration(bad, &why), bad);
    BOOST_TEST(!why.empty(), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()
