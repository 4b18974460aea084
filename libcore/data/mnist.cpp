// See mnist.hpp. The gather is the only work of a step's input: one pass, bytes to scaled floats, vectorised.
#include "data/mnist.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/diagnostic.hpp"
#include "base/target_clones.hpp"
#include "data/idx.hpp"

namespace lbann::data {
namespace {

/// out[i] = scale * in[i]; one clone per instruction set, chosen when the program is loaded.
LBANN_TARGET_CLONES void scale_bytes(const std::uint8_t* __restrict in, std::int64_t n, float scale,
                                     float* __restrict out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = scale * static_cast<float>(in[i]);
}

class MnistDataset final : public Dataset {
public:
  MnistDataset(IdxArray images, IdxArray labels, const MnistOptions& options)
    : images_(std::move(images)), labels_(std::move(labels)), scale_(options.scale) {
    fields_ = {{"samples", {1, images_.dims[1], images_.dims[2]}}, {"labels", {options.num_labels}}};
    image_size_ = fields_[0].num_elements();
  }

  std::int64_t size() const override { return images_.dims[0]; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    if (field == 0) {
      for (std::int64_t i : indices) {
        scale_bytes(images_.values.data() + i * image_size_, image_size_, scale_, out);
        out += image_size_;
      }
    } else {
      const std::int64_t num_labels = fields_[1].dims[0];
      for (std::int64_t i : indices) {
        std::fill_n(out, num_labels, 0.0f);
        out[labels_.values[static_cast<std::size_t>(i)]] = 1.0f;
        out += num_labels;
      }
    }
  }

private:
  IdxArray images_, labels_;
  float scale_;
  std::int64_t image_size_ = 0;
  std::vector<FieldSpec> fields_;
};

std::string join_path(const std::string& directory, const std::string& file) {
  if (directory.empty() || file.starts_with('/')) return file;
  return directory.ends_with('/') ? directory + file : directory + '/' + file;
}

void keep_first(IdxArray& array, std::int64_t n) {
  array.values.resize(array.values.size() / static_cast<std::size_t>(array.dims[0]) *
                      static_cast<std::size_t>(n));
  array.values.shrink_to_fit();
  array.dims[0] = n;
}

}  // namespace

std::shared_ptr<const Dataset> make_mnist_dataset(const MnistOptions& options) {
  using base::Error;
  using base::ExitCode;
  if (options.image_file.empty()) throw Error(ExitCode::config, "mnist reader: data_filename is not set");
  if (options.label_file.empty()) throw Error(ExitCode::config, "mnist reader: label_filename is not set");
  if (options.num_labels < 1)
    throw Error(ExitCode::config,
                fmt::format("mnist reader: num_labels = {}, at least 1 was expected", options.num_labels));
  if (options.first_n < 0)
    throw Error(ExitCode::config, fmt::format("mnist reader: first_n = {} is negative", options.first_n));

  const std::string image_path = join_path(options.directory, options.image_file);
  const std::string label_path = join_path(options.directory, options.label_file);
  IdxArray images = load_idx(image_path, 3), labels = load_idx(label_path, 1);
  if (images.dims[0] != labels.dims[0])
    throw Error(ExitCode::data, fmt::format("{}: {} labels for the {} images of {}", label_path,
                                            labels.dims[0], images.dims[0], image_path));
  if (options.first_n > images.dims[0])
    throw Error(ExitCode::config, fmt::format("mnist reader: first_n = {}, but {} has {} samples",
                                              options.first_n, image_path, images.dims[0]));
  if (options.first_n > 0) {
    keep_first(images, options.first_n);
    keep_first(labels, options.first_n);
  }
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    if (labels.values[i] >= options.num_labels)
      throw Error(ExitCode::data, fmt::format("{}: label {} of sample {} is outside 0..{}", label_path,
                                              labels.values[i], i, options.num_labels - 1));
  }
  return std::make_shared<MnistDataset>(std::move(images), std::move(labels), options);
}

}  // namespace lbann::data
