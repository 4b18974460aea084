// check_gradients: runs train/gradient_check and prints its findings in LBANN's words.
#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"
#include "train/gradient_check.hpp"

namespace lbann::train {
namespace {

std::string rule() { return std::string(64, '-') + '\n'; }

std::string entry_text(const GradientCheck::Entry& e) {
  return fmt::format(
      "  {}{}, entry ({},{})\n"
      "    Weight              = {}\n"
      "    Analytical gradient = {}\n"
      "    Numerical gradient  = {}\n"
      "    Error               = {}\n"
      "    Relative error      = {}\n",
      e.failed ? "GRADIENT ERROR: " : "", e.weights, e.row, e.column, console_number(e.weight),
      console_number(e.analytic), console_number(e.numeric), console_number(e.error()),
      console_number(e.relative_error()));
}

class CheckGradients final : public Callback {
public:
  CheckGradients(const model::CallbackSettings& settings, Trainer& trainer)
    : s_(settings), trainer_(trainer) {}

  void on_evaluation_end(const RunInfo&, const EpochInfo& info) override { check(info.mode); }
  void on_train_end(const RunInfo&) override { check(DataMode::training); }

private:
  void check(DataMode mode) const {
    if (!s_.modes.empty() && s_.modes.count(std::string(to_string(mode))) == 0) return;
    const GradientCheck r = check_gradients(trainer_, mode, s_.step_size, s_.error_on_failure);
    std::string text = rule() + "Gradient checking...\n";
    text += fmt::format("  Objective function value = {}\n", console_number(r.objective));
    text += fmt::format("  Step size                = {}\n", console_number(r.step_size));
    text += fmt::format("  Expected gradient error  = {}\n", console_number(r.allowed_error));
    std::string weights;
    for (const GradientCheck::Entry& e : r.entries) {
      if (e.weights != weights) text += fmt::format("Checking {}\n", weights = e.weights);
      if (e.failed || s_.verbose) text += entry_text(e);
    }
    base::log().data(text + rule());
    if (r.num_failures > 0 && s_.error_on_failure) {
      const GradientCheck::Entry& e = r.entries.back();
      throw base::Error(
          base::ExitCode::check_failed,
          fmt::format("callback \"check_gradients\" found a gradient error in weights \"{}\", entry "
                      "({},{}): analytical {}, numerical {}",
                      e.weights, e.row, e.column, console_number(e.analytic), console_number(e.numeric)));
    }
  }

  model::CallbackSettings s_;
  Trainer& trainer_;
};

}  // namespace

std::unique_ptr<Callback> make_check_gradients_callback(const model::CallbackSettings& settings,
                                                        Trainer& trainer) {
  return std::make_unique<CheckGradients>(settings, trainer);
}

}  // namespace lbann::train
