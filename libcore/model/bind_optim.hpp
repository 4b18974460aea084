// From the messages of optimizers, initializers and schedules to the plain structs of optim/.
// `path` is the message's place in the experiment ("optimizer", "model.weights[2].initializer").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/span_table.hpp"
#include "optim/initializer.hpp"
#include "optim/optimizer.hpp"
#include "optim/schedule.hpp"

namespace lbann_data {
class Optimizer;
class Initializer;
class Callback;
}  // namespace lbann_data

namespace lbann::model {

/// Kind `none` for no_optimizer and for an empty message. Warns where an absent value, which counts as 0,
/// cannot be meant (Adam without betas and eps). Nothing on errors.
std::optional<optim::OptimizerConfig> bind_optimizer(const lbann_data::Optimizer& message,
                                                     const std::string& path, const SpanTable& spans,
                                                     base::Diagnostics& diagnostics);

/// An empty message means zeros. Nothing on errors.
std::optional<optim::InitializerConfig> bind_initializer(const lbann_data::Initializer& message,
                                                         const std::string& path, const SpanTable& spans,
                                                         base::Diagnostics& diagnostics);

/// A schedule of the learning rate and the weights it is for (empty: all).
struct BoundSchedule {
  optim::Schedule schedule;
  std::vector<std::string> weights;
};
/// Nothing when the callback is no schedule known here, or on errors. A poly
/// schedule without max_iter ends after its num_epochs times `steps_per_epoch` steps.
std::optional<BoundSchedule> bind_schedule(const lbann_data::Callback& message, const std::string& path,
                                           std::int64_t steps_per_epoch, const SpanTable& spans,
                                           base::Diagnostics& diagnostics);

/// Adds a finding with its place: the field below `path`, else `path` itself.
void report(const optim::Finding& finding, const std::string& path, const SpanTable& spans,
            base::Diagnostics& diagnostics, const std::string& subject = {});

}  // namespace lbann::model
