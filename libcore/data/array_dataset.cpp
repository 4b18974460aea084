// See array_dataset.hpp.
#include "data/array_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/diagnostic.hpp"

namespace lbann::data {
namespace {

class ArrayDataset final : public Dataset {
public:
  explicit ArrayDataset(ArrayParts parts) : p_(std::move(parts)) {
    if (p_.num_samples < 1)
      throw base::Error(base::ExitCode::data, fmt::format("{}: there are no samples", p_.name));
    fields_.push_back({"samples", p_.dims});
    if (!p_.labels.empty()) fields_.push_back({"labels", {p_.num_labels}});
    if (!p_.responses.empty()) fields_.push_back({"responses", p_.response_dims});
    for (const FieldSpec& f : fields_) row_.push_back(f.num_elements());
  }

  std::int64_t size() const override { return p_.num_samples; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    const std::int64_t n = row_[field];
    const bool one_hot = field == 1 && !p_.labels.empty();
    for (const std::int64_t i : indices) {
      if (field == 0) {
        base::convert_to_float(p_.type, p_.values, i * p_.row_elements, n, out);
        if (p_.scale != 1)
          for (std::int64_t k = 0; k < n; ++k) out[k] *= p_.scale;
      } else if (one_hot) {
        std::fill_n(out, n, 0.0f);
        out[p_.labels[static_cast<std::size_t>(i)]] = 1.0f;
      } else {
        std::copy_n(p_.responses.begin() + i * n, n, out);
      }
      out += n;
    }
  }

private:
  ArrayParts p_;
  std::vector<FieldSpec> fields_;
  std::vector<std::int64_t> row_;  // elements per field
};

}  // namespace

std::shared_ptr<const Dataset> make_array_dataset(ArrayParts parts) {
  return std::make_shared<ArrayDataset>(std::move(parts));
}

std::vector<std::int32_t> make_labels(const std::vector<double>& numbers, std::int64_t& num_labels,
                                      const std::function<std::string(std::size_t)>& where) {
  constexpr double largest = 1 << 30;
  std::vector<std::int32_t> labels(numbers.size());
  std::int64_t max = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double x = numbers[i];
    if (!(x >= 0 && x <= largest) || x != std::floor(x))
      throw base::Error(base::ExitCode::data, fmt::format("{}: label {} is no class number", where(i), x),
                        "labels are whole numbers from 0 on");
    labels[i] = static_cast<std::int32_t>(x);
    if (num_labels > 0 && labels[i] >= num_labels)
      throw base::Error(base::ExitCode::data,
                        fmt::format("{}: label {} is outside 0..{}", where(i), labels[i], num_labels - 1),
                        "num_labels is the number of classes");
    max = std::max<std::int64_t>(max, labels[i]);
  }
  if (num_labels == 0) num_labels = max + 1;
  return labels;
}

std::string join_path(const std::string& directory, const std::string& file) {
  if (directory.empty() || file.starts_with('/')) return file;
  return directory.ends_with('/') ? directory + file : directory + '/' + file;
}

}  // namespace lbann::data
