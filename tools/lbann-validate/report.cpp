// See report.hpp.
#include "lbann-validate/report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "graph/printer.hpp"
#include "lbann-validate/calibration.hpp"
#include "lbann-validate/planner.hpp"
#include "model/step_plan.hpp"
#include "passes/describe.hpp"
#include "passes/passes.hpp"

namespace lbann::tools {
namespace {

std::string dims_text(const std::vector<tensor::Shape>& shapes) {
  std::string text;
  for (const tensor::Shape& s : shapes) text += (text.empty() ? "" : " ") + s.to_string();
  return text.empty() ? "-" : text;
}

std::string dims_json(const tensor::Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank(); ++i) text += fmt::format("{}{}", i > 0 ? "," : "", shape[i]);
  return text + "]";
}

template <class Items, class Print>
std::string list_json(const Items& items, Print print) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + print(item);
  return "[" + text + "]";
}

bool is_trained(const model::LoweredWeight& w) {
  return w.trainable && w.optimizer && w.optimizer->kind != optim::OptimizerKind::none;
}

std::string optimizer_of(const model::LoweredWeight& w) {
  return is_trained(w) ? std::string(optim::to_string(w.optimizer->kind)) : "";
}

std::int64_t num_parameters(const model::LoweredModel& m) {
  std::int64_t n = 0;
  for (const model::LoweredWeight& w : m.weights) n += w.shape.num_elements();
  return n;
}

passes::Compilation compile_plan(const ValidateOptions& o, const Checked& c, const Planner& planner) {
  model::StepOptions options;
  options.recompute = o.planning.recompute;
  options.disabled.insert(o.planning.disabled_passes.begin(), o.planning.disabled_passes.end());
  passes::Compilation compiled =
      model::make_compilation(c.lowered->graph, *c.lowered, options, *planner.catalogue);
  passes::compile(compiled);
  if (!planner.exact) compiled.memory.exact = false;
  return compiled;
}

/// What recomputation buys: against the same plan with everything kept.
std::string recompute_text(const ValidateOptions& o, const Checked& c, const Planner& planner,
                           const passes::Compilation& compiled) {
  const passes::RecomputeReport& r = compiled.recomputed;
  if (r.values == 0) return {};
  ValidateOptions keeps = o;
  keeps.planning.disabled_passes.push_back("recompute");
  const std::int64_t kept = compile_plan(keeps, c, planner).memory.arena_bytes;
  constexpr double mebi = 1 << 20;
  const double total = passes::total_flops(compiled);
  return fmt::format(
      "recomputed: {} activations ({:.2f} MiB), {:.3f} GFLOP ({:.1f} %) and {:.2f} MiB of traffic more; "
      "activations and workspace {:.2f} MiB instead of {:.2f}\n",
      r.values, static_cast<double>(r.bytes) / mebi, r.flops * 1e-9,
      total > r.flops ? 100 * r.flops / (total - r.flops) : 0.0, r.traffic / mebi,
      static_cast<double>(compiled.memory.arena_bytes) / mebi, static_cast<double>(kept) / mebi);
}

bool wants_plan(const ValidateOptions& o) {
  return o.plan || (o.dump != DumpKind::none && o.dump != DumpKind::layers);
}

}  // namespace

std::string trace_text(const model::LoweredModel& m) {
  std::string text = fmt::format("{:<20} {:<22} {:<28} {:<16} {:>12} {:>12}\n", "layer", "kind", "inputs",
                                 "outputs", "parameters", "MFLOP");
  double flops = 0;
  for (const model::LayerTrace& l : m.layers) {
    text += fmt::format("{:<20} {:<22} {:<28} {:<16} {:>12} {:>12.3f}\n", l.name, l.kind, dims_text(l.inputs),
                        dims_text(l.outputs), l.num_parameters, l.flops * 1e-6);
    flops += l.flops;
  }
  text += fmt::format("{:<20} {:<22} {:<28} {:<16} {:>12} {:>12.3f}\n", "total", "", "", "",
                      num_parameters(m), flops * 1e-6);
  for (const model::LoweredWeight& w : m.weights)
    text += fmt::format("weights {:<24} {:<16} {}\n", w.name, w.shape.to_string(),
                        is_trained(w) ? optimizer_of(w) : "not trained");
  return text;
}

std::string plan_text(const ValidateOptions& o, const Checked& c) {
  if (!wants_plan(o)) return {};
  const Planner planner = open_planner(make_catalogue_options(o.kernels, threads_of(o)));
  const passes::Compilation compiled = compile_plan(o, c, planner);
  std::string text;
  if (o.dump == DumpKind::graph) text += graph::print_graph(compiled.graph);
  if (o.dump == DumpKind::plan) text += passes::describe_plan(compiled) + passes::describe_passes(compiled);
  if (o.dump == DumpKind::memory || o.plan)
    text += passes::describe_memory(compiled, model::pipeline_memory(c.settings));
  if (o.plan) {
    text += recompute_text(o, c, planner, compiled);
    const Prediction step = predict(o, compiled);
    text += step.ms ? fmt::format("predicted time of a step: {:.3g} ms\n", *step.ms)
                    : fmt::format("time of a step: not predicted, {}\n", step.why);
  }
  if (!planner.exact)
    text += fmt::format("note: figures marked bound are those of the naive kernels ({})\n", planner.reason);
  return text;
}

std::string summary_text(const Checked& c) {
  if (c.lowered)
    return fmt::format("{}: would train: {} layers, {} parameters\n", c.settings.model, c.graph.layers.size(),
                       num_parameters(*c.lowered));
  if (!c.part)
    return fmt::format("{}: would train as far as can be told without its data: {} layers\n",
                       c.settings.model, c.graph.layers.size());
  if (!c.graph.layers.empty() || (!c.sections.empty() && c.sections.front() == "model"))
    return fmt::format("{}: valid as a model: {} layers; dims need a data_reader\n", c.settings.model,
                       c.graph.layers.size());
  if (!c.settings.readers.empty())
    return fmt::format("valid as a data_reader: {} readers\n", c.settings.readers.size());
  return fmt::format("valid as {}\n", fmt::join(c.sections, ", "));
}

std::string report_json(const ValidateOptions& o, const Checked* c, const base::Diagnostics& d,
                        int exit_code) {
  using base::json_quote;
  std::string list = d.render_json();
  list.pop_back();
  std::string text = fmt::format(
      "{{\"schema\":\"lbann-validate-1\",\"exit_code\":{},\"would_train\":{},\"errors\":{},\"warnings\":{},"
      "\"diagnostics\":{}",
      exit_code, c != nullptr && c->lowered && !d.has_errors(), d.num_errors(), d.num_warnings(), list);
  if (c == nullptr) return text + "}\n";
  text += fmt::format(",\n\"sections\":{},\"model\":{}", list_json(c->sections, json_quote),
                      json_quote(c->settings.model));
  if (!c->lowered || d.has_errors()) return text + "}\n";
  const model::LoweredModel& m = *c->lowered;
  text += fmt::format(",\"mini_batch_size\":{},\"parameters\":{},\n\"layers\":", c->settings.mini_batch_size,
                      num_parameters(m));
  text += list_json(m.layers, [](const model::LayerTrace& l) {
    return fmt::format(
        "\n{{\"name\":{},\"kind\":{},\"inputs\":{},\"outputs\":{},\"parameters\":{},\"flops\":{}}}",
        json_quote(l.name), json_quote(l.kind), list_json(l.inputs, dims_json),
        list_json(l.outputs, dims_json), l.num_parameters, l.flops);
  });
  text += ",\n\"weights\":" + list_json(m.weights, [](const model::LoweredWeight& w) {
            return fmt::format("\n{{\"name\":{},\"dims\":{},\"optimizer\":{}}}", json_quote(w.name),
                               dims_json(w.shape), json_quote(optimizer_of(w)));
          });
  if (!wants_plan(o)) return text + "}\n";
  const Planner planner = open_planner(make_catalogue_options(o.kernels, threads_of(o)));
  const passes::Compilation compiled = compile_plan(o, *c, planner);
  text += ",\n\"plan\":" + passes::describe_memory_json(compiled, model::pipeline_memory(c->settings));
  const Prediction step = predict(o, compiled);
  text += fmt::format(",\n\"predicted_ms\":{}", step.ms ? base::json_number(*step.ms) : "null");
  if (o.dump == DumpKind::graph) text += ",\n\"dump\":" + json_quote(graph::print_graph(compiled.graph));
  if (o.dump == DumpKind::plan)
    text += ",\n\"dump\":" + json_quote(passes::describe_plan(compiled) + passes::describe_passes(compiled));
  return text + "}\n";
}

}  // namespace lbann::tools
