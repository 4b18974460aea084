// See python.hpp.
#include "data/python.hpp"

#include <fmt/format.h>

#include <mutex>
#include <vector>

#include "base/diagnostic.hpp"
#include "data/python_worker.hpp"

namespace lbann::data {
namespace {

class PythonDataset final : public Dataset {
public:
  explicit PythonDataset(PythonOptions options) : options_(std::move(options)) {
    auto first = std::make_unique<PythonWorker>(options_);
    size_ = first->num_samples();
    fields_ = {{"samples", first->dims()}};
    row_elements_ = fields_[0].num_elements();
    free_.push_back(std::move(first));
  }

  std::int64_t size() const override { return size_; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t, std::span<const std::int64_t> indices, float* out) const override {
    std::unique_ptr<PythonWorker> worker = borrow();
    worker->read(indices, row_elements_, out);  // a failed one is not given back: its process ends here
    if (options_.scale != 1) {
      const std::int64_t n = static_cast<std::int64_t>(indices.size()) * row_elements_;
      for (std::int64_t i = 0; i < n; ++i) out[i] *= options_.scale;
    }
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(worker));
  }

private:
  std::unique_ptr<PythonWorker> borrow() const {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<PythonWorker> worker = std::move(free_.back());
        free_.pop_back();
        return worker;
      }
    }
    auto worker = std::make_unique<PythonWorker>(options_);
    if (worker->num_samples() != size_ || worker->dims() != fields_[0].dims)
      throw base::Error(
          base::ExitCode::data,
          fmt::format("python reader: module '{}' says {} samples in one process and {} in another",
                      options_.module, size_, worker->num_samples()),
          "number and dims of the samples must not change");
    return worker;
  }

  PythonOptions options_;
  std::int64_t size_ = 0, row_elements_ = 0;
  std::vector<FieldSpec> fields_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<PythonWorker>> free_;
};

}  // namespace

std::shared_ptr<const Dataset> make_python_dataset(const PythonOptions& options) {
  if (options.module.empty()) throw base::Error(base::ExitCode::config, "python reader: module is not set");
  return std::make_shared<PythonDataset>(options);
}

}  // namespace lbann::data
