// See supervisor.hpp.
#include "lbann-train/supervisor.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "base/log.hpp"
#include "common/intervals.hpp"
#include "common/option_table.hpp"
#include "lbann-train/signals.hpp"
#include "train/save.hpp"

namespace lbann::tools {
namespace {

using System = std::chrono::system_clock;
using Steady = std::chrono::steady_clock;

/// Before the first save is measured: what a slow disk takes.
constexpr double assumed_bytes_per_second = 1e8;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

std::int64_t resident_bytes() {
  std::int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4096;
}

}  // namespace

std::chrono::system_clock::time_point choose_deadline(double limit_seconds) {
  System::time_point deadline{};
  if (limit_seconds > 0)
    deadline = System::now() +
               std::chrono::duration_cast<System::duration>(std::chrono::duration<double>(limit_seconds));
  if (const char* end = std::getenv("SLURM_JOB_END_TIME")) {
    const auto seconds = try_parse_integer(end);
    if (seconds && *seconds > 0) {
      const System::time_point job_end = System::from_time_t(static_cast<std::time_t>(*seconds));
      if (deadline == System::time_point{} || job_end < deadline) deadline = job_end;
    }
  }
  return deadline;
}

Supervisor::Supervisor(train::Trainer& trainer, std::vector<train::CheckpointKeeper>& keepers,
                       SupervisorSettings settings)
  : trainer_(trainer), keepers_(keepers), settings_(settings), start_(Steady::now()) {}

bool Supervisor::out_of_time() const {
  if (settings_.deadline == System::time_point{} || !stepped_ || keepers_.empty()) return false;
  double save = static_cast<double>(train::checkpoint_bytes(trainer_)) / assumed_bytes_per_second;
  for (const train::CheckpointKeeper& k : keepers_) {
    if (k.longest_save_seconds() > 0) save = k.longest_save_seconds();
  }
  const double remaining = std::chrono::duration<double>(settings_.deadline - System::now()).count();
  return remaining < 3 * save + 2 * longest_step_;
}

void Supervisor::save() {
  for (train::CheckpointKeeper& k : keepers_) {
    const std::string dir = k.save(trainer_);
    base::log().debug(fmt::format("checkpoint '{}'", dir));
  }
}

bool Supervisor::at_boundary(const train::Boundary& b) {
  if (first_step_ < 0) first_step_ = b.training_steps;
  stepped_ = stepped_ || (!b.start && b.step_seconds > 0);
  longest_step_ = std::max(longest_step_, b.step_seconds);
  if (take_status_request()) print_status(b);
  const Asked asked = look(b);
  const bool stop = !stop_reason_.empty() && !keepers_.empty();
  if (settings_.world != nullptr) {
    settings_.world->publish(b.training_steps, std::string(train::to_string(b.phase)).c_str());
  }
  if (asked.checkpoint || stop) {
    save();
  } else {
    for (std::size_t i = 0; i < keepers_.size(); ++i) {
      if (asked.due[i]) keepers_[i].save(trainer_);
    }
  }
  return !stop;
}

Supervisor::Asked Supervisor::look(const train::Boundary& b) {
  // signal, time, checkpoint, keepers: the largest over all ranks
  std::vector<double> wishes{static_cast<double>(stop_signal()), out_of_time() ? 1.0 : 0.0,
                             take_checkpoint_request() ? 1.0 : 0.0};
  for (const train::CheckpointKeeper& k : keepers_) wishes.push_back(k.is_due(b) ? 1 : 0);
  if (settings_.world != nullptr && settings_.world->ranks().size() > 1) {
    settings_.world->ranks().all_reduce(wishes, comm::ReduceOp::max);
  }
  if (wishes[0] != 0) stop_reason_ = signal_name(static_cast<int>(wishes[0]));
  if (stop_reason_.empty() && wishes[1] != 0) stop_reason_ = "the time limit";
  Asked asked;
  asked.checkpoint = wishes[2] != 0;
  for (std::size_t i = 3; i < wishes.size(); ++i) asked.due.push_back(wishes[i] != 0);
  return asked;
}

void Supervisor::print_status(const train::Boundary& b) {
  const double seconds = seconds_since(start_);
  const std::int64_t steps = b.training_steps - first_step_;
  std::string text = fmt::format(
      "status: {}, epoch {}, {} training steps done; {} in this attempt, {:.1f} ms each on average\n",
      train::to_string(b.phase), b.epoch, b.training_steps, steps,
      steps > 0 ? seconds * 1e3 / static_cast<double>(steps) : 0.0);
  text += fmt::format("status: memory {:.1f} MiB resident; arena {:.1f}, weights and states {:.1f} MiB\n",
                      static_cast<double>(resident_bytes()) / 1048576,
                      static_cast<double>(trainer_.arena_bytes()) / 1048576,
                      static_cast<double>(trainer_.weights().total_bytes()) / 1048576);
  for (const train::CheckpointKeeper& k : keepers_) {
    text += fmt::format("status: last checkpoint {}\n", k.last().empty() ? "none yet" : "'" + k.last() + "'");
  }
  base::log().talk(text);
}

}  // namespace lbann::tools
