// libFuzzer target of the front end: any bytes as a prototext, first line "--set" as an override.
//
// Beyond "no crash, no hang, no leak": what reads without errors must print as text that reads
// without errors and prints the same again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "model/layer_graph.hpp"
#include "without_origins.hpp"

using namespace lbann;

namespace {

void check_round_trip(const model::Experiment& experiment) {
  const std::string first = model::print_resolved(experiment);
  base::Diagnostics diagnostics;
  model::Experiment again;
  model::parse_experiment("again", first, again, diagnostics);
  const std::string second = model::print_resolved(again);
  if (!diagnostics.has_errors() && fuzz::without_origins(first) == fuzz::without_origins(second)) return;
  std::fprintf(stderr, "%s\n--- first\n%s\n--- second\n%s\n", diagnostics.render().c_str(), first.c_str(),
               second.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::string assignment;
  const std::string marker = "--set ";
  if (text.compare(0, marker.size(), marker) == 0) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    assignment = text.substr(marker.size(), end - marker.size());
    text.erase(0, end);
  }
  base::Diagnostics diagnostics;
  model::Experiment experiment;
  model::parse_experiment("fuzz.prototext", text, experiment, diagnostics);
  if (!assignment.empty()) model::apply_override(assignment, experiment, diagnostics);
  const model::LayerGraph graph = model::make_layer_graph(experiment, diagnostics);
  model::describe(graph);
  if (diagnostics.render(true).empty() != diagnostics.all().empty()) std::abort();
  diagnostics.render_json();
  if (!diagnostics.has_errors()) check_round_trip(experiment);
  return 0;
}
