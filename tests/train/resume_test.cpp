// Resume: a run that is left after any step and gone on with in a new trainer ends with the same bits:
// checkpoint (weights, states, counters, sums, callbacks) and log, but for `wall` and `attempt`.
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log.hpp"
#include "checkpoint/container.hpp"
#include "log/run_record.hpp"
#include "train/callbacks/callbacks.hpp"
#include "train/checkpoint_keeper.hpp"
#include "train/save.hpp"

#include "fixture.hpp"

namespace {

using namespace lbann;
using train::Phase;
namespace fs = std::filesystem;

/// 60 training steps: 145 samples, a fifth set aside, in batches of 10 are 12 steps, the last one smaller.
std::string make_text(const std::string& optimizer, const std::string& callbacks = "") {
  return R"(
trainer { mini_batch_size: 10 }
data_reader {
  reader {
    name: "synthetic" role: "train" shuffle: true num_samples: 145 synth_dimensions: "2 4 4" num_labels: 3
    fraction_of_data_to_use: 1.0 validation_fraction: 0.2
  }
  reader {
    name: "synthetic" role: "test" num_samples: 20 synth_dimensions: "2 4 4" num_labels: 3
    fraction_of_data_to_use: 1.0
  }
}
optimizer { )" +
         optimizer + R"( }
model {
  num_epochs: 5
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "conv" parents: "x"
          convolution { num_dims: 2 out_channels: 5 kernel_size: 3 padding: 1 stride: 1 } }
  layer { name: "bn" parents: "conv" batch_normalization {} }
  layer { name: "relu" parents: "bn" relu {} }
  layer { name: "drop" parents: "relu" dropout { keep_prob: 0.8 } }
  layer { name: "fc" parents: "drop" fully_connected { num_neurons: 3 has_bias: true } }
  layer { name: "prob" parents: "fc" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  layer { name: "acc" parents: "prob" parents: "t" categorical_accuracy {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } l2_weight_regularization { scale_factor: 0.001 } }
  metric { layer_metric { layer: "acc" name: "accuracy" unit: "%" } }
  )" + callbacks +
         R"(
}
)";
}

const std::string adam = "adam { learn_rate: 0.01 beta1: 0.9 beta2: 0.99 eps: 1e-8 }";

class Folder {
public:
  Folder() : path_(fs::temp_directory_path() / ("lbann_resume_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string str(const std::string& name) const { return (path_ / name).string(); }

private:
  fs::path path_;
};

/// Trainer with record and early stopping, and, per boundary, a decision.
struct Run {
  Run(const train::Fixture& fixture, const std::string& log, std::int64_t attempt)
    : Run(fixture.make_config(), log, attempt) {}
  Run(train::TrainerConfig config, const std::string& log, std::int64_t attempt)
    : trainer(std::move(config)) {
    trainer.add_callback(train::make_early_stopping_callback({}, 100));
    if (!trainer.config().schedules.empty())
      trainer.add_callback(train::make_learning_rate_callback({}, trainer));
    train::RecordSettings r;
    r.path = log;
    r.run = "run";
    r.attempt = attempt;
    r.every_step = true;
    r.now = [attempt] { return 1000.5 + static_cast<double>(attempt); };
    trainer.add_callback(train::make_record_callback(r));
    trainer.setup();
  }
  train::Trainer trainer;
};

/// Everything but wall and attempt.
std::string read_log(const std::string& path) {
  std::string text;
  for (log::RunRecord r : log::load_records(path).records) {
    r.wall = 0;
    r.attempt = 1;
    text += log::render_record(r);
  }
  return text;
}

std::string read_folder(const std::string& dir) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::string all;
  for (const fs::path& file : files) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    all += file.filename().string() + "\n" + text.str();
  }
  return all;
}

struct Outcome {
  std::string checkpoint, log;
  std::int64_t boundaries = 0;
  bool operator==(const Outcome& o) const { return checkpoint == o.checkpoint && log == o.log; }
};

Outcome run_through(const train::Fixture& fixture, const Folder& folder) {
  Outcome o;
  Run run(fixture, folder.str("straight.jsonl"), 1);
  run.trainer.set_monitor([&](const train::Boundary&) { return ++o.boundaries > 0; });
  BOOST_TEST(run.trainer.train());
  train::save_training(run.trainer, folder.str("straight"), {"id: 1"});
  o.checkpoint = read_folder(folder.str("straight"));
  o.log = read_log(folder.str("straight.jsonl"));
  fs::remove(folder.str("straight.jsonl"));
  fs::remove_all(folder.str("straight"));
  return o;
}

/// Saves at boundary `stop`, goes on for `lost` more as a killed run does, then resumes.
Outcome run_in_two(const train::Fixture& fixture, const Folder& folder, std::int64_t stop,
                   std::int64_t lost) {
  const std::string log = folder.str("log.jsonl"), saved = folder.str("saved"), final = folder.str("final");
  {
    Run first(fixture, log, 1);
    std::int64_t count = 0;
    first.trainer.set_monitor([&](const train::Boundary&) {
      if (++count == stop) train::save_training(first.trainer, saved, {"id: 1"});
      return count < stop + lost;
    });
    first.trainer.train();
  }
  Run second(fixture, log, 2);
  train::restore_training(second.trainer, checkpoint::load_checkpoint(saved));
  BOOST_TEST(second.trainer.train());
  train::save_training(second.trainer, final, {"id: 1"});
  Outcome o{read_folder(final), read_log(log), 0};
  for (const std::string& path : {log, saved, final}) fs::remove_all(path);
  return o;
}

bool every_step() { return std::getenv("LBANN_EVERY_STEP") != nullptr; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_resumed_after_any_step_ends_with_the_same_bits) {
  const std::vector<std::pair<std::string, std::string>> kinds{
      {adam, ""},
      {"sgd { learn_rate: 0.05 momentum: 0.9 nesterov: true }",
       "callback { cosine_decay_learning_rate { lr_max: 0.1 lr_min: 0.001 decay_steps: 40 "
       "initial_warmup_learning_rate: 0.01 warmup_steps: 9 } }"},
      {"rmsprop { learn_rate: 0.01 decay_rate: 0.9 eps: 1e-8 }",
       "callback { step_learning_rate { step: 2 amt: 0.5 } }"},
      {"adagrad { learn_rate: 0.05 eps: 1e-8 }",
       "callback { adaptive_learning_rate { patience: 0 amt: 0.5 } } "
       "callback { linear_growth_learning_rate { weights: \"fc_linearity_weights\" target: 0.4 num_epochs: 3 "
       "} }"}};
  const Folder folder;
  base::log().set_quiet(true);
  std::int64_t cases = 0;
  for (const auto& [optimizer, callbacks] : kinds) {
    train::Fixture fixture(make_text(optimizer, callbacks));
    // The first with two threads, the others with one, which a busy machine does not slow down.
    fixture.threads = optimizer == adam ? 2 : 1;
    const std::int64_t stride = every_step() ? 1 : optimizer == adam ? 13 : 7;
    const Outcome expected = run_through(fixture, folder);
    BOOST_TEST(expected.boundaries == 60 + 5 * 3 + 5 + 2 + 1);  // steps, validation, epochs, test, start
    for (std::int64_t stop = 1; stop <= expected.boundaries; stop += stride) {
      const Outcome got = run_in_two(fixture, folder, stop, stop % 4);
      BOOST_TEST(got.log == expected.log, optimizer << ": log, left at boundary " << stop);
      BOOST_TEST((got.checkpoint == expected.checkpoint),
                 optimizer << ": checkpoint, left at boundary " << stop);
      ++cases;
    }
  }
  BOOST_TEST_MESSAGE(cases << " interruptions");
  BOOST_TEST(cases >= 35);
}

namespace {

/// What each training epoch ended with: its objective, and the rate from there on.
class RateSpy final : public train::Callback {
public:
  RateSpy(const train::Trainer& trainer, std::vector<std::pair<double, double>>& seen)
    : trainer_(trainer), seen_(seen) {}
  void on_epoch_end(const train::RunInfo&, const train::EpochInfo& info) override {
    seen_.emplace_back(info.stats->objective(), trainer_.scheduled_rates(info.epoch + 1).at(0));
  }

private:
  const train::Trainer& trainer_;
  std::vector<std::pair<double, double>>& seen_;
};

}  // namespace

// LBANN's rule, replayed on the objectives of the run. The rate is so large that the objective goes up and
// down.
BOOST_AUTO_TEST_CASE(an_adaptive_rate_falls_when_the_objective_does_not) {
  base::log().set_quiet(true);
  for (const int patience : {0, 1, 2}) {
    const train::Fixture fixture(make_text(
        "sgd { learn_rate: 4 }",
        "callback { adaptive_learning_rate { patience: " + std::to_string(patience) + " amt: 0.5 } }"));
    auto config = fixture.make_config();
    config.num_epochs = 16;
    train::Trainer trainer(std::move(config));
    std::vector<std::pair<double, double>> seen;
    trainer.add_callback(std::make_unique<RateSpy>(trainer, seen));
    trainer.setup();
    BOOST_TEST(trainer.train());
    double rate = 4, best = HUGE_VAL;
    int waited = 0, drops = 0;
    for (const auto& [objective, got] : seen) {
      if (objective < best) {
        best = objective;
        waited = 0;
      } else if (waited >= patience) {
        rate *= 0.5;
        best = objective;
        waited = 0;
        ++drops;
      } else {
        ++waited;
      }
      BOOST_TEST(got == rate);
    }
    BOOST_TEST(seen.size() == 16U);
    BOOST_TEST(drops > 0);  // or nothing was tested
    BOOST_TEST(drops < 16);
  }
}

BOOST_AUTO_TEST_CASE(more_epochs_continue_a_finished_run_as_if_it_had_never_ended) {
  const Folder folder;
  const train::Fixture fixture(make_text(adam));
  const Outcome expected = run_through(fixture, folder);
  const std::string log = folder.str("log.jsonl"), saved = folder.str("saved");
  {
    auto config = fixture.make_config();
    config.num_epochs = 2;
    Run first(std::move(config), log, 1);
    BOOST_TEST(first.trainer.train());
    train::save_training(first.trainer, saved, {});
  }
  const auto loaded = checkpoint::load_checkpoint(saved);
  BOOST_TEST(train::Trainer::is_finished(loaded.scalars, 2));
  BOOST_TEST(!train::Trainer::is_finished(loaded.scalars, 5));
  Run second(fixture, log, 2);
  train::restore_training(second.trainer, loaded);
  BOOST_TEST(second.trainer.train());
  train::save_training(second.trainer, saved, {"id: 1"});
  BOOST_TEST((read_folder(saved) == expected.checkpoint));
  BOOST_TEST(read_log(log) == expected.log);
}

BOOST_AUTO_TEST_CASE(more_steps_continue_a_run_that_was_cut_short_in_an_epoch) {
  const Folder folder;
  const train::Fixture fixture(make_text(adam));
  const Outcome expected = run_through(fixture, folder);
  const std::string log = folder.str("log.jsonl"), saved = folder.str("saved");
  for (const std::int64_t limit : {17, 40}) {
    auto config = fixture.make_config();
    config.max_training_steps = limit;
    config.num_epochs = (limit + 11) / 12;
    Run part(std::move(config), log, 1);
    if (limit == 40) train::restore_training(part.trainer, checkpoint::load_checkpoint(saved));
    BOOST_TEST(part.trainer.train());
    BOOST_TEST(part.trainer.training_steps() == limit);
    train::save_training(part.trainer, saved, {});
    const auto scalars = checkpoint::load_checkpoint(saved).scalars;
    BOOST_TEST(train::Trainer::is_finished(scalars, 100, limit));
    BOOST_TEST(!train::Trainer::is_finished(scalars, 100, limit + 1));
    BOOST_TEST(!train::Trainer::is_finished(scalars, 5));
  }
  Run rest(fixture, log, 3);
  train::restore_training(rest.trainer, checkpoint::load_checkpoint(saved));
  BOOST_TEST(rest.trainer.train());
  train::save_training(rest.trainer, saved, {"id: 1"});
  BOOST_TEST((read_folder(saved) == expected.checkpoint));
  BOOST_TEST(read_log(log) == expected.log);
}

BOOST_AUTO_TEST_CASE(early_stopping_ends_a_run_and_stays_ended) {
  const Folder folder;
  const train::Fixture fixture(make_text("sgd { learn_rate: 0 }"));
  auto config = fixture.make_config();
  train::Trainer trainer(std::move(config));
  trainer.add_callback(train::make_early_stopping_callback({}, 1));
  trainer.setup();
  BOOST_TEST(trainer.train());
  train::save_training(trainer, folder.str("c"), {});
  const auto saved = checkpoint::load_checkpoint(folder.str("c"));
  const bool stopped = std::get<std::int64_t>(saved.scalars.at("stop_requested")) != 0;
  BOOST_TEST(stopped);
  BOOST_TEST(train::Trainer::is_finished(saved.scalars, 1000));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_and_changes_nothing) {
  const Folder folder;
  const train::Fixture fixture(make_text(adam));
  Run run(fixture, folder.str("log.jsonl"), 1);
  train::save_training(run.trainer, folder.str("c"), {"a: 1", "b: 2"});
  const auto good = checkpoint::load_checkpoint(folder.str("c"));
  const std::string digest = run.trainer.weights().digest("weight") + run.trainer.weights().digest("state");
  const auto refuses = [&](const checkpoint::Checkpoint& c, const std::string& text) {
    BOOST_CHECK_EXCEPTION(train::restore_training(run.trainer, c), base::Error, [&](const base::Error& e) {
      BOOST_TEST_MESSAGE(e.what());
      return e.code() == base::ExitCode::checkpoint && std::string(e.what()).find(text) != std::string::npos;
    });
    BOOST_TEST(run.trainer.weights().digest("weight") + run.trainer.weights().digest("state") == digest);
  };
  auto missing = good;
  missing.arrays.erase("fc_bias_weights");
  refuses(missing, "no 'fc_bias_weights'");
  auto extra = good;
  extra.arrays["more"] = extra.arrays["fc_bias_weights"];
  refuses(extra, "has 'more'");
  auto shape = good;
  shape.arrays["fc_bias_weights"].shape = tensor::Shape{4};
  refuses(shape, "'fc_bias_weights' as f32 [4], this model has f32 [3]");
  auto scalar = good;
  scalar.scalars.erase("optimizer_steps");
  refuses(scalar, "no integer 'optimizer_steps'");
  auto phase = good;
  phase.scalars["phase"] = std::string("lunch");
  refuses(phase, "unknown phase 'lunch'");
  auto seed = good;
  seed.scalars["seed"] = std::int64_t{8};
  refuses(seed, "seed 8");
  train::check_identity(good, {"a: 1", "b: 2"}, "c");
  BOOST_CHECK_EXCEPTION(
      train::check_identity(good, {"a: 1", "b: 3", "d: 4"}, "c"), base::Error, [](const base::Error& e) {
        return std::string(e.what()).find("(b: 2 there, 3 here; d: absent there, 4 here)") !=
               std::string::npos;
      });
}

BOOST_AUTO_TEST_CASE(a_keeper_keeps_the_newest_and_knows_when_one_is_due) {
  const Folder folder;
  const train::Fixture fixture(make_text(adam));
  train::Trainer trainer(fixture.make_config());
  trainer.setup();
  train::KeeperSettings settings;
  settings.root = folder.str("ckpt");
  settings.every_steps = 5;
  settings.every_epochs = 2;
  settings.keep = 2;
  train::CheckpointKeeper keeper(settings);
  std::vector<std::string> saved;
  trainer.set_monitor([&](const train::Boundary& b) {
    if (keeper.is_due(b)) saved.push_back(fs::path(keeper.save(trainer)).filename().string());
    return true;
  });
  BOOST_TEST(trainer.train());
  // 12 steps an epoch: by steps in training only, by epochs after epochs 2 and 4.
  const std::vector<std::string> expected{"step-00000005", "step-00000010", "step-00000015", "step-00000020",
                                          "step-00000024", "step-00000025", "step-00000030", "step-00000035",
                                          "step-00000040", "step-00000045", "step-00000048", "step-00000050",
                                          "step-00000055", "step-00000060"};
  BOOST_TEST(saved == expected, boost::test_tools::per_element());
  const std::vector<std::string> kept{"step-00000060", "step-00000055"};
  BOOST_TEST(checkpoint::list_checkpoints(settings.root) == kept, boost::test_tools::per_element());
  const std::string last = keeper.save(trainer);  // finished: another place in the run, the same step
  BOOST_TEST(last == settings.root + "/step-00000060");
  BOOST_TEST(train::Trainer::is_finished(checkpoint::load_checkpoint(last).scalars, 5));
}
