// A graph under construction, with one-line inputs, attribute sets and refusals; for the tests of ops/.
#pragma once

#include <string>
#include <vector>

#include "ops/builder.hpp"
#include "ops/verify.hpp"

namespace lbann::ops::test {

using Ints = std::vector<std::int64_t>;
using graph::ValueId;
using tensor::DataType;
using tensor::Shape;

struct Fixture {
  graph::Graph g;
  Builder b{g};

  ValueId in(Shape shape, DataType type = DataType::f32, const std::string& placement = "R") {
    return b.input("x" + std::to_string(g.nodes.size()),
                   {type, std::move(shape), tensor::parse_placement(placement)});
  }
  /// "<id>: <message>" of a refused node, "internal: <message>", or the spec of its first output.
  std::string add(std::string_view op, std::vector<ValueId> inputs, graph::Attrs attrs = {}) {
    const std::size_t before = g.nodes.size();
    try {
      return b.spec(b.add(op, std::move(inputs), std::move(attrs))).to_string();
    } catch (const InferError& e) {
      if (g.nodes.size() != before) return "a node was appended";
      return e.id + ": " + e.message;
    } catch (const base::Error& e) {
      if (g.nodes.size() != before) return "a node was appended";
      return std::string(e.code() == base::ExitCode::internal ? "internal: " : "other: ") + e.what();
    }
  }
  const graph::Node& producer(ValueId v) const { return g.producer(v); }
};

inline graph::Attrs conv_attrs(Ints strides, Ints pads, Ints dilations, std::int64_t groups = 1) {
  return {{"strides", std::move(strides)},
          {"pads", std::move(pads)},
          {"dilations", std::move(dilations)},
          {"groups", groups}};
}

inline graph::Attrs pool_attrs(std::string mode, Ints window, Ints strides, Ints pads) {
  return {{"mode", std::move(mode)},
          {"window", std::move(window)},
          {"strides", std::move(strides)},
          {"pads", std::move(pads)}};
}

}  // namespace lbann::ops::test
