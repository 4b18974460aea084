// See comm_kernels.hpp. A dim is [outer, extent, inner]: pieces of it are `outer` rows of extent * inner
// elements, which are packed one after the other for the message.
#include "runtime/comm_kernels.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include "kernels/node_view.hpp"

namespace lbann::runtime {
namespace {

using kernels::KernelArgs;
using kernels::NodeView;
using Lengths = std::vector<std::int64_t>;

/// One dim of a tensor, in bytes.
struct Rows {
  std::int64_t outer = 1;
  std::int64_t inner_bytes = 1;

  Rows(const tensor::Shape& shape, int dim, tensor::DataType type) : inner_bytes(tensor::size_bytes(type)) {
    for (int d = 0; d < shape.rank(); ++d) {
      if (d < dim) outer *= shape[d];
      if (d > dim) inner_bytes *= shape[d];
    }
  }
  std::int64_t bytes(std::int64_t length) const { return outer * length * inner_bytes; }
};

void copy_bytes(std::byte* to, const std::byte* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

/// Copies [from_begin, from_begin + length) of a dim of `from_extent` to `to_begin` of a dim of `to_extent`.
void copy_range(const Rows& rows, const std::byte* from, std::int64_t from_extent, std::int64_t from_begin,
                std::byte* to, std::int64_t to_extent, std::int64_t to_begin, std::int64_t length) {
  for (std::int64_t o = 0; o < rows.outer; ++o) {
    copy_bytes(to + (o * to_extent + to_begin) * rows.inner_bytes,
               from + (o * from_extent + from_begin) * rows.inner_bytes, length * rows.inner_bytes);
  }
}

std::int64_t total(const Lengths& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
}

const std::byte* input(const KernelArgs& a) { return static_cast<const std::byte*>(a.inputs[0]); }
std::byte* output(const KernelArgs& a) { return static_cast<std::byte*>(a.outputs[0]); }
std::byte* scratch(const KernelArgs& a) { return static_cast<std::byte*>(a.scratch); }

/// Pieces of `lengths` of a row-major dim, packed one after the other, and back.
void pack(const Rows& rows, const std::byte* whole, const Lengths& lengths, std::byte* packed) {
  const std::int64_t extent = total(lengths);
  std::int64_t begin = 0;
  for (std::int64_t length : lengths) {
    copy_range(rows, whole, extent, begin, packed, length, 0, length);
    packed += rows.bytes(length);
    begin += length;
  }
}
void unpack(const Rows& rows, const std::byte* packed, const Lengths& lengths, std::byte* whole) {
  const std::int64_t extent = total(lengths);
  std::int64_t begin = 0;
  for (std::int64_t length : lengths) {
    copy_range(rows, packed, length, 0, whole, extent, begin, length);
    packed += rows.bytes(length);
    begin += length;
  }
}

comm::ReduceOp reduce_op(const std::string& fn) {
  return fn == "max" ? comm::ReduceOp::max : fn == "min" ? comm::ReduceOp::min : comm::ReduceOp::sum;
}

std::unique_ptr<kernels::Kernel> make_all_reduce(const NodeView& v, comm::Communicator& group) {
  std::vector<std::int64_t> counts;
  for (int i = 0; i < v.num_inputs(); ++i) counts.push_back(v.in(i).layout.storage_elements(v.in_shape(i)));
  const tensor::DataType type = v.in_type(0);
  const comm::ReduceOp op = reduce_op(v.n.attrs.get_text("fn"));
  return kernels::make_function_kernel([=, &group](const KernelArgs& a) {
    std::vector<comm::Segment> segments;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (a.outputs[i] != a.inputs[i]) {
        copy_bytes(static_cast<std::byte*>(a.outputs[i]), static_cast<const std::byte*>(a.inputs[i]),
                   counts[i] * tensor::size_bytes(type));
      }
      segments.push_back({a.outputs[i], counts[i]});
    }
    group.all_reduce(segments, type, op);
  });
}

std::unique_ptr<kernels::Kernel> make_reduce_scatter(const NodeView& v, comm::Communicator& group) {
  v.check_plain();
  const int dim = static_cast<int>(v.n.attrs.get_int("dim"));
  const Lengths extents = v.n.attrs.get_ints("extents");
  const tensor::DataType type = v.in_type(0);
  const Rows rows(v.in_shape(0), dim, type);
  Lengths counts;
  for (std::int64_t e : extents) counts.push_back(rows.bytes(e) / tensor::size_bytes(type));
  return kernels::make_function_kernel([=, &group](const KernelArgs& a) {
    const std::byte* in = input(a);
    if (rows.outer != 1) {
      pack(rows, in, extents, scratch(a));
      in = scratch(a);
    }
    group.reduce_scatter(in, output(a), counts, type);
  });
}

std::unique_ptr<kernels::Kernel> make_all_gather(const NodeView& v, comm::Communicator& group) {
  v.check_plain();
  const Rows rows(v.in_shape(0), static_cast<int>(v.n.attrs.get_int("dim")), v.in_type(0));
  const Lengths extents = v.n.attrs.get_ints("extents");
  Lengths bytes;
  for (std::int64_t e : extents) bytes.push_back(rows.bytes(e));
  return kernels::make_function_kernel([=, &group](const KernelArgs& a) {
    if (rows.outer == 1) return group.all_gather(input(a), output(a), bytes);
    group.all_gather(input(a), scratch(a), bytes);
    unpack(rows, scratch(a), extents, output(a));
  });
}

std::unique_ptr<kernels::Kernel> make_all_to_all(const NodeView& v, comm::Communicator& group) {
  v.check_plain();
  const Lengths from = v.n.attrs.get_ints("from_extents"), to = v.n.attrs.get_ints("to_extents");
  const Rows out_rows(v.in_shape(0), static_cast<int>(v.n.attrs.get_int("to")), v.in_type(0));
  const Rows in_rows(v.out_shape(0), static_cast<int>(v.n.attrs.get_int("from")), v.in_type(0));
  Lengths send, recv;
  for (std::size_t r = 0; r < from.size(); ++r) {
    send.push_back(out_rows.bytes(to[r]));
    recv.push_back(in_rows.bytes(from[r]));
  }
  return kernels::make_function_kernel([=, &group](const KernelArgs& a) {
    std::byte* const packed = scratch(a);
    std::byte* const received = packed + total(send);
    pack(out_rows, input(a), to, packed);
    group.all_to_all(packed, send, received, recv);
    unpack(in_rows, received, from, output(a));
  });
}

/// Ranges of a box that lie in the pieces of the ranks: [begin, end) of the whole dim per rank, maybe empty.
struct Overlaps {
  Lengths begin, length;
  Overlaps(const Lengths& extents, std::int64_t start, std::int64_t stop) {
    std::int64_t first = 0;
    for (std::int64_t e : extents) {
      const std::int64_t lo = std::max(first, start), hi = std::min(first + e, stop);
      begin.push_back(lo);
      length.push_back(std::max<std::int64_t>(hi - lo, 0));
      first += e;
    }
  }
};

struct Boxes {
  Rows rows;
  Lengths extents, starts, stops;
  std::size_t me;
  std::int64_t my_first;  // of my piece in the whole dim
  Overlaps mine;          // my box in everybody's pieces
  Overlaps theirs;        // everybody's boxes in my piece
  Lengths mine_bytes, theirs_bytes;

  Boxes(const NodeView& v, const tensor::Shape& shape)
    : rows(shape, static_cast<int>(v.n.attrs.get_int("dim")), v.in_type(0)),
      extents(v.n.attrs.get_ints("extents")),
      starts(v.n.attrs.get_ints("starts")),
      stops(v.n.attrs.get_ints("stops")),
      me(static_cast<std::size_t>(v.n.attrs.get_int("member"))),
      my_first(std::accumulate(extents.begin(), extents.begin() + static_cast<std::ptrdiff_t>(me),
                               std::int64_t{0})),
      mine(extents, starts[me], stops[me]),
      theirs({}, 0, 0) {
    for (std::size_t r = 0; r < extents.size(); ++r) {
      const std::int64_t lo = std::max(my_first, starts[r]), hi = std::min(my_first + extents[me], stops[r]);
      theirs.begin.push_back(lo);
      theirs.length.push_back(std::max<std::int64_t>(hi - lo, 0));
      mine_bytes.push_back(rows.bytes(mine.length[r]));
      theirs_bytes.push_back(rows.bytes(theirs.length[r]));
    }
  }
  std::int64_t box() const { return stops[me] - starts[me]; }
};

template <typename T>
void fill_with(std::byte* to, std::int64_t bytes, double value) {
  std::fill_n(reinterpret_cast<T*>(to), bytes / static_cast<std::int64_t>(sizeof(T)), static_cast<T>(value));
}

std::unique_ptr<kernels::Kernel> make_fetch_box(const NodeView& v, comm::Communicator& group) {
  v.check_plain();
  const Boxes b(v, v.in_shape(0));
  const tensor::DataType type = v.in_type(0);
  if (type != tensor::DataType::f32 && type != tensor::DataType::f64) v.refuse("halos are f32 or f64");
  const double value = v.n.attrs.get_real("fill");
  return kernels::make_function_kernel([=, &group](const KernelArgs& a) {
    std::byte* packed = scratch(a);
    std::byte* at = packed;
    for (std::size_t r = 0; r < b.extents.size(); ++r) {
      copy_range(b.rows, input(a), b.extents[b.me], b.theirs.begin[r] - b.my_first, at, b.theirs.length[r], 0,
                 b.theirs.length[r]);
      at += b.theirs_bytes[r];
    }
    std::byte* const received = at;
    group.all_to_all(packed, b.theirs_bytes, received, b.mine_bytes);
    if (type == tensor::DataType::f32) {
      fill_with<float>(output(a), b.rows.bytes(b.box()), value);
    } else {
      fill_with<double>(output(a), b.rows.bytes(b.box()), value);
    }
    at = received;
    for (std::size_t r = 0; r < b.extents.size(); ++r) {
      copy_range(b.rows, at, b.mine.length[r], 0, output(a), b.box(), b.mine.begin[r] - b.starts[b.me],
                 b.mine.length[r]);
      at += b.mine_bytes[r];
    }
  });
}

template <typename T>
void add_range(const Rows& rows, const std::byte* from, std::int64_t length, std::byte* to,
               std::int64_t to_extent, std::int64_t to_begin) {
  const auto inner = rows.inner_bytes / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t o = 0; o < rows.outer; ++o) {
    const T* x = reinterpret_cast<const T*>(from) + o * length * inner;
    T* y = reinterpret_cast<T*>(to) + (o * to_extent + to_begin) * inner;
    for (std::int64_t i = 0; i < length * inner; ++i) y[i] += x[i];
  }
}

std::unique_ptr<kernels::Kernel> make_scatter_box(const NodeView& v, comm::Communicator& group) {
  v.check_plain();
  const Boxes b(v, v.out_shape(0));
  const tensor::DataType type = v.in_type(0);
  if (type != tensor::DataType::f32 && type != tensor::DataType::f64) v.refuse("halos are f32 or f64");
  return kernels::make_function_kernel([=, &group](const KernelArgs& a) {
    std::byte* packed = scratch(a);
    std::byte* at = packed;
    for (std::size_t r = 0; r < b.extents.size(); ++r) {
      copy_range(b.rows, input(a), b.box(), b.mine.begin[r] - b.starts[b.me], at, b.mine.length[r], 0,
                 b.mine.length[r]);
      at += b.mine_bytes[r];
    }
    std::byte* const received = at;
    group.all_to_all(packed, b.mine_bytes, received, b.theirs_bytes);
    std::memset(output(a), 0, static_cast<std::size_t>(b.rows.bytes(b.extents[b.me])));
    at = received;
    for (std::size_t r = 0; r < b.extents.size(); ++r) {  // in rank order: fixed bits
      const std::int64_t to = b.theirs.begin[r] - b.my_first;
      if (type == tensor::DataType::f32) {
        add_range<float>(b.rows, at, b.theirs.length[r], output(a), b.extents[b.me], to);
      } else {
        add_range<double>(b.rows, at, b.theirs.length[r], output(a), b.extents[b.me], to);
      }
      at += b.theirs_bytes[r];
    }
  });
}

/// Tells the communicator whose message it is.
class LayerKernel final : public kernels::Kernel {
public:
  LayerKernel(std::string layer, comm::Communicator& group, std::unique_ptr<kernels::Kernel> kernel)
    : layer_(std::move(layer)), group_(group), kernel_(std::move(kernel)) {}
  ~LayerKernel() override { group_.set_layer(""); }
  void run(const KernelArgs& args) override {
    group_.set_layer(layer_.c_str());
    kernel_->run(args);
  }

private:
  const std::string layer_;
  comm::Communicator& group_;
  std::unique_ptr<kernels::Kernel> kernel_;
};

struct Maker {
  std::string_view kernel;
  std::unique_ptr<kernels::Kernel> (*make)(const NodeView&, comm::Communicator&);
};
constexpr Maker makers[] = {
    {"comm.all_reduce", make_all_reduce}, {"comm.reduce_scatter", make_reduce_scatter},
    {"comm.all_gather", make_all_gather}, {"comm.all_to_all", make_all_to_all},
    {"comm.fetch_box", make_fetch_box},   {"comm.scatter_box", make_scatter_box},
};

}  // namespace

comm::Communicator& RankGroups::group(const std::vector<std::int64_t>& ranks) {
  bool whole = static_cast<int>(ranks.size()) == world_.size();
  for (std::size_t i = 0; whole && i < ranks.size(); ++i) whole = ranks[i] == static_cast<std::int64_t>(i);
  if (whole) return world_;
  std::unique_ptr<comm::Communicator>& found = groups_[ranks];
  if (!found) found = world_.subset(ranks);
  return *found;
}

std::unique_ptr<kernels::Kernel> make_comm_kernel(const graph::Graph& g, graph::NodeId node,
                                                  RankGroups& ranks) {
  const NodeView v(g, node);
  comm::Communicator& group = ranks.group(v.n.attrs.get_ints("group"));
  if (group.rank() != v.n.attrs.get_int("member")) v.refuse("made for another rank");
  for (const Maker& m : makers) {
    if (m.kernel != v.n.kernel) continue;
    return std::make_unique<LayerKernel>(g.origins[static_cast<std::size_t>(v.n.origin)].layer, group,
                                         m.make(v, group));
  }
  v.refuse("no such collective");
}

}  // namespace lbann::runtime
