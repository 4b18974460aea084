// A plan in its steady state asks for no memory and touches none for the first time. Every allocation of this
// program and of its libraries is counted (operator new is replaced): our own kernels make none; the
// library's may keep the small maps of its calls, nothing of a buffer's size. Page faults are counted by the
// kernel.
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

#include "fixture.hpp"

namespace {

std::atomic<std::int64_t> allocations{0}, large_allocations{0};
constexpr std::size_t large = 4096;

void* allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (bytes >= large) ++large_allocations;
  void* p = alignment <= alignof(std::max_align_t)
                ? std::malloc(bytes)
                : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, 0); }
void* operator new[](std::size_t bytes) { return allocate(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t a) {
  return allocate(bytes, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a) {
  return allocate(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

using namespace lbann;

const char* const head = R"(
trainer { mini_batch_size: 32 }
data_reader { reader { name: "synthetic" role: "train" num_samples: 64 num_labels: 5 fraction_of_data_to_use: 1.0
)";

const char* const images = R"( synth_dimensions: "3 8 8" } }
optimizer { adam { learn_rate: 0.01 beta1: 0.9 beta2: 0.99 eps: 1e-8 } }
model {
  num_epochs: 3
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "conv" parents: "x"
          convolution { num_dims: 2 out_channels: 10 kernel_size: 3 padding: 1 stride: 1 } }
  layer { name: "bn" parents: "conv" batch_normalization {} }
  layer { name: "relu" parents: "bn" relu {} }
  layer { name: "drop" parents: "relu" dropout { keep_prob: 0.8 } }
  layer { name: "pool" parents: "drop"
          pooling { num_dims: 2 pool_dims_i: 2 pool_strides_i: 2 pool_mode: "max" } }
  layer { name: "fc" parents: "pool" fully_connected { num_neurons: 200 has_bias: true } }
  layer { name: "norm" parents: "fc" layer_norm { scale: true bias: true } }
  layer { name: "gelu" parents: "norm" leaky_relu {} }
  layer { name: "out" parents: "gelu" fully_connected { num_neurons: 5 has_bias: true } }
  layer { name: "prob" parents: "out" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } }
}
)";

const char* const words = R"( synth_dimensions: "4" synth_vocabulary_size: 500 } }
optimizer { sgd { learn_rate: 0.01 } }
model {
  num_epochs: 3
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "rows" parents: "x" embedding { num_embeddings: 500 embedding_dim: 64 } }
  layer { name: "fc" parents: "rows" fully_connected { num_neurons: 5 has_bias: true } }
  layer { name: "prob" parents: "fc" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } }
}
)";

std::int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

void check_steady_state(const std::string& text) {
  const train::Fixture fixture(text);
  train::Trainer trainer(fixture.make_config());
  trainer.setup();
  for (int i = 0; i < 4; ++i) trainer.train_step();
  runtime::Runner& runner = trainer.primary_runner();
  const graph::Graph& g = runner.plan().graph();
  std::map<std::string, std::int64_t> small, big;
  for (const runtime::PlanStep& s : runner.plan().steps())
    small[g.node(s.node).kernel] = big[g.node(s.node).kernel] = 0;
  std::int64_t seen = 0, seen_large = 0;
  runner.set_observer([&](graph::NodeId id) {
    small.find(g.node(id).kernel)->second += allocations - seen;
    big.find(g.node(id).kernel)->second += large_allocations - seen_large;
    seen = allocations;
    seen_large = large_allocations;
  });
  seen = allocations;
  seen_large = large_allocations;
  for (int i = 0; i < 10; ++i) runner.run();
  runner.set_observer({});
  for (const auto& [kernel, count] : big)
    BOOST_TEST(count == 0, kernel << " asked " << count << " times for a buffer");
  for (const auto& [kernel, count] : small) {
    if (kernel.starts_with("cpu.") || kernel.starts_with("direct.") || kernel == "view")
      BOOST_TEST(count == 0, kernel << " allocated " << count << " times");
  }
  // The system may move pages at any time: one quiet round of several will do.
  std::int64_t fewest = -1;
  for (int round = 0; round < 8 && fewest != 0; ++round) {
    const std::int64_t before = page_faults();
    for (int i = 0; i < 5; ++i) runner.run();
    const std::int64_t faults = page_faults() - before;
    fewest = fewest < 0 ? faults : std::min(fewest, faults);
  }
  BOOST_TEST(fewest == 0, fewest << " page faults in the quietest round");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_plan_asks_for_no_memory_in_the_steady_state) {
  const std::int64_t before = allocations;
  const std::string counted(1000, 'x');
  BOOST_REQUIRE(allocations == before + 1);  // the counter works
  check_steady_state(std::string(head) + images);
  check_steady_state(std::string(head) + words);
}
