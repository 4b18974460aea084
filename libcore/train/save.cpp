// Gathers a trainer's state for a checkpoint and puts one back: see save.hpp.
#include "train/save.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/log.hpp"
#include "checkpoint/array_values.hpp"
#include "checkpoint/manifest.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::train {
namespace {

using Entry = runtime::WeightStore::Entry;

std::size_t element_size(const Entry& e) { return static_cast<std::size_t>(tensor::size_bytes(e.spec.type)); }

/// The elements in logical order, bit for bit.
std::vector<std::byte> logical_bytes(const Entry& e) {
  const std::size_t size = element_size(e);
  std::vector<std::byte> result(static_cast<std::size_t>(e.spec.shape.num_elements()) * size);
  tensor::for_each_element(e.layout, e.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    std::memcpy(result.data() + static_cast<std::size_t>(position) * size,
                e.buffer.data() + static_cast<std::size_t>(offset) * size, size);
  });
  return result;
}

/// Padding of blocked layouts is zero already and stays so.
void put_logical_bytes(const Entry& e, const std::vector<std::byte>& bytes) {
  const std::size_t size = element_size(e);
  tensor::for_each_element(e.layout, e.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    std::memcpy(e.buffer.data() + static_cast<std::size_t>(offset) * size,
                bytes.data() + static_cast<std::size_t>(position) * size, size);
  });
}

[[noreturn]] void refuse(const std::string& what) { throw base::Error(base::ExitCode::checkpoint, what); }

/// `any_float`: another floating type is no reason, it will be converted.
void check_array(const Entry& e, const checkpoint::LoadedArray& array, bool any_float = false) {
  const bool fits = array.type == e.spec.type ||
                    (any_float && tensor::is_floating(array.type) && tensor::is_floating(e.spec.type));
  if (fits && array.shape == e.spec.shape) return;
  refuse(fmt::format("the checkpoint holds '{}' as {} {}, this model has {} {}", e.name,
                     tensor::to_string(array.type), array.shape.to_string(), tensor::to_string(e.spec.type),
                     e.spec.shape.to_string()));
}

std::string join_lines(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

/// "path: value" -> path and value.
std::map<std::string, std::string> parse_lines(std::string_view text) {
  std::map<std::string, std::string> result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) result.emplace(line.substr(0, colon), line.substr(colon + 2));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

}  // namespace

std::int64_t checkpoint_bytes(const Trainer& trainer) {
  std::int64_t total = 0;
  for (const auto& [name, e] : trainer.weights().entries())
    total += e.spec.shape.num_elements() * tensor::size_bytes(e.spec.type);
  return total;
}

std::int64_t save_training(const Trainer& trainer, const std::string& dir,
                           const std::vector<std::string>& identity) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<checkpoint::NamedArray> arrays;
  for (const auto& [name, e] : trainer.weights().entries()) {
    bytes.push_back(logical_bytes(e));
    arrays.push_back({name, e.spec.type, e.spec.shape, bytes.back()});
  }
  checkpoint::Scalars scalars = trainer.save_state();
  scalars["model"] = trainer.info().model;
  scalars["training_steps"] = trainer.training_steps();
  scalars["experiment"] = join_lines(identity);
  checkpoint::save_checkpoint(dir, std::move(arrays), scalars);
  return checkpoint_bytes(trainer);
}

void restore_training(Trainer& trainer, const checkpoint::Checkpoint& saved) {
  const auto& entries = trainer.weights().entries();
  for (const auto& [name, e] : entries) {
    const auto found = saved.arrays.find(name);
    if (found == saved.arrays.end()) refuse(fmt::format("the checkpoint has no '{}'", name));
    check_array(e, found->second);
  }
  for (const auto& [name, array] : saved.arrays) {
    if (entries.count(name) == 0) refuse(fmt::format("the checkpoint has '{}', this model has not", name));
  }
  trainer.restore_state(saved.scalars);
  for (const auto& [name, e] : entries) put_logical_bytes(e, saved.arrays.at(name).bytes);
}

std::vector<std::string> restore_weights(Trainer& trainer, const checkpoint::ArrayMap& saved) {
  std::vector<std::string> missing;
  std::vector<const Entry*> found;
  for (const auto& [name, e] : trainer.weights().entries()) {
    if (e.role == "state") continue;
    const auto array = saved.find(name);
    if (array == saved.end()) {
      missing.push_back(name);
      continue;
    }
    check_array(e, array->second, true);
    found.push_back(&e);
  }
  for (const Entry* e : found) {
    const checkpoint::LoadedArray& array = saved.at(e->name);
    put_logical_bytes(
        *e, array.type == e->spec.type ? array.bytes : checkpoint::convert(array, e->spec.type).bytes);
  }
  return missing;
}

std::int64_t save_weights(const Trainer& trainer, const std::string& dir) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<checkpoint::NamedArray> arrays;
  std::int64_t total = 0;
  for (const auto& [name, e] : trainer.weights().entries()) {
    if (e.role == "state") continue;
    bytes.push_back(logical_bytes(e));
    arrays.push_back({name, e.spec.type, e.spec.shape, bytes.back()});
    total += static_cast<std::int64_t>(bytes.back().size());
  }
  checkpoint::save_checkpoint(dir, std::move(arrays), {{"model", trainer.info().model}});
  return total;
}

void load_weights(Trainer& trainer, const std::string& dir) {
  const checkpoint::Source source = checkpoint::load_source(dir, trainer.info().model);
  const std::string& found = source.place;
  for (const std::string& note : source.notes) base::log().warning(note);
  base::log().data(fmt::format("Loading model weights from {}\n", found));
  const std::vector<std::string> missing = restore_weights(trainer, source.arrays);
  std::string text;
  for (const auto& [name, array] : source.arrays) {
    if (trainer.weights().has(name) && trainer.weights().entry(name).role != "state")
      text += fmt::format("Restored weights \"{}\" from checkpointed model.\n", name);
  }
  for (const std::string& name : missing)
    text += fmt::format("Could not load weights with name \"{}\". Not found in checkpoint.\n", name);
  base::log().data(text);
  if (!missing.empty())
    refuse(fmt::format("'{}' has no weights '{}'{}", found, missing.front(),
                       missing.size() > 1 ? fmt::format(" and {} more", missing.size() - 1) : ""));
}

void check_identity(const checkpoint::Checkpoint& saved, const std::vector<std::string>& identity,
                    const std::string& dir) {
  const auto text = saved.scalars.find("experiment");
  const std::string* there = text == saved.scalars.end() ? nullptr : std::get_if<std::string>(&text->second);
  if (there == nullptr) refuse(fmt::format("'{}' does not say which experiment it is of", dir));
  const std::string here = join_lines(identity);
  if (*there == here) return;
  const auto old_lines = parse_lines(*there), new_lines = parse_lines(here);
  std::vector<std::string> differences;
  for (const auto& [path, value] : old_lines) {
    const auto now = new_lines.find(path);
    if (now == new_lines.end()) {
      differences.push_back(fmt::format("{}: {} there, absent here", path, value));
    } else if (now->second != value) {
      differences.push_back(fmt::format("{}: {} there, {} here", path, value, now->second));
    }
  }
  for (const auto& [path, value] : new_lines) {
    if (old_lines.count(path) == 0)
      differences.push_back(fmt::format("{}: absent there, {} here", path, value));
  }
  const std::size_t count = differences.size();
  constexpr std::size_t shown = 4;
  if (count > shown) {
    differences.resize(shown);
    differences.push_back(fmt::format("and {} more", count - shown));
  }
  throw base::Error(
      base::ExitCode::checkpoint,
      fmt::format("'{}' is a checkpoint of another experiment ({})", dir, fmt::join(differences, "; ")),
      "--resume=never starts anew and keeps the old files under another name; or choose another "
      "--run-dir");
}

}  // namespace lbann::train
