// Walks the bound message by reflection. Numbers are printed as protobuf's text format prints them: the
// shortest text that reads back the same.
#include "model/identity.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "lbann.pb.h"

namespace lbann::model {
namespace {

namespace pb = google::protobuf;

/// Callbacks that change no bit of the weights.
bool only_observes(const std::string& kind) {
  static const std::set<std::string> kinds{"print",
                                           "timer",
                                           "summary",
                                           "disp_io_stats",
                                           "save_images",
                                           "debug",
                                           "debug_io",
                                           "check_small",
                                           "check_nan",
                                           "check_dataset",
                                           "hang",
                                           "profiler",
                                           "check_gradients",
                                           "checkpoint",
                                           "save_model",
                                           "gpu_memory_usage",
                                           "sync_layers",
                                           "confusion_matrix",
                                           "check_metric",
                                           "save_topk_models",
                                           "init",
                                           "timeline",
                                           "print_model_description",
                                           "summarize_images",
                                           "compute_model_size",
                                           "export_onnx",
                                           "progress_bar",
                                           "memory_profiler",
                                           "evaluate_progress"};
  return kinds.count(kind) > 0 || kind.rfind("dump_", 0) == 0;
}

bool is_path(const std::string& field) {
  for (const char* end : {"filedir", "filename", "_dir", "_path", "_file", "sample_list"}) {
    const std::string_view suffix = end;
    if (field.size() >= suffix.size() &&
        field.compare(field.size() - suffix.size(), suffix.size(), suffix) == 0)
      return true;
  }
  return false;
}

class Lister {
public:
  Lister() {
    printer_.SetUseUtf8StringEscaping(true);
    printer_.SetExpandAny(true);
    printer_.SetSingleLineMode(true);
  }

  void list(const pb::Message& message, const std::string& path) {
    std::vector<const pb::FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const pb::FieldDescriptor* field : fields) {
      // Recomputation changes no bit.
      if (is_path(field->name()) || field->full_name() == "lbann_data.Layer.recompute") continue;
      const std::string here = path.empty() ? field->name() : path + "." + field->name();
      if (ignored(here)) continue;
      if (!field->is_repeated()) {
        one(message, field, -1, here);
        continue;
      }
      const int count = message.GetReflection()->FieldSize(message, field);
      int counted = 0;
      for (int i = 0; i < count; ++i) {
        if (here == "model.callback" &&
            only_observes(chosen(message.GetReflection()->GetRepeatedMessage(message, field, i))))
          continue;
        one(message, field, i, fmt::format("{}[{}]", here, counted++));
      }
    }
  }
  std::vector<std::string> lines;

private:
  static bool ignored(const std::string& path) {
    static const std::set<std::string> paths{
        "model.num_epochs",           "model.name",          "trainer.name",
        "trainer.callback",
        "trainer.training_algorithm",  // SGD's: how long
        "model.data_layout",          "trainer.random_seed", "trainer.hydrogen_block_size",
        "trainer.serialize_io"};
    return paths.count(path) > 0;
  }
  static std::string chosen(const pb::Message& callback) {
    const auto* kinds = callback.GetDescriptor()->FindOneofByName("callback_type");
    const auto* field = kinds ? callback.GetReflection()->GetOneofFieldDescriptor(callback, kinds) : nullptr;
    return field ? field->name() : "";
  }
  void one(const pb::Message& message, const pb::FieldDescriptor* field, int index, const std::string& path) {
    const bool is_message = field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && field->message_type()->full_name() != "google.protobuf.Any") {
      const pb::Reflection& r = *message.GetReflection();
      const std::size_t before = lines.size();
      list(index < 0 ? r.GetMessage(message, field) : r.GetRepeatedMessage(message, field, index), path);
      if (lines.size() == before) lines.push_back(path + ": {}");
      return;
    }
    std::string text;
    printer_.PrintFieldValueToString(message, field, index, &text);
    lines.push_back(fmt::format("{}: {}", path, text));
  }

  pb::TextFormat::Printer printer_;
};

}  // namespace

std::vector<std::string> list_identity(const Experiment& experiment) {
  Lister lister;
  lister.list(*experiment.proto, "");
  return std::move(lister.lines);
}

}  // namespace lbann::model
