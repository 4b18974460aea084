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
      classify_(o.num_labels > 0) {
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
      base::fill_normal(samples_.at(static_cast<std::uint64_t>(i)),
                        std::span<float>(kept.data() + i * n, static_cast<std::size_t>(n)));
    }
    kept_ = std::move(kept);
  }

  std::int64_t size() const override { return size_; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    const std::int64_t n = fields_[field].num_elements();
    const base::RandomStream& stream = field == 0 ? samples_ : targets_;
    for (std::int64_t i : indices) {
      if (field == 0 && !kept_.empty()) {
        std::memcpy(out, kept_.data() + i * n, static_cast<std::size_t>(n) * sizeof(float));
        out += n;
        continue;
      }
      const std::span<float> row(out, static_cast<std::size_t>(n));
      if (field == 1 && classify_) {
        std::fill(row.begin(), row.end(), 0.0f);
        row[stream.bounded(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(i))] = 1.0f;
      } else {
        base::fill_normal(stream.at(static_cast<std::uint64_t>(i)), row);
      }
      out += n;
    }
  }

private:
  std::int64_t size_;
  base::RandomStream samples_, targets_;
  bool classify_;
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
  auto dataset = std::make_shared<SyntheticDataset>(o);
  for (const FieldSpec& f : dataset->fields()) f.num_elements();  // throws when too large
  dataset->keep_if_small();
  return dataset;
}

}  // namespace lbann::data
