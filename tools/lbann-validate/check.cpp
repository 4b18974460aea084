// See check.hpp.
#include "lbann-validate/check.hpp"

#include <fmt/format.h>

namespace lbann::tools {

Checked check_experiment(const ValidateOptions& o, base::Diagnostics& d) {
  model::Experiment experiment = model::load_experiment(o.experiment.merge_order(), o.experiment.sets, d);
  if (o.mini_batch_size)
    model::apply_override(fmt::format("trainer.mini_batch_size={}", *o.mini_batch_size), experiment, d);
  model::CheckOptions check;
  check.recompute_layers = o.planning.recompute_layers;
  check.allow_part = true;
  Checked c = model::check_experiment(std::move(experiment), check, d);
  if (!c.knows_fields && !d.has_errors()) {
    const model::ReaderSettings& r = c.settings.readers.front();
    d.warning("shapes-unknown", r.span,
              fmt::format("reader '{}' tells the dims of its samples only when its data are opened: no shape "
                          "was checked",
                          r.name),
              "lbann-train --dry-run opens them");
  }
  return c;
}

}  // namespace lbann::tools
