// The trainer as a whole on a small convolutional network and synthetic data: what must not change a
// bit, what a refused step leaves behind, what a NaN ends in, and that nothing is allocated in the
// steady state.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "device/buffer.hpp"
#include "train/trainer.hpp"

#include "fixture.hpp"

namespace {

using namespace lbann;
using train::DataMode;

const char* const text = R"(
trainer { mini_batch_size: 16 }
data_reader {
  reader {
    name: "synthetic" role: "train" shuffle: true num_samples: 72 synth_dimensions: "3 8 8" num_labels: 5
    fraction_of_data_to_use: 1.0 validation_fraction: 0.25
  }
}
optimizer { adam { learn_rate: 0.01 beta1: 0.9 beta2: 0.99 eps: 1e-8 } }
model {
  num_epochs: 3
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "conv" parents: "x"
          convolution { num_dims: 2 out_channels: 10 kernel_size: 3 padding: 1 stride: 1 } }
  layer { name: "bn" parents: "conv" batch_normalization {} }
  layer { name: "relu" parents: "bn" relu {} }
  layer { name: "drop" parents: "relu" dropout { keep_prob: 0.8 } }
  layer { name: "pool" parents: "drop"
          pooling { num_dims: 2 pool_dims_i: 2 pool_strides_i: 2 pool_mode: "max" } }
  layer { name: "selu_drop" parents: "pool" selu_dropout { keep_prob: 0.9 } }
  layer { name: "fc" parents: "selu_drop" fully_connected { num_neurons: 5 has_bias: true } }
  layer { name: "prob" parents: "fc" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  layer { name: "acc" parents: "prob" parents: "t" categorical_accuracy {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } l2_weight_regularization { scale_factor: 0.001 } }
  metric { layer_metric { layer: "acc" name: "accuracy" unit: "%" } }
  weights { name: "unused" }
}
)";

train::TrainerConfig make_config() {
  static const train::Fixture fixture(text);
  return fixture.make_config();
}

std::string digest_after_training(train::TrainerConfig config) {
  train::Trainer trainer(std::move(config));
  trainer.setup();
  trainer.train();
  return trainer.weights().digest("weight") + trainer.weights().digest("state");
}

/// Objectives of the first steps.
std::vector<double> losses(train::TrainerConfig config, int steps) {
  train::Trainer trainer(std::move(config));
  trainer.setup();
  std::vector<double> result;
  for (int i = 0; i < steps; ++i) result.push_back(trainer.train_step().objective);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_only_observes_changes_no_bit) {
  const std::string expected = digest_after_training(make_config());
  auto again = make_config();
  BOOST_CHECK_EQUAL(digest_after_training(std::move(again)), expected);
  auto threads = make_config();
  threads.io_threads = 3;
  BOOST_CHECK_EQUAL(digest_after_training(std::move(threads)), expected);
  auto silent = make_config();
  silent.data.erase(DataMode::validation);
  BOOST_CHECK_EQUAL(digest_after_training(std::move(silent)), expected);
  auto poisoned = make_config();
  poisoned.poison_arena = true;
  BOOST_CHECK_EQUAL(digest_after_training(std::move(poisoned)), expected);
  auto committed = make_config();
  committed.commit = passes::Commit::committed;
  BOOST_CHECK_EQUAL(digest_after_training(std::move(committed)), expected);
  auto other_seed = make_config();
  other_seed.seed = 8;
  BOOST_CHECK_NE(digest_after_training(std::move(other_seed)), expected);
}

// What a resumed run sets: the first step of a fresh trainer with the draw counter of a later one.
BOOST_AUTO_TEST_CASE(random_numbers_are_a_function_of_the_draw) {
  const auto first_loss = [](std::uint64_t draw, bool validate) {
    train::Trainer trainer(make_config());
    trainer.setup();
    trainer.set_random_draws(DataMode::training, draw);
    if (validate) trainer.evaluate(DataMode::validation);
    const double loss = trainer.train_step().objective;
    BOOST_TEST(trainer.random_draws(DataMode::training) == draw + 1);
    BOOST_TEST(trainer.random_draws(DataMode::validation) == (validate ? 2u : 0u));  // 18 samples
    BOOST_TEST(trainer.random_draws(DataMode::test) == 0u);
    return loss;
  };
  const double at_0 = first_loss(0, false), at_1 = first_loss(1, false);
  BOOST_TEST(at_0 != at_1);  // same data, same weights, other masks
  BOOST_TEST(first_loss(1, true) == at_1);
  BOOST_TEST(first_loss(0, true) == at_0);
}

BOOST_AUTO_TEST_CASE(the_oracle_computes_in_double) {
  auto config = make_config();
  config.oracle = true;
  train::Trainer trainer(std::move(config));
  trainer.setup();
  int types = 0;
  for (const graph::Value& v : trainer.primary_plan().graph().values)
    types += v.spec.type == tensor::DataType::f32;
  BOOST_TEST(types == 2);  // the two data fields as the pipeline delivers them
}

BOOST_AUTO_TEST_CASE(every_pass_left_out_agrees_with_the_oracle) {
  auto oracle = make_config();
  oracle.oracle = true;
  const std::vector<double> expected = losses(std::move(oracle), 6);
  std::vector<std::string> names{""};
  for (const passes::Pass& p : passes::all_passes()) {
    if (!p.required) names.emplace_back(p.name);
  }
  for (const std::string& name : names) {
    auto config = make_config();
    if (!name.empty()) config.disabled_passes.insert(name);
    const std::vector<double> got = losses(std::move(config), 6);
    for (std::size_t i = 0; i < got.size(); ++i) {
      BOOST_CHECK_MESSAGE(
          std::fabs(got[i] - expected[i]) <= 2e-4 * std::fabs(expected[i]),
          "without '" << name << "' step " << i << ": " << got[i] << ", oracle " << expected[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_refused_step_leaves_everything_untouched) {
  for (const passes::Commit commit : {passes::Commit::committed, passes::Commit::eager}) {
    auto config = make_config();
    config.commit = commit;
    config.stop_at_nan = false;
    train::Trainer trainer(std::move(config));
    trainer.setup();
    trainer.train_step();
    // Logits beyond the range of float: the loss is not finite.
    const std::vector<double> huge(trainer.weights().values("fc_linearity_weights").size(), 3e38);
    trainer.weights().set_values("fc_linearity_weights", huge);
    const std::string weights = trainer.weights().digest("weight");
    const std::string state = trainer.weights().digest("state");
    const train::StepInfo info = trainer.train_step();
    BOOST_CHECK(!std::isfinite(info.objective));
    const bool untouched =
        trainer.weights().digest("weight") == weights && trainer.weights().digest("state") == state;
    BOOST_CHECK_EQUAL(untouched, commit == passes::Commit::committed);
  }
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_finite_ends_the_run_and_names_the_layer) {
  auto config = make_config();
  config.commit = passes::Commit::committed;
  train::Trainer trainer(std::move(config));
  trainer.setup();
  const std::vector<double> huge(trainer.weights().values("fc_linearity_weights").size(), 3e38);
  trainer.weights().set_values("fc_linearity_weights", huge);
  BOOST_CHECK_EXCEPTION(trainer.train_step(), base::Error, [](const base::Error& e) {
    const std::string what = e.what();
    BOOST_TEST_MESSAGE(what);
    return e.code() == base::ExitCode::numerical && what.find("layer 'fc'") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_in_the_steady_state) {
  train::Trainer trainer(make_config());
  trainer.setup();
  for (int i = 0; i < 4; ++i) trainer.train_step();  // 54 samples: 16, 16, 16, 6: both plans exist
  const std::int64_t before = device::Buffer::num_allocations();
  for (int i = 0; i < 12; ++i) trainer.train_step();
  BOOST_CHECK_EQUAL(device::Buffer::num_allocations(), before);
}

BOOST_AUTO_TEST_CASE(evaluation_leaves_weights_alone) {
  train::Trainer trainer(make_config());
  trainer.setup();
  trainer.train_step();
  const std::string before = trainer.weights().digest("weight") + trainer.weights().digest("state");
  const train::EpochStats stats = trainer.evaluate(DataMode::validation);
  BOOST_CHECK_EQUAL(stats.num_samples(), 18);
  BOOST_CHECK_EQUAL(trainer.weights().digest("weight") + trainer.weights().digest("state"), before);
}
