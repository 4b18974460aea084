// See bind_optim.hpp.
#include "model/bind_optim.hpp"

#include <fmt/format.h>

#include <limits>
#include <sstream>

#include "callbacks.pb.h"
#include "model/paths.hpp"
#include "optimizers.pb.h"
#include "weights.pb.h"

namespace lbann::model {
namespace {

using optim::InitializerConfig;
using optim::InitializerKind;
using optim::OptimizerConfig;
using optim::OptimizerKind;

/// Collects what nobody wrote although its zero hardly is what they want.
struct AbsentFields {
  std::string kind, path;
  const SpanTable& spans;
  base::Diagnostics& diagnostics;

  void warn(bool present, std::string_view field, std::string_view consequence,
            std::string_view usual) const {
    if (present) return;
    diagnostics.warning("absent-is-zero", spans.span(path),
                        fmt::format("{}: {} is absent, which means 0: {}", kind, field, consequence),
                        fmt::format("{}: {} is usual", field, usual));
  }
};

constexpr std::string_view divides = "entries whose gradients were always 0 become 0/0";

std::int64_t to_signed(std::uint64_t v) {
  constexpr auto top = std::numeric_limits<std::int64_t>::max();
  return v > static_cast<std::uint64_t>(top) ? top : static_cast<std::int64_t>(v);
}

OptimizerConfig read_optimizer(const lbann_data::Optimizer& m, const AbsentFields& absent) {
  OptimizerConfig c;
  const auto rate = [&](bool present, double value) {
    absent.warn(present, "learn_rate", "nothing is learned", "0.001 to 0.1");
    c.learn_rate = value;
  };
  switch (m.optimizer_type_case()) {
    case lbann_data::Optimizer::kSgd:
      c.kind = OptimizerKind::sgd;
      rate(m.sgd().has_learn_rate(), m.sgd().learn_rate());
      c.momentum = m.sgd().momentum();
      c.nesterov = m.sgd().nesterov();
      break;
    case lbann_data::Optimizer::kAdagrad:
      c.kind = OptimizerKind::adagrad;
      rate(m.adagrad().has_learn_rate(), m.adagrad().learn_rate());
      absent.warn(m.adagrad().has_eps(), "eps", divides, "1e-8");
      c.eps = m.adagrad().eps();
      break;
    case lbann_data::Optimizer::kRmsprop:
      c.kind = OptimizerKind::rmsprop;
      rate(m.rmsprop().has_learn_rate(), m.rmsprop().learn_rate());
      absent.warn(m.rmsprop().has_eps(), "eps", divides, "1e-8");
      c.decay_rate = m.rmsprop().decay_rate();
      c.eps = m.rmsprop().eps();
      break;
    case lbann_data::Optimizer::kAdam:
      c.kind = OptimizerKind::adam;
      rate(m.adam().has_learn_rate(), m.adam().learn_rate());
      absent.warn(m.adam().has_beta1(), "beta1", "no memory of earlier gradients", "0.9");
      absent.warn(m.adam().has_beta2(), "beta2", "every step has the size of the learning rate",
                  "0.99 or 0.999");
      absent.warn(m.adam().has_eps(), "eps", divides, "1e-8");
      c.beta1 = m.adam().beta1();
      c.beta2 = m.adam().beta2();
      c.eps = m.adam().eps();
      c.weight_decay = m.adam().adamw_weight_decay();
      break;
    default:
      break;
  }
  return c;
}

InitializerConfig read_initializer(const lbann_data::Initializer& m, const std::string& path,
                                   const SpanTable& spans) {
  InitializerConfig c;
  const auto plain = [&c](InitializerKind kind) { c.kind = kind; };
  switch (m.initializer_type_case()) {
    case lbann_data::Initializer::kConstantInitializer:
      c.value = m.constant_initializer().value();
      break;
    case lbann_data::Initializer::kValueInitializer: {
      const auto& list = m.value_initializer();
      c.kind = InitializerKind::value_list;
      c.values.assign(list.values().begin(), list.values().end());
      if (c.values.empty()) c.values.assign(list.values_d().begin(), list.values_d().end());
      break;
    }
    case lbann_data::Initializer::kNumpyInitializer:
      c.kind = InitializerKind::numpy;
      c.file = resolve_path(spans, path + ".numpy_initializer.file", m.numpy_initializer().file());
      break;
    case lbann_data::Initializer::kUniformInitializer:
      c.kind = InitializerKind::uniform;
      c.min = m.uniform_initializer().min();
      c.max = m.uniform_initializer().max();
      break;
    case lbann_data::Initializer::kNormalInitializer:
      c.kind = InitializerKind::normal;
      c.mean = m.normal_initializer().mean();
      c.deviation = m.normal_initializer().standard_deviation();
      break;
    case lbann_data::Initializer::kGlorotNormalInitializer:
      plain(InitializerKind::glorot_normal);
      break;
    case lbann_data::Initializer::kGlorotUniformInitializer:
      plain(InitializerKind::glorot_uniform);
      break;
    case lbann_data::Initializer::kHeNormalInitializer:
      plain(InitializerKind::he_normal);
      break;
    case lbann_data::Initializer::kHeUniformInitializer:
      plain(InitializerKind::he_uniform);
      break;
    case lbann_data::Initializer::kLecunNormalInitializer:
      plain(InitializerKind::lecun_normal);
      break;
    case lbann_data::Initializer::kLecunUniformInitializer:
      plain(InitializerKind::lecun_uniform);
      break;
    case lbann_data::Initializer::INITIALIZER_TYPE_NOT_SET:
      break;
  }
  return c;
}

struct ReadSchedule {
  optim::Schedule schedule;
  std::string field, weights;
};

std::optional<ReadSchedule> try_read_schedule(const lbann_data::Callback& m, std::int64_t steps_per_epoch) {
  switch (m.callback_type_case()) {
    case lbann_data::Callback::kStepLearningRate: {
      const auto& p = m.step_learning_rate();
      return ReadSchedule{optim::StepSchedule{p.step(), p.amt()}, "step_learning_rate", p.weights()};
    }
    case lbann_data::Callback::kSetLearningRate: {
      const auto& p = m.set_learning_rate();
      return ReadSchedule{optim::SetSchedule{p.step(), p.val()}, "set_learning_rate", p.weights()};
    }
    case lbann_data::Callback::kDropFixedLearningRate: {
      const auto& p = m.drop_fixed_learning_rate();
      return ReadSchedule{optim::DropFixedSchedule{{p.drop_epoch().begin(), p.drop_epoch().end()}, p.amt()},
                          "drop_fixed_learning_rate", p.weights()};
    }
    case lbann_data::Callback::kLinearGrowthLearningRate: {
      const auto& p = m.linear_growth_learning_rate();
      return ReadSchedule{optim::LinearGrowthSchedule{p.target(), p.num_epochs(), p.delay()},
                          "linear_growth_learning_rate", p.weights()};
    }
    case lbann_data::Callback::kPolyLearningRate: {
      const auto& p = m.poly_learning_rate();
      std::int64_t end = to_signed(p.max_iter());
      if (end == 0 && steps_per_epoch > 0) {
        const std::int64_t epochs = to_signed(p.num_epochs());
        const bool fits = epochs < std::numeric_limits<std::int64_t>::max() / steps_per_epoch;
        end = fits ? epochs * steps_per_epoch : std::numeric_limits<std::int64_t>::max();
      }
      return ReadSchedule{optim::PolySchedule{p.power(), end, p.end_lr()}, "poly_learning_rate", p.weights()};
    }
    case lbann_data::Callback::kCosineDecayLearningRate: {
      const auto& p = m.cosine_decay_learning_rate();
      return ReadSchedule{
          optim::CosineSchedule{p.lr_max(), p.lr_min(), to_signed(p.decay_steps()),
                                p.initial_warmup_learning_rate(), to_signed(p.warmup_steps())},
          "cosine_decay_learning_rate", p.weights()};
    }
    case lbann_data::Callback::kAdaptiveLearningRate: {
      const auto& p = m.adaptive_learning_rate();
      return ReadSchedule{optim::AdaptiveSchedule{p.patience(), p.amt()}, "adaptive_learning_rate",
                          p.weights()};
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

void report(const optim::Finding& finding, const std::string& path, const SpanTable& spans,
            base::Diagnostics& diagnostics, const std::string& subject) {
  base::Diagnostic d;
  d.id = finding.id;
  d.message = subject.empty() ? finding.message : subject + ": " + finding.message;
  d.span = spans.span(finding.field.empty() ? path : path + "." + finding.field);
  d.help = finding.help;
  d.code = finding.code;
  diagnostics.add(std::move(d));
}

std::optional<OptimizerConfig> bind_optimizer(const lbann_data::Optimizer& message, const std::string& path,
                                              const SpanTable& spans, base::Diagnostics& diagnostics) {
  if (message.has_hypergradient_adam()) {
    diagnostics.error("not-supported", spans.span(path + ".hypergradient_adam"),
                      "optimizer 'hypergradient_adam' is known to LBANN, not yet supported here");
    return std::nullopt;
  }
  const auto* kind = message.GetDescriptor()->FindOneofByName("optimizer_type");
  const auto* set = message.GetReflection()->GetOneofFieldDescriptor(message, kind);
  const std::string name = set == nullptr ? "no_optimizer" : set->name();
  const std::string inside = set == nullptr ? path : path + "." + name;
  const OptimizerConfig config = read_optimizer(message, {name, inside, spans, diagnostics});
  const auto findings = optim::check_optimizer(config);
  for (const optim::Finding& f : findings) report(f, inside, spans, diagnostics, name);
  if (!findings.empty()) return std::nullopt;
  return config;
}

std::optional<InitializerConfig> bind_initializer(const lbann_data::Initializer& message,
                                                  const std::string& path, const SpanTable& spans,
                                                  base::Diagnostics& diagnostics) {
  const auto& list = message.value_initializer();
  if (list.values_size() > 0 && list.values_d_size() > 0) {
    diagnostics.error(
        "list-length", spans.span(path + ".value_initializer"),
        fmt::format("value_initializer has {} values and {} values_d, only one of the lists may be given",
                    list.values_size(), list.values_d_size()));
    return std::nullopt;
  }
  return read_initializer(message, path, spans);
}

std::optional<BoundSchedule> bind_schedule(const lbann_data::Callback& message, const std::string& path,
                                           std::int64_t steps_per_epoch, const SpanTable& spans,
                                           base::Diagnostics& diagnostics) {
  const auto read = try_read_schedule(message, steps_per_epoch);
  if (!read) return std::nullopt;
  const auto findings = optim::check_schedule(read->schedule);
  for (const optim::Finding& f : findings)
    report(f, path + "." + read->field, spans, diagnostics, read->field);
  if (!findings.empty()) return std::nullopt;
  BoundSchedule bound{read->schedule, {}};
  std::istringstream words(read->weights);
  for (std::string w; words >> w;) bound.weights.push_back(w);
  return bound;
}

}  // namespace lbann::model
