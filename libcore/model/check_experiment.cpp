// See check_experiment.hpp.
#include "model/check_experiment.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "model/bind_optim.hpp"
#include "model/reader_sizes.hpp"

namespace lbann::model {
namespace {

/// Schedules are bound again once the data tell how many steps an epoch has; what is wrong with them shows
/// here, whatever that number is.
void check_schedules(const CheckedExperiment& c, base::Diagnostics& diagnostics) {
  std::set<std::string> known;
  if (c.lowered)
    for (const LoweredWeight& w : c.lowered->weights) known.insert(w.name);
  for (const WeightsNode& w : c.graph.weights) known.insert(w.name);
  for (const int index : c.settings.schedules) {
    const CallbackNode& node = c.graph.callbacks[static_cast<std::size_t>(index)];
    const auto bound = bind_schedule(*node.message, node.path, 1, c.experiment.spans, diagnostics);
    if (!bound || !c.lowered) continue;
    for (const std::string& name : bound->weights) {
      if (known.count(name) > 0) continue;
      const std::string field = fmt::format("{}.{}.weights", node.path, node.kind);
      diagnostics.error("unknown-weights", c.experiment.spans.span(field),
                        fmt::format("callback '{}': weights '{}' do not exist", node.kind, name),
                        base::did_you_mean(name, std::vector<std::string>(known.begin(), known.end())));
    }
  }
}

/// Where checkpoints go may be said on the command line, so only now it is known to be missing.
void check_callbacks(const CheckedExperiment& c, base::Diagnostics& diagnostics) {
  for (const CallbackSettings& s : c.settings.callbacks) {
    if (s.kind == CallbackKind::checkpoint && s.directory.empty())
      diagnostics.error("missing-field", s.span, "callback 'checkpoint' has no checkpoint_dir",
                        "write checkpoint_dir: \"ckpt\" or give --checkpoint-dir=DIR");
  }
}

}  // namespace

CheckedExperiment check_experiment(Experiment experiment, const CheckOptions& options,
                                   base::Diagnostics& diagnostics) {
  CheckedExperiment c;
  c.experiment = std::move(experiment);
  c.sections = list_sections(c.experiment);
  const auto has = [&](const char* name) {
    return std::find(c.sections.begin(), c.sections.end(), name) != c.sections.end();
  };
  const int parts = has("model") + has("data_reader") + has("optimizer");
  c.part = options.allow_part && (parts == 1 || (parts == 0 && has("trainer")));
  if (!c.part) check_complete(c.experiment, diagnostics);
  c.graph = make_layer_graph(c.experiment, diagnostics);
  mark_recompute(c.graph, options.recompute_layers);
  c.settings = bind_settings(c.experiment, c.graph, diagnostics);
  if (options.adjust) options.adjust(c.settings);
  check_callbacks(c, diagnostics);
  if (c.part) {
    check_schedules(c, diagnostics);
    if (has("optimizer")) check_optimizer(c.experiment, diagnostics);
    return c;
  }
  c.knows_fields = knows_data_fields(c.settings);
  if (c.knows_fields) {
    LowerOptions lower;
    lower.batch = std::max<std::int64_t>(1, c.settings.mini_batch_size);
    lower.fields = make_data_fields(c.settings);
    apply_reader_sizes(c.experiment, lower.fields, diagnostics);
    c.lowered = lower_model(c.experiment, c.graph, lower, diagnostics);
  }
  check_schedules(c, diagnostics);
  if (diagnostics.has_errors()) c.lowered.reset();
  return c;
}

}  // namespace lbann::model
