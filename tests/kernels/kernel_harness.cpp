// Running one kernel on one node.
#include "kernel_harness.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace lbann::kernels::testing {
namespace {

// Visits (row-major position, storage offset). An offset is a sum of one term per dim.
template <class Visit>
void for_each_offset(const Tensor& t, Visit visit) {
  const tensor::Shape& shape = t.spec.shape;
  const int rank = shape.rank();
  std::vector<std::int64_t> index(static_cast<std::size_t>(rank) + 1, 0);
  std::vector<std::vector<std::int64_t>> terms;
  for (int d = 0; d < rank; ++d) {
    terms.emplace_back();
    std::int64_t& i = index[static_cast<std::size_t>(d)];
    for (i = 0; i < shape[d]; ++i) terms.back().push_back(t.layout.offset(shape, index.data()));
    i = 0;
  }
  for (std::int64_t i = 0; i < shape.num_elements(); ++i) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < terms.size(); ++d) offset += terms[d][static_cast<std::size_t>(index[d])];
    visit(i, offset);
    for (int d = rank - 1; d >= 0; --d) {
      if (++index[static_cast<std::size_t>(d)] < shape[d]) break;
      index[static_cast<std::size_t>(d)] = 0;
    }
  }
}

}  // namespace

Tensor make_tensor(tensor::Shape shape, tensor::DataType type, const std::string& tag) {
  Tensor t;
  t.spec = {type, std::move(shape)};
  t.layout = tag.empty() ? tensor::Layout::plain(t.spec.shape.rank()) : tensor::Layout::from_tag(tag);
  t.buffer = std::make_shared<Buffer>(static_cast<std::size_t>(t.layout.storage_elements(t.spec.shape)) *
                                      static_cast<std::size_t>(tensor::size_bytes(type)));
  return t;
}

Tensor tensor_of(tensor::Shape shape, const std::vector<float>& values, const std::string& tag) {
  Tensor t = make_tensor(std::move(shape), tensor::DataType::f32, tag);
  std::memset(t.buffer->data(), 0, t.buffer->bytes());
  for_each_offset(t, [&](std::int64_t i, std::int64_t offset) {
    t.as<float>()[offset] = values.at(static_cast<std::size_t>(i));
  });
  return t;
}

Tensor tensor_of_doubles(tensor::Shape shape, const std::vector<double>& values) {
  Tensor t = make_tensor(std::move(shape), tensor::DataType::f64);
  std::memcpy(t.buffer->data(), values.data(), t.buffer->bytes());
  return t;
}

std::vector<float> values_of(const Tensor& t) {
  std::vector<float> values(static_cast<std::size_t>(t.spec.shape.num_elements()));
  for_each_offset(t, [&](std::int64_t i, std::int64_t offset) {
    values[static_cast<std::size_t>(i)] = t.as<float>()[offset];
  });
  return values;
}

int dirty_padding(const Tensor& t) {
  const std::int64_t count = t.layout.storage_elements(t.spec.shape);
  const auto size = static_cast<std::int64_t>(tensor::size_bytes(t.spec.type));
  std::vector<bool> logical(static_cast<std::size_t>(count), false);
  for_each_offset(
      t, [&](std::int64_t, std::int64_t offset) { logical[static_cast<std::size_t>(offset)] = true; });
  int dirty = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (logical[static_cast<std::size_t>(i)]) continue;
    for (std::int64_t b = 0; b < size; ++b) {
      if (t.as<unsigned char>()[i * size + b] != 0) {
        ++dirty;
        break;
      }
    }
  }
  return dirty;
}

std::unique_ptr<Kernel> make_with(const Case& c, const std::string& kernel, const MakeFunction& make) {
  graph::Graph g;
  std::vector<graph::ValueId> inputs;
  for (const Tensor& t : c.inputs) {
    const graph::NodeId id = g.add_node("input", {}, {t.spec}, {}, 0, graph::Phase::forward);
    inputs.push_back(g.node(id).outputs.front());
    g.value(inputs.back()).layout = t.layout;
  }
  std::vector<tensor::TensorSpec> specs;
  for (const Tensor& t : c.outputs) specs.push_back(t.spec);
  const graph::NodeId id = g.add_node(c.op, inputs, specs, c.attrs, 0, graph::Phase::forward);
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    g.value(g.node(id).outputs[i]).layout = c.outputs[i].layout;
  }
  g.node(id).kernel = kernel;
  g.node(id).scratch_bytes = c.scratch_bytes;
  return make(g, id);
}

std::unique_ptr<Kernel> make(const Case& c, const std::string& kernel) {
  return make_with(c, kernel, make_kernel);
}

void run(const Case& c, Kernel& kernel) {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (const Tensor& t : c.inputs) inputs.push_back(t.buffer->data());
  for (const Tensor& t : c.outputs) outputs.push_back(t.buffer->data());
  const Buffer scratch(static_cast<std::size_t>(c.scratch_bytes));
  kernel.run({inputs.data(), outputs.data(), scratch.data()});
}

void run(const Case& c, const std::string& kernel, int times) {
  const std::unique_ptr<Kernel> k = make(c, kernel);
  for (int i = 0; i < times; ++i) run(c, *k);
}

std::vector<float> random_values(std::int64_t count, std::uint64_t seed, float lo, float hi) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (float& x : values) {
    // splitmix64
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    x = lo + (hi - lo) * (static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24f);
  }
  return values;
}

std::vector<float> random_values(const tensor::Shape& shape, std::uint64_t seed, float lo, float hi) {
  return random_values(shape.num_elements(), seed, lo, hi);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (a[i] == b[i]) continue;
    const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])) /
                     std::max(1.0, std::fabs(static_cast<double>(b[i])));
    if (std::isnan(d)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, d);
  }
  return largest;
}

int different_bits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<int>::max();
  int count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    count += std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]) ? 1 : 0;
  }
  return count;
}

}  // namespace lbann::kernels::testing
