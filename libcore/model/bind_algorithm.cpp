// See bind_algorithm.hpp. LBANN ignores the option --num_epochs where there is a training algorithm;
// here it counts (docs/compatibility.md).
#include "model/bind_algorithm.hpp"

#include <cmath>
#include <limits>

#include <google/protobuf/any.pb.h>

#include <fmt/format.h>

#include "lbann.pb.h"

namespace lbann::model {
namespace {

const std::string at = "trainer.training_algorithm";
const std::string criteria = at + ".parameters.stopping_criteria";
constexpr std::int64_t unlimited = std::numeric_limits<std::int32_t>::max();

bool holds_sgd(const lbann_data::LbannPB& pb) {
  return pb.has_trainer() && pb.trainer().has_training_algorithm() &&
         pb.trainer().training_algorithm().parameters().Is<lbann_data::SGD>();
}

void bind_sgd(SettingsBinder& b, const lbann_data::SGD& sgd, TrainingSettings& s) {
  using Criteria = lbann_data::SGD::TerminationCriteria;
  b.check_fields(sgd, at + ".parameters", {"stopping_criteria", "suppress_timer_output"});
  const Criteria& c = sgd.stopping_criteria();
  const auto limit = [&](const char* field, std::uint64_t n) {
    if (n <= static_cast<std::uint64_t>(unlimited)) return static_cast<std::int64_t>(n);
    b.error("range", b.value(criteria + "." + field),
            fmt::format("{} = {}, must be at most {}", field, n, unlimited));
    return std::int64_t{0};
  };
  switch (c.criterion_case()) {
    case Criteria::kMaxEpochs:
      s.num_epochs = limit("max_epochs", c.max_epochs());
      return;
    case Criteria::kMaxBatches:
      s.num_epochs = unlimited;
      s.max_steps = limit("max_batches", c.max_batches());
      return;
    case Criteria::kMaxSeconds:
      s.num_epochs = unlimited;
      s.max_seconds = c.max_seconds();
      if (!(s.max_seconds >= 0))
        b.error("range", b.value(criteria + ".max_seconds"),
                fmt::format("max_seconds = {}, must not be negative", s.max_seconds));
      return;
    case Criteria::CRITERION_NOT_SET:
      b.missing(at, "missing-field", b.value(at), "the training algorithm has no stopping criterion",
                "write stopping_criteria { max_epochs: 10 }");
  }
}

}  // namespace

void bind_algorithm(SettingsBinder& b, TrainingSettings& s) {
  const lbann_data::LbannPB& pb = *b.experiment().proto;
  if (pb.has_training_algorithm())
    b.diagnostics().warning("no-effect", b.experiment().spans.name_span("training_algorithm"),
                            "section 'training_algorithm' has no effect", "write it into trainer { ... }");
  if (!pb.has_trainer() || !pb.trainer().has_training_algorithm()) return;
  const auto& algorithm = pb.trainer().training_algorithm();
  b.check_fields(algorithm, at, {"name", "parameters"});
  const std::string& url = algorithm.parameters().type_url();
  const std::string type = url.substr(url.rfind('.') + 1);
  if (!algorithm.has_parameters() || url.empty())
    return b.missing(at, "missing-field", b.value(at), "the training algorithm has no parameters",
                     "write parameters { [type.googleapis.com/lbann_data.SGD] { ... } }");
  if (!holds_sgd(pb))
    return b.error("not-supported", b.value(at + ".parameters"),
                   fmt::format("training algorithm '{}' is known to LBANN, not yet supported here", type),
                   "training algorithms here: SGD");
  lbann_data::SGD sgd;
  if (algorithm.parameters().UnpackTo(&sgd)) bind_sgd(b, sgd, s);
}

void apply_num_epochs(std::int64_t num_epochs, Experiment& experiment, base::Diagnostics& diagnostics) {
  const std::string path = holds_sgd(*experiment.proto) ? criteria + ".max_epochs" : "model.num_epochs";
  apply_override(fmt::format("{}={}", path, num_epochs), experiment, diagnostics);
}

}  // namespace lbann::model
