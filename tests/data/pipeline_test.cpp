// The pipeline against a plain loop over the samples, with every number of threads, and its failures.
#include "data/pipeline.hpp"

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>

#include "data/split.hpp"
#include "files.hpp"

using namespace lbann;
using namespace lbann::data;
using namespace lbann::data::test;

extern std::atomic<long> num_allocations;  // count_allocations.cpp

namespace {

/// Sample i: "samples" [3] = {i, 2 i, -i}, "labels" [1] = {1000 + i}. Can be slow and can throw.
class Counting final : public Dataset {
public:
  explicit Counting(std::int64_t n, std::vector<std::int64_t> bad = {}) : n_(n), bad_(std::move(bad)) {}
  std::int64_t size() const override { return n_; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }
  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    if (delay_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    for (std::int64_t i : indices) {
      // The first bad sample is slow: with several threads its error comes last.
      if (!bad_.empty() && i == bad_[0]) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      for (std::int64_t b : bad_)
        if (i == b) throw base::Error(base::ExitCode::data, "sample " + std::to_string(i) + " is bad");
      const float v = static_cast<float>(i);
      if (field == 0) {
        *out++ = v, *out++ = 2 * v, *out++ = -v;
      } else {
        *out++ = 1000 + v;
      }
    }
    num_rows_read += static_cast<std::int64_t>(indices.size());
  }
  int delay_us = 0;
  mutable std::atomic<std::int64_t> num_rows_read{0};

private:
  std::int64_t n_;
  std::vector<std::int64_t> bad_;
  std::vector<FieldSpec> fields_{{"samples", {3}}, {"labels", {1}}};
};

std::vector<std::int64_t> iota(std::int64_t n) {
  std::vector<std::int64_t> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

PipelineOptions options_of(std::int64_t batch_size, int threads, int depth = 2, bool shuffle = true) {
  PipelineOptions o;
  o.batch_size = batch_size;
  o.num_threads = threads;
  o.depth = depth;
  o.shuffle = shuffle;
  o.key = 11;
  o.order_stream = make_order_stream("r", "train");
  return o;
}

/// Compares a mini-batch with what the definition of the sequence says; returns false at the first
/// difference.
bool is_right(const Batch& b, const std::vector<std::int64_t>& samples, const PipelineOptions& o,
              std::int64_t epoch, std::int64_t index) {
  std::vector<std::int64_t> order(samples.size());
  fill_epoch_order(samples, o.shuffle, o.key, o.order_stream, epoch, order);
  const std::int64_t n = static_cast<std::int64_t>(samples.size()),
                     size = std::min(o.batch_size, n - index * o.batch_size);
  if (b.epoch != epoch || b.index != index || b.first != index * o.batch_size || b.size != size) return false;
  if (b.last_of_epoch != (b.first + b.size == n)) return false;
  for (std::int64_t r = 0; r < size; ++r) {
    const std::int64_t s = order[static_cast<std::size_t>(b.first + r)];
    const float v = static_cast<float>(s);
    const float* x = b.fields[0] + 3 * r;
    if (b.samples[static_cast<std::size_t>(r)] != s || x[0] != v || x[1] != 2 * v || x[2] != -v) return false;
    if (b.fields.at(1)[r] != 1000 + v) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pipeline)

BOOST_AUTO_TEST_CASE(sequence_is_the_same_for_every_number_of_threads) {
  for (const int threads : {1, 2, 3, 7}) {
    for (const int depth : {2, 3}) {
      for (const std::int64_t batch : {1, 5, 10, 33}) {
        const auto data = std::make_shared<Counting>(33);
        const PipelineOptions o = options_of(batch, threads, depth);
        Pipeline p(data, iota(33), o);
        BOOST_TEST(p.num_batches() == (33 + batch - 1) / batch);
        bool right = true;
        for (std::int64_t epoch = 0; epoch < 4; ++epoch)
          for (std::int64_t i = 0; i < p.num_batches(); ++i) {
            BOOST_REQUIRE((p.position() == std::pair{epoch, i}));
            right = right && is_right(p.next(), iota(33), o, epoch, i);
          }
        BOOST_TEST(right);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(partial_batch_and_small_sets) {
  Pipeline p(std::make_shared<Counting>(10), iota(10), options_of(4, 1, 2, false));
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < 6; ++i) sizes.push_back(p.next().size);
  BOOST_TEST(sizes == (std::vector<std::int64_t>{4, 4, 2, 4, 4, 2}), boost::test_tools::per_element());
  Pipeline one(std::make_shared<Counting>(10), {7},
               options_of(256, 3));  // one sample, more threads than samples
  BOOST_TEST(one.batch_size() == 1);
  for (int i = 0; i < 3; ++i) {
    const Batch& b = one.next();
    BOOST_TEST((b.size == 1 && b.last_of_epoch && b.epoch == i && b.fields[0][0] == 7.0f));
  }
}

BOOST_AUTO_TEST_CASE(buffers_are_aligned_and_stay_put) {
  Pipeline p(std::make_shared<Counting>(100), iota(100), options_of(7, 2, 3));
  std::vector<const float*> seen;
  for (int i = 0; i < 30; ++i) {
    const float* x = p.next().fields[0];
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(x) % 64 == 0u);
    if (std::find(seen.begin(), seen.end(), x) == seen.end()) seen.push_back(x);
  }
  BOOST_TEST(seen.size() == 3u);
  BOOST_TEST(p.buffer_bytes() == 3 * 7 * (3 + 1) * 4);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_while_running) {
  Pipeline p(std::make_shared<Counting>(1000), iota(1000), options_of(64, 2));
  p.next();
  const long before = num_allocations;
  for (int i = 0; i < 100; ++i) p.next();
  const long after = num_allocations;
  BOOST_TEST(after == before);
}

BOOST_AUTO_TEST_CASE(a_lent_batch_is_left_alone) {
  const auto data = std::make_shared<Counting>(64);
  const PipelineOptions o = options_of(8, 3);
  Pipeline p(data, iota(64), o);
  const Batch& b = p.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  BOOST_TEST(data->num_rows_read ==
             2 * 2 * 8);  // two fields of two mini-batches: read ahead by one, no further
  BOOST_TEST(is_right(b, iota(64), o, 0, 0));
}

BOOST_AUTO_TEST_CASE(chosen_fields) {
  PipelineOptions o = options_of(4, 1);
  o.fields = {1};
  Pipeline p(std::make_shared<Counting>(8), iota(8), o);
  const Batch& b = p.next();
  BOOST_TEST(b.fields.size() == 1u);
  BOOST_TEST(b.fields[0][0] == 1000.0f + static_cast<float>(b.samples[0]));
}

BOOST_AUTO_TEST_CASE(resume_and_seek) {
  PipelineOptions o = options_of(5, 2);
  const auto data = std::make_shared<Counting>(33);
  o.first_epoch = 3;
  o.first_batch = 6;
  Pipeline p(data, iota(33), o);
  BOOST_TEST(is_right(p.next(), iota(33), o, 3, 6));
  BOOST_TEST(is_right(p.next(), iota(33), o, 4, 0));
  p.seek(4, 1);  // where it is already
  BOOST_TEST(is_right(p.next(), iota(33), o, 4, 1));
  for (std::int64_t k = 0; k < 40; ++k) {
    const std::int64_t epoch = k * 7 % 5, batch = k * 3 % 7;
    p.seek(epoch, batch);
    BOOST_TEST((p.position() == std::pair{epoch, batch}));
    if (k % 3 == 0) continue;  // also seek without reading
    BOOST_TEST(is_right(p.next(), iota(33), o, epoch, batch));
  }
  p.seek(2, 7);  // the end of an epoch is the start of the next
  BOOST_TEST(is_right(p.next(), iota(33), o, 3, 0));
  check_error([&] { p.seek(0, 8); }, base::ExitCode::config, {"no mini-batch 8", "7"});
}

BOOST_AUTO_TEST_CASE(another_pipeline_changes_nothing) {
  const auto data = std::make_shared<Counting>(40);
  const PipelineOptions o = options_of(6, 2);
  Pipeline training(data, iota(30), o);
  PipelineOptions v = options_of(6, 1, 2, false);
  Pipeline validation(data, {30, 31, 32, 33, 34, 35, 36, 37, 38, 39}, v);
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t i = 0; i < 5; ++i) BOOST_TEST(is_right(training.next(), iota(30), o, epoch, i));
    for (std::int64_t i = 0; i < 2; ++i) BOOST_TEST(validation.next().samples[0] == 30 + 6 * i);
  }
}

BOOST_AUTO_TEST_CASE(exceptions_reach_the_consumer) {
  for (const int threads : {1, 3}) {
    // In order, samples 21 and 23 are in mini-batch 2; whichever thread is first, 21 is reported.
    Pipeline p(std::make_shared<Counting>(40, std::vector<std::int64_t>{21, 23, 28}), iota(40),
               options_of(10, threads, 3, false));
    BOOST_TEST(p.next().index == 0);
    BOOST_TEST(p.next().index == 1);
    for (int again = 0; again < 2; ++again)
      check_error([&] { p.next(); }, base::ExitCode::data, {"sample 21 is bad"});
    check_error([&] { p.seek(0, 0); }, base::ExitCode::data, {"sample 21 is bad"});
  }
}

BOOST_AUTO_TEST_CASE(ends_cleanly_at_any_time) {
  for (int k = 0; k < 50; ++k) {
    const auto data = std::make_shared<Counting>(100);
    data->delay_us = k * 10;
    Pipeline p(data, iota(100), options_of(10, 1 + k % 4, 2 + k % 3));
    for (int i = 0; i < k % 5; ++i) p.next();
  }
}

BOOST_AUTO_TEST_CASE(refused) {
  const auto data = std::make_shared<Counting>(10);
  const auto check = [&](std::vector<std::int64_t> samples, PipelineOptions o, const char* part) {
    check_error([&] { Pipeline(data, samples, o); }, base::ExitCode::config, {part});
  };
  check({}, options_of(4, 1), "no samples");
  check({10}, options_of(4, 1), "outside 0..9");
  check(iota(10), options_of(0, 1), "mini-batch size 0");
  check(iota(10), options_of(4, 0), "0 reader threads");
  check(iota(10), options_of(4, 1, 1), "depth 1");
}

BOOST_AUTO_TEST_SUITE_END()
