// lbann-validate's work: would this experiment train? Makes the very plan the trainer would run,
// without MPI, GPU or data.
#include "lbann-validate/validate.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/files.hpp"
#include "graph/printer.hpp"
#include "lbann-validate/explain.hpp"
#include "lbann-validate/planner.hpp"
#include "model/reader_sizes.hpp"
#include "model/settings.hpp"
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

std::string trace_text(const model::LoweredModel& m) {
  std::string text = fmt::format("{:<20} {:<22} {:<28} {:<16} {:>12} {:>12}\n", "layer", "kind", "inputs",
                                 "outputs", "parameters", "MFLOP");
  std::int64_t parameters = 0;
  double flops = 0;
  for (const model::LayerTrace& l : m.layers) {
    text += fmt::format("{:<20} {:<22} {:<28} {:<16} {:>12} {:>12.3f}\n", l.name, l.kind, dims_text(l.inputs),
                        dims_text(l.outputs), l.num_parameters, l.flops * 1e-6);
    flops += l.flops;
  }
  for (const model::LoweredWeight& w : m.weights) parameters += w.shape.num_elements();
  text += fmt::format("{:<20} {:<22} {:<28} {:<16} {:>12} {:>12.3f}\n", "total", "", "", "", parameters,
                      flops * 1e-6);
  for (const model::LoweredWeight& w : m.weights) {
    const bool trained = w.trainable && w.optimizer && w.optimizer->kind != optim::OptimizerKind::none;
    text += fmt::format("weights {:<24} {:<16} {}\n", w.name, w.shape.to_string(),
                        trained ? std::string(optim::to_string(w.optimizer->kind)) : "not trained");
  }
  return text;
}

struct Checked {
  model::Experiment experiment;
  model::LayerGraph graph;
  model::TrainingSettings settings;
  std::optional<model::LoweredModel> lowered;
};

Checked check(const ValidateOptions& o, base::Diagnostics& d) {
  Checked c;
  c.experiment = model::load_experiment(o.experiment.merge_order(), o.experiment.sets, d);
  if (o.mini_batch_size) {
    model::apply_override(fmt::format("trainer.mini_batch_size={}", *o.mini_batch_size), c.experiment, d);
  }
  model::check_complete(c.experiment, d);
  c.graph = model::make_layer_graph(c.experiment, d);
  c.settings = model::bind_settings(c.experiment, c.graph, d);
  model::LowerOptions lower;
  lower.batch = std::max<std::int64_t>(1, c.settings.mini_batch_size);
  lower.fields = model::make_data_fields(c.settings);
  model::apply_reader_sizes(c.experiment, lower.fields, d);
  c.lowered = model::lower_model(c.experiment, c.graph, lower, d);
  return c;
}

int threads_of(const ValidateOptions& o) {
  return o.threads ? static_cast<int>(*o.threads)
                   : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string plan_text(const ValidateOptions& o, Checked& c) {
  const Planner planner = open_planner(threads_of(o));
  model::StepOptions options;
  options.disabled.insert(o.disabled_passes.begin(), o.disabled_passes.end());
  passes::Compilation compiled =
      model::make_compilation(c.lowered->graph, *c.lowered, options, *planner.catalogue);
  passes::compile(compiled);
  if (!planner.exact) compiled.memory.exact = false;
  std::string text;
  if (o.common.format == ReportFormat::json) return passes::describe_memory_json(compiled) + "\n";
  if (o.dump == DumpKind::graph) text += graph::print_graph(compiled.graph);
  if (o.dump == DumpKind::plan) text += passes::describe_plan(compiled) + passes::describe_passes(compiled);
  if (o.dump == DumpKind::memory || o.plan) text += passes::describe_memory(compiled);
  if (!planner.exact) {
    text += fmt::format("note: figures marked bound are those of the naive kernels ({})\n", planner.reason);
  }
  return text;
}

void write_output(const ValidateOptions& o, const std::string& text) {
  if (o.output == "-") {
    base::log().print(text);
  } else {
    base::atomic_write_file(o.output, text);
  }
}

}  // namespace

int validate_main(const ValidateOptions& options) {
  if (!options.explain.empty()) {
    write_output(options, explain_layer(options.explain));
    return 0;
  }
  base::Diagnostics d;
  Checked c = check(options, d);
  if (!d.all().empty()) report_diagnostics(d, options.common);
  if (d.has_errors()) return static_cast<int>(d.exit_code());

  std::string text;
  if (options.dump == DumpKind::layers) text += model::describe(c.graph);
  if (options.trace) text += trace_text(*c.lowered);
  const bool needs_plan =
      options.plan || (options.dump != DumpKind::none && options.dump != DumpKind::layers);
  if (needs_plan) text += plan_text(options, c);
  if (!text.empty()) write_output(options, text);
  if (options.strict && d.num_warnings() > 0) return static_cast<int>(base::ExitCode::check_failed);
  if (text.empty()) {
    std::int64_t parameters = 0;
    for (const model::LoweredWeight& w : c.lowered->weights) parameters += w.shape.num_elements();
    base::log().data(fmt::format("{}: would train: {} layers, {} parameters\n", c.settings.model,
                                 c.graph.layers.size(), parameters));
  }
  return 0;
}

}  // namespace lbann::tools
