// The LowerContext of one layer: its parameters and parents, and the shared builder, weights and data fields.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/lower.hpp"
#include "model/weight_table.hpp"

namespace lbann::model {

/// What all layers of a lowering share.
struct LowerState {
  const LowerOptions& options;
  ops::Builder& builder;
  WeightTable& weights;
  std::map<std::string, graph::ValueId> fields{};  // `input` nodes by data field and type
  std::set<graph::ValueId> assigned{};
  graph::ValueId random_state = graph::none;    // `input` nodes, made when first needed
  graph::ValueId random_scalars = graph::none;  // grows with the list
  std::vector<RandomScalar> scalars{};
};

/// The layer at hand.
struct LayerInputs {
  WeightUser user;
  const google::protobuf::Message* params = nullptr;
  std::vector<graph::ValueId> values{};  // of the layer's type
  std::vector<std::string> parent_names{};
  int num_children = 0;
};

class ModelLowerContext final : public layers::LowerContext {
public:
  ModelLowerContext(LowerState& state, LayerInputs layer) : state_(state), layer_(std::move(layer)) {}

  ops::Builder& b() override { return state_.builder; }
  const google::protobuf::Message& params() const override { return *layer_.params; }
  layers::Mode mode() const override { return state_.options.mode; }
  std::int64_t batch() const override { return state_.options.batch; }
  tensor::DataType type() const override { return layer_.user.type; }
  const std::string& name() const override { return layer_.user.name; }
  std::span<const graph::ValueId> inputs() const override { return layer_.values; }
  std::string_view parent_name(std::size_t i) const override { return layer_.parent_names[i]; }
  graph::ValueId weight(const layers::WeightRequest& request) override;
  void assign(std::size_t weight_index, graph::ValueId value) override;
  graph::ValueId data_field(const std::string& name) override;
  graph::ValueId random(const layers::RandomRequest& request) override;
  void warn(layers::LayerError warning) override { warnings_.push_back(std::move(warning)); }
  int num_children() const override { return layer_.num_children; }
  bool frozen() const override { return layer_.user.frozen; }
  int num_listed_weights() const override { return static_cast<int>(layer_.user.listed.size()); }
  layers::MadeWeight made_weight() override;

  /// Names of the weights asked for.
  const std::vector<std::string>& weight_names() const { return names_; }
  std::int64_t num_parameters() const { return num_parameters_; }
  const std::vector<layers::LayerError>& warnings() const { return warnings_; }

private:
  LowerState& state_;
  LayerInputs layer_;
  std::vector<std::string> names_;
  std::vector<graph::ValueId> nodes_;  // of the weights asked for
  std::int64_t num_parameters_ = 0;
  std::int64_t num_random_ = 0;
  std::vector<layers::LayerError> warnings_;
};

}  // namespace lbann::model
