// Rows of the layer table: loading, lowering through the registry, compiling, running.
//
// The inputs become `weight` nodes, so that differentiation yields their gradients too; the objective
// is sum over outputs of dy * out.
#include "table.hpp"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "base/npy.hpp"
#include "base/philox.hpp"
#include "graph/printer.hpp"
#include "layers/layer_def.hpp"
#include "model.pb.h"
#include "ops/builder.hpp"
#include "passes/passes.hpp"
#include "runtime/plan.hpp"
#include "tensor/layout_walk.hpp"
#include "tensor/partition.hpp"

namespace table {
namespace {

using namespace lbann;
using graph::ValueId;
using tensor::DataType;
using tensor::Shape;

const std::string root = std::string(LBANN_SOURCE_DIR) + "/tests/layers/golden";

Array load_array(const std::string& path) {
  base::NpyArray a = base::load_npy(path);
  return {Shape(a.shape), std::move(a.values)};
}

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool exists(const std::string& path) { return std::ifstream(path).good(); }

/// The layer's own view of the graph, without the model around it.
class RowContext final : public layers::LowerContext {
public:
  RowContext(ops::Builder& b, const Row& row, const google::protobuf::Message& params, DataType type)
    : b_(b), row_(row), params_(params), type_(type), name_("layer") {
    for (std::size_t i = 0; i < row.inputs.size(); ++i) {
      parents_.push_back("in" + std::to_string(i));
      inputs_.push_back(b.weight(parents_.back(), {type, row.inputs[i].shape, {}}));
    }
  }
  ops::Builder& b() override { return b_; }
  const google::protobuf::Message& params() const override { return params_; }
  layers::Mode mode() const override { return row_.train ? layers::Mode::train : layers::Mode::evaluate; }
  std::int64_t batch() const override { return row_.outputs.at(0).shape[0]; }
  DataType type() const override { return type_; }
  const std::string& name() const override { return name_; }
  std::span<const ValueId> inputs() const override { return inputs_; }
  std::string_view parent_name(std::size_t i) const override { return parents_.at(i); }
  ValueId weight(const layers::WeightRequest& request) override {
    const std::size_t i = weights_.size();
    if (i >= row_.weights.size()) throw std::runtime_error(row_.name + ": the layer asks for more weights");
    const Shape& given = row_.weights[i].shape;
    if (given.num_elements() != request.shape.num_elements()) {
      throw std::runtime_error(row_.name + ": weights " + given.to_string() + " given, " +
                               request.shape.to_string() + " requested");
    }
    weights_.push_back(b_.weight("w" + std::to_string(i), {type_, request.shape, {}}));
    return weights_.back();
  }
  void assign(std::size_t index, ValueId value) override {
    b_.graph().assignments.push_back({weights_.at(index), value});
  }
  ValueId data_field(const std::string&) override { throw std::runtime_error("no data in the table"); }
  ValueId random(const layers::RandomRequest& request) override {
    if (state_ == graph::none) state_ = b_.input("random_state", {DataType::i64, {2}, {}});
    const std::uint64_t stream = base::make_stream(name_, request.purpose, num_random_++);
    graph::Attrs attrs{{"distribution", request.distribution},
                       {"type", std::string(tensor::to_string(type_))},
                       {"dims", request.shape.dims()},
                       {"stream", static_cast<std::int64_t>(stream)}};
    std::vector<ValueId> operands{state_};
    if (request.distribution == "bernoulli") {
      if (scalars_ == graph::none) scalars_ = b_.input("random_scalars", {DataType::f64, {2}, {}});
      attrs.set("slot", static_cast<std::int64_t>(random_scalars.size()));
      random_scalars.insert(random_scalars.end(), {request.probability, request.value});
      b_.graph().value(scalars_).spec.shape = Shape{static_cast<std::int64_t>(random_scalars.size())};
      operands.push_back(scalars_);
    }
    return b_.add("random", operands, attrs);
  }
  void warn(layers::LayerError) override {}
  std::vector<double> random_scalars;
  int num_children() const override { return static_cast<int>(row_.outputs.size()); }
  std::size_t num_weights() const { return weights_.size(); }

private:
  ops::Builder& b_;
  const Row& row_;
  const google::protobuf::Message& params_;
  DataType type_;
  std::string name_;
  std::vector<std::string> parents_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> weights_;
  ValueId state_ = graph::none, scalars_ = graph::none;
  std::uint64_t num_random_ = 0;
};

const google::protobuf::Message& kind_message(const lbann_data::Layer& layer, const std::string& kind) {
  const auto* field = layer.GetDescriptor()->FindFieldByName(kind);
  if (field == nullptr || !layer.GetReflection()->HasField(layer, field)) {
    throw std::runtime_error("layer.prototext has no " + kind);
  }
  return layer.GetReflection()->GetMessage(layer, field);
}

/// Returns what `random_scalars` holds.
std::vector<double> lower_row(graph::Graph& g, const Row& row, DataType type) {
  lbann_data::Layer layer;
  lbann_data::Model model;
  const std::string text = read_text(row.folder + "/layer.prototext");
  if (!google::protobuf::TextFormat::ParseFromString(text, &model) || model.layer_size() != 1) {
    throw std::runtime_error(row.name + ": layer.prototext does not parse");
  }
  layer = model.layer(0);
  const layers::LayerDef* def = layers::try_layer(row.kind);
  if (def == nullptr) throw std::runtime_error("no layer '" + row.kind + "'");
  ops::Builder b(g);
  b.set_origin(g.add_origin({"layer", row.kind, {}}));
  RowContext context(b, row, kind_message(layer, row.kind), type);
  std::vector<ValueId> results = def->lower(context);
  if (context.num_weights() != row.weights.size()) {
    throw std::runtime_error(row.name + ": the layer asks for " + std::to_string(context.num_weights()) +
                             " weights");
  }
  if (results.size() == 1) results.resize(row.outputs.size(), results[0]);
  ValueId objective = graph::none;
  for (std::size_t o = 0; o < row.outputs.size(); ++o) {
    if (!(b.shape(results.at(o)) == row.outputs[o].shape)) {
      throw std::runtime_error(row.name + ": output " + b.shape(results[o]).to_string() + ", expected " +
                               row.outputs[o].shape.to_string());
    }
    g.outputs.push_back({"out" + std::to_string(o), results[o]});
    if (row.cotangents.size() <= o) continue;
    const ValueId dy = b.input("dy" + std::to_string(o), {type, row.outputs[o].shape, {}});
    ValueId product = b.ewise("mul", {results[o], dy});
    std::vector<std::int64_t> axes;
    for (int d = 0; d < row.outputs[o].shape.rank(); ++d) axes.push_back(d);
    const ValueId term = b.reshape(b.reduce("sum", product, axes), Shape{1});
    objective = objective == graph::none ? term : b.add2(objective, term);
  }
  if (objective != graph::none) g.outputs.push_back({"objective", objective});
  return context.random_scalars;
}

/// Random places for some of the values inside: the rules of all primitives are tried with operands placed as
/// no strategy would.
void add_noise(passes::Compilation& c, unsigned seed) {
  std::mt19937 numbers(seed);
  const auto below = [&](int n) { return static_cast<int>(numbers() % static_cast<unsigned>(n)); };
  passes::Compilation probe = c;  // as place_tensors will see it
  passes::simplify(probe);
  passes::insert_casts(probe);
  const graph::Graph& g = probe.graph;
  std::map<int, int> made;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.inputs.empty()) continue;
    for (ValueId v : n.outputs) {
      const std::string name =
          g.origins[static_cast<std::size_t>(n.origin)].layer + "#" + std::to_string(made[n.origin]++);
      const tensor::TensorSpec& spec = g.value(v).spec;
      if (!tensor::is_floating(spec.type) || spec.shape.rank() == 0 || below(3) != 0) continue;
      tensor::Placement to;
      for (std::size_t a = 0; a < c.mesh.axes.size(); ++a) {
        const int dim = below(spec.shape.rank() + 1) - 1;
        to.axes.push_back(dim < 0 ? tensor::AxisPlacement{}
                                  : tensor::AxisPlacement{tensor::PlacementKind::shard, dim});
      }
      c.placements[name] = to;
    }
  }
}

template <typename T>
std::vector<double> gather(const void* data, const graph::Value& v) {
  std::vector<double> result(static_cast<std::size_t>(v.spec.shape.num_elements()));
  const T* x = static_cast<const T*>(data);
  tensor::for_each_element(v.layout, v.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    result[static_cast<std::size_t>(position)] = static_cast<double>(x[offset]);
  });
  return result;
}

class Filtered final : public passes::KernelCatalogue {
public:
  Filtered(const passes::KernelCatalogue& base, bool (*accept)(const passes::KernelCandidate&))
    : base_(base), accept_(accept) {}
  std::vector<passes::KernelCandidate> candidates(const passes::SelectContext& context) const override {
    const std::vector<passes::KernelCandidate> all = base_.candidates(context);
    std::vector<passes::KernelCandidate> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      // Cost decides among what is left, so the last resort stays only where nothing else does.
      if (accept_(all[i])) kept.push_back(all[i]);
    }
    if (kept.empty()) kept.push_back(all.back());
    return kept;
  }
  const passes::Machine& machine() const override { return base_.machine(); }

private:
  const passes::KernelCatalogue& base_;
  bool (*accept_)(const passes::KernelCandidate&);
};

}  // namespace

std::unique_ptr<passes::KernelCatalogue> make_filtered_catalogue(
    const passes::KernelCatalogue& base, bool (*accept)(const passes::KernelCandidate&)) {
  return std::make_unique<Filtered>(base, accept);
}

std::vector<Row> load_rows() {
  std::ifstream index(root + "/index.txt");
  if (!index) throw std::runtime_error("no " + root + "/index.txt");
  std::vector<Row> rows;
  std::string line;
  while (std::getline(index, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::stringstream fields(line);
    Row row;
    std::string mode;
    int inputs = 0, weights = 0, outputs = 0;
    fields >> row.name >> row.kind >> mode >> inputs >> weights >> row.num_trained >> outputs;
    std::string flags;
    fields >> flags;
    for (char& ch : flags) {
      if (ch == ',') ch = ' ';
    }
    std::stringstream list(flags);
    for (std::string flag; list >> flag;) row.flags.insert(flag);
    row.train = mode == "train";
    row.folder = root + "/" + row.name;
    const auto path = [&](const std::string& stem) { return row.folder + "/" + stem + ".npy"; };
    for (int i = 0; i < inputs; ++i) {
      const std::string n = std::to_string(i);
      row.inputs.push_back(load_array(path("in" + n)));
      if (exists(path("dx" + n))) row.expected["dx" + n] = load_array(path("dx" + n));
    }
    for (int i = 0; i < weights; ++i) {
      const std::string n = std::to_string(i);
      row.weights.push_back(load_array(path("w" + n)));
      if (exists(path("dw" + n))) row.expected["dw" + n] = load_array(path("dw" + n));
      if (exists(path("w" + n + "_new"))) row.expected["w" + n + "_new"] = load_array(path("w" + n + "_new"));
    }
    for (int i = 0; i < outputs; ++i) {
      const std::string n = std::to_string(i);
      row.outputs.push_back(load_array(path("out" + n)));
      row.expected["out" + n] = row.outputs.back();
      if (exists(path("dy" + n))) row.cotangents.push_back(load_array(path("dy" + n)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

struct Prepared::Impl {
  const Row& row;
  Setting setting;
  std::unique_ptr<runtime::Plan> plan;
  runtime::WeightStore weights;
  runtime::Arena arena;
  std::unique_ptr<runtime::Runner> runner;
  std::map<std::string, std::vector<double>> contents;  // "in0", "w0", ...
  std::vector<std::vector<float>> dy32;
  std::vector<std::vector<double>> dy64;
  std::vector<double> random_scalars;
  std::int64_t random_state[2] = {};
  std::map<std::string, Shape> boundaries;
};

Prepared::Prepared(Prepared&&) noexcept = default;
Prepared::~Prepared() = default;

Prepared::Prepared(const Row& row, const Setting& setting)
  : impl_(new Impl{row, setting, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}) {
  passes::Compilation c;
  c.graph.name = row.name;
  impl_->random_scalars = lower_row(c.graph, row, setting.type);
  c.training = !row.cotangents.empty();
  c.expose_gradients = true;
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    if (n.op == "weight" || n.op == "input") {
      impl_->boundaries[n.attrs.get_text("name")] = c.graph.shape(n.outputs[0]);
    }
  }
  if (setting.ranks != nullptr) {
    c.mesh = setting.ranks->mesh;
    c.rank = setting.ranks->rank;
    c.placements = setting.ranks->placements;
    if (setting.ranks->noise != 0) add_noise(c, setting.ranks->noise);
  }
  c.catalogue = setting.catalogue;
  c.disabled = setting.disabled;
  if (setting.recompute) {
    for (const graph::Origin& origin : c.graph.origins) c.recompute_layers.insert(origin.layer);
  }
  for (std::size_t i = 0; i < row.inputs.size(); ++i) {
    impl_->contents["in" + std::to_string(i)] = row.inputs[i].values;
    if (row.expected.count("dx" + std::to_string(i)) > 0)
      c.trainable.push_back({"in" + std::to_string(i), "sgd", {}, 0});
  }
  for (std::size_t i = 0; i < row.weights.size(); ++i) {
    impl_->contents["w" + std::to_string(i)] = row.weights[i].values;
    if (static_cast<int>(i) < row.num_trained) c.trainable.push_back({"w" + std::to_string(i), "sgd", {}, 0});
  }
  passes::compile(c);
  impl_->plan = std::make_unique<runtime::Plan>(std::move(c),
                                                setting.ranks == nullptr ? nullptr : setting.ranks->groups);
  impl_->weights.allocate(impl_->plan->graph());
  impl_->arena.reserve(std::max<std::int64_t>(impl_->plan->memory().arena_bytes, 64));
  impl_->runner = std::make_unique<runtime::Runner>(*impl_->plan, impl_->arena, impl_->weights);
  // As golden/philox.py has it.
  impl_->random_state[0] = static_cast<std::int64_t>(base::make_random_key(1, 0));
  impl_->random_state[1] = 5;
  for (const auto& [name, data] : {std::pair<const char*, const void*>{"random_state", impl_->random_state},
                                   {"random_scalars", impl_->random_scalars.data()}}) {
    if (impl_->runner->has_input(name)) impl_->runner->bind_input(name, data);
  }
  for (std::size_t o = 0; o < row.cotangents.size(); ++o) {
    const std::vector<double> dy =
        piece_of(row.cotangents[o].values, row.outputs[o].shape, setting.ranks, "dy" + std::to_string(o));
    impl_->dy64.push_back(dy);
    impl_->dy32.emplace_back(dy.begin(), dy.end());
  }
  for (std::size_t o = 0; o < row.cotangents.size(); ++o) {
    const std::string name = "dy" + std::to_string(o);
    if (!impl_->runner->has_input(name)) continue;
    const bool wide = setting.type == DataType::f64;
    impl_->runner->bind_input(name,
                              wide ? static_cast<const void*>(impl_->dy64[o].data()) : impl_->dy32[o].data());
  }
}

void Prepared::set(const std::string& name, const std::vector<double>& values) {
  impl_->contents.at(name) = values;
}

Results Prepared::run() {
  Impl& p = *impl_;
  for (const auto& [name, values] : p.contents) {
    if (p.weights.has(name)) {
      p.weights.set_values(name, piece_of(values, p.boundaries.at(name), p.setting.ranks, name));
    }
  }
  if (p.setting.poison) p.arena.poison();
  p.runner->run();
  Results results;
  const graph::Graph& g = p.plan->graph();
  for (const graph::Output& o : g.outputs) {
    std::string name = o.name;
    if (name.rfind("gradient:in", 0) == 0) name = "dx" + name.substr(11);
    if (name.rfind("gradient:w", 0) == 0) name = "dw" + name.substr(10);
    const graph::Value& v = g.value(o.value);
    const void* data = p.runner->address(o.value);
    results[name] = v.spec.type == DataType::f64 ? gather<double>(data, v) : gather<float>(data, v);
  }
  for (std::size_t i = 0; i < p.row.weights.size(); ++i) {
    const std::string name = "w" + std::to_string(i);
    results[name + "_new"] =
        p.weights.has(name) ? p.weights.values(name)
                            : piece_of(p.contents.at(name), p.row.weights[i].shape, p.setting.ranks, name);
  }
  return results;
}

std::map<std::string, Shape> Prepared::boundaries() const { return impl_->boundaries; }

std::vector<double> piece_of(const std::vector<double>& whole, const Shape& shape, const RankSetting* ranks,
                             const std::string& boundary) {
  if (ranks == nullptr) return whole;
  const auto placement = ranks->placements.find(boundary);
  if (placement == ranks->placements.end()) return whole;
  const std::vector<tensor::Range> box =
      tensor::local_box(shape, placement->second, ranks->mesh, ranks->rank);
  std::vector<double> piece;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    bool inside = true;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      const std::int64_t index = rest % shape[d];
      rest /= shape[d];
      inside = inside && index >= box[static_cast<std::size_t>(d)].begin &&
               index < box[static_cast<std::size_t>(d)].end;
    }
    if (inside) piece.push_back(whole[i]);
  }
  return piece;
}

double Prepared::objective() {
  const Results r = run();
  const auto found = r.find("objective");
  return found == r.end() ? 0.0 : found->second.at(0);
}

int Prepared::num_recomputed() const { return impl_->plan->compiled().recomputed.values; }

std::string Prepared::program() const {
  return impl_->plan->compiled().program + "\n" + graph::print_graph(impl_->plan->graph());
}

std::string Prepared::describe() const {
  std::string text;
  const graph::Graph& g = impl_->plan->graph();
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (!n.kernel.empty()) text += n.kernel + "(" + g.value(n.outputs[0]).layout.tag() + ") ";
  }
  return text;
}

}  // namespace table
