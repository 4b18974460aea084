// record: the primary record of a run, log.jsonl.
#include <fmt/format.h>

#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"

namespace lbann::train {
namespace {

class Record final : public Callback {
public:
  explicit Record(RecordSettings settings) : settings_(std::move(settings)), writer_(settings_.path) {}

  void on_step_end(const RunInfo& run, const StepInfo& info) override {
    if (!settings_.every_step || info.mode != DataMode::training) return;
    log::RunRecord r = make(run, "step", info.mode, info.epoch, info.step + 1);
    r.metrics.emplace_back("objective function", info.objective);
    for (std::size_t i = 0; i < run.metrics.size(); ++i) {
      r.metrics.emplace_back(run.metrics[i].name, info.metrics[i]);
    }
    writer_.write(r);
  }
  std::string_view state_name() const override { return "record"; }
  /// What a checkpoint counts must be on the disk, or a resumed log would have a hole.
  void save_state(StateWriter out) const override {
    writer_.sync();
    out.put("records", writer_.num_records());
  }
  void load_state(const StateReader& in) override {
    if (!in.has("records")) return;  // the checkpoint is of a run without a log
    const std::int64_t expected = in.integer("records");
    const std::int64_t kept = writer_.keep_records(expected);
    if (kept < expected)
      base::log().warning(fmt::format("'{}' holds {} records, {} were written before the checkpoint",
                                      settings_.path, kept, expected));
  }

  void on_epoch_end(const RunInfo& run, const EpochInfo& info) override { write_epoch(run, info); }
  void on_evaluation_end(const RunInfo& run, const EpochInfo& info) override { write_epoch(run, info); }

private:
  log::RunRecord make(const RunInfo&, const char* kind, DataMode mode, std::int64_t epoch,
                      std::int64_t step) const {
    log::RunRecord r;
    r.run = settings_.run;
    r.attempt = settings_.attempt;
    r.kind = kind;
    r.mode = to_string(mode);
    r.epoch = epoch;
    r.step = step;
    r.wall = settings_.now();
    return r;
  }
  void write_epoch(const RunInfo& run, const EpochInfo& info) {
    log::RunRecord r = make(run, "epoch", info.mode, info.epoch, info.step);
    r.metrics.emplace_back("objective function", info.stats->objective());
    for (std::size_t i = 0; i < run.metrics.size(); ++i) {
      r.metrics.emplace_back(run.metrics[i].name, info.stats->metric(i));
    }
    writer_.write(r);
  }

  RecordSettings settings_;
  log::RecordWriter writer_;
};

}  // namespace

std::unique_ptr<Callback> make_record_callback(RecordSettings settings) {
  return std::make_unique<Record>(std::move(settings));
}

}  // namespace lbann::train
