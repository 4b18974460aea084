// Building the graph in steps that each go on after errors: weights and layers by name, edges,
// old inputs, order. The sections beside the layers are in graph_sections.cpp.
#include "model/layer_graph.hpp"

#include <algorithm>
#include <unordered_map>

#include <google/protobuf/descriptor.h>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "lbann.pb.h"
#include "model/check_numbers.hpp"
#include "model/damage.hpp"
#include "model/execution_order.hpp"
#include "model/graph_sections.hpp"

namespace lbann::model {

namespace pb = google::protobuf;

namespace {

constexpr const char* blanks = " \t\r\n\v\f";

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class GraphMaker {
public:
  GraphMaker(const Experiment& experiment, base::Diagnostics& diagnostics)
    : experiment_(experiment),
      spans_(experiment.spans),
      model_(experiment.proto->model()),
      diagnostics_(diagnostics),
      damage_(experiment.spans, diagnostics) {}

  LayerGraph make() {
    graph_.model_name = model_.name().empty() ? "model0" : model_.name();
    if (experiment_.proto->has_optimizer()) graph_.optimizer = &experiment_.proto->optimizer();
    make_weights();
    make_layers();
    link_layers();
    split_old_inputs();
    order_layers();
    make_sections(
        experiment_, damage_,
        [this](const std::string& name, const base::SourceSpan& span) {
          return resolve_layer(name, span, "layer");
        },
        graph_, diagnostics_);
    return std::move(graph_);
  }

private:
  void error(std::string id, base::SourceSpan span, std::string message, std::string help = {},
             std::vector<base::Note> notes = {}) {
    diagnostics_.add({base::Severity::error, std::move(id), std::move(message), std::move(span),
                      std::move(notes), std::move(help)});
  }

  bool damaged(const std::string& path) const { return damage_.inside(path); }

  void check_name(const std::string& name, const std::string& path, std::string_view what) {
    if (name.empty())
      error("empty-name", spans_.span(path), fmt::format("the name of a {} is empty", what));
    else if (name.find_first_of(blanks) != std::string::npos)
      error("blank-in-name", spans_.span(path), fmt::format("the {} name '{}' has a blank in it", what, name),
            "use '_' instead: names are separated by blanks in lists");
  }

  template <class Index>
  bool check_unique(const Index& index, const std::string& name, const base::SourceSpan& span,
                    const base::SourceSpan& first, std::string_view what) {
    if (index.find(name) == index.end()) return true;
    error("duplicate-name", span, fmt::format("two {} are named '{}'", what, name), "",
          {{"the first is here", first}});
    return false;
  }

  // -- weights and layers by name ------------------------------------------------------------

  void make_weights() {
    for (int i = 0; i < model_.weights_size(); ++i) {
      const auto& message = model_.weights(i);
      WeightsNode node;
      node.path = fmt::format("model.weights[{}]", i);
      node.span = spans_.span(node.path);
      node.name = message.has_name() ? message.name() : fmt::format("weights{}", i);
      if (message.has_name()) check_name(node.name, node.path + ".name", "weights");
      if (message.has_initializer()) node.initializer = &message.initializer();
      if (message.has_optimizer()) node.optimizer = &message.optimizer();
      if (message.has_datatype()) node.type = type_of(message.datatype(), node.path + ".datatype");
      if (message.sharded())
        diagnostics_.warning(
            "no-effect", spans_.span(node.path + ".sharded"),
            "sharded weights are not yet supported here: they are kept whole, results are the same");
      const auto where = message.has_name() ? spans_.span(node.path + ".name") : node.span;
      const auto known = weights_index_.find(node.name);
      const auto first = known == weights_index_.end()
                             ? base::SourceSpan{}
                             : spans_.span(graph_.weights[at(known->second)].path + ".name");
      if (check_unique(weights_index_, node.name, where, first, "weights objects"))
        weights_index_.emplace(node.name, static_cast<int>(graph_.weights.size()));
      graph_.weights.push_back(std::move(node));
    }
  }

  std::optional<tensor::DataType> type_of(lbann_data::DataType type, const std::string& path) {
    switch (type) {
      case lbann_data::DEFAULT_DATATYPE:
        return std::nullopt;
      case lbann_data::FLOAT:
        return tensor::DataType::f32;
      case lbann_data::DOUBLE:
        return tensor::DataType::f64;
      default:
        error("not-supported", spans_.span(path),
              fmt::format("datatype {} is known to LBANN, not yet supported here",
                          lbann_data::DataType_Name(type)),
              "FLOAT and DOUBLE are");
        return tensor::DataType::f32;
    }
  }

  void make_layers() {
    graph_.layers.reserve(at(model_.layer_size()));
    for (int i = 0; i < model_.layer_size(); ++i) {
      const auto& message = model_.layer(i);
      LayerNode node;
      node.path = fmt::format("model.layer[{}]", i);
      node.span = spans_.span(node.path);
      node.named = message.has_name();
      node.name = node.named ? message.name() : fmt::format("layer{}", i);
      const bool broken = damaged(node.path);
      if (node.named) check_name(node.name, node.path + ".name", "layer");
      if (broken && !node.named) lost_name_ = true;
      std::tie(node.kind, node.params) = chosen_member(message, "layer_type");
      if (node.params == nullptr && !broken)
        error("layer-without-kind", node.span, fmt::format("layer '{}' has no kind", node.name),
              "add one, for example relu {}");
      if (message.has_datatype()) node.type = type_of(message.datatype(), node.path + ".datatype");
      node.frozen = message.freeze();
      node.recompute = message.recompute();
      read_options(message, node);
      const auto where = node.named ? spans_.span(node.path + ".name") : node.span;
      const auto known = layer_index_.find(node.name);
      const auto first =
          known == layer_index_.end() ? base::SourceSpan{} : name_span(graph_.layers[at(known->second)]);
      if (check_unique(layer_index_, node.name, where, first, "layers")) layer_index_.emplace(node.name, i);
      graph_.layers.push_back(std::move(node));
    }
    if (model_.layer_size() == 0 && experiment_.proto->has_model() && !damaged("model"))
      error("no-layers", spans_.span("model"), "the model has no layers");
  }

  base::SourceSpan name_span(const LayerNode& layer) const {
    return layer.named ? spans_.span(layer.path + ".name") : layer.span;
  }

  void read_options(const lbann_data::Layer& message, LayerNode& node) {
    const std::string& layout = message.data_layout();
    if (layout == "model_parallel" || layout == "MODEL_PARALLEL")
      node.data_layout = DataLayout::model_parallel;
    else if (!layout.empty() && layout != "data_parallel" && layout != "DATA_PARALLEL")
      unknown_word(node.path + ".data_layout", "data_layout", layout, {"data_parallel", "model_parallel"});
    const std::string& device = message.device_allocation();
    if (device == "cpu" || device == "CPU")
      node.device = "cpu";
    else if (device == "gpu" || device == "GPU")
      node.device = "gpu";
    else if (!device.empty())
      unknown_word(node.path + ".device_allocation", "device_allocation", device, {"cpu", "gpu"});
    if (message.has_grid_tag() && message.parallel_strategy().has_grid_tag())
      error("two-grid-tags", spans_.span(node.path + ".grid_tag"),
            fmt::format("layer '{}' gives grid_tag twice", node.name), "",
            {{"in parallel_strategy too", spans_.span(node.path + ".parallel_strategy.grid_tag")}});
  }

  void unknown_word(const std::string& path, std::string_view field, const std::string& word,
                    const std::vector<std::string>& words) {
    std::string help = base::did_you_mean(word, words);
    if (help.empty()) help = fmt::format("one of {}", fmt::join(words, ", "));
    error("unknown-word", spans_.span(path), fmt::format("{} '{}' does not exist", field, word),
          std::move(help));
  }

  // -- edges ----------------------------------------------------------------------------------

  /// Index of the layer that a reference names, or -1 after an error.
  int resolve_layer(const std::string& name, const base::SourceSpan& span, std::string_view role) {
    const auto found = layer_index_.find(name);
    if (found != layer_index_.end()) return found->second;
    if (lost_name_) return -1;  // it may be the layer whose name could not be read
    if (layer_names_.empty())
      for (const auto& layer : graph_.layers) layer_names_.push_back(layer.name);
    error("unknown-layer", span, fmt::format("{} '{}' does not exist", role, name),
          base::did_you_mean(name, layer_names_));
    return -1;
  }

  static void add_once(std::vector<int>& list, int layer) {
    if (std::find(list.begin(), list.end(), layer) == list.end()) list.push_back(layer);
  }

  void link_layers() {
    for (int i = 0; i < model_.layer_size(); ++i) {
      const auto& message = model_.layer(i);
      const std::string path = graph_.layers[at(i)].path;
      read_edges(i, message.parents(), path + ".parents", true);
      read_edges(i, message.children(), path + ".children", false);
      if (message.has_hint_layer() && !message.hint_layer().empty()) {
        const auto span = spans_.span(path + ".hint_layer");
        const int hint = resolve_layer(message.hint_layer(), span, "hint layer");
        if (hint == i)
          error("self-reference", span,
                fmt::format("layer '{}' is its own hint layer", message.hint_layer()));
        else
          graph_.layers[at(i)].hint = hint;
      }
      read_weights(i, message, path);
    }
    // The other end of every edge; a layer's own list has come first.
    for (int i = 0; i < model_.layer_size(); ++i) {
      const auto parents = graph_.layers[at(i)].parents;
      for (int parent : parents) link(graph_.layers[at(parent)].children, parent, i, children_set_);
    }
    for (int i = 0; i < model_.layer_size(); ++i) {
      const auto children = graph_.layers[at(i)].children;
      for (int child : children) link(graph_.layers[at(child)].parents, child, i, parents_set_);
    }
  }

  using EdgeSet = std::unordered_map<std::int64_t, bool>;

  /// Appends `other` to the list of `owner` unless it is there; the set keeps that quick for a
  /// layer with very many children.
  static bool link(std::vector<int>& list, int owner, int other, EdgeSet& known) {
    const std::int64_t key = (static_cast<std::int64_t>(owner) << 32) | static_cast<std::uint32_t>(other);
    if (!known.emplace(key, true).second) return false;
    list.push_back(other);
    return true;
  }

  template <class Names>
  void read_edges(int layer, const Names& names, const std::string& path, bool are_parents) {
    const char* role = are_parents ? "parent" : "child";
    for (int k = 0; k < names.size(); ++k) {
      const auto span = spans_.span(fmt::format("{}[{}]", path, k));
      const int other = resolve_layer(names.Get(k), span, role);
      if (other < 0) continue;
      auto& node = graph_.layers[at(layer)];
      if (other == layer) {
        error("self-reference", span, fmt::format("layer '{}' is its own {}", node.name, role));
        continue;
      }
      auto& list = are_parents ? node.parents : node.children;
      if (!link(list, layer, other, are_parents ? parents_set_ : children_set_))
        diagnostics_.warning(
            "repeated-edge", span,
            fmt::format("layer '{}' lists the {} '{}' twice; it counts once", node.name, role, names.Get(k)),
            are_parents ? "put an identity layer in between to use a tensor twice" : "");
    }
  }

  void read_weights(int layer, const lbann_data::Layer& message, const std::string& path) {
    for (int k = 0; k < message.weights_size(); ++k) {
      const std::string& name = message.weights(k);
      if (weights_index_.contains(name)) {
        graph_.layers[at(layer)].weights.push_back(name);
        continue;
      }
      std::vector<std::string> names;
      for (const auto& weights : graph_.weights) names.push_back(weights.name);
      error("unknown-weights", spans_.span(fmt::format("{}.weights[{}]", path, k)),
            fmt::format("weights '{}' do not exist", name), base::did_you_mean(name, names));
    }
  }

  // -- old inputs -------------------------------------------------------------------------------

  /// The field that the second child of an old input gets; empty: there is no second child.
  static const char* second_field(const std::string& mode, bool& known) {
    known = true;
    if (mode.empty() || mode == "classification") return "labels";
    if (mode == "regression") return "responses";
    if (mode == "reconstruction") return "samples";
    if (mode == "label_reconstruction") return "label_reconstruction";
    known = mode == "na" || mode == "NA" || mode == "N/A";
    return "";
  }

  void split_old_inputs() {
    const int num_layers = static_cast<int>(graph_.layers.size());
    for (int i = 0; i < num_layers; ++i) {
      if (graph_.layers[at(i)].kind != "input") continue;
      const auto& input = static_cast<const lbann_data::Layer::Input&>(*graph_.layers[at(i)].params);
      const std::string params_path = graph_.layers[at(i)].path + ".input";
      if (!input.data_field().empty()) continue;
      bool known = false;
      const std::string second = second_field(input.target_mode(), known);
      if (!known) {
        unknown_word(params_path + ".target_mode", "target_mode", input.target_mode(),
                     {"classification", "regression", "reconstruction", "label_reconstruction", "na"});
        continue;
      }
      const auto num_children = graph_.layers[at(i)].children.size();
      if (num_children <= 1) continue;
      if (num_children > 2 || second.empty()) {
        error("input-children", graph_.layers[at(i)].span,
              fmt::format("input layer '{}' without data_field has {} children, at most {} are possible",
                          graph_.layers[at(i)].name, num_children, second.empty() ? 1 : 2),
              "give it a data_field, and make one input layer per field");
        continue;
      }
      split_input(i, second);
    }
  }

  void split_input(int first, const std::string& field) {
    LayerNode node = graph_.layers[at(first)];
    const int index = static_cast<int>(graph_.layers.size());
    const int child = node.children[1];
    node.second_of = first;
    node.named = false;
    node.children = {child};
    const std::string stem = fmt::format("{}_{}", node.name, field);
    node.name = stem;
    for (int n = 2; layer_index_.contains(node.name); ++n) node.name = fmt::format("{}{}", stem, n);
    layer_index_.emplace(node.name, index);
    auto own = [&](const std::string& name) {
      auto params = std::make_shared<lbann_data::Layer::Input>();
      params->set_data_field(name);
      graph_.owned.push_back(params);
      return params.get();
    };
    node.params = own(field);
    graph_.layers[at(first)].params = own("samples");
    graph_.layers[at(first)].children.pop_back();
    auto& parents = graph_.layers[at(child)].parents;
    std::replace(parents.begin(), parents.end(), first, index);
    graph_.layers.push_back(std::move(node));
  }

  // -- order --------------------------------------------------------------------------------------

  void order_layers() {
    std::vector<std::vector<int>> successors(graph_.layers.size());
    std::vector<bool> first(graph_.layers.size(), false);
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      const auto& layer = graph_.layers[i];
      successors[i] = layer.children;
      first[i] = layer.kind == "input";
    }
    for (std::size_t i = 0; i < graph_.layers.size(); ++i)
      if (graph_.layers[i].hint >= 0) add_once(successors[at(graph_.layers[i].hint)], static_cast<int>(i));
    // Second inputs stand at the end of the list but run first: they are sources.
    const std::size_t num_layers = at(model_.layer_size());
    auto in_file = successors;
    for (std::size_t i = num_layers; i < in_file.size(); ++i) in_file[i].clear();
    auto found = find_execution_order(in_file, first);
    graph_.order = std::move(found.order);
    for (const auto& cycle : found.cycles) report_cycle(cycle);
  }

  void report_cycle(const std::vector<int>& cycle) {
    constexpr std::size_t shown = 8;
    std::string text;
    for (std::size_t k = 0; k < std::min(cycle.size(), shown); ++k)
      text += fmt::format("'{}' -> ", graph_.layers[at(cycle[k])].name);
    if (cycle.size() > shown) text += "... -> ";
    text += fmt::format("'{}'", graph_.layers[at(cycle[0])].name);
    std::vector<base::Note> notes;
    for (std::size_t k = 1; k < std::min(cycle.size(), shown); ++k)
      notes.push_back(
          {fmt::format("through '{}'", graph_.layers[at(cycle[k])].name), graph_.layers[at(cycle[k])].span});
    error("cycle", graph_.layers[at(cycle[0])].span, fmt::format("layers form a cycle: {}", text), "",
          std::move(notes));
  }

  const Experiment& experiment_;
  const SpanTable& spans_;
  const lbann_data::Model& model_;
  base::Diagnostics& diagnostics_;
  const Damage damage_;
  LayerGraph graph_;
  std::unordered_map<std::string, int> layer_index_;
  std::unordered_map<std::string, int> weights_index_;
  std::vector<std::string> layer_names_;
  EdgeSet parents_set_;
  EdgeSet children_set_;
  bool lost_name_ = false;
};

}  // namespace

int LayerGraph::find_layer(std::string_view name) const {
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].name == name) return static_cast<int>(i);
  return -1;
}

base::SourceSpan layer_span(const Experiment& experiment, const LayerNode& layer, std::string_view field) {
  if (field.empty()) return layer.span;
  return experiment.spans.span(fmt::format("{}.{}.{}", layer.path, layer.kind, field));
}

LayerGraph make_layer_graph(const Experiment& experiment, base::Diagnostics& diagnostics) {
  check_numbers(experiment, diagnostics);
  return GraphMaker(experiment, diagnostics).make();
}

void mark_recompute(LayerGraph& graph, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const int layer = graph.find_layer(name);
    if (layer >= 0) {
      graph.layers[at(layer)].recompute = true;
      continue;
    }
    std::vector<std::string> known;
    for (const LayerNode& l : graph.layers) known.push_back(l.name);
    throw base::Error(base::ExitCode::usage, fmt::format("--recompute-layer: there is no layer '{}'", name),
                      base::did_you_mean(name, known));
  }
}

std::string describe(const LayerGraph& graph) {
  std::string out = fmt::format("model {} with {} layers\n", graph.model_name, graph.layers.size());
  auto names = [&](const std::vector<int>& list) {
    std::string text;
    for (int layer : list) text += (text.empty() ? "" : ", ") + graph.layers[at(layer)].name;
    return text;
  };
  for (int i : graph.order) {
    const auto& layer = graph.layers[at(i)];
    out += fmt::format("{}({}) {}", layer.kind, names(layer.parents), layer.name);
    if (!layer.weights.empty()) out += fmt::format(" weights [{}]", fmt::join(layer.weights, ", "));
    if (layer.hint >= 0) out += " hint " + graph.layers[at(layer.hint)].name;
    out += '\n';
  }
  for (const auto& term : graph.objective)
    out += fmt::format("objective {} * {}\n", term.scale, graph.layers[at(term.layer)].name);
  for (const auto& term : graph.l2_terms)
    out += fmt::format("l2 {} [{}]\n", term.scale, fmt::join(term.weights, ", "));
  for (const auto& metric : graph.metrics)
    out += fmt::format("metric {} {}\n", metric.name,
                       metric.layer < 0 ? "" : graph.layers[at(metric.layer)].name);
  return out;
}

}  // namespace lbann::model
