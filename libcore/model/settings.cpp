// Binds trainer, readers and callbacks. Semantics and defaults: LBANN's (docs/compatibility.md).
#include "model/settings.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "lbann.pb.h"
#include "model/damage.hpp"
#include "model/paths.hpp"

namespace lbann::model {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class Binder {
public:
  Binder(const Experiment& e, base::Diagnostics& d) : e_(e), d_(d), damage_(e.spans, d) {}

  /// Refuses every field that is set and not among `honoured`; those in `without_effect` get a note.
  void check_fields(const Message& message, const std::string& path, const std::set<std::string>& honoured,
                    const std::set<std::string>& without_effect = {}) {
    std::vector<const FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    for (const FieldDescriptor* field : set) {
      if (honoured.count(field->name()) > 0) continue;
      const base::SourceSpan span = place(path, field->name());
      if (without_effect.count(field->name()) > 0) {
        d_.warning("no-effect", span, fmt::format("field '{}' has no effect", field->name()));
      } else {
        d_.error("not-supported", span,
                 fmt::format("field '{}' is known to LBANN, not yet supported here", field->name()));
      }
    }
  }

  base::SourceSpan place(const std::string& path, const std::string& field) const {
    const std::string full = path + "." + field;
    if (const base::SourceSpan named = e_.spans.name_span(full); named.known()) return named;
    if (const base::SourceSpan first = e_.spans.name_span(full + "[0]"); first.known()) return first;
    return e_.spans.span(full);
  }
  base::SourceSpan value(const std::string& path) const { return e_.spans.span(path); }
  /// Says that something is missing, unless it may be there and could not be read.
  void missing(const std::string& block, std::string id, base::SourceSpan span, std::string message,
               std::string help = {}) {
    if (damage_.inside(block) || damage_.of_structure()) return;
    d_.error(std::move(id), std::move(span), std::move(message), std::move(help));
  }
  void error(std::string id, base::SourceSpan span, std::string message, std::string help = {}) {
    d_.error(std::move(id), std::move(span), std::move(message), std::move(help));
  }
  const Experiment& experiment() const { return e_; }
  base::Diagnostics& diagnostics() { return d_; }

private:
  const Experiment& e_;
  base::Diagnostics& d_;
  const Damage damage_;
};

/// A list of positive numbers in one text; nothing when a word is none.
std::optional<std::vector<std::int64_t>> try_parse_dims(const std::string& text) {
  std::vector<std::int64_t> dims;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::int64_t d = 0;
    std::istringstream number(word);
    if (!(number >> d) || !number.eof() || d < 1) return std::nullopt;
    dims.push_back(d);
  }
  if (dims.empty()) return std::nullopt;
  return dims;
}

void bind_scale(Binder& b, const lbann_data::Reader& message, const std::string& path, ReaderSettings& r) {
  for (int i = 0; i < message.transforms_size(); ++i) {
    const lbann_data::Transform& t = message.transforms(i);
    const std::string at = fmt::format("{}.transforms[{}]", path, i);
    if (t.has_scale()) {
      r.scale *= static_cast<double>(t.scale().scale());
      continue;
    }
    const auto* kind =
        t.GetReflection()->GetOneofFieldDescriptor(t, t.GetDescriptor()->FindOneofByName("transform_type"));
    b.error("not-supported", b.value(at),
            fmt::format("transform '{}' is known to LBANN, not yet supported here",
                        kind == nullptr ? "" : kind->name()));
  }
}

void bind_mnist(Binder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  b.check_fields(
      m, path,
      {"name", "role", "shuffle", "data_filedir", "data_filename", "label_filename", "validation_fraction",
       "tournament_fraction", "absolute_sample_count", "fraction_of_data_to_use", "first_n", "transforms"});
  r.kind = ReaderKind::mnist;
  r.directory = resolve_path(b.experiment().spans, path + ".data_filedir", m.data_filedir());
  r.image_file = m.data_filename();
  r.label_file = m.label_filename();
  for (const auto& [field, text] :
       {std::pair{"data_filename", &r.image_file}, std::pair{"label_filename", &r.label_file}}) {
    if (text->empty()) {
      b.missing(path, "missing-field", b.value(path), fmt::format("reader 'mnist' needs {}", field),
                "name the IDX file, e.g. \"train-images-idx3-ubyte\"");
    }
  }
  bind_scale(b, m, path, r);
}

void bind_synthetic(Binder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  b.check_fields(m, path,
                 {"name", "role", "shuffle", "num_samples", "synth_dimensions", "synth_response_dimensions",
                  "num_labels", "validation_fraction", "tournament_fraction", "absolute_sample_count",
                  "fraction_of_data_to_use"});
  r.kind = ReaderKind::synthetic;
  r.num_samples = m.num_samples();
  r.num_labels = m.num_labels();
  if (r.num_samples < 1) {
    b.missing(path, "missing-field", b.value(path + ".num_samples"),
              fmt::format("reader 'synthetic' has num_samples = {}, needs at least 1", r.num_samples));
  }
  const auto dims = try_parse_dims(m.synth_dimensions());
  if (dims) {
    r.dims = *dims;
  } else {
    b.error("bad-dims", b.value(path + ".synth_dimensions"),
            fmt::format("synth_dimensions \"{}\" is no list of positive numbers", m.synth_dimensions()),
            "write e.g. synth_dimensions: \"1 28 28\"");
  }
  if (!m.synth_response_dimensions().empty()) {
    const auto response = try_parse_dims(m.synth_response_dimensions());
    if (response) {
      r.response_dims = *response;
    } else {
      b.error("bad-dims", b.value(path + ".synth_response_dimensions"),
              fmt::format("synth_response_dimensions \"{}\" is no list of positive numbers",
                          m.synth_response_dimensions()));
    }
  }
  if ((r.num_labels > 0) == !r.response_dims.empty()) {
    b.missing(path, "labels-or-responses", b.value(path),
              "reader 'synthetic' needs either num_labels or synth_response_dimensions");
  }
}

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
  if (m.name() == "mnist") {
    bind_mnist(b, m, node.path, r);
  } else if (m.name() == "synthetic") {
    bind_synthetic(b, m, node.path, r);
  } else {
    static const std::set<std::string> known{"cifar10",
                                             "imagenet",
                                             "csv",
                                             "nci",
                                             "numpy",
                                             "numpy_npz_conduit_reader",
                                             "python",
                                             "hdf5_data_reader",
                                             "smiles_data_reader",
                                             "node2vec",
                                             "python_dataset",
                                             "numpy_npz",
                                             "jag_conduit",
                                             "hdf5"};
    const std::vector<std::string> ours{"mnist", "synthetic"};
    if (known.count(m.name()) > 0) {
      b.error("not-supported", b.value(node.path + ".name"),
              fmt::format("reader '{}' is known to LBANN, not yet supported here", m.name()),
              "readers here: mnist, synthetic");
    } else {
      b.missing(m.name().empty() ? node.path : "", "unknown-reader", b.value(node.path + ".name"),
                fmt::format("unknown reader '{}'", m.name()), base::did_you_mean(m.name(), ours));
    }
    return;
  }
  bind_fractions(b, m, node.path, r);
  s.readers.push_back(std::move(r));
}

void bind_callback(Binder& b, const CallbackNode& node, int index, TrainingSettings& s) {
  static const std::set<std::string> schedules{"step_learning_rate",       "set_learning_rate",
                                               "drop_fixed_learning_rate", "linear_growth_learning_rate",
                                               "poly_learning_rate",       "cosine_decay_learning_rate"};
  if (node.kind == "print") {
    b.check_fields(*node.params, node.path + ".print", {}, {"interval", "print_global_stat_only"});
    s.callbacks.push_back({CallbackKind::print, 0});
  } else if (node.kind == "timer") {
    b.check_fields(*node.params, node.path + ".timer", {"skip_steps"});
    s.callbacks.push_back(
        {CallbackKind::timer, static_cast<std::int64_t>(node.message->timer().skip_steps())});
  } else if (node.kind == "progress_bar") {
    b.check_fields(*node.params, node.path + ".progress_bar", {},
                   {"interval", "newline_interval", "print_mem_usage", "moving_average_length", "bar_width",
                    "scientific_notation"});
    s.callbacks.push_back({CallbackKind::progress_bar, 0});
  } else if (schedules.count(node.kind) > 0) {
    s.schedules.push_back(index);
  } else if (!node.kind.empty()) {
    b.error("not-supported", node.span,
            fmt::format("callback '{}' is known to LBANN, not yet supported here", node.kind));
  }
}

void bind_trainer(Binder& b, const lbann_data::LbannPB& pb, TrainingSettings& s) {
  if (pb.has_trainer()) {
    b.check_fields(pb.trainer(), "trainer", {"name", "callback", "mini_batch_size", "random_seed"},
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
  if (pb.has_training_algorithm()) {
    b.error("not-supported", b.value("training_algorithm"),
            "section 'training_algorithm' is known to LBANN, not yet supported here",
            "without it a model trains by stochastic gradient descent for num_epochs epochs");
  }
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
  for (const ReaderNode& node : graph.readers) bind_reader(b, node, s);
  for (std::size_t i = 0; i < graph.callbacks.size(); ++i) {
    bind_callback(b, graph.callbacks[i], static_cast<int>(i), s);
  }
  return s;
}

std::vector<DataField> make_data_fields(const TrainingSettings& settings) {
  for (const ReaderSettings& r : settings.readers) {
    std::vector<DataField> fields;
    if (r.kind == ReaderKind::mnist) {
      fields.push_back({"samples", tensor::Shape{1, 28, 28}});
      fields.push_back({"labels", tensor::Shape{r.num_labels}});
    } else {
      fields.push_back({"samples", tensor::Shape(r.dims)});
      if (r.num_labels > 0) fields.push_back({"labels", tensor::Shape{r.num_labels}});
      if (!r.response_dims.empty()) fields.push_back({"responses", tensor::Shape(r.response_dims)});
    }
    return fields;
  }
  return {};
}

}  // namespace lbann::model
