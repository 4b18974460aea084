// cpu.gather, cpu.scatter_add, cpu.update_rows: whole rows at a time, the bits of the naive kernels.
//
// gather copies row by row, parallel over the indices. The other two are parallel over rows of the
// table, which no two threads share; within a row the entries are added in the order of the indices,
// whatever the number of threads. update_rows finds the entries of a row by sorting their positions
// (stable: equal indices stay in order) and touches the rows named and nothing else: its time does
// not depend on the height of the table.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/shared/update_bodies.hpp"

namespace lbann::kernels::cpu {
namespace {

struct Rule {
  const char* name;
  int num_states;
  void (*prepare)(const double* slot, double* h);
};

template <class Body>
constexpr Rule rule_of() {
  return {Body::name, Body::num_states, &Body::prepare};
}

// In the order of Loops::update.
constexpr Rule rules[] = {rule_of<shared::Sgd>(),      rule_of<shared::Momentum>(),
                          rule_of<shared::Nesterov>(), rule_of<shared::Adagrad>(),
                          rule_of<shared::Rmsprop>(),  rule_of<shared::Adam>()};

void check_operands(const NodeView& v, int index) {
  v.check_plain();
  for (int i = 0; i < v.num_inputs(); ++i) {
    if (i == index && v.in_type(i) != tensor::DataType::i64) v.refuse("indices are not i64");
  }
  for (int i = 0; i < v.num_outputs(); ++i) {
    if (v.out_type(i) != tensor::DataType::f32) v.refuse("results are not f32");
  }
}

void add_row(float* sum, const float* row, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) sum[j] += row[j];
}

class UpdateRowsKernel final : public Kernel {
public:
  UpdateRowsKernel(const NodeView& v, Isa isa)
    : rows_(v.in_shape(0)[0]),
      width_(v.in_shape(0)[1]),
      slot_(v.n.attrs.get_int("slot", 0)),
      predicated_(v.n.attrs.get_int("commit", 0) != 0) {
    check_operands(v, 1);
    const std::string& name = v.n.attrs.get_text("rule");
    for (std::size_t i = 0; i < std::size(rules); ++i) {
      if (name != rules[i].name) continue;
      rule_ = rules[i];
      loop_ = loops_for(isa).update[i];
    }
    if (loop_ == nullptr) v.refuse("unknown rule '" + name + "'");
    if (v.num_outputs() != 1 + rule_.num_states) v.refuse("wrong number of states");
    const auto count = static_cast<std::size_t>(v.in_shape(1).num_elements());
    order_.resize(count);
    starts_.reserve(count + 1);
  }

  void run(const KernelArgs& args) override {
    float* target[3] = {};  // w, states
    for (int k = 0; k <= rule_.num_states; ++k) {
      const float* from = input<float>(args, k == 0 ? 0 : 2 + k);
      target[k] = output<float>(args, k);
      if (from != target[k])
        std::memcpy(target[k], from, static_cast<std::size_t>(rows_ * width_) * sizeof(float));
    }
    if (predicated_ && input<float>(args, 4 + rule_.num_states)[0] == 0) return;
    double exact[shared::max_update_scalars] = {};
    rule_.prepare(input<double>(args, 3 + rule_.num_states) + slot_, exact);
    float h[shared::max_update_scalars];
    std::copy(std::begin(exact), std::end(exact), h);

    const std::int64_t* index = input<std::int64_t>(args, 1);
    const float* g = input<float>(args, 2);
    sort_entries(index);
    const auto groups = static_cast<std::int64_t>(starts_.size()) - 1;
    parallel_tasks(groups, static_cast<std::int64_t>(order_.size()) * width_, [&](std::int64_t group) {
      const std::int64_t begin = starts_[static_cast<std::size_t>(group)];
      const std::int64_t end = starts_[static_cast<std::size_t>(group) + 1];
      const std::int64_t row = index[order_[static_cast<std::size_t>(begin)]];
      float sum[part_floats];
      for (std::int64_t at = 0; at < width_; at += part_floats) {
        const std::int64_t n = std::min(part_floats, width_ - at);
        std::fill(sum, sum + n, 0.0f);
        for (std::int64_t e = begin; e < end; ++e) {
          add_row(sum, g + order_[static_cast<std::size_t>(e)] * width_ + at, n);
        }
        float* p[3] = {};
        for (int k = 0; k <= rule_.num_states; ++k) p[k] = target[k] + row * width_ + at;
        loop_(p[0], sum, p[1], p[2], p[0], p[1], p[2], n, h);
      }
    });
  }

private:
  static constexpr std::int64_t part_floats = 1024;

  /// order_: positions of the entries by row, then by position. starts_: first of each valid row, and
  /// the end of the last one.
  void sort_entries(const std::int64_t* index) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::int64_t a, std::int64_t b) {
      return index[a] != index[b] ? index[a] < index[b] : a < b;
    });
    starts_.clear();
    std::size_t i = 0;
    while (i < order_.size() && index[order_[i]] < 0) ++i;
    for (; i < order_.size() && index[order_[i]] < rows_; ++i) {
      const bool opens = starts_.empty() || index[order_[i]] != index[order_[i - 1]];
      if (opens) starts_.push_back(static_cast<std::int64_t>(i));
    }
    starts_.push_back(static_cast<std::int64_t>(i));
  }

  std::int64_t rows_, width_, slot_;
  bool predicated_;
  Rule rule_{};
  Loops::Update loop_ = nullptr;
  std::vector<std::int64_t> order_, starts_;
};

}  // namespace

std::unique_ptr<Kernel> make_gather(const NodeView& v, Isa) {
  check_operands(v, 1);
  const std::int64_t rows = v.in_shape(0)[0];
  const std::int64_t width = v.in_shape(0)[1];
  const std::int64_t count = v.in_shape(1).num_elements();
  return make_function_kernel([=](const KernelArgs& args) {
    const std::int64_t* index = input<std::int64_t>(args, 1);
    const auto bytes = static_cast<std::size_t>(width) * sizeof(float);
    parallel_tasks(count, count * width, [&](std::int64_t i) {
      float* y = output<float>(args, 0) + i * width;
      if (index[i] >= 0 && index[i] < rows) {
        std::memcpy(y, input<float>(args, 0) + index[i] * width, bytes);
      } else {
        std::memset(y, 0, bytes);
      }
    });
  });
}

std::unique_ptr<Kernel> make_scatter_add(const NodeView& v, Isa) {
  check_operands(v, 0);
  const std::int64_t rows = v.out_shape()[0];
  const std::int64_t width = v.out_shape()[1];
  const std::int64_t count = v.in_shape(0).num_elements();
  return make_function_kernel([=](const KernelArgs& args) {
    const std::int64_t* index = input<std::int64_t>(args, 0);
    parallel_ranges(rows, (rows + count) * width, [&](std::int64_t begin, std::int64_t end) {
      float* sum = output<float>(args, 0);
      std::fill(sum + begin * width, sum + end * width, 0.0f);
      for (std::int64_t i = 0; i < count; ++i) {
        if (index[i] < begin || index[i] >= end) continue;
        add_row(sum + index[i] * width, input<float>(args, 1) + i * width, width);
      }
    });
  });
}

std::unique_ptr<Kernel> make_update_rows(const NodeView& v, Isa isa) {
  return std::make_unique<UpdateRowsKernel>(v, isa);
}

}  // namespace lbann::kernels::cpu
