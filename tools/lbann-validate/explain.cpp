// Joins what the registry knows of a layer with what the schema says.
#include "lbann-validate/explain.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/edit_distance.hpp"
#include "layers/layer_def.hpp"
#include "model/schema_docs.hpp"

namespace lbann::tools {

namespace {

constexpr std::size_t width = 100;

std::string wrapped(const std::string& text, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string out = margin;
  std::size_t column = indent;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (column > indent && column + 1 + end - begin > width) {
      out += '\n' + margin;
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out.append(text, begin, end - begin);
    column += end - begin;
    begin = end + 1;
  }
  return text.empty() ? "" : out + '\n';
}

/// Names and counts that the schema does not hold; of a layer only.
std::string layer_text(const model::MessageText& m) {
  const std::string prefix = "Layer kind '";
  if (m.role.rfind(prefix, 0) != 0) return {};
  const std::string kind = m.role.substr(prefix.size(), m.role.size() - prefix.size() - 1);
  const layers::LayerDef* def = layers::try_layer(kind);
  if (def == nullptr) return "  known to LBANN, not yet supported here\n";
  const std::string most = def->max_parents < 0 ? "any number" : std::to_string(def->max_parents);
  return fmt::format("  parents: {} to {}; weights: at most {}\n", def->min_parents, most, def->max_weights);
}

std::string message_text(const model::MessageText& m) {
  std::string text = m.name + (m.role.empty() ? "" : " (" + m.role + ")") + "\n";
  text += wrapped(m.doc, 2) + layer_text(m);
  for (const model::FieldText& f : m.fields) {
    text += fmt::format("  {:<28} {}\n", f.name, f.type);
    text += wrapped(f.doc, 6);
  }
  return text;
}

std::string all_text(const std::vector<model::MessageText>& found) {
  std::string text;
  for (const model::MessageText& m : found) text += (text.empty() ? "" : "\n") + message_text(m);
  return text;
}

}  // namespace

std::string explain(const std::string& name) {
  const model::SchemaDocs docs;
  std::vector<model::MessageText> found = docs.find(name);
  if (found.empty()) found = docs.find_field(name);
  if (!found.empty()) return all_text(found);
  throw base::Error(base::ExitCode::usage,
                    fmt::format("there is no layer, operator, callback or field '{}'", name),
                    base::did_you_mean(name.substr(name.rfind('.') + 1), docs.list_names()));
}

}  // namespace lbann::tools
