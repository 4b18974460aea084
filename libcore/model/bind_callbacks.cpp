// See bind_callbacks.hpp. Semantics and defaults: LBANN's (docs/compatibility.md).
#include "model/bind_callbacks.hpp"

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "lbann.pb.h"

namespace lbann::model {
namespace {

using google::protobuf::FieldDescriptor;

class CallbackBinder {
public:
  CallbackBinder(const Experiment& e, const LayerGraph& graph, const CallbackNode& node, base::Diagnostics& d,
                 TrainingSettings& s)
    : e_(e), graph_(graph), node_(node), d_(d), s_(s) {}

  bool bind() {
    using Bind = void (CallbackBinder::*)();
    static const std::map<std::string, Bind> known{
        {"checkpoint", &CallbackBinder::bind_checkpoint},
        {"check_gradients", &CallbackBinder::bind_check_gradients},
        {"check_metric", &CallbackBinder::bind_check_metric},
        {"check_nan", &CallbackBinder::bind_check_nan},
        {"dump_weights", &CallbackBinder::bind_dump_weights},
        {"early_stopping", &CallbackBinder::bind_early_stopping},
        {"load_model", &CallbackBinder::bind_load_model},
        {"save_model", &CallbackBinder::bind_save_model},
    };
    const auto found = known.find(node_.kind);
    if (found == known.end()) return false;
    const bool of_trainer = node_.path.rfind("trainer.", 0) == 0;
    if (of_trainer != (node_.kind == "checkpoint")) {
      d_.error("callback-place", node_.span,
               fmt::format("callback '{}' belongs to the {}", node_.kind, of_trainer ? "model" : "trainer"),
               fmt::format("write {} {{ callback {{ {} {{ ... }} }} }}", of_trainer ? "model" : "trainer",
                           node_.kind));
      return true;
    }
    (this->*found->second)();
    return true;
  }

private:
  base::SourceSpan place(const std::string& field) const {
    const std::string full = fmt::format("{}.{}.{}", node_.path, node_.kind, field);
    const base::SourceSpan span = e_.spans.span(full);
    return span.known() ? span : node_.span;
  }
  void error(const std::string& id, const std::string& field, std::string message, std::string help = {}) {
    d_.error(id, place(field), fmt::format("callback '{}': {}", node_.kind, message), std::move(help));
  }
  void no_effect(const std::set<std::string>& names) {
    std::vector<const FieldDescriptor*> fields;
    node_.params->GetReflection()->ListFields(*node_.params, &fields);
    for (const FieldDescriptor* field : fields) {
      if (names.count(field->name()) > 0)
        d_.warning("no-effect", place(field->name()), fmt::format("field '{}' has no effect", field->name()));
    }
  }
  CallbackSettings& add(CallbackKind kind) {
    s_.callbacks.push_back({});
    s_.callbacks.back().kind = kind;
    s_.callbacks.back().span = node_.span;
    return s_.callbacks.back();
  }
  std::set<std::string> modes(const std::string& words) {
    static const std::map<std::string, std::string> known{
        {"train", "training"},        {"training", "training"},  {"validate", "validation"},
        {"validation", "validation"}, {"test", "test"},          {"testing", "test"},
        {"tournament", "tournament"}, {"predict", "prediction"}, {"prediction", "prediction"}};
    std::set<std::string> result;
    std::istringstream in(words);
    for (std::string word; in >> word;) {
      const auto found = known.find(word);
      if (found != known.end()) {
        result.insert(found->second);
        continue;
      }
      std::vector<std::string> names;
      for (const auto& [name, meaning] : known) names.push_back(name);
      error("unknown-mode", "execution_modes", fmt::format("unknown execution mode '{}'", word),
            base::did_you_mean(word, names));
    }
    return result;
  }
  void need_text(const std::string& field, const std::string& value) {
    if (value.empty()) error("missing-field", field, fmt::format("needs {}", field));
  }
  void need_non_negative(const std::string& field, double value) {
    if (!(value >= 0) || !std::isfinite(value))
      error("value-out-of-range", field, fmt::format("{} = {}, must not be negative", field, value));
  }

  void bind_checkpoint() {
    const auto& m = node_.message->checkpoint();
    CallbackSettings& c = add(CallbackKind::checkpoint);
    c.directory = m.checkpoint_dir();
    c.restart_directory = m.restart_dir();
    c.every_epochs = m.checkpoint_epochs();
    c.every_steps = m.checkpoint_steps();
    c.every_seconds = m.checkpoint_secs();
    need_non_negative("checkpoint_epochs", static_cast<double>(c.every_epochs));
    need_non_negative("checkpoint_steps", static_cast<double>(c.every_steps));
    need_non_negative("checkpoint_secs", c.every_seconds);
    for (const auto& [field, set] : {std::pair{"per_rank_dir", m.has_per_rank_dir()},
                                     std::pair{"ckpt_dist_epochs", m.has_ckpt_dist_epochs()},
                                     std::pair{"ckpt_dist_steps", m.has_ckpt_dist_steps()}}) {
      if (set)
        error("not-supported", field,
              fmt::format("field '{}' is known to LBANN, not yet supported here", field),
              "all checkpoints here are shared ones");
    }
  }
  void bind_check_gradients() {
    const auto& m = node_.message->check_gradients();
    CallbackSettings& c = add(CallbackKind::check_gradients);
    c.step_size = m.step_size();
    c.verbose = m.verbose();
    c.error_on_failure = m.error_on_failure();
    c.modes = modes(m.execution_modes());
    need_non_negative("step_size", c.step_size);
  }
  void bind_check_metric() {
    const auto& m = node_.message->check_metric();
    CallbackSettings& c = add(CallbackKind::check_metric);
    c.metric = m.metric();
    c.lower_bound = m.lower_bound();
    c.upper_bound = m.upper_bound();
    c.error_on_failure = m.error_on_failure();
    c.modes = modes(m.execution_modes());
    std::vector<std::string> names;
    bool found = false;
    for (const MetricNode& metric : graph_.metrics) {
      names.push_back(metric.name);
      found = found || metric.name == c.metric;
    }
    if (!found)
      error("unknown-metric", "metric", fmt::format("there is no metric '{}'", c.metric),
            base::did_you_mean(c.metric, names));
    if (!(c.lower_bound <= c.upper_bound))
      error("value-out-of-range", "lower_bound",
            fmt::format("lower_bound = {} is above upper_bound = {}", c.lower_bound, c.upper_bound));
  }
  void bind_check_nan() { add(CallbackKind::check_nan); }
  void bind_dump_weights() {
    const auto& m = node_.message->dump_weights();
    CallbackSettings& c = add(CallbackKind::dump_weights);
    c.directory = m.directory();
    c.every_epochs = m.epoch_interval() == 0 ? 1 : m.epoch_interval();
    need_non_negative("epoch_interval", static_cast<double>(m.epoch_interval()));
    if (!m.format().empty() && m.format() != "text")
      error("not-supported", "format", fmt::format("format \"{}\" is not yet supported here", m.format()),
            "formats here: text");
  }
  void bind_early_stopping() {
    CallbackSettings& c = add(CallbackKind::early_stopping);
    c.patience = node_.message->early_stopping().patience();
    need_non_negative("patience", static_cast<double>(c.patience));
  }
  void bind_load_model() {
    const auto& m = node_.message->load_model();
    CallbackSettings& c = add(CallbackKind::load_model);
    c.directory = m.dirs();
    need_text("dirs", c.directory);
    no_effect({"extension"});
  }
  void bind_save_model() {
    const auto& m = node_.message->save_model();
    no_effect({"extension"});
    if (m.disable_save_after_training()) return;
    CallbackSettings& c = add(CallbackKind::save_model);
    c.directory = m.dir();
    need_text("dir", c.directory);
  }

  const Experiment& e_;
  const LayerGraph& graph_;
  const CallbackNode& node_;
  base::Diagnostics& d_;
  TrainingSettings& s_;
};

}  // namespace

bool try_bind_callback(const Experiment& experiment, const LayerGraph& graph, const CallbackNode& node,
                       base::Diagnostics& diagnostics, TrainingSettings& settings) {
  return CallbackBinder(experiment, graph, node, diagnostics, settings).bind();
}

}  // namespace lbann::model
