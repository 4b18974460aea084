// Defaults: the value of every field nobody writes, against a table drawn from the facts about LBANN
// (field_defaults.tsv); against the schema's comments; and in what the layers do with it.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <boost/test/unit_test.hpp>

#include "base/files.hpp"
#include "graph/printer.hpp"
#include "lbann.pb.h"
#include "lower_fixture.hpp"
#include "model/field_defaults.hpp"
#include "model/layer_graph.hpp"
#include "model/schema_docs.hpp"

using namespace lbann;
using namespace lbann::model;
namespace pb = google::protobuf;
namespace fs = std::filesystem;

namespace {

// Fields in the table at the last change of it.
constexpr int num_fields = 815;

const pb::FieldDescriptor* find_field(const std::string& message, const std::string& field) {
  const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName("lbann_data." + message);
  return type == nullptr ? nullptr : type->FindFieldByName(field);
}

std::string unquoted(std::string text) {
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

/// Equal as numbers where both are numbers, else as texts.
bool same_value(const std::string& a, const std::string& b) {
  char* end_a = nullptr;
  char* end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a);
  const double y = std::strtod(b.c_str(), &end_b);
  const bool numbers = !a.empty() && !b.empty() && *end_a == 0 && *end_b == 0;
  return numbers ? x == y : unquoted(a) == unquoted(b);
}

/// What the field holds in the message after defaults are filled in, as text; "-" when it stays absent.
std::string value_of(const pb::Message& message, const pb::FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  std::string text;
  if (field.is_repeated()) {
    if (reflection.FieldSize(message, &field) != 1) return "-";
    pb::TextFormat::PrintFieldValueToString(message, &field, 0, &text);
    return text;
  }
  if (field.cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) {
    pb::TextFormat::PrintFieldValueToString(message, &field, -1, &text);
    return text;
  }
  if (!reflection.HasField(message, &field)) return "-";
  const pb::Message& wrapper = reflection.GetMessage(message, &field);
  pb::TextFormat::PrintFieldValueToString(wrapper, wrapper.GetDescriptor()->field(0), -1, &text);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_empty_message_resolves_to_the_defaults_of_the_table) {
  std::ifstream file(LBANN_SOURCE_DIR "/tests/model/field_defaults.tsv");
  int count = 0, listed = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto first = line.find('\t'), second = line.find('\t', first + 1);
    const std::string message = line.substr(0, first), name = line.substr(first + 1, second - first - 1),
                      expected = line.substr(second + 1);
    const auto* field = find_field(message, name);
    BOOST_REQUIRE_MESSAGE(field != nullptr, line);
    const std::unique_ptr<pb::Message> empty(
        pb::MessageFactory::generated_factory()->GetPrototype(field->containing_type())->New());
    fill_defaults(*empty);
    BOOST_TEST(same_value(value_of(*empty, *field), expected),
               line << ", but resolved to " << value_of(*empty, *field));
    const auto text = default_text(*field);
    BOOST_TEST(same_value(text.value_or("-"), expected), line << ", but explained as " << text.value_or("-"));
    ++count;
    listed += try_listed_default(*field) ? 1 : 0;
  }
  std::printf("defaults: %d fields, %d of them other than zero\n", count, listed);
  BOOST_TEST(count >= num_fields);
  BOOST_TEST(listed >= 78);
}

BOOST_AUTO_TEST_CASE(the_comments_of_the_schema_tell_the_same_defaults) {
  const SchemaDocs docs;
  const std::regex word(R"(Default ("[^"]*"|[^\s;,(]+))");
  std::set<std::string> told;
  int fields = 0;
  for (const MessageText& m : docs.list_messages()) {
    BOOST_TEST(!m.doc.empty(), m.name << " has no comment");
    for (const FieldText& f : m.fields) {
      ++fields;
      BOOST_TEST(!f.doc.empty(), m.name << "." << f.name << " has no comment");
      const auto* field = find_field(m.name, f.name);
      BOOST_REQUIRE(field != nullptr);
      std::smatch match;
      if (!std::regex_search(f.doc, match, word)) continue;
      std::string value = match[1];
      if (value.size() > 1 && value.back() == '.' && value.front() != '"') value.pop_back();
      const std::string actual = default_text(*field).value_or("-");
      BOOST_TEST(same_value(value, actual),
                 m.name << "." << f.name << ": \"" << f.doc << "\", in fact " << actual);
      told.insert(m.name + "." + f.name);
    }
  }
  // Every default that is not the type's own is told.
  for (const MessageText& m : docs.list_messages())
    for (const FieldText& f : m.fields)
      if (try_listed_default(*find_field(m.name, f.name)))
        BOOST_TEST(told.count(m.name + "." + f.name) == 1,
                   m.name << "." << f.name << ": \"" << f.doc << "\"");
  BOOST_TEST(fields >= 818);
  BOOST_TEST(told.size() >= 320u);
}

namespace {

/// Shape of one sample in a .npy file whose first dim is the mini-batch.
std::string sample_dims(const fs::path& npy) {
  const std::string bytes = base::read_file(npy);
  const auto open = bytes.find('(', bytes.find("'shape'"));
  std::string dims = bytes.substr(open + 1, bytes.find(')', open) - open - 1);
  dims = dims.substr(std::min(dims.find(','), dims.size() - 1) + 1);
  std::replace(dims.begin(), dims.end(), ',', ' ');
  return dims;
}

/// A model of the layer of a golden row, fed with constants of the row's dims.
std::string model_of(const fs::path& row) {
  std::string text = base::read_file(row / "layer.prototext");
  for (int i = 0; fs::exists(row / ("in" + std::to_string(i) + ".npy")); ++i)
    text += "layer { name: \"in" + std::to_string(i) + "\" gaussian { neuron_dims: \"" +
            sample_dims(row / ("in" + std::to_string(i) + ".npy")) + "\" stdev: 1 } }\n";
  return "model {\n" + text + "}\ntrainer { mini_batch_size: 4 } optimizer { sgd { learn_rate: 1 } }";
}

std::optional<std::string> try_graph(const std::string& text, bool with_defaults) {
  base::Diagnostics diagnostics;
  Experiment experiment;
  parse_experiment("f", text, experiment, diagnostics);
  if (with_defaults) fill_defaults(*experiment.proto->mutable_model());
  const LayerGraph graph = make_layer_graph(experiment, diagnostics);
  const auto lowered = lower_model(experiment, graph, test::default_options(), diagnostics);
  if (!lowered) return std::nullopt;
  return graph::print_graph(lowered->graph);
}

}  // namespace

// The strongest form of the promise: layers with their defaults written out become the same graph.
BOOST_AUTO_TEST_CASE(a_default_written_out_changes_no_layer) {
  std::set<std::string> kinds;
  int rows = 0, left_out = 0;
  for (const auto& entry : fs::directory_iterator(LBANN_SOURCE_DIR "/tests/layers/golden")) {
    if (!fs::exists(entry.path() / "layer.prototext")) continue;
    const std::string text = model_of(entry.path());
    const auto plain = try_graph(text, false);
    if (!plain) {
      ++left_out;  // needs children or weights that only the layer table gives
      continue;
    }
    BOOST_TEST(try_graph(text, true).value_or("refused") == *plain, entry.path().filename());
    base::Diagnostics ignored;
    Experiment experiment;
    parse_experiment("f", text, experiment, ignored);
    const auto& layer = experiment.proto->model().layer(0);
    const auto* kind = layer.GetReflection()->GetOneofFieldDescriptor(
        layer, layer.GetDescriptor()->FindOneofByName("layer_type"));
    kinds.insert(kind->name());
    ++rows;
  }
  std::printf("defaults written out: %d rows of %zu kinds, %d left out\n", rows, kinds.size(), left_out);
  BOOST_TEST(rows >= 221);
  BOOST_TEST(kinds.size() >= 31u);
}
