// The table of defaults. A row's value means the same when it is written out; defaults that are not
// a value of their own ("the library chooses", "as sample_groups") are told in the schema's comments.
#include "model/field_defaults.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include "base/diagnostic.hpp"
#include "model/schema_names.hpp"

namespace lbann::model {

namespace pb = google::protobuf;

namespace {

struct Default {
  std::string_view message;
  std::string_view field;
  std::string_view text;
};

constexpr Default defaults[] = {
    {"Trainer", "name", "\"trainer0\""},
    {"Trainer", "random_seed", "42"},
    {"Model", "name", "\"model0\""},
    {"Model.AutomaticMixedPrecision", "init_scale", "65536"},
    {"Model.AutomaticMixedPrecision", "growth_factor", "2"},
    {"Model.AutomaticMixedPrecision", "backoff_factor", "0.5"},
    {"Model.AutomaticMixedPrecision", "growth_interval", "2000"},
    {"ObjectiveFunction.LayerTerm", "scale_factor", "1"},
    {"ObjectiveFunction.L2WeightRegularization", "scale_factor", "1"},
    {"Weights", "datatype", "FLOAT"},
    {"Layer", "data_layout", "\"data_parallel\""},
    {"Layer", "datatype", "FLOAT"},
    {"Layer.BatchNormalization", "decay", "0.9"},
    {"Layer.BatchNormalization", "epsilon", "1e-05"},
    {"Layer.ChannelwiseFullyConnected", "output_channel_dims", "1"},
    {"Layer.ChannelwiseFullyConnected", "bias", "true"},
    {"Layer.ChannelwiseFullyConnected", "transpose", "false"},
    {"Layer.Convolution", "stride", "1"},
    {"Layer.Convolution", "padding", "0"},
    {"Layer.Convolution", "dilation", "1"},
    {"Layer.Convolution", "groups", "1"},
    {"Layer.Convolution", "has_bias", "true"},
    {"Layer.Deconvolution", "stride", "1"},
    {"Layer.Deconvolution", "padding", "0"},
    {"Layer.Deconvolution", "output_padding", "0"},
    {"Layer.Deconvolution", "dilation", "1"},
    {"Layer.Deconvolution", "groups", "1"},
    {"Layer.Deconvolution", "has_bias", "true"},
    {"Layer.Elu", "alpha", "1"},
    {"Layer.FullyConnected", "has_bias", "false"},
    {"Layer.FullyConnected", "transpose", "false"},
    {"Layer.GRU", "num_layers", "1"},
    {"Layer.InstanceNorm", "epsilon", "1e-05"},
    {"Layer.LayerNorm", "epsilon", "1e-05"},
    {"Layer.LeakyRelu", "negative_slope", "0.01"},
    {"Layer.MultiDimReduction", "mode", "\"sum\""},
    {"Layer.Reduction", "mode", "\"sum\""},
    {"Layer.Softmax", "softmax_mode", "\"instance\""},
    {"SelectOperator", "epsilon", "1e-05"},
    {"Callback.CallbackComputeModelSize", "batch_interval", "1"},
    {"Callback.CallbackDumpGradients", "interval", "1"},
    {"Callback.CallbackDumpMBIndices", "interval", "1"},
    {"Callback.CallbackDumpModelGraph", "basename", "\"model.dot\""},
    {"Callback.CallbackDumpOutputs", "batch_interval", "1"},
    {"Callback.CallbackDumpOutputs", "directory", "\"./\""},
    {"Callback.CallbackDumpOutputs", "format", "\"csv\""},
    {"Callback.CallbackDumpWeights", "epoch_interval", "1"},
    {"Callback.CallbackDumpWeights", "format", "\"text\""},
    {"Callback.CallbackEvaluateProgress", "batch_interval", "1"},
    {"Callback.CallbackLTFB", "batch_interval", "1"},
    {"Callback.CallbackLTFB", "communication_algorithm", "\"sendrecv_weights\""},
    {"Callback.CallbackLoadModel", "extension", "\"prototext\""},
    {"Callback.CallbackPerturbAdam", "batch_interval", "1"},
    {"Callback.CallbackPerturbLearningRate", "batch_interval", "1"},
    {"Callback.CallbackPerturbWeights", "batch_interval", "1"},
    {"Callback.CallbackProgressBar", "interval", "1"},
    {"Callback.CallbackProgressBar", "newline_interval", "0"},
    {"Callback.CallbackProgressBar", "moving_average_length", "10"},
    {"Callback.CallbackProgressBar", "bar_width", "30"},
    {"Callback.CallbackReplaceWeights", "batch_interval", "1"},
    {"Callback.CallbackSaveImages", "image_format", "\"jpg\""},
    {"Callback.CallbackSaveModel", "extension", "\"prototext\""},
    {"Callback.CallbackSummarizeImages", "epoch_interval", "1"},
    {"Callback.CallbackSummary", "batch_interval", "1"},
    {"Callback.CallbackTimer", "skip_steps", "0"},
    {"KFAC", "damping_act", "\"0.03\""},
    {"KFAC", "damping_err", "\"0.03\""},
    {"KFAC", "damping_bn_act", "\"0.03\""},
    {"KFAC", "damping_bn_err", "\"0.03\""},
    {"KFAC", "damping_warmup_steps", "100"},
    {"KFAC", "kronecker_decay", "0.99"},
    {"KFAC", "update_intervals", "\"1\""},
    {"KFAC", "inverse_strategy", "\"all\""},
    {"KFAC", "learning_rate_factor", "1"},
    {"KFAC", "compute_interval", "1"},
    {"PythonDataReader", "sample_function", "\"sample\""},
    {"PythonDataReader", "num_samples_function", "\"num_samples\""},
    {"PythonDataReader", "sample_dims_function", "\"sample_dims\""},
    {"PythonDatasetReader", "prefetch_factor", "1"},
    {"Reader", "hdf5_key_data", "\"full\""},
    {"Reader", "scaling_factor_int16", "1"},
    {"Reader", "separator", "\",\""},
    {"Reader", "hdf5_key_responses", "\"unitPar\""},
};

}  // namespace

std::optional<std::string_view> try_listed_default(const pb::FieldDescriptor& field) {
  const std::string_view type = short_name(*field.containing_type());
  for (const Default& known : defaults)
    if (known.field == field.name() && known.message == type) return known.text;
  return std::nullopt;
}

std::optional<std::string> default_text(const pb::FieldDescriptor& field) {
  if (const auto listed = try_listed_default(field)) return std::string(*listed);
  if (field.is_repeated()) return std::nullopt;
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      return std::nullopt;
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return "\"\"";
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return "false";
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return field.enum_type()->value(0)->name();
    default:
      return "0";
  }
}

void fill_defaults(pb::Message& message) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  pb::TextFormat::Parser parser;
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    const bool block = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    const bool present = field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                                             : reflection.HasField(message, &field);
    if (present && block && !field.is_map()) {
      const int size = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
      for (int k = 0; k < size; ++k)
        fill_defaults(field.is_repeated() ? *reflection.MutableRepeatedMessage(&message, &field, k)
                                          : *reflection.MutableMessage(&message, &field));
    }
    const auto text = present ? std::nullopt : try_listed_default(field);
    if (!text) continue;
    const std::string value = block ? "{ value: " + std::string(*text) + " }" : std::string(*text);
    if (!parser.MergeFromString(field.name() + (block ? " " : ": ") + value, &message))
      throw base::Error(base::ExitCode::internal, "table of defaults: " + field.full_name());
  }
}

}  // namespace lbann::model
