// Reader settings to data sets.
#include "train/open_data.hpp"

#include <fmt/format.h>

#include "base/philox.hpp"
#include "data/csv.hpp"
#include "data/mnist.hpp"
#include "data/numpy.hpp"
#include "data/python.hpp"
#include "data/split.hpp"
#include "data/synthetic.hpp"

namespace lbann::train {
namespace {

data::Wanted wanted(model::TargetUse use) {
  if (use == model::TargetUse::unsaid) return data::Wanted::if_there;
  return use == model::TargetUse::yes ? data::Wanted::yes : data::Wanted::no;
}

std::shared_ptr<const data::Dataset> open_mnist(const model::ReaderSettings& r) {
  data::MnistOptions o;
  o.directory = r.directory;
  o.image_file = r.image_file;
  o.label_file = r.label_file;
  o.scale = static_cast<float>(r.scale);
  o.num_labels = r.num_labels;
  o.first_n = r.first_n;
  return data::make_mnist_dataset(o);
}

std::shared_ptr<const data::Dataset> open_synthetic(const model::ReaderSettings& r, std::uint64_t key) {
  data::SyntheticOptions o;
  o.num_samples = r.num_samples;
  o.dims = r.dims;
  o.num_labels = r.num_labels;
  o.response_dims = r.response_dims;
  o.vocabulary_size = r.vocabulary_size;
  o.key = key;
  o.name = r.name + ":" + r.role;
  return data::make_synthetic_dataset(o);
}

std::shared_ptr<const data::Dataset> open_numpy(const model::ReaderSettings& r) {
  data::NumpyOptions o;
  o.directory = r.directory;
  o.file = r.image_file;
  o.labels = wanted(r.labels);
  o.responses = wanted(r.responses);
  o.num_labels = r.num_labels;
  o.scale = static_cast<float>(r.scale);
  o.int16_scale = static_cast<float>(r.int16_scale);
  return r.kind == model::ReaderKind::numpy ? data::make_numpy_dataset(o) : data::make_numpy_npz_dataset(o);
}

std::shared_ptr<const data::Dataset> open_csv(const model::ReaderSettings& r) {
  data::CsvOptions o;
  o.directory = r.directory;
  o.file = r.image_file;
  o.separator = r.separator;
  o.has_header = r.has_header;
  o.skip_rows = r.skip_rows;
  o.skip_columns = r.skip_columns;
  o.label_column = r.label_column;
  o.response_column = r.response_column;
  o.num_labels = r.num_labels;
  o.scale = static_cast<float>(r.scale);
  return data::make_csv_dataset(o);
}

std::shared_ptr<const data::Dataset> open_python(const model::ReaderSettings& r) {
  data::PythonOptions o;
  o.module = r.module;
  o.dataset_path = r.dataset_path;
  o.directory = r.module_directory;
  o.sample_function = r.sample_function;
  o.num_samples_function = r.num_samples_function;
  o.sample_dims_function = r.sample_dims_function;
  o.scale = static_cast<float>(r.scale);
  return data::make_python_dataset(o);
}

std::shared_ptr<const data::Dataset> open(const model::ReaderSettings& r, std::uint64_t key) {
  switch (r.kind) {
    case model::ReaderKind::mnist:
      return open_mnist(r);
    case model::ReaderKind::synthetic:
      return open_synthetic(r, key);
    case model::ReaderKind::numpy:
    case model::ReaderKind::numpy_npz:
      return open_numpy(r);
    case model::ReaderKind::csv:
      return open_csv(r);
    case model::ReaderKind::python:
      return open_python(r);
  }
  return nullptr;
}

DataMode mode_of(const std::string& role) {
  if (role == "validate") return DataMode::validation;
  if (role == "test") return DataMode::test;
  if (role == "tournament") return DataMode::tournament;
  return DataMode::training;
}

}  // namespace

std::map<DataMode, DataPart> open_data(const model::TrainingSettings& settings, std::uint64_t seed) {
  const std::uint64_t key = base::make_random_key(seed, 0);
  std::map<DataMode, DataPart> parts;
  std::map<DataMode, DataPart> carved;
  for (const model::ReaderSettings& r : settings.readers) {
    const auto dataset = open(r, key);
    data::SelectionOptions o;
    o.shuffle = r.shuffle;
    o.fraction_of_data_to_use = r.fraction_of_data_to_use;
    o.absolute_sample_count = r.absolute_sample_count;
    const bool gives_up = r.role == "train";
    o.validation_fraction = gives_up ? r.validation_fraction : 0;
    o.tournament_fraction = gives_up ? r.tournament_fraction : 0;
    data::Selection s = data::select_samples(dataset->size(), o, key, r.role);
    if (gives_up && !s.validation.empty()) {
      carved[DataMode::validation] = {dataset, std::move(s.validation), r.shuffle, r.role};
    }
    if (gives_up && !s.tournament.empty()) {
      carved[DataMode::tournament] = {dataset, std::move(s.tournament), r.shuffle, r.role};
    }
    parts[mode_of(r.role)] = {dataset, std::move(s.training), r.shuffle, r.role};
  }
  // A reader of its own wins; the fraction the training reader gave up is then used by nobody (as in LBANN).
  for (auto& [mode, part] : carved) parts.emplace(mode, std::move(part));
  return parts;
}

std::vector<model::DataField> data_fields(const std::map<DataMode, DataPart>& data) {
  std::vector<model::DataField> fields;
  for (const auto& [mode, part] : data) {
    std::vector<model::DataField> here;
    for (const data::FieldSpec& f : part.dataset->fields()) here.push_back({f.name, tensor::Shape(f.dims)});
    if (fields.empty()) {
      fields = here;
      continue;
    }
    for (std::size_t i = 0; i < fields.size() && i < here.size(); ++i) {
      if (fields[i].name == here[i].name && fields[i].dims == here[i].dims) continue;
      throw base::Error(
          base::ExitCode::data,
          fmt::format("{} data have {} {}, other data of this run have {} {}", to_string(mode), here[i].name,
                      here[i].dims.to_string(), fields[i].name, fields[i].dims.to_string()));
    }
  }
  return fields;
}

}  // namespace lbann::train
