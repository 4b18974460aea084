// Reductions, softmax, movement and pooling: cpu.* against ref.*.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "base/diagnostic.hpp"
#include "cpu_harness.hpp"
#include "kernels/cpu/cpu_kernels.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float qnan = std::numeric_limits<float>::quiet_NaN();

Floats constant(std::int64_t count, float value) { return Floats(static_cast<std::size_t>(count), value); }

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_reduce)

BOOST_AUTO_TEST_CASE(all_axes_and_functions) {
  const std::vector<tensor::Shape> shapes = {{3, 17, 5, 7}, {1, 1, 1, 1}, {40, 20, 14, 13}};
  const std::vector<Ints> axes = {{0},       {1},       {2},          {3},    {0, 1}, {2, 3},
                                  {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}, {0, 3}, {1, 2}};
  for (const tensor::Shape& shape : shapes) {
    for (const Ints& axis : axes) {
      tensor::Shape out = shape;
      for (std::int64_t a : axis) out[static_cast<int>(a)] = 1;
      const double length = static_cast<double>(shape.num_elements() / out.num_elements());
      for (const char* fn : {"sum", "mean", "max", "min"}) {
        Comparison c;
        c.op = "reduce";
        c.attrs = {{"fn", fn}, {"axes", axis}};
        c.inputs = {{shape, random_values(shape, 1), true}};
        c.outputs = {out};
        c.tolerance = 1e-6 + 2.4e-7 * std::sqrt(length);  // terms cancel: rounding errors walk at random
        check_cpu(c, std::string(fn) + out.to_string());
        if (axis == Ints{2, 3} || axis == Ints{0}) {
          for (const char* tag : {"aBcd16b", "acdb"}) {
            c.tag = tag;
            check_cpu(c, std::string(fn) + out.to_string());
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sums_everything_of_a_blocked_tensor) {
  const tensor::Shape shape{3, 17, 5, 7};
  Comparison c;
  c.op = "reduce";
  c.attrs = {{"fn", "mean"}, {"axes", Ints{0, 1, 2, 3}}};
  c.inputs = {{shape, random_values(shape, 1), true}};
  c.outputs = {{1, 1, 1, 1}};
  c.tag = "aBcd16b";
  c.results_plain = true;
  c.tolerance = 1e-6;
  check_cpu(c, "mean");
}

BOOST_AUTO_TEST_CASE(long_sums_do_not_drift) {
  // 2^20 times 0.1f: a running float sum is off by 1e-3 and more.
  const std::int64_t count = 1 << 20;
  for (const tensor::Shape& shape :
       {tensor::Shape{1, count}, tensor::Shape{count, 1}, tensor::Shape{1 << 16, 16}}) {
    Comparison c;
    c.op = "reduce";
    c.attrs = {{"fn", "sum"}, {"axes", Ints{0, 1}}};
    c.inputs = {{shape, constant(count, 0.1f), true}};
    c.outputs = {{1, 1}};
    c.tolerance = 1e-6;
    check_cpu(c, "sum");
  }
}

BOOST_AUTO_TEST_CASE(extremes_and_nan) {
  Floats values = random_values(3 * 700, 1);
  values[50] = qnan, values[700] = inf, values[1500] = -inf;
  for (const char* fn : {"max", "min", "sum"}) {
    for (const Ints& axis : {Ints{0}, Ints{1}}) {
      Comparison c;
      c.op = "reduce";
      c.attrs = {{"fn", fn}, {"axes", axis}};
      c.inputs = {{{3, 700}, values, true}};
      c.outputs = {axis[0] == 0 ? tensor::Shape{1, 700} : tensor::Shape{3, 1}};
      c.tolerance = 1e-6;
      check_cpu(c, fn);
    }
  }
}

BOOST_AUTO_TEST_CASE(arg_reduce) {
  Floats values = random_values(200 * 30, 1);
  for (int i = 0; i < 30; ++i) values[static_cast<std::size_t>(i)] = qnan;
  values[35] = qnan, values[61] = values[64] = 9;
  for (const char* fn : {"max", "min"}) {
    for (int axis : {0, 1}) {
      const tensor::Shape out = axis == 0 ? tensor::Shape{1, 30} : tensor::Shape{200, 1};
      Case own{"arg_reduce",
               {{"fn", fn}, {"axis", axis}},
               {tensor_of({200, 30}, values)},
               {make_tensor(out, tensor::DataType::i64)}};
      Case oracle = own;
      oracle.outputs = {make_tensor(out, tensor::DataType::i64)};
      run(own, "cpu.arg_reduce");
      run(oracle, "ref.arg_reduce");
      for (std::int64_t i = 0; i < out.num_elements(); ++i) {
        BOOST_TEST(own.outputs[0].as<std::int64_t>()[i] == oracle.outputs[0].as<std::int64_t>()[i]);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(softmax_and_gradient) {
  for (const tensor::Shape& shape :
       {tensor::Shape{3, 10}, tensor::Shape{300, 1000}, tensor::Shape{5, 1}, tensor::Shape{7, 2500},
        tensor::Shape{900, 11}, tensor::Shape{70, 128}}) {
    for (std::int64_t axis : {0, 1}) {
      for (std::int64_t log : {0, 1}) {
        Comparison c;
        c.op = "softmax";
        c.attrs = {{"axis", axis}, {"log", log}};
        Floats x = random_values(shape, 1, -20, 20);
        x[0] = 1e4f;
        if (x.size() > 7) x[7] = qnan;
        c.inputs = {{shape, x, true}};
        c.outputs = {shape};
        c.tolerance = 2e-6;
        check_cpu(c, "softmax" + shape.to_string());
        c.op = "softmax_bwd";
        c.tolerance = 2e-6 + 2.4e-7 * std::sqrt(static_cast<double>(shape[static_cast<int>(axis)]));
        const Floats y = log != 0 ? random_values(shape, 2, -9, 0) : random_values(shape, 2, 0, 0.01f);
        c.inputs = {{shape, random_values(shape, 3), true}, {shape, y, true}};
        check_cpu(c, "softmax_bwd" + shape.to_string());
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(cpu_movement)

BOOST_AUTO_TEST_CASE(row_major) {
  const tensor::Shape x{3, 17, 40, 33};
  Comparison c;
  c.inputs = {{x, random_values(x, 1), true}};
  c.exact = true;
  const auto check = [&](const std::string& op, graph::Attrs attrs, tensor::Shape out) {
    c.op = op;
    c.attrs = std::move(attrs);
    c.outputs = {std::move(out)};
    check_cpu(c, op);
  };
  check("permute", {{"perm", Ints{0, 2, 3, 1}}}, {3, 40, 33, 17});
  check("permute", {{"perm", Ints{3, 2, 1, 0}}}, {33, 40, 17, 3});
  check("permute", {{"perm", Ints{1, 0, 2, 3}}}, {17, 3, 40, 33});
  check("permute", {{"perm", Ints{0, 1, 2, 3}}}, x);
  for (int axis = 0; axis < 4; ++axis) {
    tensor::Shape cut = x, wide = x, twice = x;
    cut[axis] = 2, wide[axis] += 5, twice[axis] *= 2;
    check("slice", {{"axis", axis}, {"start", 1}, {"stop", 3}}, cut);
    check("pad", {{"axis", axis}, {"before", 2}, {"after", 3}}, wide);
    c.inputs.push_back({x, random_values(x, 2), true});
    check("concat", {{"axis", axis}}, twice);
    c.inputs.pop_back();
  }
  for (const tensor::Shape& small : {tensor::Shape{1, 17, 1, 1}, tensor::Shape{3, 1, 1, 33},
                                     tensor::Shape{1, 1, 1, 1}, tensor::Shape{3, 17, 40, 1}}) {
    c.inputs = {{small, random_values(small, 3), true}};
    check("expand", {{"dims", x.dims()}}, x);
  }
}

BOOST_AUTO_TEST_CASE(blocked) {
  for (const char* tag : {"aBcd16b", "acdb", "aBcd8b"}) {
    Comparison c;
    c.tag = tag;
    c.exact = true;
    c.op = "slice";
    c.attrs = {{"axis", 1}, {"start", 16}, {"stop", 32}};
    const tensor::Shape x{3, 40, 5, 7};
    c.inputs = {{x, random_values(x, 1), true}};
    c.outputs = {{3, 16, 5, 7}};
    check_cpu(c, "slice");
    c.attrs = {{"axis", 2}, {"start", 1}, {"stop", 4}};
    c.outputs = {{3, 40, 3, 7}};
    check_cpu(c, "slice");
    c.op = "concat";
    c.attrs = {{"axis", 1}};
    c.inputs = {{{3, 32, 5, 7}, random_values(3 * 32 * 35, 1), true},
                {{3, 10, 5, 7}, random_values(3 * 10 * 35, 2), true}};
    c.outputs = {{3, 42, 5, 7}};
    check_cpu(c, "concat");
    c.op = "pad";
    c.attrs = {{"axis", 3}, {"before", 1}, {"after", 2}};
    c.inputs = {{{3, 10, 5, 7}, random_values(3 * 10 * 35, 2), true}};
    c.outputs = {{3, 10, 5, 10}};
    check_cpu(c, "pad");
  }
}

BOOST_AUTO_TEST_CASE(a_cut_block_is_refused) {
  Case c{"slice",
         {{"axis", 1}, {"start", 3}, {"stop", 9}},
         {make_tensor({1, 20, 2, 2}, tensor::DataType::f32, "aBcd16b")},
         {make_tensor({1, 6, 2, 2}, tensor::DataType::f32, "aBcd16b")}};
  BOOST_CHECK_THROW(make(c, "cpu.slice"), base::Error);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(cpu_pool)

BOOST_AUTO_TEST_CASE(forward_and_backward) {
  struct Job {
    tensor::Shape x, y;
    Ints window, strides, pads, dilations;
  };
  std::vector<Job> jobs;
  for (std::int64_t c : {1, 3, 10, 17, 20}) {
    jobs.push_back({{3, c, 8, 6}, {3, c, 4, 3}, {2, 2}, {2, 2}, {0, 0}, {1, 1}});
    jobs.push_back({{1, c, 9, 7}, {1, c, 5, 4}, {3, 3}, {2, 2}, {1, 1}, {1, 1}});
  }
  jobs.push_back({{3, 17, 9, 8}, {3, 17, 9, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}});
  jobs.push_back({{2, 5, 9, 9}, {2, 5, 3, 3}, {2, 2}, {3, 3}, {0, 0}, {1, 1}});  // gaps
  jobs.push_back({{2, 5, 9, 9}, {2, 5, 4, 4}, {2, 2}, {2, 2}, {0, 0}, {2, 2}});  // dilated
  jobs.push_back({{2, 3, 9}, {2, 3, 5}, {3}, {2}, {1}, {1}});
  jobs.push_back({{2, 3, 6, 7, 8}, {2, 3, 3, 3, 4}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}, {1, 1, 1}});
  jobs.push_back({{2, 64, 32, 32}, {2, 64, 16, 16}, {2, 2}, {2, 2}, {0, 0}, {1, 1}});
  for (const Job& job : jobs) {
    std::vector<std::string> tags{""};
    if (job.x.rank() == 4) tags = {"", "aBcd16b", "aBcd8b", "acdb"};
    if (job.x.rank() == 5) tags = {"", "aBcde16b", "acdeb"};
    for (const char* mode : {"max", "avg", "avg_no_pad"}) {
      const bool max = std::string(mode) == "max";
      Floats values = random_values(job.x, 1);
      if (max) {
        for (float& v : values) v = std::round(v * 2);  // ties
        values[2] = qnan, values[5] = -inf;
      }
      graph::Attrs attrs{{"mode", mode},     {"window", job.window},       {"strides", job.strides},
                         {"pads", job.pads}, {"dilations", job.dilations}, {"input_dims", job.x.dims()}};
      Case oracle{"pool", attrs, {tensor_of(job.x, values)}, {make_tensor(job.y)}};
      if (max) oracle.outputs.push_back(make_tensor({job.y.num_elements()}, tensor::DataType::u8));
      run(oracle, "ref.pool");
      const Floats dy = random_values(job.y, 2);
      Case back{"pool_bwd", attrs, {tensor_of(job.y, dy)}, {make_tensor(job.x)}};
      if (max) back.inputs.push_back(oracle.outputs[1]);
      run(back, "ref.pool_bwd");
      for (const std::string& tag : tags) {
        for (kernels::cpu::Isa isa : available_isas()) {
          const std::string name =
              job.x.to_string() + " " + mode + " " + tag + " " + std::string(kernels::cpu::to_string(isa));
          Case own{"pool",
                   attrs,
                   {tensor_of(job.x, values, tag)},
                   {make_tensor(job.y, tensor::DataType::f32, tag)}};
          const std::int64_t storage = own.outputs[0].layout.storage_elements(job.y);
          if (max) own.outputs.push_back(make_tensor({storage}, tensor::DataType::u8));
          run_cpu(own, isa, 2);
          BOOST_TEST(
              largest_difference(values_of(own.outputs[0]), values_of(oracle.outputs[0])) <= (max ? 0 : 1e-6),
              name);
          BOOST_TEST(dirty_padding(own.outputs[0]) == 0, name);
          Case own_back{"pool_bwd",
                        attrs,
                        {tensor_of(job.y, dy, tag)},
                        {make_tensor(job.x, tensor::DataType::f32, tag)}};
          if (max) own_back.inputs.push_back(own.outputs[1]);
          run_cpu(own_back, isa, 2);
          BOOST_TEST(largest_difference(values_of(own_back.outputs[0]), values_of(back.outputs[0])) <= 1e-6,
                     name << " backward");
          BOOST_TEST(dirty_padding(own_back.outputs[0]) == 0, name << " backward");
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(takes_what_it_says) {
  graph::Graph g;
  const auto value = [&](tensor::Shape shape, const char* tag) {
    const graph::NodeId id =
        g.add_node("input", {}, {{tensor::DataType::f32, shape}}, {}, 0, graph::Phase::forward);
    g.value(g.node(id).outputs[0]).layout = tensor::Layout::from_tag(tag);
    return g.node(id).outputs[0];
  };
  const graph::ValueId x = value({2, 20, 4, 4}, "aBcd16b");
  const graph::NodeId relu = g.add_node("ewise", {x}, {{tensor::DataType::f32, {2, 20, 4, 4}}},
                                        {{"fn", "relu"}}, 0, graph::Phase::forward);
  BOOST_TEST(!kernels::cpu_kernel_takes(g, relu));  // blocked into row-major
  g.value(g.node(relu).outputs[0]).layout = tensor::Layout::from_tag("aBcd16b");
  BOOST_TEST(kernels::cpu_kernel_takes(g, relu));
  BOOST_TEST(!kernels::has_cpu_kernel("conv"));
}

BOOST_AUTO_TEST_SUITE_END()
