// Gathers weights, states and counters of a trainer and writes them.
#include "train/save.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "checkpoint/container.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::train {
namespace {

/// The elements in logical order, bit for bit.
std::vector<std::byte> logical_bytes(const runtime::WeightStore::Entry& e) {
  const std::size_t size = static_cast<std::size_t>(tensor::size_bytes(e.spec.type));
  std::vector<std::byte> result(static_cast<std::size_t>(e.spec.shape.num_elements()) * size);
  tensor::for_each_element(e.layout, e.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    std::memcpy(result.data() + static_cast<std::size_t>(position) * size,
                e.buffer.data() + static_cast<std::size_t>(offset) * size, size);
  });
  return result;
}

}  // namespace

std::string save_training(const Trainer& trainer, const std::string& run_dir) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<checkpoint::NamedArray> arrays;
  for (const auto& [name, e] : trainer.weights().entries()) {
    bytes.push_back(logical_bytes(e));
    arrays.push_back({name, e.spec.type, e.spec.shape, bytes.back()});
  }
  const checkpoint::Scalars scalars = {
      {"model", trainer.info().model},
      {"training_steps", trainer.training_steps()},
      {"epoch", trainer.epoch()},
      {"optimizer_steps", trainer.optimizer_steps()},
      {"seed", static_cast<std::int64_t>(trainer.seed())},
  };
  const std::string root = run_dir + "/ckpt";
  if (::mkdir(root.c_str(), 0777) == 0) {
    base::sync_folder(run_dir);
  } else if (errno != EEXIST) {
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot make the folder '{}': {}", root, std::strerror(errno)));
  }
  std::string dir = root + "/" + checkpoint::make_step_name(trainer.training_steps());
  checkpoint::save_checkpoint(dir, std::move(arrays), scalars);
  return dir;
}

}  // namespace lbann::train
