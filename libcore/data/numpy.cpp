// See numpy.hpp.
#include "data/numpy.hpp"

#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <optional>

#include "base/diagnostic.hpp"
#include "base/zip.hpp"
#include "data/array_dataset.hpp"

namespace lbann::data {
namespace {

using base::Error;
using base::ExitCode;
using base::RawNpyArray;

[[noreturn]] void fail(const std::string& name, const std::string& what, std::string help = {}) {
  throw Error(ExitCode::data, name + ": " + what, std::move(help));
}

std::int64_t product(const std::vector<std::int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<std::int64_t> sample_dims(const RawNpyArray& array) {
  if (array.shape.size() < 2) return {1};
  return {array.shape.begin() + 1, array.shape.end()};
}

ArrayParts make_parts(std::shared_ptr<const RawNpyArray> array, const std::string& name,
                      const NumpyOptions& options) {
  if (array->shape.empty()) fail(name, "a single number, an array with one row per sample was expected");
  ArrayParts parts;
  parts.name = name;
  parts.type = array->type;
  parts.values = array->data();
  parts.num_samples = array->shape[0];
  parts.dims = sample_dims(*array);
  parts.row_elements = product(parts.dims);
  parts.scale = options.scale;
  parts.owner = std::move(array);
  if (parts.num_samples > 0 && parts.row_elements < 1) fail(name, "samples without entries");
  return parts;
}

RawNpyArray read_member(const base::ZipFile& zip, const base::ZipMember& member, const std::string& path) {
  return base::parse_raw_npy(zip.read(member), fmt::format("{}[{}]", path, member.name));
}

/// The array `key`, or nothing when it is not wanted or not there.
std::optional<RawNpyArray> try_read(const base::ZipFile& zip, const std::string& key, Wanted wanted,
                                    const std::string& path) {
  if (wanted == Wanted::no) return std::nullopt;
  if (const base::ZipMember* member = zip.try_find(key + ".npy")) return read_member(zip, *member, path);
  if (wanted == Wanted::if_there) return std::nullopt;
  std::string there;
  for (const base::ZipMember& m : zip.members()) there += (there.empty() ? "" : ", ") + m.name;
  fail(path, fmt::format("there is no array '{}'", key), there.empty() ? "" : "it holds " + there);
}

void check_rows(const RawNpyArray& array, std::int64_t num_samples, const std::string& name) {
  const std::int64_t rows = array.shape.empty() ? 0 : array.shape[0];
  if (rows != num_samples) fail(name, fmt::format("{} rows for {} samples", rows, num_samples));
}

}  // namespace

std::shared_ptr<const Dataset> make_numpy_dataset(const NumpyOptions& o) {
  const std::string path = join_path(o.directory, o.file);
  if (o.labels == Wanted::yes && o.responses == Wanted::yes)
    throw Error(ExitCode::config, path + ": the last entry of a row cannot be label and response at once");
  const auto array = std::make_shared<const RawNpyArray>(base::load_raw_npy(path));
  ArrayParts parts = make_parts(array, path, o);
  if (o.labels != Wanted::yes && o.responses != Wanted::yes) return make_array_dataset(std::move(parts));

  const std::int64_t n = parts.num_samples, width = parts.row_elements;
  if (width < 2)
    fail(path, fmt::format("rows of {} entry, a sample and its target were expected", width),
         "disable_labels: true and disable_responses: true if there is no target");
  const auto target = [&](std::int64_t i) {
    return base::element_at(array->type, array->data(), i * width + width - 1);
  };
  parts.dims = {width - 1};
  if (o.labels == Wanted::yes) {
    std::vector<double> numbers(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) numbers[static_cast<std::size_t>(i)] = target(i);
    parts.num_labels = o.num_labels;
    parts.labels = make_labels(numbers, parts.num_labels,
                               [&](std::size_t i) { return fmt::format("{}, row {}, last entry", path, i); });
  } else {
    parts.responses.resize(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
      parts.responses[static_cast<std::size_t>(i)] = static_cast<float>(target(i));
    parts.response_dims = {1};
  }
  return make_array_dataset(std::move(parts));
}

std::shared_ptr<const Dataset> make_numpy_npz_dataset(const NumpyOptions& o) {
  const std::string path = join_path(o.directory, o.file);
  const base::ZipFile zip(path);
  auto data = std::make_shared<const RawNpyArray>(*try_read(zip, "data", Wanted::yes, path));
  const bool scaled = data->type == base::NpyType::i16;
  ArrayParts parts = make_parts(std::move(data), path + "[data.npy]", o);
  if (scaled) parts.scale *= o.int16_scale;
  const std::int64_t n = parts.num_samples;

  if (const auto labels = try_read(zip, "labels", o.labels, path)) {
    const std::string name = path + "[labels.npy]";
    check_rows(*labels, n, name);
    if (labels->num_elements() != n)
      fail(name, fmt::format("{} entries for {} samples, one class number each was expected",
                             labels->num_elements(), n));
    std::vector<double> numbers(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
      numbers[static_cast<std::size_t>(i)] = base::element_at(labels->type, labels->data(), i);
    parts.num_labels = o.num_labels;
    parts.labels = make_labels(numbers, parts.num_labels,
                               [&](std::size_t i) { return fmt::format("{}, row {}", name, i); });
  }
  if (const auto responses = try_read(zip, "responses", o.responses, path)) {
    check_rows(*responses, n, path + "[responses.npy]");
    parts.response_dims = sample_dims(*responses);
    parts.responses.resize(static_cast<std::size_t>(responses->num_elements()));
    base::convert_to_float(responses->type, responses->data(), 0, responses->num_elements(),
                           parts.responses.data());
  }
  return make_array_dataset(std::move(parts));
}

}  // namespace lbann::data
