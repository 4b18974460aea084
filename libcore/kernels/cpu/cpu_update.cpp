// cpu.update: one pass over weight, gradient and states, in place where the plan says so; the bits of
// ref.update. Operands lie alike, in any layout: the rule runs over storage and padding is set to zero
// behind it (Adam without eps makes 0/0 of it). cpu.all_finite stands here too: both are flat.
#include <atomic>
#include <cstring>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/storage.hpp"
#include "kernels/cpu/update_rules.hpp"

namespace lbann::kernels::cpu {
namespace {

constexpr std::int64_t part_floats = 8192;

class UpdateKernel final : public Kernel {
public:
  UpdateKernel(const NodeView& v, Isa isa) {
    const std::size_t rule = find_update_rule(v);
    rule_ = update_rules[rule];
    loop_ = loops_for(isa).update[rule];
    predicated_ = v.n.attrs.get_int("commit", 0) != 0;
    slot_ = v.n.attrs.get_int("slot", 0);
    const auto check = [&](const graph::Value& value) {
      if (value.spec.type != tensor::DataType::f32 || !(value.layout == v.in(0).layout) ||
          !(value.spec.shape == v.in_shape(0))) {
        v.refuse("weight, gradient and states differ in type, shape or layout");
      }
    };
    for (int i = 0; i < 2 + rule_.num_states; ++i) check(v.in(i));
    for (int i = 0; i < v.num_outputs(); ++i) check(v.out(i));
    total_ = v.in(0).layout.storage_elements(v.in_shape(0));
    padding_ = Padding(v.in(0).layout, v.in_shape(0));
  }

  void run(const KernelArgs& args) override {
    const int states = rule_.num_states;
    const float* s[2] = {};
    float* s_out[2] = {};
    for (int k = 0; k < states; ++k) {
      s[k] = input<float>(args, 2 + k);
      s_out[k] = output<float>(args, 1 + k);
    }
    const float* w = input<float>(args, 0);
    const float* g = input<float>(args, 1);
    float* w_out = output<float>(args, 0);
    const bool commits = !predicated_ || input<float>(args, 3 + states)[0] != 0;
    double exact[shared::max_update_scalars] = {};
    rule_.prepare(input<double>(args, 2 + states) + slot_, exact);
    float h[shared::max_update_scalars];
    std::copy(std::begin(exact), std::end(exact), h);
    const std::int64_t parts = (total_ + part_floats - 1) / part_floats;
    parallel_tasks(parts, total_ * (1 + states), [&](std::int64_t part) {
      const std::int64_t at = part * part_floats;
      const std::int64_t n = std::min(part_floats, total_ - at);
      const auto from = [at](const float* p) { return p == nullptr ? p : p + at; };
      const auto to = [at](float* p) { return p == nullptr ? p : p + at; };
      if (!commits) {
        keep(w + at, w_out + at, n);
        for (int k = 0; k < states; ++k) keep(s[k] + at, s_out[k] + at, n);
        return;
      }
      loop_(w + at, g + at, from(s[0]), from(s[1]), w_out + at, to(s_out[0]), to(s_out[1]), n, h);
      if (padding_.empty()) return;
      padding_.clear(w_out, at, at + n);
      for (int k = 0; k < states; ++k) padding_.clear(s_out[k], at, at + n);
    });
  }

private:
  static void keep(const float* from, float* to, std::int64_t n) {
    if (from != to) std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
  }

  UpdateRule rule_;
  Loops::Update loop_ = nullptr;
  bool predicated_ = false;
  std::int64_t slot_ = 0;
  std::int64_t total_ = 0;
  Padding padding_;
};

}  // namespace

std::unique_ptr<Kernel> make_update(const NodeView& v, Isa isa) {
  if (v.n.attrs.get_int("product", 0) != 0) return make_product_update(v, isa);
  return std::make_unique<UpdateKernel>(v, isa);
}

std::unique_ptr<Kernel> make_all_finite(const NodeView& v, Isa isa) {
  std::vector<std::int64_t> counts;
  for (int i = 0; i < v.num_inputs(); ++i) {
    if (v.in_type(i) != tensor::DataType::f32) v.refuse("operands are not f32");
    counts.push_back(v.in(i).layout.storage_elements(v.in_shape(i)));  // padding is 0: finite
  }
  return make_function_kernel([counts, &loops = loops_for(isa)](const KernelArgs& args) {
    constexpr std::int64_t part = 1 << 16;
    std::atomic<bool> finite{true};
    for (std::size_t t = 0; t < counts.size(); ++t) {
      const float* x = input<float>(args, static_cast<int>(t));
      parallel_tasks((counts[t] + part - 1) / part, counts[t], [&](std::int64_t i) {
        if (!loops.all_finite(x + i * part, std::min(part, counts[t] - i * part))) {
          finite.store(false, std::memory_order_relaxed);
        }
      });
    }
    output<float>(args, 0)[0] = finite ? 1.0f : 0.0f;
  });
}

}  // namespace lbann::kernels::cpu
