// What the tests of library kernels share: a graph of one node, tensors stored in any layout with
// NaN where nothing was written, and naive products in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "graph/graph.hpp"
#include "kernels/cpu/dnnl_kernels.hpp"
#include "kernels/cpu/dnnl_op.hpp"

namespace dnnl_test {

using lbann::graph::Attrs;
using lbann::graph::Graph;
using lbann::tensor::DataType;
using lbann::tensor::Layout;
using lbann::tensor::Shape;
using lbann::tensor::TensorSpec;
using Ints = std::vector<std::int64_t>;
using Logical = std::vector<double>;  // row-major

template <class Visit>
void for_each_index(const Shape& shape, Visit visit) {
  Ints index(static_cast<std::size_t>(shape.rank()), 0);
  for (std::int64_t i = 0; i < shape.num_elements(); ++i) {
    visit(i, index);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      if (++index[static_cast<std::size_t>(d)] < shape[d]) break;
      index[static_cast<std::size_t>(d)] = 0;
    }
  }
}

/// Small integers over 8, so that sums of products are exact in f32 and order does not matter.
inline Logical random_values(const Shape& shape, unsigned seed) {
  std::mt19937 generator(seed);
  Logical values(static_cast<std::size_t>(shape.num_elements()));
  for (double& v : values) v = (static_cast<int>(generator() % 17) - 8) / 8.0;
  return values;
}

// 64-byte aligned floats between margins of NaN.
class Storage {
public:
  Storage(std::int64_t count, float value)
    : data_(static_cast<std::size_t>(count) + 2 * margin + 16, std::numeric_limits<float>::quiet_NaN()) {
    std::fill_n(data(), count, value);
  }
  float* data() {
    auto address = reinterpret_cast<std::uintptr_t>(data_.data() + margin);
    return reinterpret_cast<float*>((address + 63) / 64 * 64);
  }

private:
  static constexpr std::size_t margin = 1024;
  std::vector<float> data_;
};

inline Storage stored(const Shape& shape, const Layout& layout, const Logical& values) {
  Storage s(layout.storage_elements(shape), 0.0F);
  for_each_index(shape, [&](std::int64_t i, const Ints& index) {
    s.data()[layout.offset(shape, index.data())] = static_cast<float>(values[static_cast<std::size_t>(i)]);
  });
  return s;
}

struct Case {
  Graph g;
  lbann::graph::NodeId node = 0;
  std::vector<Logical> inputs;
};

inline Case make_case(std::string op, const std::vector<Shape>& in, const std::vector<Shape>& out,
                      Attrs attrs) {
  Case c;
  std::vector<lbann::graph::ValueId> ids;
  for (const Shape& s : in) {
    const auto id = c.g.add_node("input", {}, {TensorSpec{DataType::f32, s}}, {}, 0, {});
    ids.push_back(c.g.node(id).outputs[0]);
    c.inputs.push_back(random_values(s, static_cast<unsigned>(31 + ids.size())));
  }
  std::vector<TensorSpec> specs;
  for (const Shape& s : out) specs.push_back({DataType::f32, s});
  c.node = c.g.add_node(std::move(op), ids, specs, std::move(attrs), 0, {});
  return c;
}

/// What the library offers; inputs and outputs give layouts by position (missing or empty: free).
inline std::optional<lbann::kernels::cpu::DnnlOp> offer(const Case& c, const std::string& kernel,
                                                        std::vector<Layout> inputs = {},
                                                        std::vector<Layout> outputs = {}) {
  const auto& n = c.g.node(c.node);
  inputs.resize(n.inputs.size());
  outputs.resize(n.outputs.size());
  return lbann::kernels::cpu::try_dnnl_op(kernel, {c.g, n, inputs, outputs});
}

/// Runs the kernel with those layouts twice on NaN-poisoned outputs and scratch and checks the padding.
inline std::vector<Logical> run(Case& c, const std::string& kernel, const lbann::kernels::cpu::DnnlOp& op) {
  auto& n = c.g.node(c.node);
  n.kernel = kernel;
  n.scratch_bytes = op.scratch_bytes;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) c.g.value(n.inputs[i]).layout = op.inputs[i];
  for (std::size_t i = 0; i < n.outputs.size(); ++i) c.g.value(n.outputs[i]).layout = op.outputs[i];
  if (kernel.starts_with("dnnl.")) {
    BOOST_REQUIRE_MESSAGE(offer(c, kernel, op.inputs, op.outputs), kernel << " is not offered again");
  }
  const auto made = lbann::kernels::make_kernel(c.g, c.node);
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<Logical> results;
  for (int repeat = 0; repeat < 2; ++repeat) {
    std::vector<Storage> in, out;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      in.push_back(stored(c.g.shape(n.inputs[i]), op.inputs[i], c.inputs[i]));
    }
    for (std::size_t i = 0; i < n.outputs.size(); ++i) {
      out.emplace_back(op.outputs[i].storage_elements(c.g.shape(n.outputs[i])), nan);
    }
    Storage scratch(op.scratch_bytes / 4 + 1, nan);
    std::vector<const void*> in_data;
    std::vector<void*> out_data;
    for (Storage& s : in) in_data.push_back(s.data());
    for (Storage& s : out) out_data.push_back(s.data());
    made->run({in_data.data(), out_data.data(), scratch.data()});
    results.clear();
    for (std::size_t i = 0; i < n.outputs.size(); ++i) {
      const Shape& shape = c.g.shape(n.outputs[i]);
      Logical values(static_cast<std::size_t>(shape.num_elements()));
      for_each_index(shape, [&](std::int64_t e, const Ints& index) {
        float& place = out[i].data()[op.outputs[i].offset(shape, index.data())];
        values[static_cast<std::size_t>(e)] = place;
        place = 0;
      });
      for (std::int64_t e = 0; e < op.outputs[i].storage_elements(shape); ++e) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, out[i].data() + e, sizeof bits);
        BOOST_REQUIRE_MESSAGE(bits == 0, "padding of output " << i << " (" << op.outputs[i].tag() << ") is "
                                                              << out[i].data()[e] << ", not +0");
      }
      results.push_back(std::move(values));
    }
  }
  return results;
}

inline void check_equal(const Logical& got, const Logical& expected, double tolerance = 0) {
  BOOST_REQUIRE_EQUAL(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(got[i])) continue;
    const double error = std::abs(got[i] - expected[i]);
    BOOST_REQUIRE_MESSAGE(error <= tolerance * (1 + std::abs(expected[i])),
                          "element " << i << ": " << got[i] << ", expected " << expected[i]);
  }
}

}  // namespace dnnl_test
