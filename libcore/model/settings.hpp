// What the experiment says beside its layers: how long to train, on which data, what to report.
// Plain structs, so that nobody below needs the schema.
//
// Everything a user can write is either honoured, or named as having no effect, or refused with its
// place as not supported yet; nothing is ignored in silence.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/bind_optim.hpp"
#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "model/lower.hpp"
#include "passes/memory_plan.hpp"

namespace lbann::model {

enum class ReaderKind { mnist, synthetic, numpy, numpy_npz, csv, python };
/// Whether a reader shall serve labels or responses.
enum class TargetUse { unsaid, no, yes };

struct ReaderSettings {
  ReaderKind kind = ReaderKind::mnist;
  std::string name;  // "mnist": also the name of its random stream
  std::string role;  // "train", "validate", "test", "tournament"
  bool shuffle = false;
  std::string directory;               // resolved against the file that names it
  std::string image_file, label_file;  // image_file: the data file of the other kinds
  double scale = 1;                    // product of the scale transforms
  double fraction_of_data_to_use = 0;
  std::int64_t absolute_sample_count = 0;
  double validation_fraction = 0, tournament_fraction = 0;
  std::int64_t first_n = 0;
  std::int64_t num_labels = 10;
  std::int64_t num_samples = 0;             // synthetic
  std::vector<std::int64_t> dims;           // synthetic: of one sample
  std::vector<std::int64_t> response_dims;  // synthetic regression
  std::int64_t vocabulary_size = 0;         // synthetic: > 0: samples are whole numbers below it
  TargetUse labels = TargetUse::unsaid, responses = TargetUse::unsaid;  // numpy, numpy_npz, csv
  double int16_scale = 1;                                               // numpy_npz
  char separator = ',';                                                 // csv, as the next five
  bool has_header = false;
  std::int64_t skip_rows = 0, skip_columns = 0;
  std::optional<std::int64_t> label_column, response_column;
  std::string module, sample_function = "sample", num_samples_function = "num_samples",
                      sample_dims_function = "sample_dims", module_directory;  // python
  std::string dataset_path;  // python_dataset, of kind python
  base::SourceSpan span{};
};

enum class CallbackKind {
  print,
  timer,
  progress_bar,
  checkpoint,
  check_gradients,
  check_metric,
  check_nan,
  dump_weights,
  early_stopping,
  load_model,
  save_model
};

/// Each kind uses the members that its message has.
struct CallbackSettings {
  CallbackKind kind = CallbackKind::print;
  std::int64_t skip_steps = 0;      // timer
  std::string directory{};          // of files read or written; load_model: several, separated by blanks
  std::string restart_directory{};  // checkpoint
  std::int64_t every_epochs = 0, every_steps = 0;
  double every_seconds = 0;
  std::int64_t patience = 0;  // early_stopping
  std::string metric{};       // check_metric
  double lower_bound = 0, upper_bound = 0;
  double step_size = 0;  // check_gradients; 0: chosen from the objective
  bool verbose = false, error_on_failure = false;
  std::set<std::string> modes{};  // "training", "validation", "test", ...; empty: all
  base::SourceSpan span{};
};

/// The callback progress_bar; it has a say only where a bar is shown.
struct ProgressSettings {
  std::int64_t newline_interval = 0;
  std::int64_t moving_average_length = 10;
  std::int64_t bar_width = 30;
  bool scientific_notation = false;
};

struct TrainingSettings {
  std::string model = "model0";
  std::int64_t mini_batch_size = 0;
  std::int64_t num_epochs = 0;
  std::int64_t max_steps = -1;    // training steps of the whole run; -1: no limit
  double max_seconds = -1;        // of training; -1: no limit
  std::int64_t random_seed = -1;  // -1: not given
  std::vector<ReaderSettings> readers;
  std::vector<CallbackSettings> callbacks;  // in the order written
  std::optional<ProgressSettings> progress_bar;
  std::vector<int> schedules;  // callbacks of the graph that are learning-rate schedules
};

/// Reports every independent error. The result is usable only when there are none.
TrainingSettings bind_settings(const Experiment& experiment, const LayerGraph& graph,
                               base::Diagnostics& diagnostics);

/// Mini-batches that are in memory per role: one in use, the others being read.
inline constexpr int prefetch_depth = 2;

/// Bytes of the mini-batches read ahead for all roles of the settings. Exact for the training data (unless
/// they are fewer than one mini-batch); a validation part smaller than a mini-batch holds less.
passes::PipelineMemory pipeline_memory(const TrainingSettings& settings);

/// The fields a reader of these settings delivers, as far as settings and headers of files tell; `mnist`
/// means 28 x 28 images, which the files must confirm. Empty: only opening the data can tell (csv, python,
/// labels without num_labels, files that are not there).
std::vector<DataField> make_data_fields(const TrainingSettings& settings);
/// False: there are readers, and make_data_fields cannot tell. Shapes are then checked when training starts.
bool knows_data_fields(const TrainingSettings& settings);

}  // namespace lbann::model
