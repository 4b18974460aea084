// cpu.reduce, cpu.arg_reduce, cpu.softmax, cpu.softmax_bwd.
//
// A reduction sees the storage as alternating groups [K0, R0, K1, R1] (kept, reduced, kept, reduced);
// what needs more groups is refused. Work is cut into pieces that depend on the shape only; each
// piece leaves doubles (sums) or floats (extremes), combined in order.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/storage.hpp"

namespace lbann::kernels::cpu {
namespace {

struct Groups {
  std::int64_t k0 = 1, r0 = 1, k1 = 1, r1 = 1;
};

bool is_blocked_dim(const tensor::Layout& layout, int dim) {
  return std::any_of(layout.blocks().begin(), layout.blocks().end(),
                     [dim](const tensor::InnerBlock& b) { return b.dim == dim; });
}

// The result must lie in the order of the kept dims of the operand's storage.
Groups group_dims(const NodeView& v, bool is_sum) {
  const tensor::Layout& layout = v.in(0).layout;
  std::vector<bool> reduced(static_cast<std::size_t>(v.in_shape(0).rank()), false);
  for (std::int64_t axis : v.n.attrs.get_ints("axes")) reduced[static_cast<std::size_t>(axis)] = true;
  bool all = true;
  for (int d = 0; d < v.in_shape(0).rank(); ++d) {
    const bool r = reduced[static_cast<std::size_t>(d)];
    all = all && (r || v.in_shape(0)[d] == 1);
    // Padding adds nothing to a sum, but would take part in a maximum.
    if (r && !is_sum && is_blocked_dim(layout, d) && layout.padded(v.in_shape(0))[d] != v.in_shape(0)[d]) {
      v.refuse("extremes over padded channels");
    }
    if (r && is_blocked_dim(layout, d) && is_blocked_dim(v.out(0).layout, d))
      v.refuse("result would be padded");
  }
  if (!all && !(v.out(0).layout == layout)) {
    if (layout.is_blocked() || v.out(0).layout.is_blocked())
      v.refuse("result lies as " + v.out(0).layout.tag());
    // Different orders of extent-1 dims are the same memory.
    const auto kept_order = [&](const tensor::Layout& l) {
      std::vector<int> order;
      for (int d : l.order()) {
        if (v.out_shape()[d] != 1) order.push_back(d);
      }
      return order;
    };
    if (kept_order(layout) != kept_order(v.out(0).layout))
      v.refuse("result lies as " + v.out(0).layout.tag());
  }
  Groups g;
  std::int64_t* groups[] = {&g.k0, &g.r0, &g.k1, &g.r1};
  int at = 0;
  for (const StorageDim& d : storage_dims(layout, v.in_shape(0))) {
    if (d.extent == 1) continue;
    const bool is_reduced = reduced[static_cast<std::size_t>(d.dim)];
    if (is_reduced != (at % 2 == 1)) ++at;
    if (at > 3) v.refuse("too many groups of reduced dims");
    *groups[at] *= d.extent;
  }
  if (g.k1 == 1 && g.r1 == 1) std::swap(g.r0, g.r1);  // [K0, R0]: contiguous runs
  return g;
}

class ReduceKernel final : public Kernel {
public:
  ReduceKernel(const NodeView& v, Isa isa) : loops_(loops_for(isa)) {
    v.check_types(tensor::DataType::f32);
    const std::string& fn = v.n.attrs.get_text("fn");
    sum_ = fn == "sum" || fn == "mean";
    max_ = fn == "max";
    if (!sum_ && !max_ && fn != "min") v.refuse("unknown function '" + fn + "'");
    if (fn == "mean") {
      scale_ = static_cast<double>(v.out_shape().num_elements()) /
               static_cast<double>(v.in_shape(0).num_elements());
    }
    g_ = group_dims(v, sum_);
    total_ = g_.k0 * g_.r0 * g_.k1 * g_.r1;
    // Few results of long contiguous runs: cut the runs. Otherwise cut R0 into stretches of rows.
    const std::int64_t row = g_.k1 * g_.r1;
    if (g_.r0 == 1 && g_.k1 == 1 && g_.r1 > run_floats) {
      parts_ = (g_.r1 + run_floats - 1) / run_floats;
      cut_run_ = true;
    } else {
      rows_per_part_ = std::clamp<std::int64_t>(run_floats / row, 1, std::max<std::int64_t>(1, g_.r0));
      // At most 256 parts: a part's results are stored and read again.
      rows_per_part_ = std::max(rows_per_part_, (g_.r0 + 255) / 256);
      parts_ = (g_.r0 + rows_per_part_ - 1) / rows_per_part_;
    }
    partials_.resize(static_cast<std::size_t>(g_.k0 * parts_ * g_.k1));
  }

  void run(const KernelArgs& args) override {
    const float* x = input<float>(args, 0);
    float* y = output<float>(args, 0);
    parallel_tasks(g_.k0 * parts_, total_, [&](std::int64_t task) {
      reduce_part(x, task / parts_, task % parts_, partials_.data() + task * g_.k1);
    });
    for (std::int64_t k0 = 0; k0 < g_.k0; ++k0) {
      double* first = partials_.data() + k0 * parts_ * g_.k1;
      for (std::int64_t part = 1; part < parts_; ++part) combine(first + part * g_.k1, first);
      for (std::int64_t k1 = 0; k1 < g_.k1; ++k1) y[k0 * g_.k1 + k1] = static_cast<float>(first[k1] * scale_);
    }
  }

private:
  static constexpr std::int64_t run_floats = 16384;

  // into[k1] = combined with from[k1]
  void combine(const double* from, double* into) const {
    for (std::int64_t i = 0; i < g_.k1; ++i) {
      if (sum_) {
        into[i] += from[i];
      } else if (std::isnan(from[i]) || (max_ ? from[i] > into[i] : from[i] < into[i])) {
        into[i] = from[i];
      }
    }
  }

  double reduce_run(const float* x, std::int64_t n) const {
    return sum_ ? loops_.sum(x, n) : static_cast<double>(loops_.extreme(x, n, max_));
  }

  void reduce_part(const float* x, std::int64_t k0, std::int64_t part, double* result) const {
    const std::int64_t row = g_.k1 * g_.r1;
    const float* base = x + k0 * g_.r0 * row;
    if (cut_run_) {
      const std::int64_t at = part * run_floats;
      result[0] = reduce_run(base + at, std::min(run_floats, g_.r1 - at));
      return;
    }
    const std::int64_t first = part * rows_per_part_;
    const std::int64_t rows = std::min(rows_per_part_, g_.r0 - first);
    base += first * row;
    if (g_.r1 == 1) {
      for (std::int64_t k1 = 0; k1 < g_.k1; k1 += 16) {
        Chunk chunk;
        chunk.rows = rows;
        chunk.row_stride = row;
        chunk.lanes = static_cast<int>(std::min<std::int64_t>(16, g_.k1 - k1));
        if (sum_) {
          loops_.tile_sum(base + k1, chunk, result + k1);
        } else {
          float lanes[16];
          loops_.tile_extreme(base + k1, chunk, max_, lanes);
          std::copy(lanes, lanes + chunk.lanes, result + k1);
        }
      }
      return;
    }
    for (std::int64_t k1 = 0; k1 < g_.k1; ++k1) {
      double value = reduce_run(base + k1 * g_.r1, g_.r1);
      for (std::int64_t r = 1; r < rows; ++r) {
        const double next = reduce_run(base + r * row + k1 * g_.r1, g_.r1);
        if (sum_) {
          value += next;
        } else if (std::isnan(next) || (max_ ? next > value : next < value)) {
          value = next;
        }
      }
      result[k1] = value;
    }
  }

  const Loops& loops_;
  bool sum_ = true;
  bool max_ = false;
  double scale_ = 1;
  Groups g_;
  std::int64_t total_ = 0;
  std::int64_t parts_ = 1;
  std::int64_t rows_per_part_ = 1;
  bool cut_run_ = false;
  std::vector<double> partials_;
};

// A row-major tensor as [outer, k, inner] around one axis.
struct AxisView {
  std::int64_t outer = 1, k = 1, inner = 1;
};

AxisView around_axis(const NodeView& v) {
  v.check_plain();
  std::int64_t axis = v.n.attrs.get_int("axis");
  const tensor::Shape& shape = v.in_shape(0);
  if (axis < 0) axis += shape.rank();
  AxisView view;
  for (int d = 0; d < shape.rank(); ++d)
    (d < axis ? view.outer : d == axis ? view.k : view.inner) *= shape[d];
  return view;
}

// Runs line(offset) for every contiguous line, or lines(offset, width) for stretches of lines.
template <class Line, class Lines>
void for_each_line(const AxisView& view, std::int64_t work, Line line, Lines lines) {
  constexpr std::int64_t max_width = 256;
  if (view.inner == 1) {
    parallel_tasks(view.outer, work, [&](std::int64_t o) { line(o * view.k); });
    return;
  }
  const std::int64_t stretches = (view.inner + max_width - 1) / max_width;
  parallel_tasks(view.outer * stretches, work, [&](std::int64_t task) {
    const std::int64_t at = task % stretches * max_width;
    lines(task / stretches * view.k * view.inner + at, std::min(max_width, view.inner - at));
  });
}

}  // namespace

std::unique_ptr<Kernel> make_reduce(const NodeView& v, Isa isa) {
  return std::make_unique<ReduceKernel>(v, isa);
}

std::unique_ptr<Kernel> make_arg_reduce(const NodeView& v, Isa) {
  const AxisView view = around_axis(v);
  if (v.in_type(0) != tensor::DataType::f32 || v.out_type() != tensor::DataType::i64) v.refuse("wrong types");
  const bool max = v.n.attrs.get_text("fn") == "max";
  return make_function_kernel([=](const KernelArgs& args) {
    const float* x = input<float>(args, 0);
    std::int64_t* y = output<std::int64_t>(args, 0);
    parallel_tasks(view.outer * view.inner, view.outer * view.k * view.inner, [&](std::int64_t task) {
      const float* line = x + task / view.inner * view.k * view.inner + task % view.inner;
      float best = std::numeric_limits<float>::quiet_NaN();
      std::int64_t winner = 0;
      for (std::int64_t j = 0; j < view.k; ++j) {
        const float value = line[j * view.inner];
        const bool wins = max ? value > best : value < best;
        if (wins || (std::isnan(best) && !std::isnan(value))) {
          best = value;
          winner = j;
        }
      }
      y[task] = winner;
    });
  });
}

std::unique_ptr<Kernel> make_softmax(const NodeView& v, Isa isa) {
  v.check_types(tensor::DataType::f32);
  const AxisView view = around_axis(v);
  const bool log = v.n.attrs.get_int("log", 0) != 0;
  return make_function_kernel([=, &loops = loops_for(isa)](const KernelArgs& args) {
    const float* x = input<float>(args, 0);
    float* y = output<float>(args, 0);
    if (view.inner == 1 && view.k <= 128) {
      constexpr std::int64_t lines = 64;
      parallel_tasks((view.outer + lines - 1) / lines, 4 * view.outer * view.k, [&](std::int64_t task) {
        const std::int64_t at = task * lines * view.k;
        loops.softmax_short(x + at, y + at, std::min(lines, view.outer - task * lines), view.k, log);
      });
      return;
    }
    for_each_line(
        view, 4 * view.outer * view.k * view.inner,
        [&](std::int64_t at) { loops.softmax_line(x + at, y + at, view.k, log); },
        [&](std::int64_t at, std::int64_t width) {
          loops.softmax_lines(x + at, y + at, view.k, view.inner, width, log);
        });
  });
}

std::unique_ptr<Kernel> make_softmax_bwd(const NodeView& v, Isa isa) {
  v.check_types(tensor::DataType::f32);
  const AxisView view = around_axis(v);
  const bool log = v.n.attrs.get_int("log", 0) != 0;
  return make_function_kernel([=, &loops = loops_for(isa)](const KernelArgs& args) {
    const float* dy = input<float>(args, 0);
    const float* y = input<float>(args, 1);
    float* dx = output<float>(args, 0);
    for_each_line(
        view, 3 * view.outer * view.k * view.inner,
        [&](std::int64_t at) { loops.softmax_bwd_line(dy + at, y + at, dx + at, view.k, log); },
        [&](std::int64_t at, std::int64_t width) {
          loops.softmax_bwd_lines(dy + at, y + at, dx + at, view.k, view.inner, width, log);
        });
  });
}

}  // namespace lbann::kernels::cpu
