// cpu.norm_stats, norm_apply, norm_bwd_stats, norm_bwd_apply over x [n,c,..] in three lies of memory:
//
//   plain          a channel of an image is a contiguous run           tasks: batch chunk x channel
//   blocked 8, 16  rows of 8 or 16 channels                            tasks: batch chunk x block
//   rows           [rows, c]: channels last, or rank 2                 tasks: chunk of rows
//
// Each tensor is read once from memory. Chunks depend on the shape only and their partial sums are
// combined in order, in double: results do not depend on the number of threads.
#include <algorithm>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"

namespace lbann::kernels::cpu {
namespace {

enum class Lie { plain, blocked, rows };

// One piece of work: a chunk of one channel (plain) or of a tile of channels.
struct Piece {
  std::int64_t offset = 0;
  std::int64_t channel = 0;
  Chunk chunk;
};

class Geometry {
public:
  Geometry(const NodeView& v, const graph::Value& x) {
    const tensor::Shape& shape = x.spec.shape;
    const int rank = shape.rank();
    if (rank < 2) v.refuse("no channels");
    n_ = shape[0];
    c_ = shape[1];
    for (int d = 2; d < rank; ++d) inner_ *= shape[d];
    if (x.layout.is_plain()) {
      lie_ = inner_ == 1 ? Lie::rows : Lie::plain;
    } else if (x.layout == tensor::Layout::channels_last(rank)) {
      lie_ = Lie::rows;
    } else if (x.layout == tensor::Layout::blocked_channels(rank, 16)) {
      lie_ = Lie::blocked;
      block_ = 16;
    } else if (x.layout == tensor::Layout::blocked_channels(rank, 8)) {
      lie_ = Lie::blocked;
      block_ = 8;
    } else {
      v.refuse("operand lies as " + x.layout.tag());
    }
    for (int i = 0; i < v.num_inputs(); ++i) check(v, v.in(i), x);
    for (int i = 0; i < v.num_outputs(); ++i) check(v, v.out(i), x);
    // About 16 KiB of each tensor per chunk.
    constexpr std::int64_t chunk_floats = 4096;
    if (lie_ == Lie::plain) {
      segment_ = std::min(inner_, chunk_floats);
      images_ = segment_ < inner_ ? 1 : std::max<std::int64_t>(1, 1024 / inner_);
      groups_ = c_;
    } else if (lie_ == Lie::blocked) {
      segment_ = std::min(inner_, chunk_floats / block_);
      images_ = segment_ < inner_ ? 1 : std::max<std::int64_t>(1, chunk_floats / block_ / inner_);
      groups_ = (c_ + block_ - 1) / block_;
    } else {
      block_ = 16;
      segment_ = std::clamp<std::int64_t>(4 * chunk_floats / c_, 32, 256);
      images_ = 1;
      groups_ = (c_ + block_ - 1) / block_;
    }
    if (lie_ == Lie::rows) {
      num_chunks_ = (n_ * inner_ + segment_ - 1) / segment_;
    } else {
      segments_ = (inner_ + segment_ - 1) / segment_;
      num_chunks_ = segments_ > 1 ? n_ * segments_ : (n_ + images_ - 1) / images_;
    }
  }

  std::int64_t num_channels() const { return c_; }
  std::int64_t padded_channels() const { return (c_ + 15) / 16 * 16; }
  std::int64_t num_chunks() const { return num_chunks_; }
  std::int64_t num_groups() const { return groups_; }  // pieces per chunk
  std::int64_t num_pieces() const { return num_chunks_ * groups_; }
  std::int64_t num_elements() const { return n_ * c_ * inner_; }
  double count() const { return static_cast<double>(n_ * inner_); }
  int lanes_of(std::int64_t group) const {
    if (lie_ == Lie::plain) return 1;
    if (lie_ == Lie::blocked) return block_;  // padding lanes are computed too: they are 0 and stay 0
    return static_cast<int>(std::min<std::int64_t>(block_, c_ - group * block_));
  }

  Piece piece(std::int64_t index) const {
    const std::int64_t k = index / groups_;
    const std::int64_t group = index % groups_;
    Piece p;
    if (lie_ == Lie::rows) {
      p.channel = group * block_;
      p.offset = k * segment_ * c_ + p.channel;
      p.chunk = {1, 0, std::min(segment_, n_ * inner_ - k * segment_), c_, lanes_of(group)};
      return p;
    }
    const std::int64_t width = lie_ == Lie::plain ? 1 : block_;
    const std::int64_t image_stride = groups_ * inner_ * width;
    std::int64_t image = k * images_;
    std::int64_t first = 0;
    std::int64_t runs = std::min(images_, n_ - image);
    std::int64_t rows = inner_;
    if (segments_ > 1) {
      image = k / segments_;
      first = k % segments_ * segment_;
      runs = 1;
      rows = std::min(segment_, inner_ - first);
    }
    p.channel = group * width;
    p.offset = image * image_stride + (group * inner_ + first) * width;
    p.chunk = {runs, image_stride, rows, width, lie_ == Lie::plain ? 0 : block_};
    return p;
  }

private:
  static void check(const NodeView& v, const graph::Value& value, const graph::Value& x) {
    if (value.spec.type != tensor::DataType::f32) v.refuse("operands are not f32");
    if (value.spec.shape.rank() == 1) return;
    if (!(value.layout == x.layout) || !(value.spec.shape == x.spec.shape))
      v.refuse("operands lie differently");
  }

  Lie lie_ = Lie::plain;
  int block_ = 1;
  std::int64_t n_ = 1, c_ = 1, inner_ = 1;
  std::int64_t segment_ = 1;   // positions (rows) of a chunk within an image
  std::int64_t segments_ = 1;  // of an image
  std::int64_t images_ = 1;    // of a chunk, when an image is one segment
  std::int64_t groups_ = 1;
  std::int64_t num_chunks_ = 1;
};

// Copies of the per-channel operands, padded with zeros: lanes behind the last channel compute zeros.
class Parameters {
public:
  explicit Parameters(const Geometry& g) : channels_(g.num_channels()), stride_(g.padded_channels()) {
    values_.assign(static_cast<std::size_t>(stride_) * 7, 0.0f);
  }
  void set(int which, const float* from) {
    std::copy(from, from + channels_, values_.data() + which * stride_);
  }
  NormParameters at(std::int64_t channel) const {
    const float* p = values_.data() + channel;
    return {
        p, p + stride_, p + 2 * stride_, p + 3 * stride_, p + 4 * stride_, p + 5 * stride_, p + 6 * stride_};
  }

private:
  std::int64_t channels_;
  std::int64_t stride_;
  std::vector<float> values_;
};
enum Which { mean, rstd, scale, bias, weight_p, weight_q, weight_r };

bool has_relu(const NodeView& v) {
  const std::string act = v.n.attrs.get_text("act", "");
  if (!act.empty() && act != "relu") v.refuse("unknown activation '" + act + "'");
  return act == "relu";
}

class NormKernel : public Kernel {
protected:
  NormKernel(const NodeView& v, const graph::Value& x, Isa isa)
    : geometry_(v, x), parameters_(geometry_), relu_(has_relu(v)), loops_(loops_for(isa)) {}

  // Two doubles per chunk and channel, [chunk, 2, padded channels].
  void allocate_partials() {
    partials_.assign(static_cast<std::size_t>(geometry_.num_chunks() * 2 * geometry_.padded_channels()), 0.0);
  }
  double* partial(std::int64_t chunk, int which) {
    return partials_.data() + (chunk * 2 + which) * geometry_.padded_channels();
  }
  template <class Body>
  void for_each_piece(int tensors, Body body) {
    parallel_ranges(geometry_.num_pieces(), geometry_.num_elements() * tensors,
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i)
                        body(i / geometry_.num_groups(), geometry_.piece(i));
                    });
  }

  Geometry geometry_;
  Parameters parameters_;
  bool relu_;
  const Loops& loops_;
  std::vector<double> partials_;
};

class NormStats final : public NormKernel {
public:
  NormStats(const NodeView& v, Isa isa) : NormKernel(v, v.in(0), isa) {
    allocate_partials();
    mean_.resize(static_cast<std::size_t>(geometry_.num_channels()));
    m2_.resize(mean_.size());
    for (std::int64_t k = 0; k < geometry_.num_chunks(); ++k) {
      const Piece p = geometry_.piece(k * geometry_.num_groups());
      counts_.push_back(static_cast<double>(p.chunk.runs * p.chunk.rows));
    }
  }

  // Chunks (count, mean, m2) combined by Chan's formula in its two-pass form:
  // mean = sum count_k mean_k / count, m2 = sum m2_k + count_k (mean_k - mean)^2.
  void run(const KernelArgs& args) override {
    const float* x = input<float>(args, 0);
    for_each_piece(1, [&](std::int64_t k, const Piece& p) {
      loops_.norm_stats(x + p.offset, p.chunk, partial(k, 0) + p.channel, partial(k, 1) + p.channel);
    });
    const std::int64_t channels = geometry_.num_channels();
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(m2_.begin(), m2_.end(), 0.0);
    for (std::int64_t k = 0; k < geometry_.num_chunks(); ++k) {
      const double count = counts_[static_cast<std::size_t>(k)];
      const double* chunk_mean = partial(k, 0);
      for (std::int64_t c = 0; c < channels; ++c) mean_[static_cast<std::size_t>(c)] += count * chunk_mean[c];
    }
    for (double& m : mean_) m /= geometry_.count();
    for (std::int64_t k = 0; k < geometry_.num_chunks(); ++k) {
      const double count = counts_[static_cast<std::size_t>(k)];
      const double* chunk_mean = partial(k, 0);
      const double* chunk_m2 = partial(k, 1);
      for (std::int64_t c = 0; c < channels; ++c) {
        const double d = chunk_mean[c] - mean_[static_cast<std::size_t>(c)];
        m2_[static_cast<std::size_t>(c)] += chunk_m2[c] + count * d * d;
      }
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      output<float>(args, 0)[c] = static_cast<float>(mean_[static_cast<std::size_t>(c)]);
      // Rounding can leave -1e-17 where the variance is 0.
      const double var = m2_[static_cast<std::size_t>(c)] / geometry_.count();
      output<float>(args, 1)[c] = static_cast<float>(var < 0 ? 0 : var);
    }
  }

private:
  std::vector<double> mean_, m2_, counts_;
};

class NormApply final : public NormKernel {
public:
  NormApply(const NodeView& v, Isa isa) : NormKernel(v, v.in(0), isa) {}

  void run(const KernelArgs& args) override {
    for (int i = 0; i < 4; ++i) parameters_.set(mean + i, input<float>(args, 1 + i));
    const float* x = input<float>(args, 0);
    float* y = output<float>(args, 0);
    for_each_piece(2, [&](std::int64_t, const Piece& p) {
      loops_.norm_apply(x + p.offset, y + p.offset, p.chunk, parameters_.at(p.channel), relu_);
    });
  }
};

class NormBackwardStats final : public NormKernel {
public:
  NormBackwardStats(const NodeView& v, Isa isa) : NormKernel(v, v.in(1), isa) {
    if (relu_ && v.num_inputs() < 6) v.refuse("the activation's mask needs scale and bias");
    allocate_partials();
    sums_.resize(static_cast<std::size_t>(2 * geometry_.padded_channels()));
  }

  void run(const KernelArgs& args) override {
    parameters_.set(mean, input<float>(args, 2));
    parameters_.set(rstd, input<float>(args, 3));
    if (relu_) parameters_.set(scale, input<float>(args, 4));
    if (relu_) parameters_.set(bias, input<float>(args, 5));
    const float* dy = input<float>(args, 0);
    const float* x = input<float>(args, 1);
    for_each_piece(2, [&](std::int64_t k, const Piece& p) {
      loops_.norm_bwd_stats(dy + p.offset, x + p.offset, p.chunk, parameters_.at(p.channel), relu_,
                            partial(k, 0) + p.channel, partial(k, 1) + p.channel);
    });
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (std::int64_t k = 0; k < geometry_.num_chunks(); ++k) {
      const double* from = partial(k, 0);
      for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += from[i];
    }
    for (std::int64_t c = 0; c < geometry_.num_channels(); ++c) {
      output<float>(args, 0)[c] = static_cast<float>(sums_[static_cast<std::size_t>(c)]);
      output<float>(args, 1)[c] =
          static_cast<float>(sums_[static_cast<std::size_t>(geometry_.padded_channels() + c)]);
    }
  }

private:
  std::vector<double> sums_;
};

class NormBackwardApply final : public NormKernel {
public:
  NormBackwardApply(const NodeView& v, Isa isa) : NormKernel(v, v.in(1), isa) {
    if (relu_ && v.num_inputs() < 9) v.refuse("the activation's mask needs scale and bias");
  }

  void run(const KernelArgs& args) override {
    parameters_.set(mean, input<float>(args, 2));
    parameters_.set(rstd, input<float>(args, 3));
    for (int i = 0; i < 3; ++i) parameters_.set(weight_p + i, input<float>(args, 4 + i));
    if (relu_) parameters_.set(scale, input<float>(args, 7));
    if (relu_) parameters_.set(bias, input<float>(args, 8));
    const float* dy = input<float>(args, 0);
    const float* x = input<float>(args, 1);
    float* dx = output<float>(args, 0);
    for_each_piece(3, [&](std::int64_t, const Piece& p) {
      loops_.norm_bwd_apply(dy + p.offset, x + p.offset, dx + p.offset, p.chunk, parameters_.at(p.channel),
                            relu_);
    });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_norm_stats(const NodeView& v, Isa isa) {
  return std::make_unique<NormStats>(v, isa);
}
std::unique_ptr<Kernel> make_norm_apply(const NodeView& v, Isa isa) {
  return std::make_unique<NormApply>(v, isa);
}
std::unique_ptr<Kernel> make_norm_bwd_stats(const NodeView& v, Isa isa) {
  return std::make_unique<NormBackwardStats>(v, isa);
}
std::unique_ptr<Kernel> make_norm_bwd_apply(const NodeView& v, Isa isa) {
  return std::make_unique<NormBackwardApply>(v, isa);
}

}  // namespace lbann::kernels::cpu
