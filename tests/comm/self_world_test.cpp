// The in-process world: every collective on 1 to 8 ranks against plain loops, the order of sums, subsets,
// and how a world ends.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <numeric>
#include <thread>

#include "base/diagnostic.hpp"
#include "comm/communicator.hpp"
#include "comm/tree.hpp"

namespace {

using namespace lbann;
using comm::Communicator;
using comm::ReduceOp;
using tensor::DataType;

/// Runs the function on every rank, each in its thread; the messages of what they threw.
std::vector<std::string> on_ranks(int n, const std::function<void(Communicator&)>& work,
                                  double timeout = 20) {
  const auto world = comm::make_self_world(n, timeout);
  std::vector<std::string> problems(static_cast<std::size_t>(n));
  std::vector<std::thread> threads;
  for (int r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      try {
        work(*world[static_cast<std::size_t>(r)]);
      } catch (const base::Error& e) {
        problems[static_cast<std::size_t>(r)] = e.what();
        if (e.code() != base::ExitCode::communication)
          problems[static_cast<std::size_t>(r)] += " (wrong code)";
      }
    });
  }
  for (std::thread& t : threads) t.join();
  return problems;
}

void check_all_well(const std::vector<std::string>& problems) {
  for (const std::string& p : problems) BOOST_CHECK_MESSAGE(p.empty(), p);
}

/// Boost's checks are not for several threads at once.
void require(bool condition, const char* what) {
  if (!condition) throw base::Error(base::ExitCode::communication, what);
}

std::int64_t size64(const Communicator& c) { return c.size(); }

}  // namespace

BOOST_AUTO_TEST_CASE(all_reduce_sums_and_takes_extremes_of_several_segments) {
  for (int n = 1; n <= 8; ++n) {
    check_all_well(on_ranks(n, [](Communicator& c) {
      std::vector<double> a(3, c.rank() + 1.0), b(701, c.rank() * 10.0);
      const comm::Segment segments[] = {{a.data(), 3}, {b.data(), 701}};
      c.all_reduce(segments, DataType::f64, ReduceOp::sum);
      const double ranks = c.size();
      for (double x : a) require(x == ranks * (ranks + 1) / 2, "sum of the first segment");
      for (double x : b) require(x == 10 * ranks * (ranks - 1) / 2, "sum of the second segment");
      std::vector<std::int64_t> least(5, 7 - c.rank()), most(5, c.rank());
      const comm::Segment low{least.data(), 5}, high{most.data(), 5};
      c.all_reduce({&low, 1}, DataType::i64, ReduceOp::min);
      c.all_reduce({&high, 1}, DataType::i64, ReduceOp::max);
      require(least[4] == 7 - (c.size() - 1) && most[0] == c.size() - 1, "extremes");
    }));
  }
}

BOOST_AUTO_TEST_CASE(sums_follow_the_tree_over_ranks) {
  // In float 1e8 + 1 = 1e8, so that every order of these five has its own sum: ((a b)(c d)) e.
  const float x[] = {1e8f, 1.f, -1e8f, 4.f, 0.25f};
  const float expected = ((x[0] + x[1]) + (x[2] + x[3])) + x[4];
  const float in_turn = (((x[0] + x[1]) + x[2]) + x[3]) + x[4];
  BOOST_REQUIRE_NE(expected, in_turn);
  check_all_well(on_ranks(5, [&](Communicator& c) {
    std::vector<float> v(1000, x[c.rank()]);
    const comm::Segment s{v.data(), 1000};
    c.all_reduce({&s, 1}, DataType::f32, ReduceOp::sum);
    for (float y : v) require(y == expected, "another order");
  }));
}

BOOST_AUTO_TEST_CASE(nan_wins_in_extremes) {
  check_all_well(on_ranks(3, [](Communicator& c) {
    std::vector<double> v{c.rank() == 1 ? std::nan("") : 1.0};
    c.all_reduce(v, ReduceOp::max);
    require(v[0] != v[0], "NaN was lost");
  }));
}

BOOST_AUTO_TEST_CASE(pieces_of_uneven_and_no_length) {
  for (int n = 1; n <= 6; ++n) {
    check_all_well(on_ranks(n, [](Communicator& c) {
      std::vector<std::int64_t> counts;
      for (int r = 0; r < c.size(); ++r) counts.push_back(r % 3 == 1 ? 0 : r + 1);
      const std::int64_t whole = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
      const auto me = static_cast<std::size_t>(c.rank());
      const std::int64_t first = std::accumulate(counts.begin(), counts.begin() + c.rank(), std::int64_t{0});
      std::vector<double> in(static_cast<std::size_t>(whole)), out(static_cast<std::size_t>(counts[me]));
      for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<double>(i) * (c.rank() + 1);
      c.reduce_scatter(in.data(), out.data(), counts, DataType::f64);
      const double factor = c.size() * (c.size() + 1) / 2.0;
      for (std::size_t i = 0; i < out.size(); ++i) {
        require(out[i] == static_cast<double>(first + static_cast<std::int64_t>(i)) * factor,
                "reduce_scatter");
      }
      std::vector<std::int64_t> bytes;
      for (std::int64_t k : counts) bytes.push_back(k * 8);
      std::vector<double> gathered(static_cast<std::size_t>(whole));
      c.all_gather(out.data(), gathered.data(), bytes);
      for (std::size_t i = 0; i < gathered.size(); ++i) {
        require(gathered[i] == static_cast<double>(i) * factor, "all_gather");
      }
    }));
  }
}

BOOST_AUTO_TEST_CASE(all_to_all_sends_every_pair_its_own) {
  check_all_well(on_ranks(4, [](Communicator& c) {
    // Rank i sends i + j bytes of value 10 i + j to rank j.
    std::vector<std::int64_t> send, recv;
    std::vector<std::byte> in;
    for (int j = 0; j < 4; ++j) {
      send.push_back(c.rank() + j);
      recv.push_back(c.rank() + j);
      in.insert(in.end(), static_cast<std::size_t>(c.rank() + j), std::byte(10 * c.rank() + j));
    }
    std::vector<std::byte> out(static_cast<std::size_t>(4 * size64(c) * 2));
    c.all_to_all(in.data(), send, out.data(), recv);
    std::size_t at = 0;
    for (int i = 0; i < 4; ++i) {
      for (int k = 0; k < c.rank() + i; ++k) require(out[at++] == std::byte(10 * i + c.rank()), "all_to_all");
    }
  }));
}

BOOST_AUTO_TEST_CASE(broadcast_send_and_subsets) {
  check_all_well(on_ranks(4, [](Communicator& c) {
    std::int64_t number = c.rank() == 2 ? 42 : 0;
    c.broadcast(std::as_writable_bytes(std::span(&number, 1)), 2);
    require(number == 42, "broadcast");
    // Round the ring.
    std::int64_t token = c.rank();
    const int next = (c.rank() + 1) % 4, previous = (c.rank() + 3) % 4;
    std::int64_t got = -1;
    if (c.rank() % 2 == 0) {
      c.send(std::as_bytes(std::span(&token, 1)), next);
      c.recv(std::as_writable_bytes(std::span(&got, 1)), previous);
    } else {
      c.recv(std::as_writable_bytes(std::span(&got, 1)), previous);
      c.send(std::as_bytes(std::span(&token, 1)), next);
    }
    require(got == previous, "ring");
    const std::vector<std::int64_t> mine =
        c.rank() % 2 == 0 ? std::vector<std::int64_t>{0, 2} : std::vector<std::int64_t>{3, 1};
    const auto half = c.subset(mine);
    require(half->size() == 2 && mine[static_cast<std::size_t>(half->rank())] == c.rank(), "subset");
    std::vector<double> v{static_cast<double>(c.rank())};
    half->all_reduce(v, ReduceOp::sum);
    require(v[0] == (c.rank() % 2 == 0 ? 2 : 4), "sum in a subset");
  }));
}

BOOST_AUTO_TEST_CASE(a_rank_that_does_not_come_is_named) {
  const auto problems = on_ranks(
      3,
      [](Communicator& c) {
        c.set_layer("conv1");
        if (c.rank() != 1) c.barrier();
      },
      0.2);
  BOOST_CHECK_EQUAL(problems[1], "");
  for (int r : {0, 2}) {
    const std::string& text = problems[static_cast<std::size_t>(r)];
    BOOST_CHECK_MESSAGE(text.find("barrier of layer 'conv1'") != std::string::npos, text);
    BOOST_CHECK_MESSAGE(text.find("for rank 1") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(a_rank_that_fails_ends_the_others_with_its_reason) {
  const auto problems = on_ranks(4, [](Communicator& c) {
    if (c.rank() == 3) return c.abort("rank 3: the disk is full");
    std::vector<double> v{1};
    for (;;) c.all_reduce(v, ReduceOp::sum);
  });
  for (int r = 0; r < 3; ++r)
    BOOST_CHECK_EQUAL(problems[static_cast<std::size_t>(r)], "rank 3: the disk is full");
}

BOOST_AUTO_TEST_CASE(the_tree_of_sixteen_bit_numbers_rounds_to_nearest_even) {
  // bf16 has 8 bits: 256 + 1 = 257 lies between 256 and 258, and 256 is the even one.
  const std::uint16_t big = 0x4380, one = 0x3f80;
  const std::uint16_t a[] = {big}, b[] = {one};
  const void* sources[] = {a, b};
  std::uint16_t out[1];
  comm::reduce_in_tree(sources, out, 0, 1, DataType::bf16, ReduceOp::sum);
  BOOST_CHECK_EQUAL(out[0], big);
}
