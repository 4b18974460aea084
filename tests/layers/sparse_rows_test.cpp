// Training an embedding with and without `sparsify_updates`: the weights have the same bits after
// every step, on the fast and on the naive kernels, eager and committed.
#include <boost/test/unit_test.hpp>

#include <omp.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "kernels/cpu/catalogue.hpp"
#include "ops/builder.hpp"
#include "runtime/plan.hpp"

namespace {

using namespace lbann;
using graph::ValueId;
using tensor::DataType;
using tensor::Shape;

constexpr std::int64_t rows = 3000, width = 12, batch = 8, length = 5, classes = 3;

struct Setting {
  const passes::KernelCatalogue* catalogue;
  passes::Commit commit = passes::Commit::eager;
  bool sparse = true;
};

/// "samples" hold indices as numbers; mean squared error of a product over the rows found.
passes::Compilation make(const Setting& s, DataType type) {
  passes::Compilation c;
  c.graph.name = "embedding";
  ops::Builder b(c.graph);
  b.set_origin(c.graph.add_origin({"embedding", "embedding", {}}));
  const ValueId x = b.input("samples", {type, Shape{batch, length}, {}});
  const ValueId table = b.weight("table", {type, Shape{rows, width}, {}});
  const ValueId y = b.add("gather", {table, b.cast(x, DataType::i64)});
  const ValueId w = b.weight("w", {type, Shape{length * width, classes}, {}});
  const ValueId z = b.add("matmul", {b.reshape(y, Shape{batch, length * width}), w},
                          {{"ta", std::int64_t{0}}, {"tb", std::int64_t{0}}});
  const ValueId loss = b.reduce("mean", b.ewise("square", {b.ewise("affine", {z}, 1, -0.5)}), {0, 1});
  c.graph.outputs.push_back({"objective", b.reshape(loss, Shape{1})});
  c.training = true;
  c.trainable.push_back({"table", "sgd", {}, 0});
  c.trainable.push_back({"w", "momentum", {"velocity"}, 1});
  c.num_step_scalars = 3;
  c.commit = s.commit;
  c.catalogue = s.catalogue;
  if (!s.sparse) c.disabled = {"sparsify_updates"};
  passes::compile(c);
  return c;
}

bool has_row_update(const graph::Graph& g) {
  for (graph::NodeId id : g.order) {
    if (g.node(id).op == "update_rows") return true;
  }
  return false;
}

double start_value(std::size_t i, double scale) { return scale * std::sin(0.7 * static_cast<double>(i) + 1); }

/// Row 7 again and again, an index below and one above the table, the rest spread.
std::int64_t index_at(std::int64_t i, int step) {
  if (i % 5 == 0) return 7;
  if (i == 11) return -1;
  if (i == 23) return rows;
  const std::int64_t at = i + 100 * step;
  return at * at * 31 % rows;
}

/// Weights after each of the steps. Before step `broken` an entry of row 7 becomes infinite, so that
/// gradients and objective are not finite from there on.
template <class T>
std::vector<std::vector<double>> train(const Setting& s, int steps, int broken = -1) {
  const DataType type = sizeof(T) == 4 ? DataType::f32 : DataType::f64;
  const runtime::Plan plan(make(s, type));
  BOOST_TEST(has_row_update(plan.graph()) == s.sparse);
  const std::int64_t gradient_bytes = rows * width * static_cast<std::int64_t>(sizeof(T));
  BOOST_TEST((plan.memory().arena_bytes < gradient_bytes) == s.sparse);
  runtime::WeightStore weights;
  weights.allocate(plan.graph());
  std::vector<double> table(rows * width), w(length * width * classes);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = start_value(i, 1);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = start_value(3 * i, 0.3);
  weights.set_values("table", table);
  weights.set_values("w", w);
  runtime::Arena arena;
  arena.reserve(std::max<std::int64_t>(plan.memory().arena_bytes, 64));
  runtime::Runner runner(plan, arena, weights);
  const std::vector<double> scalars{0.1, 0.05, 0.9};
  runner.bind_input("step_scalars", scalars.data());

  std::vector<std::vector<double>> history;
  for (int step = 0; step < steps; ++step) {
    std::vector<T> samples(batch * length);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i] = static_cast<T>(index_at(static_cast<std::int64_t>(i), step));
    }
    runner.bind_input("samples", samples.data());
    if (step == broken) {
      std::vector<double> bad = weights.values("table");
      bad[7 * width] = std::numeric_limits<double>::infinity();
      weights.set_values("table", bad);
    }
    arena.poison();
    runner.run();
    if (s.commit == passes::Commit::committed) {
      BOOST_TEST(runner.output("commit") == (broken >= 0 && step >= broken ? 0.0 : 1.0));
    }
    history.push_back(weights.values("table"));
    const std::vector<double> product = weights.values("w");
    history.back().insert(history.back().end(), product.begin(), product.end());
  }
  return history;
}

template <class T>
void check_equal_training(const passes::KernelCatalogue& catalogue, passes::Commit commit, int broken = -1) {
  const int steps = 6;
  const auto sparse = train<T>({&catalogue, commit, true}, steps, broken);
  const auto dense = train<T>({&catalogue, commit, false}, steps, broken);
  for (std::size_t step = 0; step < sparse.size(); ++step) {
    const std::size_t bytes = sparse[step].size() * sizeof(double);
    BOOST_TEST(std::memcmp(sparse[step].data(), dense[step].data(), bytes) == 0, "step " << step);
  }
  // Training moved row 7, and left a row alone that no step names.
  std::set<std::size_t> moved;
  for (std::size_t i = 0; i < rows * width; ++i) {
    if (sparse.back()[i] != static_cast<double>(static_cast<T>(start_value(i, 1)))) moved.insert(i / width);
  }
  BOOST_TEST(moved.count(7) == 1u);
  BOOST_TEST(moved.size() < 6u * batch * length);
}

const passes::KernelCatalogue& cpu_catalogue() {
  static const auto catalogue = kernels::cpu::make_cpu_catalogue(omp_get_max_threads());
  return *catalogue;
}
const passes::KernelCatalogue& reference_catalogue() {
  static const auto catalogue = passes::make_reference_catalogue();
  return *catalogue;
}

}  // namespace

BOOST_AUTO_TEST_CASE(row_updates_train_to_the_same_bits) {
  for (const passes::Commit commit : {passes::Commit::eager, passes::Commit::committed}) {
    check_equal_training<float>(cpu_catalogue(), commit);
    check_equal_training<float>(reference_catalogue(), commit);
    check_equal_training<double>(reference_catalogue(), commit);
  }
}

BOOST_AUTO_TEST_CASE(a_refused_step_leaves_the_table_alone) {
  check_equal_training<float>(cpu_catalogue(), passes::Commit::committed, 3);
  check_equal_training<float>(reference_catalogue(), passes::Commit::committed, 3);
}
