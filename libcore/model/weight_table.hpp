// Matches the weights that layers ask for with the weights objects the user wrote.
//
// A layer's i-th request takes the i-th name of its `weights` list; where the list ends, the weight is made
// with the default name (layer name + suffix), the layer's initializer and the experiment's optimizer. A
// user's object without initializer starts at zero. The first request fixes shape and type; sharing needs
// equal shapes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/bind_optim.hpp"
#include "model/lower.hpp"
#include "ops/builder.hpp"

namespace lbann::model {

/// The layer that asks.
struct WeightUser {
  std::string name;
  std::string path;                   // "model.layer[3]"
  std::vector<std::string> listed{};  // its `weights`
  bool frozen = false;
  tensor::DataType type = tensor::DataType::f32;
};

class WeightTable {
public:
  /// Binds all weights objects and the default optimizer; what is wrong with them goes to `diagnostics`.
  WeightTable(const LayerGraph& graph, const Experiment& experiment, base::Diagnostics& diagnostics);

  /// The weight as a value of the user's type (cast where the object says another type).
  /// Throws base::Diagnostic when it cannot be given.
  graph::ValueId request(const WeightUser& user, std::size_t index, const layers::WeightRequest& request,
                         ops::Builder& b);
  /// A weight that a layer has asked for already, else nullptr.
  const LoweredWeight* try_made(const std::string& name) const {
    const auto known = index_.find(name);
    return known == index_.end() ? nullptr : &weights_[known->second];
  }
  /// Name of the last weight handed out, and its node's value.
  const LoweredWeight& last() const { return weights_[last_]; }
  bool has(const std::string& name) const { return index_.count(name) != 0 || objects_.count(name) != 0; }
  std::vector<std::string> names() const;
  std::vector<LoweredWeight> take() { return std::move(weights_); }

private:
  struct Object {  // a weights object of the user
    std::string path;
    std::string initializer_path;
    optim::InitializerConfig initializer{};
    std::optional<optim::OptimizerConfig> optimizer{};
    bool own_optimizer = false;
    std::optional<tensor::DataType> type{};  // nothing: that of the first layer
  };

  Object bind_object(const WeightsNode& node);
  void check_sharing(const WeightUser& user, const LoweredWeight& w,
                     const layers::WeightRequest& request) const;
  LoweredWeight make(const std::string& name, const WeightUser& user, const layers::WeightRequest& request,
                     const Object* object);

  const Experiment& experiment_;
  base::Diagnostics& diagnostics_;
  std::optional<optim::OptimizerConfig> default_optimizer_;
  std::map<std::string, Object> objects_;
  std::vector<LoweredWeight> weights_;
  std::map<std::string, std::size_t> index_;  // into weights_
  std::size_t last_ = 0;
};

}  // namespace lbann::model
