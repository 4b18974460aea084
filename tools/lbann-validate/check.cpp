// See check.hpp.
#include "lbann-validate/check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "model/reader_sizes.hpp"

namespace lbann::tools {

Checked check_experiment(const ValidateOptions& o, base::Diagnostics& d) {
  Checked c;
  c.experiment = model::load_experiment(o.experiment.merge_order(), o.experiment.sets, d);
  if (o.mini_batch_size)
    model::apply_override(fmt::format("trainer.mini_batch_size={}", *o.mini_batch_size), c.experiment, d);
  c.sections = model::list_sections(c.experiment);
  const auto has = [&](const char* name) {
    return std::find(c.sections.begin(), c.sections.end(), name) != c.sections.end();
  };
  const int parts = has("model") + has("data_reader") + has("optimizer");
  c.part = parts == 1 || (parts == 0 && has("trainer"));
  if (!c.part) model::check_complete(c.experiment, d);
  c.graph = model::make_layer_graph(c.experiment, d);
  c.settings = model::bind_settings(c.experiment, c.graph, d);
  if (c.part) {
    if (has("optimizer")) model::check_optimizer(c.experiment, d);
    return c;
  }
  model::LowerOptions lower;
  lower.batch = std::max<std::int64_t>(1, c.settings.mini_batch_size);
  lower.fields = model::make_data_fields(c.settings);
  if (!model::knows_data_fields(c.settings)) {
    if (d.has_errors()) return c;
    const model::ReaderSettings& r = c.settings.readers.front();
    d.warning("shapes-unknown", r.span,
              fmt::format("reader '{}' tells the dims of its samples only when its data are opened: no shape "
                          "was checked",
                          r.name),
              "lbann-train --dry-run opens them");
    return c;
  }
  model::apply_reader_sizes(c.experiment, lower.fields, d);
  c.lowered = model::lower_model(c.experiment, c.graph, lower, d);
  return c;
}

}  // namespace lbann::tools
