// What real, shuffled data cost a training step: the data pipeline against one constant mini-batch.
//
//   bench_data_cost [--threads=N] [--blocks=N] [--directory=data/digits] bench/lenet.prototext ...
//
// One process trains the network on shuffled MNIST-like files. Blocks of steps alternate: in one kind every
// step takes its mini-batch from the pipeline (next(), the readers working meanwhile, step scalars, metrics),
// in the other the same plan runs on copies of one batch, the readers asleep before full buffers. So slow
// spells of the machine hit both alike. Printed: the median time per step of each kind and the median of the
// ratios of neighbouring blocks. Data of the experiment's own readers are not used.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <numeric>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "data/mnist.hpp"
#include "model/settings.hpp"
#include "train/trainer.hpp"

using namespace lbann;

namespace {

constexpr int steps_per_block = 16;

struct Settings {
  int threads = 2, blocks = 60;
  std::string directory = "data/digits";
  std::vector<std::string> files;
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[v.size() / 2];
}

double processor_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

/// Of one step, the mean over a block.
struct Cost {
  double wall_ms = 0, processor_ms = 0;
};

template <class Work>
Cost measure(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  const double processor_start = processor_ms();
  for (int i = 0; i < steps_per_block; ++i) work();
  const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
  return {wall.count() / steps_per_block, (processor_ms() - processor_start) / steps_per_block};
}

void run(const Settings& s, const std::string& file) {
  base::Diagnostics d;
  const model::Experiment experiment = model::load_experiment({file}, {}, d);
  const model::LayerGraph graph = model::make_layer_graph(experiment, d);
  const model::TrainingSettings settings = model::bind_settings(experiment, graph, d);
  if (d.has_errors()) throw base::Error(d.exit_code(), d.render());

  data::MnistOptions mnist;
  mnist.directory = s.directory;
  mnist.image_file = "train-images-idx3-ubyte";
  mnist.label_file = "train-labels-idx1-ubyte";
  mnist.scale = 1.0f / 255;
  const auto dataset = data::make_mnist_dataset(mnist);
  std::vector<std::int64_t> all(static_cast<std::size_t>(dataset->size()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  // Full mini-batches only: a smaller last one is another plan.
  all.resize(all.size() / static_cast<std::size_t>(settings.mini_batch_size) *
             static_cast<std::size_t>(settings.mini_batch_size));

  std::vector<model::DataField> fields;
  for (const data::FieldSpec& f : dataset->fields()) fields.push_back({f.name, tensor::Shape(f.dims)});
  train::TrainerConfig config;
  config.lower = [&](layers::Mode mode, std::int64_t batch, tensor::DataType type) {
    base::Diagnostics found;
    model::LowerOptions o;
    o.mode = mode;
    o.batch = batch;
    o.default_type = type;
    o.fields = fields;
    auto lowered = model::lower_model(experiment, graph, o, found);
    if (!lowered) throw base::Error(found.exit_code(), found.render());
    return std::move(*lowered);
  };
  for (const model::MetricNode& m : graph.metrics) config.metrics.push_back({m.name, m.unit});
  config.mini_batch_size = settings.mini_batch_size;
  config.threads = s.threads;
  config.data[train::DataMode::training] = {dataset, all, true, "train"};
  train::Trainer trainer(std::move(config));
  trainer.setup();

  // The constant mini-batch: the first samples.
  std::vector<std::vector<float>> constant;
  const std::span<const std::int64_t> first(all.data(), static_cast<std::size_t>(settings.mini_batch_size));
  for (std::size_t f = 0; f < dataset->fields().size(); ++f) {
    constant.emplace_back(first.size() * static_cast<std::size_t>(dataset->fields()[f].num_elements()));
    dataset->read(f, first, constant.back().data());
  }
  const auto from_pipeline = [&] { trainer.train_step(); };
  const auto from_memory = [&] {
    runtime::Runner& runner = trainer.primary_runner();
    for (std::size_t f = 0; f < constant.size(); ++f)
      if (runner.has_input(dataset->fields()[f].name))
        runner.bind_input(dataset->fields()[f].name, constant[f].data());
    runner.run();
  };
  trainer.train_step();  // binds the step scalars, which the constant steps go on using
  std::vector<double> with, without, ratios, processor_ratios;
  for (int b = -3; b < s.blocks; ++b) {  // the first three warm up
    const bool pipeline_first = b % 2 == 0;
    Cost a, c;
    if (pipeline_first) a = measure(from_pipeline);
    from_memory();  // the readers fill their buffers meanwhile
    c = measure(from_memory);
    if (!pipeline_first) a = measure(from_pipeline);
    if (b < 0) continue;
    with.push_back(a.wall_ms);
    without.push_back(c.wall_ms);
    ratios.push_back(a.wall_ms / c.wall_ms);
    processor_ratios.push_back(a.processor_ms / c.processor_ms);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf(
      "%-28s %9.3f ms  constant %9.3f ms  ratio %.3f (quartiles %.3f, %.3f)  processor time %.3f"
      "  quietest blocks %.3f\n",
      file.c_str(), median(with), median(without), median(ratios), ratios[ratios.size() / 4],
      ratios[ratios.size() * 3 / 4], median(processor_ratios),
      *std::min_element(with.begin(), with.end()) / *std::min_element(without.begin(), without.end()));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  for (int i = 1; i < argc; ++i) {
    if (std::sscanf(argv[i], "--threads=%d", &s.threads) == 1) continue;
    if (std::sscanf(argv[i], "--blocks=%d", &s.blocks) == 1) continue;
    if (std::strncmp(argv[i], "--directory=", 12) == 0) {
      s.directory = argv[i] + 12;
      continue;
    }
    s.files.emplace_back(argv[i]);
  }
  if (s.files.empty() || s.threads < 1 || s.blocks < 4) {
    std::fprintf(stderr, "usage: bench_data_cost [--threads=N] [--blocks=N] [--directory=DIR] FILE...\n");
    return 2;
  }
  try {
    for (const std::string& file : s.files) run(s, file);
  } catch (const base::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return static_cast<int>(e.code());
  }
}
