// The prefetch pipeline: reader threads fill the next mini-batches while the consumer works on the present
// one.
//
// Mini-batches come in one fixed sequence: epoch by epoch without end, each epoch the samples in the order of
// fill_epoch_order, cut into pieces of the mini-batch size, the last one possibly smaller. The sequence
// depends on the options and the epoch number only, never on the number of threads or on other pipelines;
// training and validation each have their own pipeline, so neither moves the other.
//
// A ring of `depth` slots is allocated by the constructor; afterwards nothing is. A slot goes
// free -> filling -> full -> lent to the consumer -> free. Filling is divided into row ranges, one task each,
// which the threads take in order. A reader's exception reaches the consumer when it asks for that
// mini-batch.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "data/dataset.hpp"

namespace lbann::data {

struct PipelineOptions {
  std::int64_t batch_size = 0;  // the mini-batch size; at most the number of samples is used
  int num_threads = 1;          // reader threads, at least 1
  int depth = 2;                // mini-batches in memory, at least 2: one lent, the others being filled
  bool shuffle = false;
  std::uint64_t key = 0;            // base::make_random_key(seed, trainer)
  std::uint64_t order_stream = 0;   // make_order_stream(reader, role)
  std::vector<std::size_t> fields;  // what to read, positions in Dataset::fields(); empty: all
  int part = 0, num_parts = 1;      // of every mini-batch only this piece is read; see Batch::local_size
  std::int64_t first_epoch = 0;     // where to start, for a resumed run
  std::int64_t first_batch = 0;
};

/// One mini-batch. Valid until the next call of next() or seek(), or the pipeline's end.
struct Batch {
  std::int64_t epoch = 0;
  std::int64_t index = 0;                        // within the epoch
  std::int64_t first = 0;                        // position of its first sample in the epoch
  std::int64_t size = 0;                         // number of samples, 1..batch_size
  std::int64_t local_first = 0, local_size = 0;  // the piece that was read: rows of the whole mini-batch
  bool last_of_epoch = false;
  std::vector<const float*> fields;   // per field read: [local_size, dims...], aligned to 64 bytes
  std::vector<std::int64_t> samples;  // the samples' numbers in the data set; `size` of them are valid
};

class Pipeline {
public:
  /// `samples`: the reader's part, see Selection. Throws base::Error (config, out_of_memory).
  Pipeline(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> samples,
           PipelineOptions options);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// The next mini-batch; waits for it. Rethrows what a reader threw; then every further call does.
  const Batch& next();
  /// Continues at this mini-batch, e.g. after an epoch that was cut short. Drops what was read ahead.
  void seek(std::int64_t epoch, std::int64_t batch);
  /// Epoch and index of the mini-batch that next() will return.
  std::pair<std::int64_t, std::int64_t> position() const { return {consumer_epoch_, consumer_batch_}; }

  std::int64_t batch_size() const { return batch_size_; }
  std::int64_t num_samples() const { return static_cast<std::int64_t>(samples_.size()); }
  /// Mini-batches per epoch.
  std::int64_t num_batches() const { return num_batches_; }
  /// Waits until nothing is left to read ahead; what next() returns does not change. Returns buffer_bytes().
  std::int64_t wait_until_full();
  /// Bytes of the ring's buffers.
  std::int64_t buffer_bytes() const { return buffer_bytes_; }

private:
  struct FreeAligned {
    void operator()(float* p) const;
  };
  struct Slot {
    std::vector<std::unique_ptr<float[], FreeAligned>> buffers;  // per field [batch_size, dims...]
    Batch batch;
    int num_tasks_left = 0;
    int error_task =
        0;  // the first row range that failed, so that the error is the same with any thread count
    std::exception_ptr error;
  };

  void start_at(std::int64_t epoch, std::int64_t batch);
  void begin_batch(std::unique_lock<std::mutex>& lock);
  void read_rows(const Slot& slot, int task) const;
  void run_reader();
  Slot& slot(std::int64_t number) { return slots_[static_cast<std::size_t>(number % options_.depth)]; }

  const std::shared_ptr<const Dataset> dataset_;
  const std::vector<std::int64_t> samples_;
  PipelineOptions options_;
  std::int64_t batch_size_ = 0, num_batches_ = 0, buffer_bytes_ = 0;
  std::vector<std::int64_t> row_elements_;  // per field read

  // The consumer's side; touched by its thread only.
  std::int64_t consumer_epoch_ = 0, consumer_batch_ = 0;
  std::exception_ptr failure_;

  // Shared, under mutex_. Mini-batches since the last seek are numbered 0, 1, ...: number n uses slot n %
  // depth.
  mutable std::mutex mutex_;
  std::condition_variable work_, done_;  // work_: readers wait, done_: the consumer waits
  std::vector<Slot> slots_;
  std::vector<std::int64_t> order_;  // of order_epoch_
  std::int64_t order_epoch_ = -1;
  bool ordering_ = false;  // a reader computes order_ without holding the lock
  std::int64_t next_epoch_ = 0, next_batch_ = 0;
  std::int64_t num_begun_ = 0;     // mini-batches whose filling began
  std::int64_t num_released_ = 0;  // mini-batches the consumer is done with
  std::int64_t num_lent_ = 0;      // mini-batches handed out
  int next_task_ = 0;              // of the mini-batch begun last
  int num_busy_ = 0;               // readers at work outside the lock
  bool paused_ = false, stop_ = false;
  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace lbann::data
