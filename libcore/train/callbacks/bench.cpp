// The benchmark line. Process start is read from /proc (resolution 10 ms).
#include "train/bench.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "base/log.hpp"

namespace lbann::train {
namespace {

double seconds_since_process_start() {
  std::ifstream stat("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return 0;
  std::istringstream fields(text.substr(close + 1));
  std::string word;
  for (int i = 0; i < 20; ++i) fields >> word;  // the 22nd field of the line: start time in ticks
  double uptime = 0;
  std::ifstream("/proc/uptime") >> uptime;
  return uptime - std::stod(word) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Bench final : public Callback {
public:
  explicit Bench(std::int64_t warmup) : warmup_(warmup) {}

  void on_step_end(const RunInfo& run, const StepInfo& info) override {
    if (info.mode != DataMode::training) return;
    if (info.step == 0) {
      first_step_s_ = seconds_since_process_start();
      first_loss_ = info.objective;
    }
    last_loss_ = info.objective;
    if (info.step >= warmup_ && info.size == run.training.batch_size) ms_.push_back(info.seconds * 1e3);
  }

  void on_train_end(const RunInfo& run) override {
    std::sort(ms_.begin(), ms_.end());
    const auto quantile = [&](double q) {
      return ms_.empty() ? 0.0
                         : ms_[std::min(ms_.size() - 1,
                                        static_cast<std::size_t>(q * static_cast<double>(ms_.size())))];
    };
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    base::log().print(fmt::format(
        R"({{"steps":{},"ms_median":{:.4f},"ms_p10":{:.4f},"ms_p90":{:.4f},"first_step_s":{:.3f},"peak_rss_mib":{:.1f},"planned_bytes":{},"growth_bytes":{},"loss":[{:.6g},{:.6g}]}})"
        "\n",
        ms_.size(), quantile(0.5), quantile(0.1), quantile(0.9), first_step_s_,
        static_cast<double>(usage.ru_maxrss) / 1024, run.memory.planned_bytes, run.memory.growth_bytes(),
        first_loss_, last_loss_));
  }

private:
  std::int64_t warmup_;
  std::vector<double> ms_;
  double first_step_s_ = 0;
  double first_loss_ = 0, last_loss_ = 0;
};

}  // namespace

std::unique_ptr<Callback> make_bench_callback(std::int64_t warmup) { return std::make_unique<Bench>(warmup); }

}  // namespace lbann::train
