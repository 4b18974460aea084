// Settings to callbacks.
#include "train/callbacks/callbacks.hpp"
#include "train/trainer.hpp"

namespace lbann::train {

std::unique_ptr<Callback> try_make_callback(const model::CallbackSettings& s, Speaker who, Trainer& trainer) {
  switch (s.kind) {
    case model::CallbackKind::early_stopping:
      return make_early_stopping_callback(std::move(who), s.patience);
    case model::CallbackKind::check_metric:
      return make_check_metric_callback(s);
    case model::CallbackKind::check_gradients:
      return make_check_gradients_callback(s, trainer);
    case model::CallbackKind::dump_weights:
      return make_dump_weights_callback(s, trainer);
    case model::CallbackKind::save_model:
      return make_save_model_callback(s, std::move(who), trainer);
    case model::CallbackKind::load_model:
      return make_load_model_callback(s, trainer);
    case model::CallbackKind::print:
    case model::CallbackKind::timer:
    case model::CallbackKind::progress_bar:
    case model::CallbackKind::checkpoint:
    case model::CallbackKind::check_nan:
      break;
  }
  return nullptr;
}

}  // namespace lbann::train
