// cpu.expand, slice, concat, pad, permute, cast, fill: memory traffic only. Everything but cast and
// fill is one strided copy of elements of 1, 2, 4 or 8 bytes over dims merged as far as they go.
// slice, pad and concat take any common layout whose blocks divide the cut; expand and permute are
// row-major.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/storage.hpp"
#include "kernels/reference/reference_kernels.hpp"

namespace lbann::kernels::cpu {
namespace {

struct CopyDim {
  std::int64_t extent, to, from;  // strides in elements
};

// A copy between strided boxes; dims outermost first.
class StridedCopy {
public:
  StridedCopy() = default;
  StridedCopy(const std::vector<CopyDim>& dims, int element_size) : size_(element_size) {
    for (const CopyDim& d : dims) {
      if (d.extent == 1) continue;
      if (!dims_.empty() && dims_.back().to == d.to * d.extent && dims_.back().from == d.from * d.extent) {
        dims_.back() = {dims_.back().extent * d.extent, d.to, d.from};
      } else {
        dims_.push_back(d);
      }
    }
    if (dims_.empty()) dims_.push_back({1, 1, 1});
    for (const CopyDim& d : dims_) total_ *= d.extent;
    // A transposed copy goes in tiles: the other dim is the one contiguous in the source.
    if (dims_.back().from != 1 && dims_.back().from != 0) {
      for (std::size_t i = 0; i + 1 < dims_.size(); ++i) {
        if (dims_[i].from == 1 && dims_[i].extent > 1) tiled_ = static_cast<int>(i);
      }
    }
  }

  void run(const void* from, void* to) const {
    switch (size_) {
      case 1:
        return run_typed(static_cast<const std::uint8_t*>(from), static_cast<std::uint8_t*>(to));
      case 2:
        return run_typed(static_cast<const std::uint16_t*>(from), static_cast<std::uint16_t*>(to));
      case 4:
        return run_typed(static_cast<const std::uint32_t*>(from), static_cast<std::uint32_t*>(to));
      default:
        return run_typed(static_cast<const std::uint64_t*>(from), static_cast<std::uint64_t*>(to));
    }
  }

private:
  template <class T>
  void run_typed(const T* from, T* to) const {
    // Tasks: all dims but the innermost (and the tiled one).
    const CopyDim& inner = dims_.back();
    std::vector<CopyDim> outer;
    for (std::size_t i = 0; i + 1 < dims_.size(); ++i) {
      if (static_cast<int>(i) != tiled_) outer.push_back(dims_[i]);
    }
    std::int64_t tasks = 1;
    for (const CopyDim& d : outer) tasks *= d.extent;
    constexpr std::int64_t max_run = 1 << 14;  // long runs are cut so that threads can share one
    const std::int64_t cuts = tiled_ >= 0 ? (inner.extent + 31) / 32 : (inner.extent + max_run - 1) / max_run;
    const std::int64_t step = tiled_ >= 0 ? 32 : max_run;
    parallel_tasks(tasks * cuts, total_, [&](std::int64_t task) {
      std::int64_t rest = task / cuts;
      const std::int64_t begin = task % cuts * step;
      const std::int64_t n = std::min(step, inner.extent - begin);
      const T* source = from + begin * inner.from;
      T* target = to + begin * inner.to;
      for (std::size_t i = outer.size(); i-- > 0;) {
        source += rest % outer[i].extent * outer[i].from;
        target += rest % outer[i].extent * outer[i].to;
        rest /= outer[i].extent;
      }
      if (tiled_ >= 0) {
        const CopyDim& other = dims_[static_cast<std::size_t>(tiled_)];
        for (std::int64_t j = 0; j < other.extent; ++j) {
          for (std::int64_t i = 0; i < n; ++i) {
            target[j * other.to + i * inner.to] = source[j * other.from + i * inner.from];
          }
        }
      } else if (inner.from == 1 && inner.to == 1) {
        std::memcpy(target, source, static_cast<std::size_t>(n) * sizeof(T));
      } else if (inner.from == 0 && inner.to == 1) {
        std::fill(target, target + n, *source);
      } else {
        for (std::int64_t i = 0; i < n; ++i) target[i * inner.to] = source[i * inner.from];
      }
    });
  }

  std::vector<CopyDim> dims_;
  std::int64_t total_ = 1;
  int size_ = 4;
  int tiled_ = -1;
};

int element_size(const NodeView& v) {
  if (v.num_inputs() > 0 && v.in_type(0) != v.out_type()) v.refuse("types differ");
  return tensor::size_bytes(v.out_type());
}

// `part` copied to or from its place in `whole`; both lie alike. `start` in elements of the axis.
struct BoxCopy {
  StridedCopy copy;
  std::int64_t offset = 0;  // of the part within the whole, in elements
};

BoxCopy box_copy(const NodeView& v, const graph::Value& whole, const graph::Value& part, int axis,
                 std::int64_t start, bool into_whole) {
  if (!(whole.layout == part.layout)) v.refuse("operand lies as " + part.layout.tag());
  const std::vector<StorageDim> w = storage_dims(whole.layout, whole.spec.shape);
  const std::vector<StorageDim> p = storage_dims(part.layout, part.spec.shape);
  std::int64_t block = 1;
  for (const tensor::InnerBlock& b : whole.layout.blocks()) {
    if (b.dim == axis) block *= b.size;
  }
  if (start % block != 0 || part.spec.shape[axis] % block != 0) {
    // The last part may end in the padding of the whole.
    const bool last = start + part.spec.shape[axis] == whole.spec.shape[axis];
    if (start % block != 0 || !last) v.refuse("a block would be cut");
  }
  BoxCopy box;
  std::vector<CopyDim> dims;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i].dim == axis && p[i].logical == block) box.offset = start / block * w[i].stride;
    dims.push_back(into_whole ? CopyDim{p[i].extent, w[i].stride, p[i].stride}
                              : CopyDim{p[i].extent, p[i].stride, w[i].stride});
  }
  box.copy = StridedCopy(dims, element_size(v));
  return box;
}

template <class From, class To>
void convert(const void* from, void* to, std::int64_t begin, std::int64_t end) {
  const From* x = static_cast<const From*>(from);
  To* y = static_cast<To*>(to);
  for (std::int64_t i = begin; i < end; ++i) y[i] = static_cast<To>(x[i]);
}

using Convert = void (*)(const void*, void*, std::int64_t, std::int64_t);

// The conversions that cannot fail to round right by a plain cast.
Convert try_convert(tensor::DataType from, tensor::DataType to) {
  using tensor::DataType;
  if (to == DataType::f32) {
    switch (from) {
      case DataType::f64:
        return convert<double, float>;
      case DataType::i32:
        return convert<std::int32_t, float>;
      case DataType::i64:
        return convert<std::int64_t, float>;
      case DataType::u8:
        return convert<std::uint8_t, float>;
      default:
        return nullptr;
    }
  }
  if (from == DataType::f32 && to == DataType::f64) return convert<float, double>;
  return nullptr;
}

}  // namespace

std::unique_ptr<Kernel> make_expand(const NodeView& v, Isa) {
  v.check_plain();
  const std::vector<std::int64_t> from = broadcast_strides(v.in_shape(0));
  const std::vector<std::int64_t> to = row_major_strides(v.out_shape());
  if (from.size() != to.size()) v.refuse("ranks differ");
  std::vector<CopyDim> dims;
  for (std::size_t d = 0; d < to.size(); ++d)
    dims.push_back({v.out_shape()[static_cast<int>(d)], to[d], from[d]});
  return make_function_kernel([copy = StridedCopy(dims, element_size(v))](const KernelArgs& args) {
    copy.run(args.inputs[0], args.outputs[0]);
  });
}

std::unique_ptr<Kernel> make_permute(const NodeView& v, Isa) {
  v.check_plain();
  const std::vector<std::int64_t> from = row_major_strides(v.in_shape(0));
  const std::vector<std::int64_t> to = row_major_strides(v.out_shape());
  const std::vector<std::int64_t>& perm = v.n.attrs.get_ints("perm");
  std::vector<CopyDim> dims;
  for (std::size_t d = 0; d < to.size(); ++d) {
    dims.push_back({v.out_shape()[static_cast<int>(d)], to[d], from[static_cast<std::size_t>(perm[d])]});
  }
  return make_function_kernel([copy = StridedCopy(dims, element_size(v))](const KernelArgs& args) {
    copy.run(args.inputs[0], args.outputs[0]);
  });
}

std::unique_ptr<Kernel> make_slice(const NodeView& v, Isa) {
  const BoxCopy box = box_copy(v, v.in(0), v.out(0), static_cast<int>(v.n.attrs.get_int("axis")),
                               v.n.attrs.get_int("start"), false);
  const std::int64_t offset = box.offset * element_size(v);
  return make_function_kernel([box, offset](const KernelArgs& args) {
    box.copy.run(static_cast<const char*>(args.inputs[0]) + offset, args.outputs[0]);
  });
}

std::unique_ptr<Kernel> make_pad(const NodeView& v, Isa) {
  const BoxCopy box = box_copy(v, v.out(0), v.in(0), static_cast<int>(v.n.attrs.get_int("axis")),
                               v.n.attrs.get_int("before"), true);
  const std::int64_t offset = box.offset * element_size(v);
  const std::int64_t bytes = v.out(0).layout.storage_elements(v.out_shape()) * element_size(v);
  return make_function_kernel([=](const KernelArgs& args) {
    std::memset(args.outputs[0], 0, static_cast<std::size_t>(bytes));
    box.copy.run(args.inputs[0], static_cast<char*>(args.outputs[0]) + offset);
  });
}

std::unique_ptr<Kernel> make_concat(const NodeView& v, Isa) {
  const int axis = static_cast<int>(v.n.attrs.get_int("axis"));
  std::vector<BoxCopy> boxes;
  std::int64_t start = 0;
  for (int i = 0; i < v.num_inputs(); ++i) {
    boxes.push_back(box_copy(v, v.out(0), v.in(i), axis, start, true));
    start += v.in_shape(i)[axis];
  }
  const std::int64_t size = element_size(v);
  return make_function_kernel([=](const KernelArgs& args) {
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      boxes[i].copy.run(args.inputs[i], static_cast<char*>(args.outputs[0]) + boxes[i].offset * size);
    }
  });
}

std::unique_ptr<Kernel> make_cast(const NodeView& v, Isa) {
  if (!(v.in(0).layout == v.out(0).layout)) v.refuse("operand lies as " + v.in(0).layout.tag());
  const Convert fast = try_convert(v.in_type(0), v.out_type());
  const std::int64_t count = v.in(0).layout.storage_elements(v.in_shape(0));  // padding: 0 becomes 0
  if (fast == nullptr) {
    v.check_plain();
    return make_plain_reference_kernel(v);
  }
  return make_function_kernel([=](const KernelArgs& args) {
    parallel_ranges((count + 4095) / 4096, count, [&](std::int64_t begin, std::int64_t end) {
      fast(args.inputs[0], args.outputs[0], begin * 4096, std::min(end * 4096, count));
    });
  });
}

std::unique_ptr<Kernel> make_fill(const NodeView& v, Isa) {
  if (v.out_type() != tensor::DataType::f32) {
    v.check_plain();
    return make_plain_reference_kernel(v);
  }
  const std::int64_t count = v.out(0).layout.storage_elements(v.out_shape());
  const float value = static_cast<float>(v.n.attrs.get_real("value"));
  return make_function_kernel([=, padding = Padding(v.out(0).layout, v.out_shape())](const KernelArgs& args) {
    float* y = output<float>(args, 0);
    parallel_ranges((count + 4095) / 4096, count, [&](std::int64_t begin, std::int64_t end) {
      std::fill(y + begin * 4096, y + std::min(end * 4096, count), value);
    });
    if (value != 0 && !padding.empty()) padding.clear(y, 0, count);
  });
}

}  // namespace lbann::kernels::cpu
