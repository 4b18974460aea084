// See bind_readers.hpp. Semantics: docs/compatibility.md; where LBANN's readers have defects, what the fields
// say.
#include "model/bind_readers.hpp"

#include <functional>
#include <map>
#include <optional>
#include <sstream>

#include "base/edit_distance.hpp"
#include "lbann.pb.h"
#include "model/paths.hpp"

namespace lbann::model {
namespace {

/// A list of positive numbers in one text; nothing when a word is none.
std::optional<std::vector<std::int64_t>> try_parse_dims(const std::string& text) {
  std::vector<std::int64_t> dims;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::int64_t d = 0;
    std::istringstream number(word);
    if (!(number >> d) || !number.eof() || d < 1) return std::nullopt;
    dims.push_back(d);
  }
  if (dims.empty()) return std::nullopt;
  return dims;
}

void bind_scale(SettingsBinder& b, const lbann_data::Reader& message, const std::string& path,
                ReaderSettings& r) {
  for (int i = 0; i < message.transforms_size(); ++i) {
    const lbann_data::Transform& t = message.transforms(i);
    const std::string at = fmt::format("{}.transforms[{}]", path, i);
    if (t.has_scale()) {
      r.scale *= static_cast<double>(t.scale().scale());
      continue;
    }
    const auto* kind =
        t.GetReflection()->GetOneofFieldDescriptor(t, t.GetDescriptor()->FindOneofByName("transform_type"));
    b.error("not-supported", b.value(at),
            fmt::format("transform '{}' is known to LBANN, not yet supported here",
                        kind == nullptr ? "" : kind->name()));
  }
}

void bind_mnist(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  b.check_fields(
      m, path,
      {"name", "role", "shuffle", "data_filedir", "data_filename", "label_filename", "validation_fraction",
       "tournament_fraction", "absolute_sample_count", "fraction_of_data_to_use", "first_n", "transforms"});
  r.kind = ReaderKind::mnist;
  r.directory = resolve_path(b.experiment().spans, path + ".data_filedir", m.data_filedir());
  r.image_file = m.data_filename();
  r.label_file = m.label_filename();
  for (const auto& [field, text] :
       {std::pair{"data_filename", &r.image_file}, std::pair{"label_filename", &r.label_file}}) {
    if (text->empty()) {
      b.missing(path, "missing-field", b.value(path), fmt::format("reader 'mnist' needs {}", field),
                "name the IDX file, e.g. \"train-images-idx3-ubyte\"");
    }
  }
  bind_scale(b, m, path, r);
}

/// Fields that every kind honours.
std::set<std::string> with_common(std::initializer_list<std::string> own) {
  std::set<std::string> fields{"name",
                               "role",
                               "shuffle",
                               "validation_fraction",
                               "tournament_fraction",
                               "absolute_sample_count",
                               "fraction_of_data_to_use"};
  fields.insert(own);
  return fields;
}

/// Folder and name of the one data file.
void bind_file(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r,
               const std::string& example) {
  r.directory = resolve_path(b.experiment().spans, path + ".data_filedir", m.data_filedir());
  r.image_file = m.data_filename();
  if (r.directory.empty())
    r.image_file = resolve_path(b.experiment().spans, path + ".data_filename", r.image_file);
  if (r.image_file.empty())
    b.missing(path, "missing-field", b.value(path), fmt::format("reader '{}' needs data_filename", m.name()),
              fmt::format("name the file, e.g. \"{}\"", example));
  if (m.num_labels() < 0)
    b.error("range", b.value(path + ".num_labels"),
            fmt::format("num_labels = {}, must not be negative", m.num_labels()));
  r.num_labels = m.num_labels();
}

/// enable_* wins over disable_*; nothing said leaves it to the kind.
TargetUse target_use(bool has_enable, bool enable, bool has_disable, bool disable) {
  if (has_enable) return enable ? TargetUse::yes : TargetUse::no;
  if (has_disable) return disable ? TargetUse::no : TargetUse::yes;
  return TargetUse::unsaid;
}

void bind_targets(const lbann_data::Reader& m, ReaderSettings& r) {
  r.labels = target_use(m.has_enable_labels(), m.enable_labels(), m.has_disable_labels(), m.disable_labels());
  r.responses = target_use(m.has_enable_responses(), m.enable_responses(), m.has_disable_responses(),
                           m.disable_responses());
}

void bind_numpy(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  b.check_fields(m, path,
                 with_common({"data_filedir", "data_filename", "num_labels", "disable_labels",
                              "disable_responses", "enable_labels", "enable_responses", "transforms"}));
  r.kind = ReaderKind::numpy;
  bind_file(b, m, path, r, "samples.npy");
  bind_targets(m, r);
  bind_scale(b, m, path, r);
  // The last entry of a row is one target. Who wants one does not want the other; who does not want one
  // wants the other; who says nothing has to.
  if (r.labels == TargetUse::unsaid && r.responses == TargetUse::unsaid) {
    b.missing(path, "labels-or-responses", b.value(path),
              "reader 'numpy' takes the last entry of a row for label or response: it must be said for which",
              "write disable_responses: true for labels, disable_labels: true for responses, both for none");
  } else if (r.labels == TargetUse::yes && r.responses == TargetUse::yes) {
    b.error("labels-or-responses", b.value(path),
            "reader 'numpy' cannot take the last entry of a row for label and response at once",
            "reader 'numpy_npz' has an array for each");
  }
  if (r.labels == TargetUse::unsaid)
    r.labels = r.responses == TargetUse::yes ? TargetUse::no : TargetUse::yes;
  if (r.responses == TargetUse::unsaid)
    r.responses = r.labels == TargetUse::yes ? TargetUse::no : TargetUse::yes;
}

void bind_numpy_npz(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path,
                    ReaderSettings& r) {
  b.check_fields(
      m, path,
      with_common({"data_filedir", "data_filename", "num_labels", "disable_labels", "disable_responses",
                   "enable_labels", "enable_responses", "scaling_factor_int16", "transforms"}));
  r.kind = ReaderKind::numpy_npz;
  bind_file(b, m, path, r, "data.npz");
  bind_targets(m, r);
  bind_scale(b, m, path, r);
  if (m.has_scaling_factor_int16()) r.int16_scale = static_cast<double>(m.scaling_factor_int16());
}

void bind_csv(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  b.check_fields(m, path,
                 with_common({"data_filedir", "data_filename", "num_labels", "separator", "skip_cols",
                              "skip_rows", "has_header", "label_col", "response_col", "disable_labels",
                              "disable_responses", "enable_labels", "enable_responses", "transforms"}));
  r.kind = ReaderKind::csv;
  bind_file(b, m, path, r, "table.csv");
  bind_targets(m, r);
  bind_scale(b, m, path, r);
  if (m.has_separator()) {
    const std::string& text = m.separator();
    if (text.size() == 1 && text != "\"" && text != "\n" && text != "\r") {
      r.separator = text[0];
    } else {
      b.error("separator", b.value(path + ".separator"),
              "separator is not one character that can separate cells", "write separator: \",\" or \"\\t\"");
    }
  }
  r.has_header = m.has_header();
  r.skip_rows = m.skip_rows();
  r.skip_columns = m.skip_cols();
  for (const auto& [field, n] : {std::pair{"skip_rows", r.skip_rows}, std::pair{"skip_cols", r.skip_columns}})
    if (n < 0)
      b.error("range", b.value(path + "." + field), fmt::format("{} = {}, must not be negative", field, n));
  // A column is a target when it is named, or asked for: then it is column 0, as everywhere a number is
  // unset.
  if (r.labels == TargetUse::yes || (r.labels == TargetUse::unsaid && m.has_label_col()))
    r.label_column = m.label_col();
  if (r.responses == TargetUse::yes || (r.responses == TargetUse::unsaid && m.has_response_col()))
    r.response_column = m.response_col();
  if (r.label_column && r.label_column == r.response_column)
    b.error("labels-or-responses", b.value(path),
            fmt::format("label_col and response_col are both {}", *r.label_column),
            "disable_labels: true or disable_responses: true");
}

void bind_python(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path, ReaderSettings& r) {
  b.check_fields(m, path, with_common({"python", "transforms"}));
  r.kind = ReaderKind::python;
  const lbann_data::PythonDataReader& p = m.python();
  r.module = p.module();
  r.module_directory = resolve_path(b.experiment().spans, path + ".python.module_dir", p.module_dir());
  if (!p.sample_function().empty()) r.sample_function = p.sample_function();
  if (!p.num_samples_function().empty()) r.num_samples_function = p.num_samples_function();
  if (!p.sample_dims_function().empty()) r.sample_dims_function = p.sample_dims_function();
  if (r.module.empty())
    b.missing(path, "missing-field", b.value(m.has_python() ? path + ".python" : path),
              "reader 'python' needs the name of a module",
              "write python { module: \"my_data\" module_dir: \".\" }");
  bind_scale(b, m, path, r);
}

void bind_python_dataset(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path,
                         ReaderSettings& r) {
  b.check_fields(m, path, with_common({"python_dataset", "transforms"}));
  const lbann_data::PythonDatasetReader& p = m.python_dataset();
  b.check_fields(p, path + ".python_dataset", {"dataset_path", "module_dir"}, {"prefetch_factor"});
  r.kind = ReaderKind::python;
  r.module_directory =
      resolve_path(b.experiment().spans, path + ".python_dataset.module_dir", p.module_dir());
  r.dataset_path =
      resolve_path(b.experiment().spans, path + ".python_dataset.dataset_path", p.dataset_path());
  if (r.dataset_path.empty())
    b.missing(path, "missing-field", b.value(m.has_python_dataset() ? path + ".python_dataset" : path),
              "reader 'python_dataset' needs the path of a pickled data set",
              "write python_dataset { dataset_path: \"data.pkl\" module_dir: \".\" }");
  bind_scale(b, m, path, r);
}

void bind_synthetic(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path,
                    ReaderSettings& r) {
  b.check_fields(m, path,
                 with_common({"num_samples", "synth_dimensions", "synth_response_dimensions", "num_labels",
                              "synth_vocabulary_size"}));
  r.kind = ReaderKind::synthetic;
  r.num_samples = m.num_samples();
  r.num_labels = m.num_labels();
  if (r.num_samples < 1) {
    b.missing(path, "missing-field", b.value(path + ".num_samples"),
              fmt::format("reader 'synthetic' has num_samples = {}, needs at least 1", r.num_samples));
  }
  if (m.has_synth_vocabulary_size()) {
    r.vocabulary_size = m.synth_vocabulary_size();
    if (r.vocabulary_size < 1 || r.vocabulary_size > (1 << 24))
      b.error("range", b.value(path + ".synth_vocabulary_size"),
              fmt::format("synth_vocabulary_size = {}, must be between 1 and {}", r.vocabulary_size, 1 << 24),
              "beyond that a float cannot count");
  }
  const auto dims = try_parse_dims(m.synth_dimensions());
  if (dims) {
    r.dims = *dims;
  } else {
    b.error("bad-dims", b.value(path + ".synth_dimensions"),
            fmt::format("synth_dimensions \"{}\" is no list of positive numbers", m.synth_dimensions()),
            "write e.g. synth_dimensions: \"1 28 28\"");
  }
  if (!m.synth_response_dimensions().empty()) {
    const auto response = try_parse_dims(m.synth_response_dimensions());
    if (response) {
      r.response_dims = *response;
    } else {
      b.error("bad-dims", b.value(path + ".synth_response_dimensions"),
              fmt::format("synth_response_dimensions \"{}\" is no list of positive numbers",
                          m.synth_response_dimensions()));
    }
  }
  if ((r.num_labels > 0) == !r.response_dims.empty()) {
    b.missing(path, "labels-or-responses", b.value(path),
              "reader 'synthetic' needs either num_labels or synth_response_dimensions");
  }
}

}  // namespace

bool bind_reader_kind(SettingsBinder& b, const lbann_data::Reader& m, const std::string& path,
                      ReaderSettings& r) {
  using Bind = void (*)(SettingsBinder&, const lbann_data::Reader&, const std::string&, ReaderSettings&);
  static const std::map<std::string, Bind> ours{{"csv", bind_csv},
                                                {"mnist", bind_mnist},
                                                {"numpy", bind_numpy},
                                                {"numpy_npz", bind_numpy_npz},
                                                {"python", bind_python},
                                                {"python_dataset", bind_python_dataset},
                                                {"synthetic", bind_synthetic}};
  static const std::set<std::string> known{"cifar10",
                                           "imagenet",
                                           "nci",
                                           "numpy_npz_conduit_reader",
                                           "numpy_npz_conduit",
                                           "hdf5_data_reader",
                                           "smiles_data_reader",
                                           "smiles",
                                           "node2vec",
                                           "jag_conduit",
                                           "jag_conduit_hdf5",
                                           "hdf5",
                                           "cosmoflow_hdf5",
                                           "merge_samples",
                                           "merge_features",
                                           "multi_conduit",
                                           "mesh",
                                           "pilot2_molecular_reader",
                                           "ras_lipid",
                                           "multihead_siamese",
                                           "moving_mnist"};
  const auto found = ours.find(m.name());
  if (found != ours.end()) {
    found->second(b, m, path, r);
    return true;
  }
  std::vector<std::string> names;
  std::string list;
  for (const auto& [name, bind] : ours) {
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  if (known.count(m.name()) > 0) {
    b.error("not-supported", b.value(path + ".name"),
            fmt::format("reader '{}' is known to LBANN, not yet supported here", m.name()),
            "readers here: " + list);
  } else {
    b.missing(m.name().empty() ? path : "", "unknown-reader", b.value(path + ".name"),
              fmt::format("unknown reader '{}'", m.name()), base::did_you_mean(m.name(), names));
  }
  return false;
}

}  // namespace lbann::model
