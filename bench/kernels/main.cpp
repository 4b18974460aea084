// Times our own CPU kernels on the shapes of the networks we measure:
//
//   bench_kernels [filter]
//
// prints per kernel and layout the best time of many runs, on one thread and on all, and the traffic
// (operands read and results written once) per second. Best, not mean: the machine may be shared.
// Built as bench_kernels with -DLBANN_BENCH=ON.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/kernel.hpp"

namespace {

using namespace lbann;

struct Operand {
  tensor::Shape shape;
  std::string tag{};  // empty: row-major
  tensor::DataType type = tensor::DataType::f32;
};

struct Job {
  std::string op;
  graph::Attrs attrs;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
};

using Memory = std::unique_ptr<void, decltype(&std::free)>;

class Bench {
public:
  explicit Bench(const Job& job) {
    std::vector<graph::ValueId> ids;
    for (const Operand& o : job.inputs) {
      const graph::NodeId id =
          graph_.add_node("input", {}, {{o.type, o.shape}}, {}, 0, graph::Phase::forward);
      ids.push_back(add_buffer(graph_.node(id).outputs[0], o));
    }
    std::vector<tensor::TensorSpec> specs;
    for (const Operand& o : job.outputs) specs.push_back({o.type, o.shape});
    const graph::NodeId id = graph_.add_node(job.op, ids, specs, job.attrs, 0, graph::Phase::forward);
    for (std::size_t i = 0; i < specs.size(); ++i) add_buffer(graph_.node(id).outputs[i], job.outputs[i]);
    graph_.node(id).kernel = "cpu." + job.op;
    kernel_ = kernels::make_kernel(graph_, id);
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      if (i < ids.size()) {
        inputs_.push_back(buffers_[i].get());
      } else {
        outputs_.push_back(buffers_[i].get());
      }
    }
  }

  double bytes() const { return bytes_; }

  double best_us(int threads) {
    omp_set_num_threads(threads);
    const auto start = std::chrono::steady_clock::now();
    double best = 1e30;
    for (int i = 0; i < 10000; ++i) {
      const auto t0 = std::chrono::steady_clock::now();
      kernel_->run({inputs_.data(), outputs_.data(), nullptr});
      const auto t1 = std::chrono::steady_clock::now();
      best = std::min(best, std::chrono::duration<double, std::micro>(t1 - t0).count());
      if (i > 20 && t1 - start > std::chrono::milliseconds(300)) break;
    }
    return best;
  }

private:
  graph::ValueId add_buffer(graph::ValueId id, const Operand& o) {
    if (!o.tag.empty()) graph_.value(id).layout = tensor::Layout::from_tag(o.tag);
    const auto elements = graph_.value(id).layout.storage_elements(o.shape);
    const auto bytes =
        static_cast<std::size_t>(elements) * static_cast<std::size_t>(tensor::size_bytes(o.type));
    Memory memory(std::aligned_alloc(64, (bytes + 127) / 64 * 64), &std::free);
    std::memset(memory.get(), 0, bytes);
    if (o.type == tensor::DataType::f32) {
      float* x = static_cast<float*>(memory.get());
      for (std::int64_t i = 0; i < elements; ++i) x[i] = static_cast<float>(i % 1013) * 0.001f - 0.5f;
    }
    bytes_ += static_cast<double>(bytes);
    buffers_.push_back(std::move(memory));
    return id;
  }

  graph::Graph graph_;
  std::vector<Memory> buffers_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  std::unique_ptr<kernels::Kernel> kernel_;
  double bytes_ = 0;
};

std::vector<Job> norm_jobs() {
  std::vector<Job> jobs;
  const tensor::Shape x{256, 64, 14, 14};
  const tensor::Shape c{64};
  for (const char* tag : {"", "aBcd16b", "aBcd8b", "acdb"}) {
    const Operand t{x, tag};
    const Operand p{c};
    jobs.push_back({"norm_stats", {}, {t}, {p, p}});
    jobs.push_back({"norm_apply", {{"act", "relu"}}, {t, p, p, p, p}, {t}});
    jobs.push_back({"norm_bwd_stats", {{"act", "relu"}}, {t, t, p, p, p, p}, {p, p}});
    jobs.push_back({"norm_bwd_apply", {{"act", "relu"}}, {t, t, p, p, p, p, p, p, p}, {t}});
    const tensor::Shape y{256, 64, 7, 7};
    const Operand small{y, tag};
    const Operand winners{{y.num_elements()}, "", tensor::DataType::u8};
    const std::vector<std::int64_t> two{2, 2}, none{0, 0}, three{3, 3}, one{1, 1};
    const graph::Attrs pool{{"mode", "max"}, {"window", two}, {"strides", two}, {"pads", none}};
    jobs.push_back({"pool", pool, {t}, {small, winners}});
    jobs.push_back({"pool_bwd", pool, {small, winners}, {t}});
    const graph::Attrs overlapping{{"mode", "max"}, {"window", three}, {"strides", two}, {"pads", one}};
    jobs.push_back({"pool", overlapping, {t}, {small, winners}});
    jobs.push_back({"pool_bwd", overlapping, {small, winners}, {t}});
    jobs.push_back({"ewise", {{"fn", "relu_grad"}}, {t, t}, {t}});
  }
  return jobs;
}

std::vector<Job> flat_jobs() {
  const Operand m{{1024, 1024}};
  const Operand row{{1, 1024}};
  const Operand scalars{{8}, "", tensor::DataType::f64};
  std::vector<Job> jobs;
  for (const char* fn : {"relu", "exp", "log", "tanh", "sigmoid", "elu"}) {
    jobs.push_back({"ewise", {{"fn", fn}, {"a", 1.0}}, {m}, {m}});
  }
  jobs.push_back({"ewise", {{"fn", "add"}}, {m, m}, {m}});
  jobs.push_back({"ewise", {{"fn", "add"}}, {m, row}, {m}});
  jobs.push_back({"ewise", {{"fn", "mul"}}, {m, {{1, 1}}}, {m}});
  jobs.push_back({"ewise", {{"fn", "add"}}, {{{128, 10}}, {{1, 10}}}, {{{128, 10}}}});
  jobs.push_back({"fused_ewise",
                  {{"program", "t0=mul(i0,i1);t1=add(t0,i2);t2=tanh(t1);o0=mul(t2,i0)"}},
                  {m, m, m},
                  {m}});
  jobs.push_back({"update", {{"rule", "sgd"}}, {m, m, scalars}, {m}});
  jobs.push_back({"update", {{"rule", "adam"}}, {m, m, m, m, scalars}, {m, m, m}});
  const std::vector<std::int64_t> first{0}, last{1}, all{0, 1};
  jobs.push_back({"reduce", {{"fn", "sum"}, {"axes", first}}, {m}, {row}});
  jobs.push_back({"reduce", {{"fn", "sum"}, {"axes", last}}, {m}, {{{1024, 1}}}});
  jobs.push_back({"reduce", {{"fn", "sum"}, {"axes", all}}, {m}, {{{1, 1}}}});
  jobs.push_back({"reduce", {{"fn", "max"}, {"axes", last}}, {m}, {{{1024, 1}}}});
  jobs.push_back({"all_finite", {}, {m}, {{{1}}}});
  const graph::Attrs axis{{"axis", std::int64_t{1}}, {"log", std::int64_t{1}}, {"fn", "max"}};
  jobs.push_back({"softmax", axis, {m}, {m}});
  jobs.push_back({"softmax_bwd", axis, {m, m}, {m}});
  jobs.push_back({"softmax", axis, {{{128, 10}}}, {{{128, 10}}}});
  jobs.push_back({"softmax_bwd", axis, {{{128, 10}}, {{128, 10}}}, {{{128, 10}}}});
  jobs.push_back({"arg_reduce", axis, {m}, {{{1024, 1}, "", tensor::DataType::i64}}});
  const std::vector<std::int64_t> swap{1, 0};
  jobs.push_back({"permute", {{"perm", swap}}, {m}, {m}});
  jobs.push_back({"expand", {{"dims", std::vector<std::int64_t>{1024, 1024}}}, {row}, {m}});
  return jobs;
}

std::string describe(const Job& job) {
  std::string text = job.op;
  for (const char* name : {"fn", "rule"}) text += " " + job.attrs.get_text(name, "");
  const std::vector<Operand>& from = job.op == "pool_bwd" ? job.outputs : job.inputs;
  return text + " " + from[0].shape.to_string() + " " + from[0].tag +
         (job.inputs.size() > 1 && job.op == "ewise" ? " " + job.inputs[1].shape.to_string() : "");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  const int threads = omp_get_max_threads();
  std::vector<Job> jobs = norm_jobs();
  for (Job& job : flat_jobs()) jobs.push_back(std::move(job));
  std::printf("%-58s %10s %8s %10s %8s\n", "", "1 thread", "GB/s", "all", "GB/s");
  for (const Job& job : jobs) {
    const std::string name = describe(job);
    if (name.find(filter) == std::string::npos) continue;
    Bench bench(job);
    const double one = bench.best_us(1);
    const double all = bench.best_us(threads);
    std::printf("%-58s %7.1f us %8.1f %7.1f us %8.1f\n", name.c_str(), one, bench.bytes() / one / 1e3, all,
                bench.bytes() / all / 1e3);
  }
  return 0;
}
