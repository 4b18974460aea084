// See python.hpp.
#include "data/python.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <thread>
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
    fields_ = first->fields();
    for (const FieldSpec& f : fields_) {
      begins_.push_back(row_elements_);
      if (__builtin_add_overflow(row_elements_, f.num_elements(), &row_elements_))
        throw base::Error(base::ExitCode::config, "python reader: a sample is too large");
    }
    free_.push_back({std::move(first), {}, true});
  }

  std::int64_t size() const override { return size_; }
  const std::vector<FieldSpec>& fields() const override { return fields_; }

  void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const override {
    std::unique_ptr<PythonWorker> worker = borrow();
    const std::int64_t rows = std::ssize(indices), width = fields_[field].num_elements();
    // A worker that throws is not given back: its process ends here.
    if (fields_.size() == 1) {
      worker->read(indices, row_elements_, out);
    } else {
      const float* in = worker->read_kept(indices, row_elements_, field) + begins_[field];
      for (std::int64_t i = 0; i < rows; ++i) std::copy_n(in + i * row_elements_, width, out + i * width);
    }
    if (options_.scale != 1 && fields_[field].name == "samples")
      for (std::int64_t i = 0; i < rows * width; ++i) out[i] *= options_.scale;
    const std::lock_guard lock(mutex_);
    free_.push_back({std::move(worker), std::this_thread::get_id(), field + 1 == fields_.size()});
  }

private:
  struct Free {
    std::unique_ptr<PythonWorker> worker;
    std::thread::id user;  // who gave it back
    bool finished;         // after the last field: nobody will ask for its kept samples
  };

  /// This thread's last worker, which may keep the samples; else one that nobody needs; else a new one. So
  /// there is at most one per reader thread, and the fields of a sample come from one evaluation of it.
  std::unique_ptr<PythonWorker> borrow() const {
    {
      const std::lock_guard lock(mutex_);
      auto chosen = std::find_if(free_.begin(), free_.end(),
                                 [](const Free& f) { return f.user == std::this_thread::get_id(); });
      if (chosen == free_.end())
        chosen = std::find_if(free_.begin(), free_.end(), [](const Free& f) { return f.finished; });
      if (chosen != free_.end()) {
        std::unique_ptr<PythonWorker> worker = std::move(chosen->worker);
        free_.erase(chosen);
        return worker;
      }
    }
    auto worker = std::make_unique<PythonWorker>(options_);
    const bool same = std::equal(
        fields_.begin(), fields_.end(), worker->fields().begin(), worker->fields().end(),
        [](const FieldSpec& a, const FieldSpec& b) { return a.name == b.name && a.dims == b.dims; });
    if (worker->num_samples() != size_ || !same)
      throw base::Error(
          base::ExitCode::data,
          fmt::format("python reader: {} samples in one process and {} in another, or other dims", size_,
                      worker->num_samples()),
          "number and dims of the samples must not change");
    return worker;
  }

  PythonOptions options_;
  std::int64_t size_ = 0, row_elements_ = 0;
  std::vector<FieldSpec> fields_;
  std::vector<std::int64_t> begins_;  // of each field within a row
  mutable std::mutex mutex_;
  mutable std::vector<Free> free_;
};

}  // namespace

std::shared_ptr<const Dataset> make_python_dataset(const PythonOptions& options) {
  if (options.module.empty() && options.dataset_path.empty())
    throw base::Error(base::ExitCode::config, "python reader: module is not set");
  return std::make_shared<PythonDataset>(options);
}

}  // namespace lbann::data
