// Comparing own CPU kernels with the naive ones.
#include "cpu_harness.hpp"

#include <omp.h>

#include <boost/test/unit_test.hpp>

#include "kernels/cpu/cpu_kernels.hpp"

namespace lbann::kernels::testing {

std::vector<cpu::Isa> available_isas() {
  std::vector<cpu::Isa> isas;
  for (cpu::Isa isa : {cpu::Isa::generic, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (isa <= cpu::detect_isa()) isas.push_back(isa);
  }
  return isas;
}

void run_cpu(const Case& c, cpu::Isa isa, int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  const std::unique_ptr<Kernel> kernel =
      make_with(c, "cpu." + c.op,
                [isa](const graph::Graph& g, graph::NodeId id) { return make_cpu_kernel(g, id, isa); });
  run(c, *kernel);
  omp_set_num_threads(before);
}

std::vector<std::vector<float>> check_cpu(const Comparison& c, const std::string& what) {
  const auto tensor_for = [&](const Operand& o, bool oracle) {
    const bool tagged = !oracle && o.follows_layout && !c.tag.empty();
    return tensor_of(o.shape, o.values, tagged ? c.tag : std::string());
  };
  const auto outputs_for = [&](bool oracle) {
    std::vector<Tensor> outputs;
    for (const tensor::Shape& shape : c.outputs) {
      const bool tagged = !oracle && !c.tag.empty() && !c.results_plain && shape.rank() > 1;
      outputs.push_back(make_tensor(shape, tensor::DataType::f32, tagged ? c.tag : std::string()));
    }
    return outputs;
  };
  Case oracle{c.op, c.attrs, {}, outputs_for(true)};
  for (const Operand& o : c.inputs) oracle.inputs.push_back(tensor_for(o, true));
  for (const Tensor& t : c.raw_inputs) oracle.inputs.push_back(t);
  run(oracle, "ref." + c.op);

  std::vector<std::vector<float>> first;
  for (cpu::Isa isa : available_isas()) {
    for (int threads : {1, 2}) {
      Case own{c.op, c.attrs, {}, outputs_for(false)};
      for (const Operand& o : c.inputs) own.inputs.push_back(tensor_for(o, false));
      for (const Tensor& t : c.raw_inputs) own.inputs.push_back(t);
      run_cpu(own, isa, threads);
      for (std::size_t i = 0; i < own.outputs.size(); ++i) {
        const std::string name = what + " [" + c.tag + "] " + std::string(cpu::to_string(isa)) + " x" +
                                 std::to_string(threads) + " result " + std::to_string(i);
        const std::vector<float> got = values_of(own.outputs[i]);
        const std::vector<float> want = values_of(oracle.outputs[i]);
        const double difference = largest_difference(got, want);
        BOOST_TEST(difference <= c.tolerance, name << ": off by " << difference);
        if (c.exact) BOOST_TEST(different_bits(got, want) == 0, name << ": bits differ from the oracle's");
        BOOST_TEST(dirty_padding(own.outputs[i]) == 0, name << ": padding is not zero");
        if (first.size() <= i) {
          first.push_back(got);
        } else {
          BOOST_TEST(different_bits(got, first[i]) == 0,
                     name << ": bits depend on threads or instruction set");
        }
      }
    }
  }
  return first;
}

}  // namespace lbann::kernels::testing
