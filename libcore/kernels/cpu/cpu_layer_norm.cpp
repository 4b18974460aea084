// cpu.layer_norm, cpu.layer_norm_bwd: row-major, rows dealt out in blocks that depend on the shape only;
// the gradients of scale and bias leave one pair of sums per block, added in order, in double.
#include <algorithm>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"

namespace lbann::kernels::cpu {
namespace {

struct Rows {
  std::int64_t count = 1, length = 1, per_block = 1, blocks = 1;

  explicit Rows(const NodeView& v) {
    v.check_plain();
    v.check_types(tensor::DataType::f32);
    const tensor::Shape& x = v.in_shape(0);
    for (int d = 0; d < x.rank(); ++d) (d < v.n.attrs.get_int("axis") ? count : length) *= x[d];
    // Each block has sums of a row's length: few blocks where rows are long. Below 4096 elements
    // dealing out costs more.
    const std::int64_t most = std::clamp<std::int64_t>((1 << 18) / std::max<std::int64_t>(1, length), 8, 64);
    per_block =
        std::max<std::int64_t>({1, (count + most - 1) / most, 4096 / std::max<std::int64_t>(1, length)});
    blocks = (count + per_block - 1) / per_block;
  }
  RowBlock block(std::int64_t i) const { return {std::min(per_block, count - i * per_block), length}; }
};

class LayerNormBwd final : public Kernel {
public:
  LayerNormBwd(const NodeView& v, Isa isa) : rows_(v), loops_(loops_for(isa)), affine_(v.num_inputs() > 4) {
    if (!affine_) return;
    const auto size = static_cast<std::size_t>(2 * rows_.length * rows_.blocks);
    terms_.resize(size);
    sums_.resize(size);
  }

  void run(const KernelArgs& args) override {
    const std::int64_t length = rows_.length;
    std::fill(sums_.begin(), sums_.end(), 0.0);
    parallel_tasks(rows_.blocks, 2 * rows_.count * length, [&](std::int64_t i) {
      const std::int64_t row = i * rows_.per_block;
      const std::int64_t at = row * length;
      double* sums = sums_.data() + (affine_ ? 2 * i * length : 0);
      loops_.layer_norm_bwd(input<float>(args, 0) + at, input<float>(args, 1) + at,
                            output<float>(args, 0) + at, rows_.block(i), input<float>(args, 2) + row,
                            input<float>(args, 3) + row, affine_ ? input<float>(args, 4) : nullptr,
                            terms_.data() + (affine_ ? 2 * i * length : 0), sums, sums + length);
    });
    for (std::int64_t j = 0; affine_ && j < length; ++j) {
      double dscale = 0;
      double dbias = 0;
      for (std::int64_t i = 0; i < rows_.blocks; ++i) {
        dscale += sums_[static_cast<std::size_t>(2 * i * length + j)];
        dbias += sums_[static_cast<std::size_t>((2 * i + 1) * length + j)];
      }
      output<float>(args, 1)[j] = static_cast<float>(dscale);
      output<float>(args, 2)[j] = static_cast<float>(dbias);
    }
  }

private:
  Rows rows_;
  const Loops& loops_;
  bool affine_;
  std::vector<float> terms_;
  std::vector<double> sums_;  // per block: dscale, dbias
};

}  // namespace

std::unique_ptr<Kernel> make_layer_norm(const NodeView& v, Isa isa) {
  const Rows rows(v);
  const bool affine = v.num_inputs() > 1;
  const double epsilon = v.n.attrs.get_real("epsilon");
  return make_function_kernel([=, &loops = loops_for(isa)](const KernelArgs& args) {
    parallel_tasks(rows.blocks, rows.count * rows.length, [&](std::int64_t i) {
      const std::int64_t row = i * rows.per_block;
      const std::int64_t at = row * rows.length;
      loops.layer_norm(input<float>(args, 0) + at, output<float>(args, 0) + at, rows.block(i), epsilon,
                       affine ? input<float>(args, 1) : nullptr, affine ? input<float>(args, 2) : nullptr,
                       output<float>(args, 1) + row, output<float>(args, 2) + row);
    });
  });
}

std::unique_ptr<Kernel> make_layer_norm_bwd(const NodeView& v, Isa isa) {
  return std::make_unique<LayerNormBwd>(v, isa);
}

}  // namespace lbann::kernels::cpu
