// save_model, load_model, dump_weights: weights to and from files.
//
// save_model writes <dir>/trainer0/<model>/ in the checkpoint format (docs/compatibility.md), dump_weights
// the texts that LBANN's scripts read: the weights as a matrix, one row per line, a blank after every
// entry, an empty line at the end.
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"
#include "train/save.hpp"
#include "train/trainer.hpp"

namespace lbann::train {
namespace {

void make_folders(const std::string& path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST)
      throw base::Error(base::ExitCode::storage,
                        fmt::format("cannot make the folder '{}': {}", part, std::strerror(errno)));
    if (at == std::string::npos) return;
  }
}

class SaveModel final : public Callback {
public:
  SaveModel(std::string directory, Speaker who, const Trainer& trainer)
    : directory_(std::move(directory)), who_(std::move(who)), trainer_(trainer) {}

  void on_train_end(const RunInfo& run) override {
    const std::string parent = directory_ + "/trainer0";
    make_folders(parent);
    const std::int64_t epoch = trainer_.epoch(), step = trainer_.training_steps();
    base::log().data(fmt::format("[{}.{}] Saving model weights: epoch {} step {} ...\n", run.model,
                                 who_.instance, epoch, step));
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t bytes = save_weights(trainer_, parent + "/" + run.model);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    base::log().data(fmt::format(
        "[{}.{}] Saving model weights complete: Epoch={} Step={} ({:f} secs, {} bytes, {:f} MB/sec)\n",
        run.model, who_.instance, epoch, step, seconds, bytes,
        static_cast<double>(bytes) / 1e6 / std::max(seconds, 1e-9)));
  }

private:
  std::string directory_;
  Speaker who_;
  const Trainer& trainer_;
};

class LoadModel final : public Callback {
public:
  LoadModel(std::string directories, Trainer& trainer)
    : directories_(std::move(directories)), trainer_(trainer) {}

  // A resumed run has its own weights: on_train_begin is not called then.
  void on_train_begin(const RunInfo&) override {
    std::istringstream words(directories_);
    for (std::string dir; words >> dir;) load_weights(trainer_, dir);
  }

private:
  std::string directories_;
  Trainer& trainer_;
};

class DumpWeights final : public Callback {
public:
  DumpWeights(const model::CallbackSettings& s, const Trainer& trainer)
    : directory_(s.directory.empty() ? "." : s.directory), interval_(s.every_epochs), trainer_(trainer) {}

  void on_train_begin(const RunInfo& run) override { dump(run, "training_begin", 0); }
  void on_epoch_end(const RunInfo& run, const EpochInfo& info) override {
    // LBANN counts the epoch as done already.
    if ((info.epoch + 1) % interval_ == 0) dump(run, "epoch_end", info.epoch + 1);
  }

private:
  void dump(const RunInfo& run, const char* hook, std::int64_t epoch) const {
    const std::string root = directory_ + "/trainer0";
    const std::string dir = fmt::format("{}/sgd.shared.{}.epoch.{}.step.{}/{}", root, hook, epoch,
                                        trainer_.training_steps(), run.model);
    make_folders(dir);
    for (const model::LoweredWeight& w : trainer_.model_weights()) {
      if (!trainer_.weights().has(w.name)) continue;
      base::atomic_write_file(fmt::format("{}/{}.txt", dir, w.name), matrix_text(w));
    }
  }
  std::string matrix_text(const model::LoweredWeight& w) const {
    const std::vector<double> values = trainer_.weights().values(w.name);
    const int digits = w.type == tensor::DataType::f64 ? 16 : 8;
    const std::size_t height =
        w.matrix_height > 0 ? static_cast<std::size_t>(w.matrix_height) : values.size();
    std::string text;
    for (std::size_t row = 0; row < height; ++row) {
      // The linear order is the matrix column by column.
      for (std::size_t i = row; i < values.size(); i += height)
        text += fmt::format("{:.{}g} ", values[i], digits);
      text += '\n';
    }
    return text + '\n';
  }

  std::string directory_;
  std::int64_t interval_;
  const Trainer& trainer_;
};

}  // namespace

std::unique_ptr<Callback> make_save_model_callback(const model::CallbackSettings& settings, Speaker who,
                                                   const Trainer& trainer) {
  return std::make_unique<SaveModel>(settings.directory, std::move(who), trainer);
}

std::unique_ptr<Callback> make_load_model_callback(const model::CallbackSettings& settings,
                                                   Trainer& trainer) {
  return std::make_unique<LoadModel>(settings.directory, trainer);
}

std::unique_ptr<Callback> make_dump_weights_callback(const model::CallbackSettings& settings,
                                                     const Trainer& trainer) {
  return std::make_unique<DumpWeights>(settings, trainer);
}

}  // namespace lbann::train
