// See synthetic.hpp.
#include "data/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/philox.hpp"

namespace lbann::data {
namespace {

/// Sets up to this size are drawn once and kept: a step then costs a copy instead of new numbers.
constexpr std::int64_t resident_bytes = std::int64_t{16} << 20;

class SyntheticDataset final : public Dataset {
public:
  explicit SyntheticDataset(const SyntheticOptions& o)
    : size_(o.num_samples),
      samples_(o.key, base::make_stream(o.name, "synthetic samples")),
      targets_(o.key, base::make_stream(o.name, "synthetic targets")),
      classify_(o.num_labels > 0),
      vocabulary_size_(static_cast<std::uint64_t>(o.vocabulary_size)) {
    fields_.push_back({"samples", o.dims});
    if (classify_)
      fields_.push_back({"labels", {o.num_labels}});
    else
      fields_.push_back({"responses", o.response_dims});
  }

  /// After the fields' sizes were checked.
  void keep_if_small() {
    const std::int64_t n = fields_[0].num_elements();
    if (size_ > resident_bytes / 4 / n) return;
    std::vector<float> kept(static_cast<std::size_t>(size_ * n));
    for (std::int64_t i = 0; i < size_; ++i) {
      draw_sample(i, std::span<float>(kept.data() + i * n, static_cast<std::size_t>(n)));
    }
    kept_ = std::move(kept);
  }

  std::int64_t size() const override { return size_; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    const std::int64_t n = fields_[field].num_elements();
    for (std::int64_t i : indices) {
      if (field == 0 && !kept_.empty()) {
        std::memcpy(out, kept_.data() + i * n, static_cast<std::size_t>(n) * sizeof(float));
        out += n;
        continue;
      }
      const std::span<float> row(out, static_cast<std::size_t>(n));
      if (field == 0) {
        draw_sample(i, row);
      } else if (classify_) {
        std::fill(row.begin(), row.end(), 0.0f);
        row[targets_.bounded(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(i))] = 1.0f;
      } else {
        base::fill_normal(targets_.at(static_cast<std::uint64_t>(i)), row);
      }
      out += n;
    }
  }

private:
  void draw_sample(std::int64_t i, std::span<float> row) const {
    if (vocabulary_size_ == 0) {
      base::fill_normal(samples_.at(static_cast<std::uint64_t>(i)), row);
      return;
    }
    const std::uint64_t first = static_cast<std::uint64_t>(i) * row.size();
    for (std::size_t k = 0; k < row.size(); ++k)
      row[k] = static_cast<float>(samples_.bounded(vocabulary_size_, first + k));
  }

  std::int64_t size_;
  base::RandomStream samples_, targets_;
  bool classify_;
  std::uint64_t vocabulary_size_;
  std::vector<FieldSpec> fields_;
  std::vector<float> kept_;  // "samples" of all indices, or empty
};

}  // namespace

std::shared_ptr<const Dataset> make_synthetic_dataset(const SyntheticOptions& o) {
  const auto refuse = [](const std::string& what) {
    throw base::Error(base::ExitCode::config, "synthetic reader: " + what);
  };
  if (o.num_samples < 1) refuse(fmt::format("num_samples = {}, at least 1 was expected", o.num_samples));
  if (o.dims.empty()) refuse("synth_dimensions is not set");
  if (o.num_labels < 0) refuse(fmt::format("num_labels = {} is negative", o.num_labels));
  if ((o.num_labels > 0) == !o.response_dims.empty())
    refuse("exactly one of num_labels and synth_response_dimensions must be set");
  if (o.vocabulary_size < 0) refuse(fmt::format("synth_vocabulary_size = {} is negative", o.vocabulary_size));
  auto dataset = std::make_shared<SyntheticDataset>(o);
  for (const FieldSpec& f : dataset->fields()) f.num_elements();  // throws when too large
  dataset->keep_if_small();
  return dataset;
}

}  // namespace lbann::data
