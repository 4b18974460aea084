// The contract of a layer: which graphs around it are legal, and how it is written in primitives.
// One file per small family; `layer_registry.cpp` lists the definitions by explicit calls. A layer
// is named by the field of the Layer message that holds its parameters ("convolution").
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "ops/builder.hpp"

namespace google::protobuf {
class Message;
}

namespace lbann::layers {

enum class Mode { train, evaluate };

/// What initial values a layer proposes for a weight nobody describes.
struct DefaultInitializer {
  enum class Kind { constant, he_normal, normal, scale_bias } kind = Kind::constant;
  double value = 0;  // of a constant
};

/// A weight as its layer sees it; model/ has matched it with the user's weights object.
struct WeightRequest {
  std::string suffix;   // default name = layer name + suffix, e.g. "_kernel"
  tensor::Shape shape;  // storage order = LBANN's linear order of this weight
  DefaultInitializer initializer{};
  bool trainable = true;    // running statistics are not
  std::int64_t fan_in = 0;  // 0: variance scaling does not apply
  std::int64_t fan_out = 0;
  std::int64_t matrix_height =
      0;  // > 0: stored as a column-major matrix height x width (numpy files are transposed)
  std::int64_t zero_row = -1;  // >= 0: this row of the first dim starts as zeros, whatever the initializer
};

/// Random numbers that a layer wants in every step; see the primitive `random`.
struct RandomRequest {
  std::string distribution;  // "uniform" [0,1), "normal", "bernoulli"
  std::string purpose;       // of the stream, e.g. "dropout mask": no two of a layer are equal
  tensor::Shape shape;       // with the mini-batch
  double probability = 0;    // of bernoulli, and the value where it hits (else 0)
  double value = 1;
};

/// A weight that exists already.
struct MadeWeight {
  graph::ValueId value = graph::none;
  tensor::Shape shape{};
  std::int64_t matrix_height = 0;
};

/// A refusal of a layer; the driver adds file, line and the layer's name. `field` locates it inside
/// the layer's parameter message ("groups"); empty: the layer itself.
struct LayerError {
  std::string id;
  std::string message;
  std::string field{};
  std::string help{};
  std::vector<base::Note> notes{};
};

/// Everything a lowering may ask for and do. Implemented by model/lower.
class LowerContext {
public:
  virtual ~LowerContext() = default;
  virtual ops::Builder& b() = 0;
  virtual const google::protobuf::Message& params() const = 0;
  virtual Mode mode() const = 0;
  virtual std::int64_t batch() const = 0;
  virtual tensor::DataType type() const = 0;
  virtual const std::string& name() const = 0;
  /// Parents' outputs, in order, shape [batch, dims...].
  virtual std::span<const graph::ValueId> inputs() const = 0;
  virtual std::string_view parent_name(std::size_t i) const = 0;
  /// The i-th weight of this layer; shape [dims], no batch. Requests must come in index order.
  virtual graph::ValueId weight(const WeightRequest& request) = 0;
  /// After the step, the weight (by index of the requests) takes this value: running statistics.
  virtual void assign(std::size_t weight_index, graph::ValueId value) = 0;
  /// A data field of the reader as [batch, dims...]; throws LayerError when the readers have none.
  virtual graph::ValueId data_field(const std::string& name) = 0;
  /// Random numbers of the layer's type, new ones in every step.
  virtual graph::ValueId random(const RandomRequest& request) = 0;
  /// Tells the user something that is no error; it gets the layer's name and place.
  virtual void warn(LayerError warning) = 0;
  /// Number of layers that take this one as parent, in their order (a split or slice needs it).
  virtual int num_children() const = 0;
  /// The user froze the layer: its weights are not trained.
  virtual bool frozen() const { return false; }
  /// Names in the layer's `weights`.
  virtual int num_listed_weights() const { return 0; }
  /// The first listed weight, which another layer has made before, with its request's matrix_height;
  /// throws LayerError where there is none.
  virtual MadeWeight made_weight();
};

struct LayerDef {
  std::string_view kind;
  std::string_view summary;  // one line, for --explain
  int min_parents = 1;
  int max_parents = 1;  // -1: no limit
  int max_weights = 0;
  /// Values per child edge or one for all children; throws LayerError or ops::InferError.
  std::vector<graph::ValueId> (*lower)(LowerContext&) = nullptr;
};

/// nullptr: known to the schema perhaps, but not supported here.
const LayerDef* try_layer(std::string_view kind);
std::span<const LayerDef> all_layers();

}  // namespace lbann::layers
