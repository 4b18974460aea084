// The layer table's checks. Every row: values and gradients against goldens that other people's
// software computed, in double with the naive kernels and in float with the fast ones; gradients by
// central differences; and the settings that must not change the answer.
//
// Tolerances, stated once: eps of the type x (32 + 4 sqrt(reduction length)) x the largest magnitude
// of the expected tensor; for gradients at least that of the cotangents, since terms of that size
// cancel. The reduction length is bounded by the number of elements of the row. Rows flagged `cancel`
// get 8 times as much in float (golden/README.md says why).
#include <boost/test/unit_test.hpp>

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <limits>

#include "base/hash.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "passes/kernel_table.hpp"
#include "table.hpp"

namespace {

using lbann::passes::KernelCandidate;
using lbann::tensor::DataType;
using table::Prepared;
using table::Results;
using table::Row;
using table::Setting;

/// LBANN_TABLE_PART=N: every N-th row only, from a row that LBANN_TABLE_SEED (default: the time) chooses and
/// that is printed. For builds so slow that the whole table takes too long.
std::vector<Row> choose_rows() {
  std::vector<Row> all = table::load_rows();
  const char* part = std::getenv("LBANN_TABLE_PART");
  if (part == nullptr) return all;
  const std::size_t stride = std::strtoul(part, nullptr, 10);
  const char* given = std::getenv("LBANN_TABLE_SEED");
  const std::size_t seed =
      given != nullptr ? std::strtoul(given, nullptr, 10) : static_cast<std::size_t>(std::time(nullptr));
  std::vector<Row> some;
  for (std::size_t i = seed % stride; i < all.size(); i += stride) some.push_back(std::move(all[i]));
  std::printf("layer table: %zu of %zu rows, LBANN_TABLE_PART=%zu LBANN_TABLE_SEED=%zu\n", some.size(),
              all.size(), stride, seed);
  return some;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> chosen = choose_rows();
  return chosen;
}
bool whole_table() { return std::getenv("LBANN_TABLE_PART") == nullptr; }

const lbann::passes::KernelCatalogue& reference_catalogue() {
  static const auto catalogue = lbann::passes::make_reference_catalogue();
  return *catalogue;
}

const lbann::passes::KernelCatalogue& cpu_catalogue() {
  static const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(omp_get_max_threads());
  return *catalogue;
}

double elements_of(const Row& row) {
  double n = 1;
  for (const auto& a : row.inputs) n = std::max(n, static_cast<double>(a.values.size()));
  for (const auto& a : row.weights) n = std::max(n, static_cast<double>(a.values.size()));
  return n;
}

double largest(const std::vector<double>& values) {
  double m = 0;
  for (double x : values) {
    if (std::isfinite(x)) m = std::max(m, std::fabs(x));
  }
  return m;
}

/// Largest error in units of the tolerance; infinite where non-finite values differ.
double error_ratio(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(want[i]) && std::isnan(got[i])) continue;
    if (!std::isfinite(want[i]) || !std::isfinite(got[i])) {
      if (got[i] != want[i]) return std::numeric_limits<double>::infinity();
      continue;
    }
    worst = std::max(worst, std::fabs(got[i] - want[i]) / tolerance);
  }
  return worst;
}

void check_against_golden(const Row& row, const Setting& setting, double eps, const char* what) {
  Prepared prepared(row, setting);
  const Results results = prepared.run();
  const bool cancels = setting.type == DataType::f32 && row.flags.count("cancel") > 0;
  const double factor = eps * (32 + 4 * std::sqrt(elements_of(row))) * (cancels ? 8 : 1);
  for (const auto& [name, expected] : row.expected) {
    const auto found = results.find(name);
    if (found == results.end()) {
      // A gradient that nothing reaches is zero by definition.
      const bool all_zero = largest(expected.values) == 0;
      BOOST_CHECK_MESSAGE(all_zero && name[0] == 'd', row.name << " (" << what << "): no " << name);
      continue;
    }
    double scale = std::max(largest(expected.values), row.flags.count("extreme") > 0 ? 1.0 : 1e-30);
    for (const table::Array& dy : row.cotangents) {
      if (name[0] == 'd') scale = std::max(scale, largest(dy.values));
    }
    const double ratio = error_ratio(found->second, expected.values, factor * scale);
    BOOST_CHECK_MESSAGE(ratio <= 1, row.name << " (" << what << ") " << name << ": error " << ratio
                                             << " times the tolerance; kernels: " << prepared.describe());
  }
}

bool same_bits(const Results& a, const Results& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, values] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second.size() != values.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool both_nan = std::isnan(values[i]) && std::isnan(other->second[i]);
      if (!both_nan && values[i] != other->second[i]) return false;
    }
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_table_is_not_empty) { BOOST_REQUIRE_GE(rows().size(), whole_table() ? 460u : 20u); }

BOOST_AUTO_TEST_CASE(double_with_naive_kernels_equals_the_goldens) {
  for (const Row& row : rows()) {
    BOOST_TEST_CONTEXT(row.name) {
      check_against_golden(row, {DataType::f64, &reference_catalogue(), {}, false}, 2.3e-16, "double, naive");
    }
  }
}

BOOST_AUTO_TEST_CASE(float_with_fast_kernels_equals_the_goldens) {
  for (const Row& row : rows()) {
    BOOST_TEST_CONTEXT(row.name) {
      check_against_golden(row, {DataType::f32, &cpu_catalogue(), {}, false}, 1.2e-7, "float, fast");
      check_against_golden(row, {DataType::f32, &cpu_catalogue(), {}, true}, 1.2e-7, "float, poisoned arena");
    }
  }
}

BOOST_AUTO_TEST_CASE(float_with_naive_kernels_equals_the_goldens) {
  for (const Row& row : rows()) {
    BOOST_TEST_CONTEXT(row.name) {
      check_against_golden(row, {DataType::f32, &reference_catalogue(), {}, true}, 1.2e-7, "float, naive");
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_equal_central_differences_in_double) {
  int checked = 0;
  for (const Row& row : rows()) {
    if (row.flags.count("fd") == 0 && row.flags.count("fd0") == 0) continue;
    BOOST_TEST_CONTEXT(row.name) {
      Prepared prepared(row, {DataType::f64, &reference_catalogue(), {}, false});
      const Results analytic = prepared.run();
      std::vector<std::pair<std::string, const table::Array*>> variables;
      for (std::size_t i = 0; i < row.inputs.size(); ++i) {
        if (i > 0 && row.flags.count("fd") == 0) break;
        variables.emplace_back("in" + std::to_string(i), &row.inputs[i]);
      }
      for (int i = 0; i < row.num_trained && row.flags.count("fd") > 0; ++i) {
        variables.emplace_back("w" + std::to_string(i), &row.weights[static_cast<std::size_t>(i)]);
      }
      for (const auto& [name, array] : variables) {
        const std::string gradient = (name[0] == 'i' ? "dx" + name.substr(2) : "dw" + name.substr(1));
        const auto found = analytic.find(gradient);
        std::vector<double> values = array->values;
        // At most 24 entries spread over the tensor: each costs four runs.
        const std::size_t stride = std::max<std::size_t>(1, values.size() / 24);
        for (std::size_t i = 0; i < values.size(); i += stride) {
          const double x = values[i];
          const double h = 1e-4;
          const auto at = [&](double step) {
            values[i] = x + step;
            prepared.set(name, values);
            return prepared.objective();
          };
          // Fourth order: (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h
          const double numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
          values[i] = x;
          prepared.set(name, values);
          const double exact = found == analytic.end() ? 0.0 : found->second[i];
          const double scale = std::max({std::fabs(exact), std::fabs(numeric), 1e-2});
          BOOST_CHECK_MESSAGE(
              std::fabs(numeric - exact) <= 1e-6 * scale,
              row.name << " " << gradient << "[" << i << "]: analytic " << exact << ", numeric " << numeric);
          ++checked;
        }
      }
    }
  }
  BOOST_TEST_MESSAGE("central differences checked: " << checked);
  BOOST_CHECK_GT(checked, whole_table() ? 1000 : 20);
}

BOOST_AUTO_TEST_CASE(fused_equals_unfused_to_the_bit) {
  for (const Row& row : rows()) {
    Prepared fused(row, {DataType::f32, &cpu_catalogue(), {}, true});
    Prepared unfused(row, {DataType::f32, &cpu_catalogue(), {"fuse_elementwise"}, true});
    BOOST_CHECK_MESSAGE(same_bits(fused.run(), unfused.run()), row.name << ": fusing changed a bit");
  }
}

BOOST_AUTO_TEST_CASE(recomputed_equals_kept_to_the_bit) {
  int recomputed = 0;
  for (const Row& row : rows()) {
    Prepared kept(row, {DataType::f32, &cpu_catalogue(), {"recompute"}, true});
    Prepared again(row, {DataType::f32, &cpu_catalogue(), {}, true, true});
    recomputed += again.num_recomputed() > 0 ? 1 : 0;
    BOOST_CHECK_MESSAGE(same_bits(kept.run(), again.run()),
                        row.name << ": making values again changed a bit");
  }
  BOOST_TEST_MESSAGE("rows with recomputed values: " << recomputed);
  BOOST_CHECK_GE(recomputed, 100);
}

BOOST_AUTO_TEST_CASE(blocked_plain_and_channels_last_agree) {
  const auto plain = table::make_filtered_catalogue(cpu_catalogue(), [](const KernelCandidate& k) {
    const auto is_plain = [](const lbann::tensor::Layout& l) { return l.is_plain(); };
    return std::all_of(k.inputs.begin(), k.inputs.end(), is_plain) &&
           std::all_of(k.outputs.begin(), k.outputs.end(), is_plain);
  });
  const auto blocked = table::make_filtered_catalogue(cpu_catalogue(), [](const KernelCandidate& k) {
    const auto is_blocked = [](const lbann::tensor::Layout& l) { return l.is_blocked(); };
    return std::any_of(k.inputs.begin(), k.inputs.end(), is_blocked) ||
           std::any_of(k.outputs.begin(), k.outputs.end(), is_blocked) || k.kernel.rfind("dnnl.", 0) != 0;
  });
  for (const Row& row : rows()) {
    BOOST_TEST_CONTEXT(row.name) {
      check_against_golden(row, {DataType::f32, plain.get(), {}, true}, 1.2e-7, "float, plain layouts");
      check_against_golden(row, {DataType::f32, blocked.get(), {}, true}, 1.2e-7, "float, blocked layouts");
    }
  }
}

namespace {

/// A catalogue whose convolutions cost what `cost` says: whatever a kernel table may hold must be right.
class Priced final : public lbann::passes::KernelCatalogue {
public:
  Priced(std::unique_ptr<KernelCatalogue> base, std::function<double(const KernelCandidate&)> cost)
    : base_(std::move(base)), cost_(std::move(cost)) {}
  std::vector<KernelCandidate> candidates(const lbann::passes::SelectContext& context) const override {
    std::vector<KernelCandidate> list = base_->candidates(context);
    if (!lbann::passes::is_conv(context.g.node(context.node)) || list.size() < 2) return list;
    for (std::size_t i = 0; i + 1 < list.size(); ++i) list[i].estimated_ms = cost_(list[i]);
    std::stable_sort(list.begin(), list.end() - 1, [](const KernelCandidate& a, const KernelCandidate& b) {
      return a.estimated_ms < b.estimated_ms;
    });
    return list;
  }
  const lbann::passes::Machine& machine() const override { return base_->machine(); }

private:
  std::unique_ptr<KernelCatalogue> base_;
  std::function<double(const KernelCandidate&)> cost_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(any_choice_a_kernel_table_can_make_equals_the_goldens) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Priced priced(lbann::kernels::cpu::make_cpu_catalogue(omp_get_max_threads()),
                        [seed](const KernelCandidate& k) {
                          std::string text = k.kernel;
                          for (const auto& l : k.inputs) text += " " + l.tag();
                          for (const auto& l : k.outputs) text += " " + l.tag();
                          return static_cast<double>(lbann::base::hash64(text, seed) % 1000);
                        });
    for (const Row& row : rows()) {
      if (row.kind.find("convolution") == std::string::npos) continue;
      BOOST_TEST_CONTEXT(row.name << ", seed " << seed) {
        check_against_golden(row, {DataType::f32, &priced, {}, true}, 1.2e-7, "float, priced at random");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(fast_numerics_equal_the_goldens) {
  // Wherever Winograd is offered, it runs.
  int ran = 0;
  const Priced winograd(lbann::kernels::cpu::make_cpu_catalogue(
                            {omp_get_max_threads(), lbann::passes::Numerics::fast, nullptr}),
                        [](const KernelCandidate& k) { return k.kernel.ends_with("_winograd") ? 0.0 : 1e3; });
  for (const Row& row : rows()) {
    if (row.kind.find("convolution") == std::string::npos) continue;
    BOOST_TEST_CONTEXT(row.name) {
      // Its transforms round ten times as much as sums of products do.
      check_against_golden(row, {DataType::f32, &winograd, {}, true}, 10 * 1.2e-7, "float, Winograd");
      Prepared prepared(row, {DataType::f32, &winograd, {}, true});
      if (prepared.describe().find("_winograd") != std::string::npos) ++ran;
    }
  }
  BOOST_TEST_MESSAGE("rows with Winograd: " << ran);
  if (winograd.machine().isa == "avx512_core") BOOST_CHECK_GE(ran, 1);
}

BOOST_AUTO_TEST_CASE(a_second_run_gives_the_same_bits) {
  for (const Row& row : rows()) {
    Prepared prepared(row, {DataType::f32, &cpu_catalogue(), {}, true});
    const Results first = prepared.run();
    BOOST_CHECK_MESSAGE(same_bits(first, prepared.run()), row.name << ": two runs differ");
  }
}
