// Binds trainer, readers and callbacks. Semantics and defaults: LBANN's (docs/compatibility.md).
#include "model/settings.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "lbann.pb.h"
#include "model/bind_algorithm.hpp"
#include "model/bind_callbacks.hpp"
#include "model/bind_readers.hpp"
#include "model/settings_binder.hpp"

namespace lbann::model {
namespace {

using Binder = SettingsBinder;

void bind_fractions(Binder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  r.shuffle = m.shuffle();
  r.fraction_of_data_to_use = m.fraction_of_data_to_use();
  r.absolute_sample_count = m.absolute_sample_count();
  r.validation_fraction = m.validation_fraction();
  r.tournament_fraction = m.tournament_fraction();
  r.first_n = m.first_n();
  if (r.first_n > 0) r.fraction_of_data_to_use = 1;
  const bool fraction = r.fraction_of_data_to_use != 0;
  const bool count = r.absolute_sample_count != 0;
  if (fraction == count) {
    b.missing(
        path, "fraction-or-count", b.value(path),
        fmt::format(
            "reader '{}' has fraction_of_data_to_use = {} and absolute_sample_count = {}: exactly one must "
            "be set",
            m.name(), r.fraction_of_data_to_use, r.absolute_sample_count),
        "write fraction_of_data_to_use: 1.0 to use all samples");
  }
  for (const auto& [field, x] : {std::pair{"fraction_of_data_to_use", r.fraction_of_data_to_use},
                                 std::pair{"validation_fraction", r.validation_fraction},
                                 std::pair{"tournament_fraction", r.tournament_fraction}}) {
    if (!(x >= 0 && x <= 1)) {
      b.error("range", b.value(path + "." + field),
              fmt::format("{} = {}, must be between 0 and 1", field, x));
    }
  }
}

void bind_reader(Binder& b, const ReaderNode& node, TrainingSettings& s) {
  const lbann_data::Reader& m = *node.message;
  ReaderSettings r;
  r.name = m.name();
  r.role = m.role() == "validation" ? "validate" : m.role();
  r.span = node.span;
  static const std::vector<std::string> roles{"train", "validate", "test", "tournament"};
  if (std::find(roles.begin(), roles.end(), r.role) == roles.end()) {
    const std::string block = m.role().empty() ? node.path : "";  // "": no damage explains a wrong word
    b.missing(block, "unknown-role", b.value(node.path + ".role"),
              fmt::format("unknown role '{}' of a reader", m.role()),
              m.role().empty() ? "write role: \"train\"" : base::did_you_mean(m.role(), roles));
  } else if (std::any_of(s.readers.begin(), s.readers.end(),
                         [&](const auto& o) { return o.role == r.role; })) {
    b.error("duplicate-role", node.span, fmt::format("two readers have the role '{}'", r.role));
  }
  if (!bind_reader_kind(b, m, node.path, r)) return;
  bind_fractions(b, m, node.path, r);
  s.readers.push_back(std::move(r));
}

void bind_progress_bar(Binder& b, const CallbackNode& node, TrainingSettings& s) {
  const std::string path = node.path + ".progress_bar";
  const auto& m = node.message->progress_bar();
  b.check_fields(m, path, {"newline_interval", "moving_average_length", "bar_width", "scientific_notation"},
                 {"interval", "print_mem_usage"});
  ProgressSettings p;
  const auto read = [&](const char* field, bool present, std::int64_t value, std::int64_t& target) {
    if (!present) return;
    if (value < 0 || value > 1000000)
      return b.error("range", b.value(path + "." + field),
                     fmt::format("{} = {}, must be from 0 to 1000000", field, value));
    target = value;
  };
  read("newline_interval", m.has_newline_interval(), m.newline_interval(), p.newline_interval);
  // LBANN reads an explicit 0 of these two as their default.
  read("moving_average_length", m.moving_average_length() != 0, m.moving_average_length(),
       p.moving_average_length);
  read("bar_width", m.bar_width() != 0, m.bar_width(), p.bar_width);
  p.scientific_notation = m.scientific_notation();
  s.progress_bar = p;
}

void bind_callback(Binder& b, const LayerGraph& graph, const CallbackNode& node, int index,
                   TrainingSettings& s) {
  static const std::set<std::string> schedules{"step_learning_rate",       "set_learning_rate",
                                               "drop_fixed_learning_rate", "linear_growth_learning_rate",
                                               "poly_learning_rate",       "cosine_decay_learning_rate",
                                               "adaptive_learning_rate"};
  if (node.kind == "print") {
    b.check_fields(*node.params, node.path + ".print", {}, {"interval", "print_global_stat_only"});
    s.callbacks.push_back({CallbackKind::print});
  } else if (node.kind == "timer") {
    b.check_fields(*node.params, node.path + ".timer", {"skip_steps"});
    s.callbacks.push_back(
        {CallbackKind::timer, static_cast<std::int64_t>(node.message->timer().skip_steps())});
  } else if (node.kind == "progress_bar") {
    bind_progress_bar(b, node, s);
  } else if (schedules.count(node.kind) > 0) {
    s.schedules.push_back(index);
  } else if (!node.kind.empty() && !try_bind_callback(b.experiment(), graph, node, b.diagnostics(), s)) {
    b.error("not-supported", node.span,
            fmt::format("callback '{}' is known to LBANN, not yet supported here", node.kind));
  }
}

void bind_trainer(Binder& b, const lbann_data::LbannPB& pb, TrainingSettings& s) {
  if (pb.has_trainer()) {
    b.check_fields(pb.trainer(), "trainer",
                   {"name", "callback", "mini_batch_size", "random_seed", "training_algorithm"},
                   {"hydrogen_block_size", "serialize_io", "random_init_trainers_identically"});
  }
  s.mini_batch_size = pb.trainer().mini_batch_size();
  // A file that holds only a part of an experiment need not say it.
  const bool needed = (pb.has_model() && pb.has_data_reader()) || pb.trainer().has_mini_batch_size();
  if (s.mini_batch_size < 1 && needed) {
    b.missing("trainer", "mini-batch-size", b.value("trainer.mini_batch_size"),
              fmt::format("mini_batch_size = {}, must be at least 1", s.mini_batch_size),
              "write trainer { mini_batch_size: 64 }");
  }
  if (pb.trainer().has_random_seed()) s.random_seed = pb.trainer().random_seed();
}

}  // namespace

TrainingSettings bind_settings(const Experiment& experiment, const LayerGraph& graph,
                               base::Diagnostics& diagnostics) {
  Binder b(experiment, diagnostics);
  const lbann_data::LbannPB& pb = *experiment.proto;
  TrainingSettings s;
  s.model = graph.model_name;
  bind_trainer(b, pb, s);
  if (pb.has_model()) {
    b.check_fields(
        pb.model(), "model",
        {"name", "objective_function", "metric", "num_epochs", "layer", "weights", "callback", "amp"},
        {"data_layout", "super_steps", "num_batches", "evaluation_frequency", "disable_cuda",
         "subgraph_communication"});
    s.num_epochs = pb.model().num_epochs();
    if (s.num_epochs < 0) {
      b.error("num-epochs", b.value("model.num_epochs"),
              fmt::format("num_epochs = {}, must not be negative", s.num_epochs));
    }
  }
  bind_algorithm(b, s);
  for (const ReaderNode& node : graph.readers) bind_reader(b, node, s);
  for (std::size_t i = 0; i < graph.callbacks.size(); ++i) {
    bind_callback(b, graph, graph.callbacks[i], static_cast<int>(i), s);
  }
  return s;
}

}  // namespace lbann::model
