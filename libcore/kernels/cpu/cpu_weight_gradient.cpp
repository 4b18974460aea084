// cpu.matmul for weight gradients, and cpu.update by a product: the same product with the optimizer's step
// applied to every block. See weight_gradient.hpp; the rules are those of cpu.update without a product, so
// the bits are those of the two kernels.
#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/storage.hpp"
#include "kernels/cpu/update_rules.hpp"
#include "kernels/cpu/weight_gradient.hpp"

#include <cstring>

namespace lbann::kernels::cpu {

namespace {

struct Geometry {
  int row_dim = 0, column_dim = 1;
  std::int64_t block_rows = 16, block_columns = 64;
};

Geometry geometry_of(const tensor::Layout& layout) {
  Geometry g;
  if (!layout.is_blocked()) return g;
  g.row_dim = layout.blocks()[0].dim;
  g.column_dim = layout.blocks()[1].dim;
  g.block_rows = layout.blocks()[0].size;
  g.block_columns = layout.blocks()[1].size;
  return g;
}

std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// One panel: k rows of `width` floats, zeros where the source has no columns left.
void pack_panel(const float* from, std::int64_t row_length, std::int64_t at, std::int64_t k,
                std::int64_t width, float* to) {
  const std::int64_t n = std::clamp<std::int64_t>(row_length - at, 0, width);
  if (n == width) {
    for (std::int64_t i = 0; i < k; ++i) {
      std::memcpy(to + i * width, from + i * row_length + at,
                  static_cast<std::size_t>(width) * sizeof(float));
    }
    return;
  }
  for (std::int64_t i = 0; i < k; ++i) {
    std::copy_n(from + i * row_length + at, n, to + i * width);
    std::fill(to + i * width + n, to + (i + 1) * width, 0.0f);
  }
}

}  // namespace

bool WeightGradient::takes(const tensor::Layout& layout) {
  if (layout.rank() != 2) return false;
  if (layout.is_plain()) return true;
  if (layout.blocks().size() != 2 || layout.blocks()[0].dim == layout.blocks()[1].dim) return false;
  const Geometry g = geometry_of(layout);
  return g.block_rows % row_panel == 0 && g.block_columns % column_panel == 0 &&
         g.block_rows * g.block_columns <= max_block_floats;
}

std::int64_t WeightGradient::scratch_bytes(const tensor::Shape& weight, const tensor::Layout& layout,
                                           std::int64_t k) {
  const Geometry g = geometry_of(layout);
  return (round_up(weight[g.row_dim], g.block_rows) + round_up(weight[g.column_dim], g.block_columns)) * k *
         static_cast<std::int64_t>(sizeof(float));
}

WeightGradient::WeightGradient(const Loops& loops, const tensor::Shape& weight, const tensor::Layout& layout,
                               std::int64_t k)
  : loops_(loops), k_(k), packed_(layout.is_blocked()) {
  const Geometry g = geometry_of(layout);
  rows_are_outputs_ = g.row_dim == 1;
  rows_ = weight[g.row_dim];
  columns_ = weight[g.column_dim];
  block_rows_ = g.block_rows;
  block_columns_ = g.block_columns;
  row_blocks_ = (rows_ + block_rows_ - 1) / block_rows_;
  column_blocks_ = (columns_ + block_columns_ - 1) / block_columns_;
  if (packed_) {
    const std::vector<std::int64_t> steps = layout.outer_strides(weight);
    row_step_ = steps[static_cast<std::size_t>(g.row_dim)];
    column_step_ = steps[static_cast<std::size_t>(g.column_dim)];
  } else {
    row_step_ = block_rows_ * columns_;
    column_step_ = block_columns_;
  }
}

WeightGradient::Block WeightGradient::block(std::int64_t rb, std::int64_t cb) const {
  const std::int64_t offset = rb * row_step_ + cb * column_step_;
  if (packed_) return {block_rows_, block_columns_, offset, block_columns_};
  return {std::min(block_rows_, rows_ - rb * block_rows_),
          std::min(block_columns_, columns_ - cb * block_columns_), offset, columns_};
}

void WeightGradient::pack(const float* x, const float* dy, float* scratch) const {
  const float* row_source = rows_are_outputs_ ? dy : x;
  const float* column_source = rows_are_outputs_ ? x : dy;
  // A task fills panels of `column_panel` rows or columns: whole cache lines of the source.
  const std::int64_t row_tasks = (row_blocks_ * block_rows_ + column_panel - 1) / column_panel;
  const std::int64_t column_tasks = column_blocks_ * block_columns_ / column_panel;
  parallel_tasks(
      row_tasks + column_tasks, (row_tasks + column_tasks) * column_panel * k_, [&](std::int64_t task) {
        if (task >= row_tasks) {
          const std::int64_t at = (task - row_tasks) * column_panel;
          pack_panel(column_source, columns_, at, k_, column_panel, scratch + row_floats() + at * k_);
          return;
        }
        const std::int64_t end = std::min((task + 1) * column_panel, row_blocks_ * block_rows_);
        for (std::int64_t at = task * column_panel; at < end; at += row_panel) {
          pack_panel(row_source, rows_, at, k_, row_panel, scratch + at * k_);
        }
      });
}

namespace {

// Of operands `first` and the one behind it.
WeightGradient make_product(const NodeView& v, Isa isa, const graph::Value& weight,
                            const tensor::Shape& shape, int first) {
  const tensor::Shape &x = v.in_shape(first), &dy = v.in_shape(first + 1);
  for (int i = first; i < first + 2; ++i) {
    if (!v.in(i).layout.is_plain() || v.in_type(i) != tensor::DataType::f32)
      v.refuse("operands are not plain f32");
  }
  if (x.rank() != 2 || dy.rank() != 2 || x[0] != dy[0] || shape.rank() != 2 || shape[0] != x[1] ||
      shape[1] != dy[1])
    v.refuse("is no weight gradient");
  if (!WeightGradient::takes(weight.layout)) v.refuse("weight lies as " + weight.layout.tag());
  if (WeightGradient::scratch_bytes(shape, weight.layout, x[0]) > v.n.scratch_bytes)
    v.refuse("needs more scratch than planned");
  return WeightGradient(loops_for(isa), shape, weight.layout, x[0]);
}

class ProductUpdateKernel final : public Kernel {
public:
  ProductUpdateKernel(const NodeView& v, Isa isa)
    : product_(make_product(v, isa, v.in(0), v.in_shape(0), 1)), slot_(v.n.attrs.get_int("slot", 0)) {
    const std::size_t rule = find_update_rule(v);
    rule_ = update_rules[rule];
    loop_ = loops_for(isa).update[rule];
    if (v.n.attrs.get_int("commit", 0) != 0) v.refuse("knows no flag");
    const auto check = [&](const graph::Value& value) {
      if (value.spec.type != tensor::DataType::f32 || !(value.layout == v.in(0).layout) ||
          !(value.spec.shape == v.in_shape(0))) {
        v.refuse("weight and states differ in type, shape or layout");
      }
    };
    check(v.in(0));
    for (int i = 3; i < 3 + rule_.num_states; ++i) check(v.in(i));
    for (int i = 0; i < v.num_outputs(); ++i) check(v.out(i));
    padding_ = Padding(v.in(0).layout, v.in_shape(0));
  }

  void run(const KernelArgs& args) override {
    const int states = rule_.num_states;
    const float* from[3] = {};
    float* to[3] = {};
    for (int k = 0; k <= states; ++k) {
      from[k] = input<float>(args, k == 0 ? 0 : 2 + k);
      to[k] = output<float>(args, k);
    }
    double exact[shared::max_update_scalars] = {};
    rule_.prepare(input<double>(args, 3 + states) + slot_, exact);
    float h[shared::max_update_scalars];
    std::copy(std::begin(exact), std::end(exact), h);
    const std::int64_t tiles = product_.num_tiles();
    const auto prefetch = [&](const WeightGradient::Block& b, std::int64_t part) {
      for (std::int64_t r = part * b.rows / tiles; r < (part + 1) * b.rows / tiles; ++r) {
        for (std::int64_t c = 0; c < b.columns; c += 16) {
          for (int k = 0; k <= states; ++k) __builtin_prefetch(from[k] + b.offset + r * b.stride + c);
        }
      }
    };
    const auto update = [&](const WeightGradient::Block& b, const float* gradient) {
      const auto apply = [&](std::int64_t at, const float* g, std::int64_t n) {
        const auto in = [at](const float* p) { return p == nullptr ? p : p + at; };
        const auto out = [at](float* p) { return p == nullptr ? p : p + at; };
        loop_(from[0] + at, g, in(from[1]), in(from[2]), to[0] + at, out(to[1]), out(to[2]), n, h);
      };
      if (b.stride == product_.block_columns()) {
        apply(b.offset, gradient, b.rows * b.columns);
      } else {
        for (std::int64_t r = 0; r < b.rows; ++r)
          apply(b.offset + r * b.stride, gradient + r * product_.block_columns(), b.columns);
      }
      if (padding_.empty()) return;
      for (int k = 0; k <= states; ++k) padding_.clear(to[k], b.offset, b.offset + b.rows * b.columns);
    };
    product_.run(input<float>(args, 1), input<float>(args, 2), static_cast<float*>(args.scratch), update,
                 prefetch);
  }

private:
  WeightGradient product_;
  UpdateRule rule_;
  Loops::Update loop_ = nullptr;
  std::int64_t slot_;
  Padding padding_;
};

}  // namespace

std::unique_ptr<Kernel> make_weight_gradient(const NodeView& v, Isa isa) {
  if (v.num_inputs() > 2 || !v.n.attrs.get_text("act", "").empty()) v.refuse("takes no bias or activation");
  if (v.n.attrs.get_int("ta", 0) == 0 || v.n.attrs.get_int("tb", 0) != 0) v.refuse("is no weight gradient");
  const WeightGradient product = make_product(v, isa, v.out(0), v.out_shape(), 0);
  return make_function_kernel([product](const KernelArgs& args) {
    const auto store = [&](const WeightGradient::Block& b, const float* gradient) {
      float* to = output<float>(args, 0) + b.offset;
      for (std::int64_t r = 0; r < b.rows; ++r) {
        std::memcpy(to + r * b.stride, gradient + r * product.block_columns(),
                    static_cast<std::size_t>(b.columns) * sizeof(float));
      }
    };
    product.run(input<float>(args, 0), input<float>(args, 1), static_cast<float*>(args.scratch), store,
                [](const WeightGradient::Block&, std::int64_t) {});
  });
}

std::unique_ptr<Kernel> make_product_update(const NodeView& v, Isa isa) {
  return std::make_unique<ProductUpdateKernel>(v, isa);
}

}  // namespace lbann::kernels::cpu
