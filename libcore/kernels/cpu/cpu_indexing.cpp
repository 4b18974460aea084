// cpu.gather, cpu.scatter_add, cpu.sort, cpu.update_rows: whole rows at a time, the bits of the naive
// kernels.
//
// gather copies row by row, parallel over the indices. The other two are parallel over rows of the
// table, which no two threads share; within a row the entries are added in the order of the indices,
// whatever the number of threads. update_rows finds the entries of a row by hashing their indices (in
// order: equal ones stay so) and touches the rows named and nothing else: its time does not depend on
// the height of the table. Rows lie anywhere in memory, so they are fetched some rows ahead of their use.
#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/update_rules.hpp"
#include "kernels/shared/sort_order.hpp"

namespace lbann::kernels::cpu {
namespace {

void check_operands(const NodeView& v, int index) {
  v.check_plain();
  for (int i = 0; i < v.num_inputs(); ++i) {
    if (i == index && v.in_type(i) != tensor::DataType::i64) v.refuse("indices are not i64");
  }
  for (int i = 0; i < v.num_outputs(); ++i) {
    if (v.out_type(i) != tensor::DataType::f32) v.refuse("results are not f32");
  }
}

// `batch` tables of `rows` rows, `count` indices into each.
struct Tables {
  std::int64_t batch = 1, rows, width, count = 1;
  Tables(const NodeView& v, const tensor::Shape& table, const tensor::Shape& index)
    : rows(table[table.rank() - 2]), width(table[table.rank() - 1]) {
    const std::int64_t batch_dims = v.n.attrs.get_int("batch_dims", 0);
    for (int d = 0; d < index.rank(); ++d) (d < batch_dims ? batch : count) *= index[d];
  }
};

constexpr std::int64_t rows_ahead = 6;

/// At most a kilobyte of a row; the processor follows by itself from there.
void prefetch_row(const float* row, std::int64_t width) {
  for (std::int64_t at = 0; at < std::min<std::int64_t>(width, 256); at += 16) __builtin_prefetch(row + at);
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
    const std::size_t rule = find_update_rule(v);
    rule_ = update_rules[rule];
    loop_ = loops_for(isa).update[rule];
    const auto count = static_cast<std::size_t>(v.in_shape(1).num_elements());
    if (count >= std::size_t{1} << 30) v.refuse("too many entries");
    next_.resize(count);
    groups_.reserve(count);
    slots_.resize(std::bit_ceil(std::max<std::size_t>(2 * count, 2)));
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
    group_entries(index);
    const auto groups = static_cast<std::int64_t>(groups_.size());
    parallel_ranges(groups, static_cast<std::int64_t>(next_.size()) * width_,
                    [&](std::int64_t from, std::int64_t to) {
                      for (std::int64_t i = from; i < to; ++i) {
                        if (i + rows_ahead < to) {
                          const std::int64_t row = groups_[static_cast<std::size_t>(i + rows_ahead)].row;
                          for (int k = 0; k <= rule_.num_states; ++k)
                            prefetch_row(target[k] + row * width_, width_);
                        }
                        update_row(groups_[static_cast<std::size_t>(i)], g, target, h);
                      }
                    });
  }

private:
  static constexpr std::int64_t part_floats = 1024;

  /// A row that is named, and its entries as a list: the first one, then next_ of each, -1 behind the last.
  struct Group {
    std::int64_t row;
    std::int32_t first, last;
  };

  void update_row(const Group& group, const float* g, float* const* target, const float* h) const {
    float sum[part_floats];
    for (std::int64_t at = 0; at < width_; at += part_floats) {
      const std::int64_t n = std::min(part_floats, width_ - at);
      std::fill(sum, sum + n, 0.0f);
      for (std::int32_t e = group.first; e >= 0; e = next_[static_cast<std::size_t>(e)])
        add_row(sum, g + e * width_ + at, n);
      float* p[3] = {};
      for (int k = 0; k <= rule_.num_states; ++k) p[k] = target[k] + group.row * width_ + at;
      loop_(p[0], sum, p[1], p[2], p[0], p[1], p[2], n, h);
    }
  }

  /// Finds the entries of each row through a hash table with open addresses, at most half full: a few
  /// nanoseconds an entry, and the rows come in the order in which the gradients lie.
  void group_entries(const std::int64_t* index) {
    groups_.clear();
    std::fill(slots_.begin(), slots_.end(), -1);
    const std::size_t mask = slots_.size() - 1;
    const int shift = 64 - static_cast<int>(std::bit_width(mask));
    for (std::size_t i = 0; i < next_.size(); ++i) {
      const std::int64_t row = index[i];
      if (row < 0 || row >= rows_) continue;
      const auto entry = static_cast<std::int32_t>(i);
      next_[i] = -1;
      std::size_t at = (static_cast<std::uint64_t>(row) * 0x9e3779b97f4a7c15u) >> shift & mask;
      while (slots_[at] >= 0 && groups_[static_cast<std::size_t>(slots_[at])].row != row)
        at = (at + 1) & mask;
      if (slots_[at] < 0) {
        slots_[at] = static_cast<std::int32_t>(groups_.size());
        groups_.push_back({row, entry, entry});
      } else {
        Group& group = groups_[static_cast<std::size_t>(slots_[at])];
        next_[static_cast<std::size_t>(group.last)] = entry;
        group.last = entry;
      }
    }
  }

  std::int64_t rows_, width_, slot_;
  bool predicated_;
  UpdateRule rule_;
  Loops::Update loop_ = nullptr;
  std::vector<std::int32_t> slots_, next_;
  std::vector<Group> groups_;
};

}  // namespace

std::unique_ptr<Kernel> make_gather(const NodeView& v, Isa) {
  check_operands(v, 1);
  const Tables t(v, v.in_shape(0), v.in_shape(1));
  // Rows may be one number: indices go to threads in stretches.
  const std::int64_t stretch = std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(1, t.width));
  const std::int64_t total = t.batch * t.count;
  return make_function_kernel([=](const KernelArgs& args) {
    const std::int64_t* index = input<std::int64_t>(args, 1);
    const float* table = input<float>(args, 0);
    float* y = output<float>(args, 0);
    parallel_ranges(
        (total + stretch - 1) / stretch, total * t.width, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin * stretch; i < std::min(end * stretch, total); ++i) {
            const std::int64_t ahead = std::min(i + rows_ahead, total - 1);
            if (t.width >= 16 && index[ahead] >= 0 && index[ahead] < t.rows)
              prefetch_row(table + (ahead / t.count * t.rows + index[ahead]) * t.width, t.width);
            const bool valid = index[i] >= 0 && index[i] < t.rows;
            const float* row = table + (i / t.count * t.rows + (valid ? index[i] : 0)) * t.width;
            if (t.width == 1) {
              y[i] = valid ? *row : 0.0f;
            } else if (valid) {
              std::memcpy(y + i * t.width, row, static_cast<std::size_t>(t.width) * sizeof(float));
            } else {
              std::fill(y + i * t.width, y + (i + 1) * t.width, 0.0f);
            }
          }
        });
  });
}

std::unique_ptr<Kernel> make_scatter_add(const NodeView& v, Isa) {
  check_operands(v, 0);
  const Tables t(v, v.out_shape(), v.in_shape(0));
  // One table: its rows are dealt out and every thread looks at all indices. Many: tables are dealt out.
  const std::int64_t parts = t.batch > 1 ? t.batch : t.rows;
  return make_function_kernel([=](const KernelArgs& args) {
    const std::int64_t* index = input<std::int64_t>(args, 0);
    const float* g = input<float>(args, 1);
    parallel_ranges(
        parts, t.batch * (t.rows + t.count) * t.width, [&](std::int64_t first_part, std::int64_t last_part) {
          const std::int64_t begin = t.batch > 1 ? 0 : first_part, end = t.batch > 1 ? t.rows : last_part;
          const std::int64_t from = t.batch > 1 ? first_part : 0, to = t.batch > 1 ? last_part : 1;
          for (std::int64_t table = from; table < to; ++table) {
            float* sum = output<float>(args, 0) + table * t.rows * t.width;
            std::fill(sum + begin * t.width, sum + end * t.width, 0.0f);
            for (std::int64_t i = table * t.count; i < (table + 1) * t.count; ++i) {
              if (index[i] >= begin && index[i] < end)
                add_row(sum + index[i] * t.width, g + i * t.width, t.width);
            }
          }
        });
  });
}

std::unique_ptr<Kernel> make_sort(const NodeView& v, Isa) {
  v.check_plain();
  if (v.in_type(0) != tensor::DataType::f32) v.refuse("operand is not f32");
  const tensor::Shape& shape = v.in_shape(0);
  const std::int64_t length = shape[shape.rank() - 1];
  const std::int64_t lines = shape.num_elements() / std::max<std::int64_t>(1, length);
  const bool descending = v.n.attrs.get_int("descending", 0) != 0;
  return make_function_kernel([=](const KernelArgs& args) {
    parallel_tasks(lines, 16 * lines * length, [&](std::int64_t line) {
      const float* x = input<float>(args, 0) + line * length;
      std::int64_t* index = output<std::int64_t>(args, 1) + line * length;
      std::iota(index, index + length, std::int64_t{0});
      std::sort(index, index + length, shared::SortOrder<float>{x, descending});
      for (std::int64_t i = 0; i < length; ++i) output<float>(args, 0)[line * length + i] = x[index[i]];
    });
  });
}

std::unique_ptr<Kernel> make_update_rows(const NodeView& v, Isa isa) {
  return std::make_unique<UpdateRowsKernel>(v, isa);
}

}  // namespace lbann::kernels::cpu
