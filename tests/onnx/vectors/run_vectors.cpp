// ONNX's backend test vectors through the importer and our runtime: model.onnx, inputs and expected outputs
// made by NumPy (Debian: libonnx-testdata).
//
//   run_vectors PASSING.txt WORK_FOLDER SUITE_FOLDER...    (PASSING "-": print the list instead)
//
// Inputs enter the network; where that cannot be (a convolution's kernel, a shape) they are given as known,
// as models in practice have them: first the integers, then all but the first, then all. A vector passes when
// every output agrees within |ours - theirs| <= 1e-6 + 1e-5 |theirs|; with LBANN_VECTOR_TOLERANCE = t (whole
// networks) within t max(1, |theirs|). Every vector in PASSING must pass. LBANN_VECTOR_STRICT: nothing is
// known.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include <onnx/onnx_pb.h>

#include "model/experiment.hpp"
#include "onnx/import.hpp"
#include "onnx/import/constant.hpp"
#include "train/inference.hpp"

namespace lbann {
namespace {

namespace fs = std::filesystem;

struct Tensor {
  onnx::Dims dims;
  std::vector<double> values;
  bool integer = false;
  std::string bytes;
};

std::string read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Tensor read_tensor(const fs::path& path) {
  Tensor t;
  t.bytes = read_bytes(path);
  ::onnx::TensorProto proto;
  if (!proto.ParseFromString(t.bytes)) throw std::runtime_error(path.string() + " is no tensor");
  const onnx::Constant c("", onnx::TensorSource(proto, ""));
  t.dims = c.dims();
  t.values = c.reals();
  t.integer = onnx::is_integer(c.type());
  return t;
}

std::vector<Tensor> read_tensors(const fs::path& folder, const std::string& stem) {
  std::vector<Tensor> list;
  for (int i = 0;; ++i) {
    const fs::path path = folder / (stem + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return list;
    list.push_back(read_tensor(path));
  }
}

struct Case {
  std::string model;                // serialized
  std::vector<std::string> inputs;  // names, in order
  std::vector<Tensor> given, expected;
  std::size_t num_outputs = 0;
  std::string folder;
};

/// How far from b a result may be.
double allowance(double b) {
  static const char* const text = std::getenv("LBANN_VECTOR_TOLERANCE");
  return text == nullptr ? 1e-6 + 1e-5 * std::abs(b) : std::atof(text) * std::max(1.0, std::abs(b));
}

/// Empty: all outputs agree; else what does not.
std::string compare(const Case& c, const onnx::ImportedModel& m, std::int64_t batch,
                    std::map<std::string, std::vector<double>>& results) {
  for (std::size_t o = 0; o < c.expected.size(); ++o) {
    const Tensor& want = c.expected[o];
    const onnx::ImportedTensor& out = m.outputs.at(o);
    std::vector<double> got = results.at(out.layer);
    if (!out.batched) got.resize(got.size() / static_cast<std::size_t>(batch));
    if (got.size() != want.values.size()) return "an output of another size";
    onnx::Dims dims = out.dims;
    if (out.batched) dims.insert(dims.begin(), batch);
    const auto without_ones = [](onnx::Dims d) {
      std::erase(d, 1);
      return d;
    };
    if (without_ones(dims) != without_ones(want.dims)) return "an output of other dims";
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double a = got[i], b = want.values[i];
      if (std::isnan(a) && std::isnan(b)) continue;
      if (a == b || std::abs(a - b) <= allowance(b)) continue;
      return "output " + std::to_string(o) + " differs at " + std::to_string(i) + ": " + std::to_string(a) +
             ", expected " + std::to_string(b);
    }
  }
  return "";
}

struct Outcome {
  bool imported = false;
  std::string problem;
};

Outcome run_once(const Case& c, const std::set<std::size_t>& known, onnx::BatchAxis axis,
                 const fs::path& work) {
  onnx::ImportOptions options;
  options.batch = axis;
  const fs::path weights = work / "weights";
  options.weights_folder = weights.string();
  for (const std::size_t i : known) {
    if (i < c.given.size()) options.known_inputs[c.inputs[i]] = c.given[i].bytes;
  }
  base::Diagnostics d;
  onnx::ImportedModel m = onnx::import_bytes(c.model, "model", c.folder, options, d);
  if (d.has_errors()) return {false, d.all().front().message};
  fs::remove_all(weights);
  fs::create_directories(weights);
  m.write_weights(weights.string());
  std::vector<const Tensor*> fed;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (known.count(i) == 0 && i < c.given.size()) fed.push_back(&c.given[i]);
  }
  if (fed.size() != m.inputs.size()) return {false, "inputs of another number"};
  std::int64_t batch = 1;
  for (std::size_t i = 0; i < fed.size(); ++i) {
    if (!m.inputs[i].batched) continue;
    if (i > 0 && fed[i]->dims[0] != batch) return {false, "inputs of different mini-batches"};
    batch = fed[i]->dims[0];
  }
  // A symbolic extent reads as 1 where axis 0 is no mini-batch.
  std::int64_t total = 0;
  for (const Tensor* t : fed) total += static_cast<std::int64_t>(t->values.size());
  if (!m.inputs.empty() && total != batch * tensor::Shape(m.sample_dims).num_elements()) {
    return {false, "inputs of other dims than the model's"};
  }
  std::vector<float> samples;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::size_t i = 0; i < fed.size(); ++i) {
      const auto size = static_cast<std::int64_t>(fed[i]->values.size()) / (m.inputs[i].batched ? batch : 1);
      const auto first = fed[i]->values.begin() + (m.inputs[i].batched ? n * size : 0);
      for (auto v = first; v != first + size; ++v) samples.push_back(static_cast<float>(*v));
    }
  }
  model::Experiment experiment;
  model::parse_experiment((work / "model.prototext").string(), m.text, experiment, d);
  const model::LayerGraph graph = model::make_layer_graph(experiment, d);
  if (d.has_errors()) return {true, d.render()};
  train::InferenceOptions run;
  run.batch = batch;
  if (!m.inputs.empty()) run.sample_dims = tensor::Shape(m.sample_dims);
  for (const auto& o : m.outputs) run.outputs.push_back(o.layer);
  train::Inference inference(experiment, graph, run);
  std::map<std::string, std::vector<double>> results = inference.run(samples);
  return {true, compare(c, m, batch, results)};
}

/// "" or why not; `how`: which inputs were known.
std::string run_case(const fs::path& folder, const fs::path& work, std::string& how) {
  Case c;
  c.folder = folder.string();
  c.model = read_bytes(folder / "model.onnx");
  ::onnx::ModelProto model;
  if (!model.ParseFromString(c.model)) return "the model cannot be read";
  std::set<std::string> initializers;
  for (const auto& t : model.graph().initializer()) initializers.insert(t.name());
  for (const auto& i : model.graph().input()) {
    if (initializers.count(i.name()) == 0) c.inputs.push_back(i.name());
  }
  const fs::path data = folder / "test_data_set_0";
  c.given = read_tensors(data, "input_");
  c.expected = read_tensors(data, "output_");
  if (c.expected.empty()) return "no expected outputs";
  std::set<std::size_t> integers, rest, all;
  for (std::size_t i = 0; i < c.given.size(); ++i) {
    if (c.given[i].integer) integers.insert(i);
    if (i > 0) rest.insert(i);
    all.insert(i);
  }
  const std::pair<const char*, std::set<std::size_t>> attempts[] = {
      {"", {}},
      {" (integers known)", integers},
      {" (all but the first input known)", rest},
      {" (all known)", all}};
  std::string first;
  const bool strict = std::getenv("LBANN_VECTOR_STRICT") != nullptr;  // nothing may be known
  for (const auto& [text, known] : attempts) {
    if (strict && !known.empty()) break;
    for (const onnx::BatchAxis axis : {onnx::BatchAxis::first, onnx::BatchAxis::none}) {
      const Outcome o = run_once(c, known, axis, work);
      if (o.imported && o.problem.empty()) {
        how = text;
        return "";
      }
      if (first.empty() || (o.imported && !first.starts_with("imported"))) {
        first = (o.imported ? "imported: " : "") + o.problem;
      }
    }
  }
  return first;
}

}  // namespace

int run_main(int argc, char** argv);

int run_main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string passing = argv[1];
  const fs::path work = argv[2];
  fs::create_directories(work);
  std::set<std::string> wanted, passed, seen;
  if (passing != "-") {
    std::ifstream in(passing);
    for (std::string line; std::getline(in, line);) {
      if (!line.empty() && line[0] != '#') wanted.insert(line);
    }
  }
  for (int a = 3; a < argc; ++a) {
    if (fs::is_directory(argv[a])) continue;
    std::printf("skipped: no folder %s\n", argv[a]);
    return 77;
  }
  int count = 0, failures = 0;
  for (int a = 3; a < argc; ++a) {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(argv[a])) folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    const std::string suite = fs::path(argv[a]).filename().string();
    for (const fs::path& folder : folders) {
      if (!fs::exists(folder / "model.onnx")) continue;
      const std::string name = suite + "/" + folder.filename().string();
      ++count;
      seen.insert(name);
      std::string how, problem;
      try {
        problem = run_case(folder, work, how);
      } catch (const std::exception& e) {
        problem = std::string("exception: ") + e.what();
      }
      std::fflush(stdout);
      if (problem.empty()) {
        passed.insert(name);
        std::printf("pass %s%s\n", name.c_str(), how.c_str());
      } else {
        std::printf("%s %s: %s\n", wanted.count(name) > 0 ? "FAIL" : "no  ", name.c_str(),
                    problem.substr(0, 300).c_str());
        failures += wanted.count(name) > 0 ? 1 : 0;
      }
    }
  }
  for (const std::string& name : wanted) {
    if (seen.count(name) > 0) continue;
    std::printf("FAIL %s: is not there\n", name.c_str());
    ++failures;
  }
  std::printf("%zu of %d vectors pass, %zu must\n", passed.size(), count, wanted.size());
  fs::remove_all(work);
  return failures == 0 ? 0 : 1;
}

}  // namespace lbann

int main(int argc, char** argv) { return lbann::run_main(argc, argv); }
