// Data-parallel training on simulated ranks (threads of this process) against training on one: the same
// losses, metrics and weights, whatever the number of ranks; last mini-batches that are uneven, and smaller
// than the number of ranks; a run saved on N ranks goes on on M.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <thread>

#include "fixture.hpp"
#include "train/save.hpp"

namespace {

using namespace lbann;

/// Mini-batches of 10, the last of an epoch has 6 samples. Convolution, batch normalisation over the global
/// mini-batch, dropout, an L2 term.
const char* const text = R"(
trainer { mini_batch_size: 10 }
data_reader {
  reader {
    name: "synthetic" role: "train" shuffle: true num_samples: 145 synth_dimensions: "2 4 4" num_labels: 3
    fraction_of_data_to_use: 1.0 validation_fraction: 0.2
  }
}
optimizer { adam { learn_rate: 0.003 beta1: 0.9 beta2: 0.99 eps: 1e-3 } }
model {
  num_epochs: 5
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "conv" parents: "x"
          convolution { num_dims: 2 out_channels: 5 kernel_size: 3 padding: 1 stride: 1 has_bias: true } }
  layer { name: "bn" parents: "conv" batch_normalization {} }
  layer { name: "relu" parents: "bn" relu {} }
  layer { name: "pool" parents: "relu"
          pooling { num_dims: 2 pool_dims_i: 2 pool_strides_i: 2 pool_mode: "max" } }
  layer { name: "drop" parents: "pool" dropout { keep_prob: 0.8 } }
  layer { name: "fc" parents: "drop" fully_connected { num_neurons: 3 has_bias: true } }
  layer { name: "prob" parents: "fc" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  layer { name: "acc" parents: "prob" parents: "t" categorical_accuracy {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } l2_weight_regularization { scale_factor: 0.001 } }
  metric { layer_metric { layer: "acc" name: "accuracy" unit: "%" } }
}
)";

struct Outcome {
  std::vector<double> losses, accuracies;
  double validation_loss = 0, validation_accuracy = 0;
  std::map<std::string, std::vector<double>> weights;
  checkpoint::Scalars state;
  std::string problem;
};

using Change = std::function<void(train::TrainerConfig&)>;

/// Trains `steps` steps and evaluates; begins where `from` has ended.
Outcome train_rank(const train::Fixture& f, comm::Communicator& end, int steps, const Change& change,
                   const Outcome* from) {
  train::TrainerConfig config = f.make_config();
  config.world = &end;
  config.threads = 1;
  change(config);
  train::Trainer trainer(std::move(config));
  trainer.setup();
  if (from != nullptr) {
    trainer.restore_state(from->state);
    for (const auto& [name, values] : from->weights) trainer.weights().set_values(name, values);
  }
  Outcome o;
  for (int s = 0; s < steps; ++s) {
    const train::StepInfo info = trainer.train_step();
    o.losses.push_back(info.objective);
    o.accuracies.push_back(info.metrics.at(0));
  }
  o.state = trainer.save_state();
  for (const auto& [name, entry] : trainer.weights().entries())
    o.weights[name] = trainer.weights().values(name);
  const train::EpochStats stats = trainer.evaluate(train::DataMode::validation);
  o.validation_loss = stats.objective();
  o.validation_accuracy = stats.metric(0);
  return o;
}

std::vector<Outcome> train_on(int num_ranks, int steps, const Change& change, const Outcome* from = nullptr) {
  const train::Fixture f(text);
  const auto world = comm::make_self_world(num_ranks, 60);
  std::vector<Outcome> outcomes(static_cast<std::size_t>(num_ranks));
  std::vector<std::thread> threads;
  for (int r = 0; r < num_ranks; ++r) {
    threads.emplace_back([&, r] {
      Outcome& mine = outcomes[static_cast<std::size_t>(r)];
      try {
        mine = train_rank(f, *world[static_cast<std::size_t>(r)], steps, change, from);
      } catch (const std::exception& e) {
        mine.problem = e.what();
        world[static_cast<std::size_t>(r)]->abort("rank " + std::to_string(r) + ": " + e.what());
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (const Outcome& o : outcomes) BOOST_REQUIRE_MESSAGE(o.problem.empty(), o.problem);
  return outcomes;
}

double relative(double a, double b) { return std::fabs(a - b) / std::max(std::fabs(b), 1e-3); }

void check_near(const Outcome& got, const Outcome& want, double tolerance) {
  BOOST_REQUIRE_EQUAL(got.losses.size(), want.losses.size());
  for (std::size_t s = 0; s < want.losses.size(); ++s) {
    BOOST_CHECK_MESSAGE(relative(got.losses[s], want.losses[s]) <= tolerance,
                        "step " << s << ": loss " << got.losses[s] << ", on one rank " << want.losses[s]);
    BOOST_CHECK_LE(std::fabs(got.accuracies[s] - want.accuracies[s]), 1e-3);
  }
  BOOST_CHECK_LE(relative(got.validation_loss, want.validation_loss), tolerance);
  BOOST_CHECK_LE(std::fabs(got.validation_accuracy - want.validation_accuracy), 1e-3);
}

const Change in_double = [](train::TrainerConfig& c) { c.oracle = true; };
const Change in_float = [](train::TrainerConfig&) {};
const Change committed = [](train::TrainerConfig& c) {
  c.oracle = true;
  c.commit = passes::Commit::committed;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ranks)

BOOST_AUTO_TEST_CASE(losses_in_double_do_not_depend_on_the_number_of_ranks) {
  const Outcome alone = train_on(1, 50, in_double).front();
  for (const int n : {2, 3, 4, 8}) {
    const std::vector<Outcome> many = train_on(n, 50, in_double);
    for (const Outcome& o : many) check_near(o, alone, 1e-9);
    // Weights, states and running statistics are the same on every rank to the bit.
    for (const Outcome& o : many) BOOST_CHECK(o.weights == many.front().weights);
    for (const auto& [name, values] : alone.weights) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        BOOST_CHECK_LE(std::fabs(many.front().weights.at(name).at(i) - values[i]), 1e-9);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(losses_in_float_stay_close) {
  const Outcome alone = train_on(1, 12, in_float).front();
  for (const int n : {2, 3, 8}) {
    for (const Outcome& o : train_on(n, 12, in_float)) check_near(o, alone, 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(the_committed_schedule_agrees_on_the_flag) {
  const Outcome alone = train_on(1, 13, committed).front();
  for (const Outcome& o : train_on(4, 13, committed)) check_near(o, alone, 1e-9);
}

BOOST_AUTO_TEST_CASE(a_run_saved_on_some_ranks_goes_on_on_others) {
  const Outcome whole = train_on(1, 30, in_double).front();
  const Outcome saved = train_on(4, 17, in_double).front();
  for (const int n : {1, 3}) {
    const Outcome rest = train_on(n, 13, in_double, &saved).front();
    Outcome all = saved;
    all.losses.insert(all.losses.end(), rest.losses.begin(), rest.losses.end());
    all.accuracies.insert(all.accuracies.end(), rest.accuracies.begin(), rest.accuracies.end());
    all.validation_loss = rest.validation_loss;
    all.validation_accuracy = rest.validation_accuracy;
    check_near(all, whole, 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(ranks_with_different_programs_are_refused_with_the_difference) {
  const train::Fixture f(text);
  const auto world = comm::make_self_world(2, 60);
  std::vector<std::string> problems(2);
  std::vector<std::thread> threads;
  for (int r = 0; r < 2; ++r) {
    threads.emplace_back([&, r] {
      train::TrainerConfig config = f.make_config();
      config.world = world[static_cast<std::size_t>(r)].get();
      config.threads = 1;
      if (r == 1) config.disabled_passes.insert("simplify");
      train::Trainer trainer(std::move(config));
      try {
        trainer.setup();
      } catch (const base::Error& e) {
        problems[static_cast<std::size_t>(r)] = e.what();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (const std::string& p : problems) {
    BOOST_CHECK_MESSAGE(p.find("ranks 0 and 1 have made different programs") != std::string::npos, p);
    BOOST_CHECK_MESSAGE(p.find("\n- ") != std::string::npos && p.find("\n+ ") != std::string::npos, p);
  }
}

BOOST_AUTO_TEST_SUITE_END()
