// See data_directory.hpp.
#include "lbann-train/data_directory.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "base/log.hpp"

namespace lbann::tools {
namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& directory, const std::string& name) {
  std::error_code error;
  return fs::exists(fs::path(directory) / name, error) ||
         fs::exists(fs::path(directory) / (name + ".gz"), error);
}

void find_mnist(const std::string& directory, model::ReaderSettings& r) {
  if (is_there(directory, r.image_file)) return;
  const bool training = r.role == "train";
  for (const char* stem : {training ? "train" : "t10k", training ? "t10k" : "train"}) {
    const std::string images = std::string(stem) + "-images-idx3-ubyte";
    if (!is_there(directory, images)) continue;
    base::log().info(fmt::format("note: '{}' has no {}: the reader of role '{}' takes {}", directory,
                                 r.image_file, r.role, images));
    r.image_file = images;
    r.label_file = std::string(stem) + "-labels-idx1-ubyte";
    return;
  }
}

}  // namespace

void apply_data_directory(const std::string& directory, model::TrainingSettings& settings) {
  for (model::ReaderSettings& r : settings.readers) {
    if (r.kind == model::ReaderKind::synthetic || r.kind == model::ReaderKind::python) continue;
    r.directory = directory;
    r.image_file = fs::path(r.image_file).filename();
    r.label_file = fs::path(r.label_file).filename();
    if (r.kind == model::ReaderKind::mnist) find_mnist(directory, r);
  }
}

}  // namespace lbann::tools
