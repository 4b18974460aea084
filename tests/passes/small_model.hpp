// A small classifier written in primitives by hand: two products, batch normalisation, ReLU, softmax,
// cross entropy. The passes' tests compile it under many settings.
#pragma once

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace small_model {

using lbann::graph::ValueId;
using lbann::tensor::DataType;
using lbann::tensor::Shape;

/// Forward graph with outputs "objective" and "metric:accuracy"; weights w1 [6,8], w2 [8,4], scale, bias [8],
/// running mean [8] (assigned each step).
inline lbann::passes::Compilation make(DataType type, std::int64_t batch) {
  lbann::passes::Compilation c;
  c.graph.name = "small";
  lbann::ops::Builder b(c.graph);
  const auto layer = [&](const char* name) { b.set_origin(c.graph.add_origin({name, name, {}})); };
  layer("input");
  const ValueId x = b.input("samples", {type, Shape{batch, 6}, {}});
  const ValueId t = b.input("labels", {type, Shape{batch, 4}, {}});
  layer("fc1");
  const ValueId w1 = b.weight("w1", {type, Shape{6, 8}, {}});
  const ValueId h = b.add("matmul", {x, w1}, {{"ta", std::int64_t{0}}, {"tb", std::int64_t{0}}});
  layer("bn");
  const ValueId scale = b.weight("scale", {type, Shape{8}, {}});
  const ValueId bias = b.weight("bias", {type, Shape{8}, {}});
  const ValueId running = b.weight("running_mean", {type, Shape{8}, {}}, "state");
  const std::vector<ValueId> stats = b.add_n("norm_stats", {h});
  const ValueId rstd = b.ewise("rsqrt", {b.ewise("affine", {stats[1]}, 1.0, 1e-5)});
  const ValueId factor = b.fill(1.0, {type, Shape{8}, {}});
  const ValueId normal = b.add("norm_apply", {h, stats[0], rstd, scale, bias, factor});
  c.graph.assignments.push_back({running, b.ewise("lerp", {running, stats[0]}, 0.9)});
  layer("relu");
  const ValueId r = b.ewise("relu", {normal});
  layer("fc2");
  const ValueId w2 = b.weight("w2", {type, Shape{8, 4}, {}});
  const ValueId z = b.add("matmul", {r, w2}, {{"ta", std::int64_t{0}}, {"tb", std::int64_t{0}}});
  layer("softmax");
  const ValueId p = b.add("softmax", {z}, {{"axis", std::int64_t{1}}, {"log", std::int64_t{0}}});
  layer("loss");
  const ValueId per_sample = b.reduce("sum", b.ewise("xent", {p, t}), {1});
  const ValueId mean = b.reduce("mean", per_sample, {0});
  c.graph.outputs.push_back({"objective", b.reshape(mean, Shape{1})});
  c.training = true;
  int slot = 0;
  for (const char* name : {"w1", "scale", "bias", "w2"}) {
    c.trainable.push_back({name, "momentum", {"velocity"}, slot});
    slot += 2;
  }
  c.num_step_scalars = slot;
  return c;
}

}  // namespace small_model
