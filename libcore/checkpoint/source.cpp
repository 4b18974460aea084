// See source.hpp.
#include "checkpoint/source.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "checkpoint/manifest.hpp"

namespace lbann::checkpoint {
namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

bool is_checkpoint(const std::string& path) {
  std::error_code failed;
  return fs::exists(fmt::format("{}/{}", path, manifest_name), failed);
}

[[noreturn]] void refuse(const std::string& what) { throw base::Error(base::ExitCode::checkpoint, what); }

Source load_folder(const std::string& path, const std::string& model) {
  std::vector<std::string> places{path};
  if (!model.empty()) places.insert(places.end(), {path + "/" + model, path + "/trainer0/" + model});
  for (const std::string& place : places) {
    if (!is_checkpoint(place)) continue;
    Checkpoint saved = load_checkpoint(place);
    return {place, "checkpoint", {}, std::move(saved.arrays), std::move(saved.scalars)};
  }
  for (const std::string& root : {path, path + "/ckpt", path + "/trainer0"}) {
    if (auto newest = find_newest(root)) {
      return {newest->dir, "checkpoint", std::move(newest->notes), std::move(newest->checkpoint.arrays),
              std::move(newest->checkpoint.scalars)};
    }
  }
  refuse(fmt::format("there are no saved weights in '{}'", path));
}

}  // namespace

bool is_source(const std::string& path) { return is_folder(path) || try_format_of_content(path).has_value(); }

Source load_source(const std::string& path, const std::string& model) {
  if (is_folder(path)) return load_folder(path, model);
  std::error_code failed;
  if (!fs::exists(path, failed))
    refuse(fmt::format("there are no saved weights in '{}': no such file", path));
  const std::optional<ArrayFormat> format = try_format_of_content(path);
  if (!format) {
    throw base::Error(base::ExitCode::data, fmt::format("{}: holds no arrays", path),
                      "a checkpoint's folder, .npz, .safetensors or .h5 is expected");
  }
  return {path, std::string(to_string(*format)), {}, load_arrays(path, *format), {}};
}

std::vector<std::string> list_sources(const std::string& path) {
  if (!is_folder(path) || is_checkpoint(path)) return {path};
  std::vector<std::string> found;
  for (const std::string& root : {path, path + "/ckpt", path + "/trainer0"}) {
    for (const std::string& name : list_checkpoints(root)) found.push_back(root + "/" + name);
  }
  if (found.empty()) refuse(fmt::format("there are no checkpoints in '{}'", path));
  return found;
}

bool is_state(const ArrayMap& arrays, const std::string& name) {
  const std::size_t colon = name.rfind(':');
  return colon != std::string::npos && arrays.contains(name.substr(0, colon));
}

}  // namespace lbann::checkpoint
