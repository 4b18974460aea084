// See calibration.hpp. Samples below a threshold of bytes count as working in the caches.
#include "passes/calibration.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "ops/op_def.hpp"

namespace lbann::passes {
namespace {

constexpr double cached_bytes = 4 << 20;  // what the caches of a few cores hold
constexpr double idle_us = 0.5;           // less work than calling a kernel takes
constexpr std::string_view schema = "lbann-calibration-1";

double work_us(const Calibration& c, double flops, double bytes) {
  const double rate = bytes <= cached_bytes ? c.cache_gbs : c.memory_gbs;
  return std::max(flops / (c.peak_gflops * 1e3), bytes / (rate * 1e3));
}

/// The rate that fits the times of one kernel.
KernelRate fit(const Calibration& c, const std::vector<KernelTime>& times) {
  std::vector<double> idle;
  for (const KernelTime& t : times) {
    const double work = work_us(c, t.flops, t.bytes);
    if (work < idle_us) idle.push_back(std::max(t.us - work, 0.0));
  }
  KernelRate rate;
  if (!idle.empty()) {
    std::nth_element(idle.begin(), idle.begin() + static_cast<std::ptrdiff_t>(idle.size() / 2), idle.end());
    rate.overhead_us = idle[idle.size() / 2];
  }
  double measured = 0, work = 0;
  for (const KernelTime& t : times) {
    measured += std::max(t.us - rate.overhead_us, 0.0);
    work += work_us(c, t.flops, t.bytes);
  }
  if (measured > 0 && work > 0) rate.factor = measured / work;
  return rate;
}

std::string key_of(const graph::Node& n) { return n.kernel + "/" + n.op; }

bool runs(const graph::Node& n) { return n.op != "weight" && n.op != "input" && n.kernel != "view"; }

}  // namespace

KernelTime make_kernel_time(const graph::Graph& g, graph::NodeId node, double us) {
  const graph::Node& n = g.node(node);
  const ops::Cost cost = ops::cost_of(g, n);
  return {key_of(n), cost.flops, cost.bytes, us};
}

Calibration make_calibration(const Machine& machine, const std::vector<KernelTime>& times) {
  if (times.empty()) throw base::Error(base::ExitCode::internal, "a calibration without measurements");
  Calibration c;
  c.machine = machine;
  c.peak_gflops = 1;
  std::map<std::string, std::vector<KernelTime>> by_key;
  for (const KernelTime& t : times) {
    by_key[t.key].push_back(t);
    const double us = std::max(t.us, 1e-3);
    c.peak_gflops = std::max(c.peak_gflops, t.flops / us * 1e-3);
    double& rate = t.bytes <= cached_bytes ? c.cache_gbs : c.memory_gbs;
    rate = std::max(rate, t.bytes / us * 1e-3);
  }
  if (c.memory_gbs == 0) c.memory_gbs = c.cache_gbs;
  if (c.cache_gbs == 0) c.cache_gbs = c.memory_gbs;
  if (c.cache_gbs == 0) c.cache_gbs = c.memory_gbs = 1;
  c.other = fit(c, times);
  for (const auto& [key, of_key] : by_key) c.kernels[key] = fit(c, of_key);
  return c;
}

double predict_ms(const Compilation& compiled, const Calibration& calibration) {
  double us = 0;
  for (graph::NodeId id : compiled.graph.order) {
    const graph::Node& n = compiled.graph.node(id);
    if (!runs(n)) continue;
    const auto found = calibration.kernels.find(key_of(n));
    const KernelRate& rate = found == calibration.kernels.end() ? calibration.other : found->second;
    const ops::Cost cost = ops::cost_of(compiled.graph, n);
    us += rate.overhead_us + rate.factor * work_us(calibration, cost.flops, cost.bytes);
  }
  return us * 1e-3;
}

bool is_for(const Calibration& calibration, const Machine& machine) {
  return calibration.machine.isa == machine.isa && calibration.machine.threads == machine.threads &&
         calibration.machine.library == machine.library;
}

std::string print_calibration(const Calibration& c) {
  using base::json_number;
  const auto rate_text = [](const KernelRate& r) {
    return fmt::format("[{},{}]", json_number(r.overhead_us), json_number(r.factor));
  };
  std::string text = fmt::format(
      "{{\"schema\":\"{}\",\n\"isa\":{},\"threads\":{},\"library\":{},\n\"peak_gflops\":{},\"cache_gbs\":{},"
      "\"memory_gbs\":{},\n\"other\":{},\n\"kernels\":{{",
      schema, base::json_quote(c.machine.isa), c.machine.threads, base::json_quote(c.machine.library),
      json_number(c.peak_gflops), json_number(c.cache_gbs), json_number(c.memory_gbs), rate_text(c.other));
  std::string_view separator = "\n";
  for (const auto& [key, rate] : c.kernels) {
    text += fmt::format("{}{}:{}", separator, base::json_quote(key), rate_text(rate));
    separator = ",\n";
  }
  return text + "}}\n";
}

std::optional<Calibration> try_parse_calibration(std::string_view text, std::string* why) {
  const std::optional<base::JsonValue> json = base::try_parse_json(text, why);
  if (!json) return std::nullopt;
  const base::JsonValue* name = json->find("schema");
  if (name == nullptr || name->text != schema) {
    *why = fmt::format("its schema is not {}", schema);
    return std::nullopt;
  }
  Calibration c;
  bool good = true;
  const auto number = [&](const base::JsonValue* v, bool zero) {
    const bool right = v != nullptr && v->kind == base::JsonValue::Kind::number &&
                       (v->number > 0 || (zero && v->number == 0));
    good &= right;
    return right ? v->number : 0.0;
  };
  const auto rate = [&](const base::JsonValue* v) {
    if (v != nullptr && v->items.size() == 2)
      return KernelRate{number(&v->items[0], true), number(&v->items[1], true)};
    good = false;
    return KernelRate{};
  };
  const base::JsonValue* isa = json->find("isa");
  const base::JsonValue* threads = json->find("threads");
  const base::JsonValue* library = json->find("library");
  const base::JsonValue* kernels = json->find("kernels");
  if (isa != nullptr) c.machine.isa = isa->text;
  if (threads != nullptr && threads->integer) c.machine.threads = static_cast<int>(*threads->integer);
  if (library != nullptr) c.machine.library = library->text;
  c.peak_gflops = number(json->find("peak_gflops"), false);
  c.cache_gbs = number(json->find("cache_gbs"), false);
  c.memory_gbs = number(json->find("memory_gbs"), false);
  c.other = rate(json->find("other"));
  good &= kernels != nullptr && kernels->kind == base::JsonValue::Kind::object;
  if (good) {
    for (const auto& [key, value] : kernels->members) c.kernels[key] = rate(&value);
  }
  if (good) return c;
  *why = "a figure is missing or not positive";
  return std::nullopt;
}

}  // namespace lbann::passes
