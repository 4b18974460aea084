// What readers deliver, as far as it can be told before training: settings, headers of files that are there.
#include <numeric>
#include <set>
#include <string>

#include "base/diagnostic.hpp"
#include "base/npy.hpp"
#include "base/zip.hpp"
#include "model/settings.hpp"

namespace lbann::model {
namespace {

using Dims = std::vector<std::int64_t>;

std::string path_of(const ReaderSettings& r) {
  if (r.directory.empty() || r.image_file.starts_with('/')) return r.image_file;
  return r.directory + (r.directory.ends_with('/') ? "" : "/") + r.image_file;
}

Dims without_first(const Dims& shape) {
  return shape.size() < 2 ? Dims{1} : Dims(shape.begin() + 1, shape.end());
}

/// Empty when something is wrong: opening the data says what.
std::vector<DataField> fields_of_numpy(const ReaderSettings& r) {
  const base::NpyHeader header = base::load_npy_header(path_of(r));
  const Dims dims = without_first(header.shape);
  const bool labels = r.labels == TargetUse::yes, responses = r.responses == TargetUse::yes;
  if (!labels && !responses) return {{"samples", tensor::Shape(dims)}};
  if (labels && r.num_labels == 0) return {};
  const std::int64_t width = std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
  if (width < 2) return {};
  std::vector<DataField> fields{{"samples", tensor::Shape{width - 1}}};
  if (labels) fields.push_back({"labels", tensor::Shape{r.num_labels}});
  if (responses) fields.push_back({"responses", tensor::Shape{1}});
  return fields;
}

std::vector<DataField> fields_of_npz(const ReaderSettings& r) {
  const std::string path = path_of(r);
  const base::ZipFile zip(path);
  const auto dims_of = [&](const std::string& key) -> Dims {
    const base::ZipMember* member = zip.try_find(key + ".npy");
    if (member == nullptr) return {};
    return without_first(
        base::parse_npy_header(zip.read_start(*member, base::max_npy_header_bytes), path).shape);
  };
  std::vector<DataField> fields;
  if (const Dims dims = dims_of("data"); !dims.empty()) fields.push_back({"samples", tensor::Shape(dims)});
  if (r.labels != TargetUse::no && zip.try_find("labels.npy") != nullptr) {
    if (r.num_labels == 0) return {};
    fields.push_back({"labels", tensor::Shape{r.num_labels}});
  }
  if (r.responses != TargetUse::no)
    if (const Dims dims = dims_of("responses"); !dims.empty())
      fields.push_back({"responses", tensor::Shape(dims)});
  return fields;
}

std::vector<DataField> fields_of(const ReaderSettings& r) {
  std::vector<DataField> fields;
  switch (r.kind) {
    case ReaderKind::mnist:
      return {{"samples", tensor::Shape{1, 28, 28}}, {"labels", tensor::Shape{r.num_labels}}};
    case ReaderKind::synthetic:
      fields.push_back({"samples", tensor::Shape(r.dims)});
      if (r.num_labels > 0) fields.push_back({"labels", tensor::Shape{r.num_labels}});
      if (!r.response_dims.empty()) fields.push_back({"responses", tensor::Shape(r.response_dims)});
      return fields;
    case ReaderKind::numpy:
      return fields_of_numpy(r);
    case ReaderKind::numpy_npz:
      return fields_of_npz(r);
    case ReaderKind::csv:
    case ReaderKind::python:
      return {};
  }
  return {};
}

}  // namespace

bool knows_data_fields(const TrainingSettings& settings) {
  return settings.readers.empty() || !make_data_fields(settings).empty();
}

std::vector<DataField> make_data_fields(const TrainingSettings& settings) {
  if (settings.readers.empty()) return {};
  try {
    return fields_of(settings.readers.front());
  } catch (const base::Error&) {
    return {};  // files that are missing or damaged matter when they are opened
  }
}

passes::PipelineMemory pipeline_memory(const TrainingSettings& settings) {
  std::int64_t sample_bytes = 0;
  for (const DataField& f : make_data_fields(settings))
    sample_bytes += f.dims.num_elements() * static_cast<std::int64_t>(sizeof(float));
  std::set<std::string> roles;
  for (const ReaderSettings& r : settings.readers) {
    roles.insert(r.role);
    if (r.validation_fraction > 0) roles.insert("validate");
    if (r.tournament_fraction > 0) roles.insert("tournament");
  }
  passes::PipelineMemory m;
  m.bytes =
      prefetch_depth * settings.mini_batch_size * sample_bytes * static_cast<std::int64_t>(roles.size());
  m.exact = roles.size() <= 1;
  return m;
}

}  // namespace lbann::model
