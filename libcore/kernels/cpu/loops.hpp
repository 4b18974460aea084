// The table of inner loops: one instance per instruction set (isa_*.cpp), raw pointers only. The
// kernels around them (layouts, threads, partitions) are compiled once. All loops give the same bits
// on every instruction set: lanes, partial sums and roundings are fixed by the text.
//
// "Lanes" of a tile: up to 16 neighbouring channels at every row; rows are `row_stride` floats apart.
// A chunk is `runs` stretches, `run_stride` floats apart, of `rows` rows (or `length` floats) each.
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.hpp"
#include "kernels/shared/scalar_bodies.hpp"

namespace lbann::kernels::cpu {

struct Chunk {
  std::int64_t runs = 1;
  std::int64_t run_stride = 0;
  std::int64_t rows = 0;        // of a tile; of plain stretches: their length in floats
  std::int64_t row_stride = 0;  // of a tile
  int lanes = 0;                // of a tile; 0: plain stretches
};

/// Per-channel operands of batch normalisation, padded with zeros to a multiple of 16 channels.
struct NormParameters {
  const float* mean;
  const float* rstd;
  const float* scale;
  const float* bias;
  const float* p;
  const float* q;
  const float* r;
};

/// Consecutive rows of `length` floats.
struct RowBlock {
  std::int64_t rows, length;
};

/// y[m,n] = a b, y row-major; strides of a and b in floats.
struct SmallProduct {
  std::int64_t m, n, k, am, ak, bk, bn;
};

enum class Combine : int { sum, max, min };

struct Range {
  std::int64_t begin, end;
};

/// Pooling of one image: a tile of channels, or (lanes = 0) one channel's contiguous positions.
/// Every window holds at least one position of the input.
struct PoolTile {
  std::int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
  std::int64_t row_stride;  // floats from one position to the next
  int lanes;                // channels here: 1 to 16; 0: plain
  bool average;
  bool count_padding;  // averages divide by the whole window
  bool disjoint;       // no position belongs to two windows
  bool covering;       // every position belongs to a window
  // Made once (divisions): per dim and output position the taps inside the input; per tap of the last
  // dim the output columns for which it is inside.
  const Range* taps[3];
  const Range* columns;
  // Of every tap in order: floats from the window's tap (0,0,0) to it.
  const std::int64_t* tap_offsets;
  std::int64_t num_taps;
};

/// Key (of run and consumer together) and draw of a Philox stream; numbers come in groups.
struct PhiloxPlace {
  std::uint64_t key, draw;
};
inline constexpr int philox_group = 128;

/// Local response normalisation: the window of a channel, channels `step` floats apart.
struct LrnWindow {
  std::int64_t before, behind, step;
  float alpha, beta, k;  // alpha divided by the window
};

struct Loops {
  /// out[i] = f(x[i], y[i], z[i]); out may be one of the operands.
  using Ewise = void (*)(const float* x, const float* y, const float* z, float* out, std::int64_t n, float a,
                         float b);
  Ewise ewise[shared::num_scalar_functions];

  /// Results may take the operands' buffers. Order of rules: sgd, momentum, nesterov, adagrad, rmsprop, adam.
  using Update = void (*)(const float* w, const float* g, const float* s0, const float* s1, float* w_out,
                          float* s0_out, float* s1_out, std::int64_t n, const float* h);
  Update update[6];

  bool (*all_finite)(const float* x, std::int64_t n);

  // Contiguous stretches, any length; sums by blocks, then in double.
  double (*sum)(const float* x, std::int64_t n);
  double (*dot)(const float* x, const float* y, std::int64_t n);
  float (*extreme)(const float* x, std::int64_t n, bool max);  // NaN wins
  /// result[lane] over the rows of a tile.
  void (*tile_sum)(const float* x, const Chunk& chunk, double* result);
  void (*tile_extreme)(const float* x, const Chunk& chunk, bool max, float* result);

  // Batch normalisation. Plain: one channel, result[1]; tile: result[lanes].
  void (*norm_stats)(const float* x, const Chunk& chunk, double* mean, double* m2);
  void (*norm_apply)(const float* x, float* y, const Chunk& chunk, const NormParameters& p, bool relu);
  void (*norm_bwd_stats)(const float* dy, const float* x, const Chunk& chunk, const NormParameters& p,
                         bool relu, double* sum_dy, double* sum_dy_xhat);
  void (*norm_bwd_apply)(const float* dy, const float* x, float* dx, const Chunk& chunk,
                         const NormParameters& p, bool relu);

  // Softmax of one line, or of `width` neighbouring lines whose elements are `stride` apart.
  void (*softmax_line)(const float* x, float* y, std::int64_t k, bool log);
  /// `lines` lines of k <= 128 floats, one after the other.
  void (*softmax_short)(const float* x, float* y, std::int64_t lines, std::int64_t k, bool log);
  void (*softmax_lines)(const float* x, float* y, std::int64_t k, std::int64_t stride, std::int64_t width,
                        bool log);
  void (*softmax_bwd_line)(const float* dy, const float* y, float* dx, std::int64_t k, bool log);
  void (*softmax_bwd_lines)(const float* dy, const float* y, float* dx, std::int64_t k, std::int64_t stride,
                            std::int64_t width, bool log);

  // Pooling of one tile of one image; winners (taps) one byte per output element, laid like y.
  void (*pool)(const float* x, float* y, std::uint8_t* winners, const PoolTile& tile);
  void (*pool_bwd)(const float* dy, const std::uint8_t* winners, float* dx, const PoolTile& tile);

  // One line of n values; square and product have a window of zeros before and behind, s holds n.
  void (*lrn)(const float* x, float* y, float* square, float* s, std::int64_t n, const LrnWindow& w);
  void (*lrn_bwd)(const float* dy, const float* x, float* dx, float* square, float* product, float* s,
                  std::int64_t n, const LrnWindow& w);

  // `groups` times philox_group numbers, from block `first` (of 4 numbers) on; see base/philox.hpp.
  void (*philox_uniform)(const PhiloxPlace& p, std::uint64_t first, std::int64_t groups, float* out);
  void (*philox_bernoulli)(const PhiloxPlace& p, std::uint64_t first, std::int64_t groups, float probability,
                           float value, float* out);
  // Layer norm of rows, with scale and bias (of a row) unless they are null. Backward adds the rows'
  // sums to dscale and dbias; `terms` is room for 2 length floats.
  void (*layer_norm)(const float* x, float* y, const RowBlock& block, double epsilon, const float* scale,
                     const float* bias, float* mean, float* rstd);
  void (*layer_norm_bwd)(const float* dy, const float* x, float* dx, const RowBlock& block, const float* mean,
                         const float* rstd, const float* scale, float* terms, double* dscale, double* dbias);

  /// y[8,32] = sum over k of rows[k,8]^T columns[k,32], a chain of fused multiply-adds from +0; rows of y are
  /// `stride` floats apart.
  void (*product_tile)(const float* rows, const float* columns, std::int64_t k, float* y,
                       std::int64_t stride);

  void (*small_matmul)(const float* a, const float* b, float* y, const SmallProduct& p);
};

extern const Loops loops_generic;
extern const Loops loops_avx2;
extern const Loops loops_avx512;

inline const Loops& loops_for(Isa isa) {
  return isa == Isa::avx512 ? loops_avx512 : isa == Isa::avx2 ? loops_avx2 : loops_generic;
}

}  // namespace lbann::kernels::cpu
