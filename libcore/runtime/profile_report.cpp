// The tables of a profile: see profile_report.hpp.
//
//   share of peak       flops / (time peak)
//   share of bandwidth  bytes / (time bandwidth); bytes: every operand and result once
//   roof                the larger of the two, of each call, weighted by time
#include "runtime/profile_report.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace lbann::runtime {
namespace {

using base::json_number;
using base::json_quote;

constexpr std::size_t longest_calls = 15;
constexpr std::size_t largest_edges = 20;

std::string_view direction(graph::Phase phase) {
  return phase == graph::Phase::forward ? "forward" : phase == graph::Phase::backward ? "backward" : "update";
}

/// A group of calls.
struct Sum {
  int calls = 0;
  double us = 0, flops = 0, bytes = 0;
  double roof_us = 0;
  double bandwidth_us = 0;  // that the bytes alone take
  double by_phase[3] = {0, 0, 0};
  void add(const KernelProfile& k, const Roofline& roof) {
    ++calls;
    us += k.median_us;
    flops += k.flops;
    bytes += k.bytes;
    roof_us += roof.roof_us(k.flops, k.bytes);
    bandwidth_us += k.bytes / (roof.bandwidth_gbs(k.bytes) * 1e3);
    by_phase[static_cast<int>(k.phase)] += k.median_us;
  }
};

std::string percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f}%", 100 * part / whole) : "-";
}

constexpr std::string_view rate_heads = "    GFLOP   GFLOP/s    peak        MB      GB/s    bandw    roof";

std::string rates(const Sum& s, const Roofline& roof) {
  const double us = std::max(s.us, 1e-3);
  return fmt::format("{:>9.3f} {:>9.1f} {:>7} {:>9.2f} {:>9.1f} {:>8} {:>7}", s.flops * 1e-9,
                     s.flops / us * 1e-3, percent(s.flops, us * roof.peak_gflops * 1e3), s.bytes * 1e-6,
                     s.bytes / us * 1e-3, percent(s.bandwidth_us, us), percent(s.roof_us, us));
}

using Groups = std::vector<std::pair<std::string, Sum>>;

Groups group(const PlanProfile& p, const Roofline& roof,
             const std::function<std::string(const KernelProfile&)>& key_of) {
  Groups groups;
  std::map<std::string, std::size_t> index;
  for (const KernelProfile& k : p.kernels) {
    const std::string key = key_of(k);
    const auto [at, is_new] = index.emplace(key, groups.size());
    if (is_new) groups.emplace_back(key, Sum{});
    groups[at->second].second.add(k, roof);
  }
  return groups;
}

std::string kernel_table(const PlanProfile& p, const Roofline& roof, double total) {
  Groups groups = group(p, roof, [](const KernelProfile& k) {
    return fmt::format("{:<22} {:<8}", k.kernel + (k.kernel.ends_with(k.op) ? "" : "/" + k.op),
                       direction(k.phase));
  });
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second.us > b.second.us; });
  std::string text = fmt::format("by kernel:\n  {:<22} {:<8} {:>5} {:>10} {:>7}{}\n", "kernel", "pass",
                                 "calls", "ms", "share", rate_heads);
  for (const auto& [key, s] : groups)
    text += fmt::format("  {} {:>5} {:>10.4f} {:>7} {}\n", key, s.calls, s.us * 1e-3, percent(s.us, total),
                        rates(s, roof));
  return text;
}

std::string layer_table(const PlanProfile& p, const Roofline& roof, double total) {
  const Groups groups = group(
      p, roof, [](const KernelProfile& k) { return fmt::format("{:<20} {:<20}", k.layer, k.layer_kind); });
  std::string text = fmt::format("by layer:\n  {:<20} {:<20} {:>10} {:>10} {:>10} {:>7}{}\n", "layer", "kind",
                                 "forward ms", "backward", "update", "share", rate_heads);
  for (const auto& [key, s] : groups)
    text += fmt::format("  {} {:>10.4f} {:>10.4f} {:>10.4f} {:>7} {}\n", key, s.by_phase[0] * 1e-3,
                        s.by_phase[1] * 1e-3, s.by_phase[2] * 1e-3, percent(s.us, total), rates(s, roof));
  return text;
}

std::string direction_table(const PlanProfile& p, const Roofline& roof, double total) {
  std::string text = fmt::format("by direction:\n  {:<10} {:>5} {:>10} {:>7}{}\n", "pass", "calls", "ms",
                                 "share", rate_heads);
  for (const auto& [key, s] :
       group(p, roof, [](const KernelProfile& k) { return fmt::format("{:<10}", direction(k.phase)); }))
    text += fmt::format("  {} {:>5} {:>10.4f} {:>7} {}\n", key, s.calls, s.us * 1e-3, percent(s.us, total),
                        rates(s, roof));
  return text;
}

std::string call_table(const PlanProfile& p, const Roofline& roof) {
  std::vector<const KernelProfile*> calls;
  for (const KernelProfile& k : p.kernels) calls.push_back(&k);
  // By what could be gained.
  const auto loss = [&](const KernelProfile* k) { return k->median_us - roof.roof_us(k->flops, k->bytes); };
  std::stable_sort(calls.begin(), calls.end(),
                   [&](const KernelProfile* a, const KernelProfile* b) { return loss(a) > loss(b); });
  calls.resize(std::min(calls.size(), longest_calls));
  std::string text = "farthest above their roof:\n";
  for (const KernelProfile* k : calls) {
    Sum s;
    s.add(*k, roof);
    text += fmt::format("  {:>9.4f} ms, roof {:>9.4f} ms  {:<8} {:<20} {:<16} {}\n", k->median_us * 1e-3,
                        s.roof_us * 1e-3, direction(k->phase), k->kernel, k->layer, k->result);
  }
  return text;
}

std::string edge_table(const PlanProfile& p) {
  std::vector<const passes::EdgeNote*> edges;
  double bytes = 0;
  std::size_t reorders = 0;
  for (const passes::EdgeNote& e : p.edges) {
    edges.push_back(&e);
    bytes += e.bytes;
    reorders += e.reorder ? 1 : 0;
  }
  std::stable_sort(edges.begin(), edges.end(), [](const passes::EdgeNote* a, const passes::EdgeNote* b) {
    return a->reorder != b->reorder ? a->reorder : a->bytes > b->bytes;
  });
  edges.resize(std::min(edges.size(), largest_edges + reorders));
  std::string text = fmt::format("edges through memory: {}, {:.2f} MB; {} of them reorders; {} shown\n",
                                 p.edges.size(), bytes * 1e-6, reorders, edges.size());
  for (const passes::EdgeNote* e : edges)
    text += fmt::format("  {} {} -> {} ({}): {}\n", e->reorder ? "reordered:" : "not fused:", e->from, e->to,
                        e->value, e->reason);
  return text;
}

double sum_of_medians(const PlanProfile& p) {
  double us = 0;
  for (const KernelProfile& k : p.kernels) us += k.median_us;
  return us;
}

}  // namespace

std::string profile_text(const Profiler& profiler, const Roofline& roof) {
  const PlanProfile* main = nullptr;
  for (const PlanProfile& p : profiler.plans()) {
    const bool trains = p.name.starts_with("train");
    const bool better = main == nullptr || trains > main->name.starts_with("train") ||
                        (trains == main->name.starts_with("train") && p.runs > main->runs);
    if (better) main = &p;
  }
  if (main == nullptr) return "profile: nothing has run\n";
  std::string text = fmt::format(
      "profile of {}\nmachine: {} threads, measured now: {:.0f} GFLOP/s (f32), {:.0f} GB/s in memory, {:.0f} "
      "GB/s in caches\n",
      main->name, roof.threads, roof.peak_gflops, roof.memory_gbs, roof.cache_gbs);
  for (const PlanProfile& p : profiler.plans()) {
    const double kernels = sum_of_medians(p);
    text += fmt::format("plan {}: {} runs, median {:.4f} ms, kernels {:.4f} ms, between kernels {:.4f} ms\n",
                        p.name, p.runs, p.median_us * 1e-3, kernels * 1e-3,
                        std::max(0.0, p.median_us - kernels) * 1e-3);
  }
  for (const auto& [name, h] : profiler.host())
    text += fmt::format("host: {}: {} times, {:.4f} ms each\n", name, h.count,
                        h.us * 1e-3 / static_cast<double>(h.count));
  const double total = sum_of_medians(*main);
  return text + direction_table(*main, roof, total) + kernel_table(*main, roof, total) +
         layer_table(*main, roof, total) + call_table(*main, roof) + edge_table(*main);
}

std::string profile_json(const Profiler& profiler, const Roofline& roof) {
  std::string text = fmt::format(
      "{{\"schema\":\"lbann-profile-1\",\"machine\":{{\"threads\":{},\"peak_gflops\":{},\"memory_gbs\":{},"
      "\"cache_gbs\":{}}},\n\"plans\":[",
      roof.threads, json_number(roof.peak_gflops), json_number(roof.memory_gbs), json_number(roof.cache_gbs));
  std::string_view plan_separator;
  for (const PlanProfile& p : profiler.plans()) {
    text += fmt::format("{}\n{{\"name\":{},\"runs\":{},\"median_us\":{},\"kernels\":[", plan_separator,
                        json_quote(p.name), p.runs, json_number(p.median_us));
    plan_separator = ",";
    std::string_view separator;
    for (const KernelProfile& k : p.kernels) {
      text += fmt::format(
          "{}\n{{\"layer\":{},\"kind\":{},\"kernel\":{},\"op\":{},\"pass\":\"{}\",\"result\":{},\"us\":{},"
          "\"flops\":{},\"bytes\":{},\"roof_us\":{}}}",
          separator, json_quote(k.layer), json_quote(k.layer_kind), json_quote(k.kernel), json_quote(k.op),
          direction(k.phase), json_quote(k.result), json_number(k.median_us), json_number(k.flops),
          json_number(k.bytes), json_number(roof.roof_us(k.flops, k.bytes)));
      separator = ",";
    }
    text += "],\n\"edges\":[";
    separator = "";
    for (const passes::EdgeNote& e : p.edges) {
      text +=
          fmt::format("{}\n{{\"from\":{},\"to\":{},\"value\":{},\"bytes\":{},\"reorder\":{},\"reason\":{}}}",
                      separator, json_quote(e.from), json_quote(e.to), json_quote(e.value),
                      json_number(e.bytes), e.reorder, json_quote(e.reason));
      separator = ",";
    }
    text += "]}";
  }
  text += "],\n\"host\":{";
  std::string_view separator;
  for (const auto& [name, h] : profiler.host()) {
    text += fmt::format("{}{}:{{\"count\":{},\"us\":{}}}", separator, json_quote(name), h.count,
                        json_number(h.us));
    separator = ",";
  }
  return text + "}}\n";
}

}  // namespace lbann::runtime
