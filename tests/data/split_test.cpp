// Selection rules: the tables are worked out by hand from LBANN's documented rules (floor, from the end,
// exactly one of count and fraction), not taken from the code.
#include "data/split.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/philox.hpp"
#include "data/synthetic.hpp"
#include "files.hpp"

using namespace lbann;
using namespace lbann::data;
using namespace lbann::data::test;

namespace {

struct Row {
  std::int64_t num_samples, count;
  double fraction, validation, tournament;
  std::size_t num_training, num_validation, num_tournament;
};

const Row rows[] = {
    {10000, 0, 1.0, 0.1, 0, 9000, 1000, 0},  // the seed README's experiment
    {60000, 0, 1.0, 0.1, 0, 54000, 6000, 0},
    {60000, 0, 0.01, 0.3, 0, 420, 180, 0},
    {10, 0, 0.99, 0, 0, 9, 0, 0},    // floor of 9.9
    {10, 0, 1.0, 0.19, 0, 9, 1, 0},  // floor of 1.9
    {10, 7, 0, 0.5, 0, 4, 3, 0},     // of the used samples, not of all
    {10, 1, 0, 0, 0, 1, 0, 0},       // a count of one counts
    {100, 0, 0.5, 0.1, 0.2, 35, 5, 10},
    {100, 100, 0, 0.25, 0.25, 50, 25, 25},
};

SelectionOptions options_of(const Row& r, bool shuffle) {
  SelectionOptions o;
  o.shuffle = shuffle;
  o.absolute_sample_count = r.count;
  o.fraction_of_data_to_use = r.fraction;
  o.validation_fraction = r.validation;
  o.tournament_fraction = r.tournament;
  return o;
}

void check_refused(std::int64_t n, const SelectionOptions& o, std::vector<std::string> parts) {
  parts.push_back("reader 'r'");
  check_error([&] { select_samples(n, o, 1, "r"); }, base::ExitCode::config, parts);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(split)

BOOST_AUTO_TEST_CASE(counts) {
  for (const Row& r : rows) {
    for (const bool shuffle : {false, true}) {
      const Selection s = select_samples(r.num_samples, options_of(r, shuffle), 1, "r");
      BOOST_TEST(s.training.size() == r.num_training);
      BOOST_TEST(s.validation.size() == r.num_validation);
      BOOST_TEST(s.tournament.size() == r.num_tournament);
      std::set<std::int64_t> all(s.training.begin(), s.training.end());
      all.insert(s.validation.begin(), s.validation.end());
      all.insert(s.tournament.begin(), s.tournament.end());
      BOOST_TEST(all.size() == r.num_training + r.num_validation + r.num_tournament);  // nothing twice
      BOOST_TEST((*all.begin() >= 0 && *all.rbegin() < r.num_samples));
      for (const auto* part : {&s.training, &s.validation, &s.tournament})
        BOOST_TEST(std::is_sorted(part->begin(), part->end()));
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_come_from_the_end) {
  const Selection s = select_samples(100, options_of({100, 0, 0.5, 0.1, 0.2, 0, 0, 0}, false), 1, "r");
  BOOST_TEST((s.training.front() == 0 && s.training.back() == 34));
  BOOST_TEST((s.validation.front() == 45 && s.validation.back() == 49));
  BOOST_TEST((s.tournament.front() == 35 && s.tournament.back() == 44));
}

BOOST_AUTO_TEST_CASE(shuffled_selection_depends_on_key_and_reader_only) {
  const SelectionOptions o = options_of({1000, 0, 0.5, 0.1, 0, 0, 0, 0}, true);
  const auto validation = [&](std::uint64_t key, const char* reader) {
    return select_samples(1000, o, key, reader).validation;
  };
  BOOST_TEST((validation(1, "a") == validation(1, "a")));
  BOOST_TEST((validation(1, "a") != validation(2, "a")));
  BOOST_TEST((validation(1, "a") != validation(1, "b")));
  const auto v = validation(1, "a");
  BOOST_TEST((v.front() < 200 && v.back() > 800));  // from everywhere
}

BOOST_AUTO_TEST_CASE(refused) {
  const auto with = [](std::int64_t count, double fraction, double validation = 0, double tournament = 0) {
    return options_of({0, count, fraction, validation, tournament, 0, 0, 0}, true);
  };
  check_refused(10, with(0, 0), {"neither", "fraction_of_data_to_use: 1.0"});
  check_refused(10, with(5, 0.5), {"exclude each other", "0.5", "5"});
  check_refused(10, with(11, 0), {"absolute_sample_count = 11", "10 samples"});
  check_refused(10, with(-1, 0), {"negative"});
  check_refused(10, with(0, 0.05), {"less than one sample", "0.05", "10"});
  check_refused(10, with(0, 1.5), {"fraction_of_data_to_use = 1.5"});
  check_refused(10, with(0, -0.5), {"outside 0..1"});
  check_refused(10, with(0, std::nan("")), {"outside 0..1"});
  check_refused(10, with(0, 1, 0.05), {"validation_fraction = 0.05", "less than one"});
  check_refused(10, with(0, 1, 1), {"leaves none"});
  check_refused(10, with(0, 1, 0.5, 0.5), {"tournament_fraction", "leaves none"});
  check_refused(10, with(0, 1, 2), {"validation_fraction = 2"});
}

BOOST_AUTO_TEST_CASE(epoch_orders) {
  std::vector<std::int64_t> samples(500), order(500), again(500), in_order(500);
  std::iota(samples.begin(), samples.end(), 300);
  const std::uint64_t stream = make_order_stream("r", "train");
  fill_epoch_order(samples, false, 1, stream, 4, in_order);
  BOOST_TEST((in_order == samples));
  fill_epoch_order(samples, true, 1, stream, 0, order);
  BOOST_TEST((order != samples));  // the first epoch is shuffled as well
  fill_epoch_order(samples, true, 1, stream, 1, again);
  BOOST_TEST((order != again));
  fill_epoch_order(samples, true, 1, stream, 0, again);
  BOOST_TEST((order == again));
  fill_epoch_order(samples, true, 1, make_order_stream("r", "validate"), 0, again);
  BOOST_TEST((order != again));
  std::sort(order.begin(), order.end());
  BOOST_TEST((order == samples));
}

BOOST_AUTO_TEST_CASE(synthetic_samples_repeat) {
  SyntheticOptions o;
  o.num_samples = 2000;
  o.dims = {3, 5};
  o.num_labels = 7;
  o.key = 9;
  const auto d = make_synthetic_dataset(o);
  std::vector<float> x(15), again(30), y(7 * 2000);
  d->read(0, std::vector<std::int64_t>{1234}, x.data());
  d->read(0, std::vector<std::int64_t>{3, 1234}, again.data());
  BOOST_TEST(std::equal(x.begin(), x.end(), again.begin() + 15));
  BOOST_TEST(!std::equal(x.begin(), x.end(), again.begin()));
  std::vector<std::int64_t> all(2000);
  std::iota(all.begin(), all.end(), 0);
  d->read(1, all, y.data());
  std::vector<double> count(7, 0.0);
  for (std::size_t i = 0; i < 2000; ++i) {
    double ones = 0;
    for (std::size_t c = 0; c < 7; ++c) {
      ones += y[i * 7 + c];
      count[c] += y[i * 7 + c];
    }
    BOOST_REQUIRE(ones == 1.0);
  }
  for (double c : count) BOOST_TEST(std::abs(c - 2000.0 / 7) < 6 * std::sqrt(2000.0 / 7));
  o.num_labels = 0;
  check_error([&] { make_synthetic_dataset(o); }, base::ExitCode::config,
              {"num_labels", "synth_response_dimensions"});
  o.response_dims = {2};
  BOOST_TEST(make_synthetic_dataset(o)->fields()[1].name == "responses");
  o.dims = {1 << 30, 1 << 30, 1 << 30};
  check_error([&] { make_synthetic_dataset(o); }, base::ExitCode::config, {"too large"});
}

BOOST_AUTO_TEST_SUITE_END()
