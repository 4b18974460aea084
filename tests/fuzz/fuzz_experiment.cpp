// libFuzzer target with structure: prototexts mutated as prototexts, through parse, --fix, graph, settings,
// shape inference of training and evaluation.
//
// Beyond "no crash, no hang, no leak": a text that reads without errors still does after --fix, means the
// same, and fixing it again changes nothing; what can be trained can be evaluated.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "model/fix.hpp"
#include "model/layer_graph.hpp"
#include "model/lower.hpp"
#include "model/reader_sizes.hpp"
#include "model/settings.hpp"
#include "mutate_experiment.hpp"
#include "without_origins.hpp"

using namespace lbann;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

[[noreturn]] void fail(const char* what, const std::string& text, const base::Diagnostics& diagnostics) {
  std::fprintf(stderr, "%s\n%s\n%s\n", what, diagnostics.render().c_str(), text.c_str());
  std::abort();
}

void check_fix(const std::string& text, const model::Experiment& experiment) {
  base::Diagnostics diagnostics;
  const model::FixedText fixed = model::fix_spelling(model::parse_syntax_tree("f", text, diagnostics));
  model::Experiment again;
  model::parse_experiment("fixed", fixed.text, again, diagnostics);
  if (diagnostics.has_errors()) fail("--fix made errors", fixed.text, diagnostics);
  if (fuzz::without_origins(model::print_resolved(again)) !=
      fuzz::without_origins(model::print_resolved(experiment)))
    fail("--fix changed the meaning", fixed.text, diagnostics);
  const model::FixedText twice = model::fix_spelling(model::parse_syntax_tree("f", fixed.text, diagnostics));
  if (twice.text != fixed.text) fail("--fix is not idempotent", fixed.text, diagnostics);
}

bool lowers(const model::Experiment& experiment, const model::LayerGraph& graph, layers::Mode mode,
            const base::Diagnostics& before) {
  base::Diagnostics diagnostics = before;
  model::LowerOptions options;
  options.mode = mode;
  options.batch = 4;
  options.fields = {{"samples", {1, 28, 28}}, {"labels", {10}}};
  return model::lower_model(experiment, graph, options, diagnostics).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  base::Diagnostics diagnostics;
  model::Experiment experiment;
  model::parse_experiment("f", text, experiment, diagnostics);
  if (!diagnostics.has_errors()) check_fix(text, experiment);
  model::check_complete(experiment, diagnostics);
  const model::LayerGraph graph = model::make_layer_graph(experiment, diagnostics);
  model::bind_settings(experiment, graph, diagnostics);
  model::apply_reader_sizes(experiment, {{"samples", {1, 28, 28}}, {"labels", {10}}}, diagnostics);
  const bool trains = lowers(experiment, graph, layers::Mode::train, diagnostics);
  const bool evaluates = lowers(experiment, graph, layers::Mode::evaluate, diagnostics);
  if (trains && !evaluates) fail("trains, but cannot be evaluated", text, diagnostics);
  diagnostics.render_json();
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  std::mt19937 random(seed);
  if (random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string text(reinterpret_cast<const char*>(data), size);
  for (unsigned i = 1 + random() % 3; i > 0; --i) text = fuzz::mutate_experiment(text, random);
  if (text.empty() || text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
