// See synthetic.hpp.
#include "data/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/diagnostic.hpp"
#include "base/philox.hpp"

namespace lbann::data {
namespace {

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

  std::int64_t size() const override { return size_; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    const std::int64_t n = fields_[field].num_elements();
    const base::RandomStream& stream = field == 0 ? samples_ : targets_;
    for (std::int64_t i : indices) {
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
  return dataset;
}

}  // namespace lbann::data
