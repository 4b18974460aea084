// Joins what the registry knows of a layer with what the schema says.
#include "lbann-validate/explain.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/edit_distance.hpp"
#include "layers/layer_def.hpp"
#include "model/explain.hpp"

namespace lbann::tools {

std::string explain_layer(const std::string& kind) {
  bool known = false;
  const std::vector<model::FieldText> fields = model::layer_fields(kind, known);
  if (!known) {
    throw base::Error(base::ExitCode::usage, fmt::format("there is no layer kind '{}'", kind),
                      base::did_you_mean(kind, model::layer_kinds()));
  }
  std::string text = kind + "\n";
  if (const layers::LayerDef* def = layers::try_layer(kind)) {
    const std::string most = def->max_parents < 0 ? "any number" : std::to_string(def->max_parents);
    text += fmt::format("  {}\n  parents: {} to {}; weights: at most {}\n", def->summary, def->min_parents,
                        most, def->max_weights);
  } else {
    text += "  known to LBANN, not yet supported here\n";
  }
  for (const model::FieldText& f : fields) text += fmt::format("  {:<28} {}\n", f.name, f.type);
  return text;
}

}  // namespace lbann::tools
