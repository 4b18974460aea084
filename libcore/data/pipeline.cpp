// See pipeline.hpp for the slots' life. Locking: everything shared changes under mutex_; rows are read and
// orders computed outside of it, by readers counted in num_busy_. A slot's rows are disjoint per task and are
// handed to the consumer through the lock (num_tasks_left reaching 0).
#include "data/pipeline.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/diagnostic.hpp"
#include "data/split.hpp"

namespace lbann::data {
namespace {

constexpr std::size_t alignment = 64;

[[noreturn]] void refuse(const std::string& what) {
  throw base::Error(base::ExitCode::config, "data pipeline: " + what);
}

/// Threads started in its lifetime take no signals: those belong to the tool's main thread.
class BlockSignals {
public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

private:
  sigset_t old_;
};

}  // namespace

void Pipeline::FreeAligned::operator()(float* p) const { ::operator delete (p, std::align_val_t{alignment}); }

Pipeline::Pipeline(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> samples,
                   PipelineOptions options)
  : dataset_(std::move(dataset)), samples_(std::move(samples)), options_(std::move(options)) {
  if (samples_.empty()) refuse("no samples");
  for (std::int64_t s : samples_)
    if (s < 0 || s >= dataset_->size())
      refuse(fmt::format("sample {} is outside 0..{}", s, dataset_->size() - 1));
  if (options_.batch_size < 1) refuse(fmt::format("mini-batch size {} is not positive", options_.batch_size));
  if (options_.num_threads < 1)
    refuse(fmt::format("{} reader threads, at least 1 was expected", options_.num_threads));
  if (options_.num_parts < 1 || options_.part < 0 || options_.part >= options_.num_parts)
    refuse(fmt::format("part {} of {}", options_.part, options_.num_parts));
  if (options_.depth < 2) refuse(fmt::format("depth {}, at least 2 was expected", options_.depth));
  batch_size_ = std::min(options_.batch_size, num_samples());
  num_batches_ = (num_samples() - 1) / batch_size_ + 1;
  if (options_.fields.empty())
    for (std::size_t f = 0; f < dataset_->fields().size(); ++f) options_.fields.push_back(f);

  const std::int64_t most_rows = (batch_size_ + options_.num_parts - 1) / options_.num_parts;
  slots_.resize(static_cast<std::size_t>(options_.depth));
  try {
    for (std::size_t f : options_.fields) {
      const FieldSpec& field = dataset_->fields().at(f);
      row_elements_.push_back(field.num_elements());
      std::int64_t bytes = 0;
      if (__builtin_mul_overflow(row_elements_.back(), most_rows * std::int64_t{sizeof(float)}, &bytes))
        throw std::bad_alloc();
      for (Slot& s : slots_) {
        auto* p = static_cast<float*>(
            ::operator new (static_cast<std::size_t>(bytes), std::align_val_t{alignment}));
        s.buffers.emplace_back(p);
        s.batch.fields.push_back(p);
        buffer_bytes_ += bytes;
      }
    }
    for (Slot& s : slots_) s.batch.samples.resize(static_cast<std::size_t>(batch_size_));
    order_.resize(samples_.size());
  } catch (const std::bad_alloc&) {
    throw base::Error(
        base::ExitCode::out_of_memory,
        fmt::format("not enough memory for {} buffers of {} samples each", options_.depth, batch_size_));
  }
  start_at(options_.first_epoch, options_.first_batch);

  const BlockSignals guard;
  try {
    for (int t = 0; t < options_.num_threads; ++t) threads_.emplace_back([this] { run_reader(); });
  } catch (const std::system_error& e) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    work_.notify_all();
    for (std::thread& t : threads_) t.join();
    throw base::Error(base::ExitCode::environment,
                      fmt::format("cannot start reader thread {} of {}: {}", threads_.size() + 1,
                                  options_.num_threads, e.what()));
  }
}

Pipeline::~Pipeline() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Pipeline::start_at(std::int64_t epoch, std::int64_t batch) {
  if (epoch < 0 || batch < 0 || batch > num_batches_)
    refuse(fmt::format("no mini-batch {} in epoch {}: an epoch has {}", batch, epoch, num_batches_));
  if (batch == num_batches_) ++epoch, batch = 0;
  consumer_epoch_ = next_epoch_ = epoch;
  consumer_batch_ = next_batch_ = batch;
  num_begun_ = num_released_ = num_lent_ = 0;
  next_task_ = options_.num_threads;
  for (Slot& s : slots_) s.error = nullptr;
}

const Batch& Pipeline::next() {
  if (failure_) std::rethrow_exception(failure_);
  std::unique_lock lock(mutex_);
  if (num_lent_ > num_released_) {
    ++num_released_;
    work_.notify_all();
  }
  const std::int64_t number = num_lent_;
  Slot& s = slot(number);
  done_.wait(lock, [&] { return num_begun_ > number && s.num_tasks_left == 0; });
  if (s.error) {
    failure_ = s.error;
    std::rethrow_exception(failure_);
  }
  ++num_lent_;
  consumer_epoch_ = s.batch.last_of_epoch ? s.batch.epoch + 1 : s.batch.epoch;
  consumer_batch_ = s.batch.last_of_epoch ? 0 : s.batch.index + 1;
  return s.batch;
}

void Pipeline::seek(std::int64_t epoch, std::int64_t batch) {
  if (failure_) std::rethrow_exception(failure_);
  std::unique_lock lock(mutex_);
  if (num_lent_ > num_released_) ++num_released_;
  if (std::pair{epoch, batch} == position()) {  // nothing to drop
    work_.notify_all();
    return;
  }
  paused_ = true;
  done_.wait(lock, [&] { return num_busy_ == 0; });
  paused_ = false;
  start_at(epoch, batch);
  work_.notify_all();
}

std::int64_t Pipeline::wait_until_full() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] {
    return num_begun_ - num_released_ == options_.depth &&
           std::all_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.num_tasks_left == 0; });
  });
  return buffer_bytes_;
}

/// Opens the next mini-batch for filling: its slot is free. Gives up the lock while it computes an epoch's
/// order.
void Pipeline::begin_batch(std::unique_lock<std::mutex>& lock) {
  if (order_epoch_ != next_epoch_) {
    const std::int64_t epoch = next_epoch_;
    ordering_ = true;
    ++num_busy_;
    lock.unlock();
    fill_epoch_order(samples_, options_.shuffle, options_.key, options_.order_stream, epoch, order_);
    lock.lock();
    --num_busy_;
    order_epoch_ = epoch;
    ordering_ = false;
    done_.notify_all();
    work_.notify_all();
    if (paused_ || stop_) return;
  }
  Slot& s = slot(num_begun_);
  Batch& b = s.batch;
  b.epoch = next_epoch_;
  b.index = next_batch_;
  b.first = next_batch_ * batch_size_;
  b.size = std::min(batch_size_, num_samples() - b.first);
  b.local_first = b.size * options_.part / options_.num_parts;
  b.local_size = b.size * (options_.part + 1) / options_.num_parts - b.local_first;
  b.last_of_epoch = next_batch_ + 1 == num_batches_;
  std::copy_n(order_.begin() + b.first, b.size, b.samples.begin());
  s.num_tasks_left = options_.num_threads;
  s.error = nullptr;
  next_task_ = 0;
  ++num_begun_;
  ++next_batch_;
  if (b.last_of_epoch) ++next_epoch_, next_batch_ = 0;
  work_.notify_all();
}

void Pipeline::read_rows(const Slot& s, int task) const {
  const std::int64_t n = s.batch.local_size, tasks = options_.num_threads;
  const std::int64_t begin = n * task / tasks, end = n * (task + 1) / tasks;
  if (begin == end) return;
  const std::span<const std::int64_t> rows(s.batch.samples.data() + s.batch.local_first + begin,
                                           static_cast<std::size_t>(end - begin));
  for (std::size_t f = 0; f < options_.fields.size(); ++f)
    dataset_->read(options_.fields[f], rows, s.buffers[f].get() + begin * row_elements_[f]);
}

void Pipeline::run_reader() {
  std::unique_lock lock(mutex_);
  const auto task_open = [&] { return next_task_ < options_.num_threads; };
  const auto batch_open = [&] { return !ordering_ && num_begun_ - num_released_ < options_.depth; };
  for (;;) {
    work_.wait(lock, [&] { return stop_ || (!paused_ && (task_open() || batch_open())); });
    if (stop_) return;
    if (!task_open()) {
      begin_batch(lock);
      continue;
    }
    const int task = next_task_++;
    Slot& s = slot(num_begun_ - 1);
    ++num_busy_;
    lock.unlock();
    std::exception_ptr error;
    try {
      read_rows(s, task);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    --num_busy_;
    if (error && (!s.error || task < s.error_task)) {
      s.error = error;
      s.error_task = task;
    }
    if (--s.num_tasks_left == 0 || paused_) done_.notify_all();
  }
}

}  // namespace lbann::data
