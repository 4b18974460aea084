// Mistyped names: where they are and what is suggested. Thousands of single edits of names of
// the schema; the promise is 97 % right first suggestions and exact places always.
#include <algorithm>
#include <cstdio>
#include <random>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <boost/test/unit_test.hpp>

#include "lbann.pb.h"
#include "model/binder.hpp"
#include "model/dialect.hpp"
#include "model/layer_graph.hpp"

using namespace lbann;
using namespace lbann::model;
namespace pb = google::protobuf;

namespace {

struct Score {
  int trials = 0;
  int right = 0;
  std::string wrong;  // for the report
};

std::string mutate(std::string name, std::mt19937& random) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz_";
  const std::size_t at = random() % name.size();
  const char letter = letters[random() % letters.size()];
  switch (random() % 4) {
    case 0:
      return name.erase(at, 1);
    case 1:
      return name.insert(at, 1, letter);
    case 2:
      name[at] = letter;
      return name;
    default:
      if (at + 1 < name.size()) std::swap(name[at], name[at + 1]);
      return name;
  }
}

void try_message(const pb::Descriptor& type, int trials_per_name, std::mt19937& random, Score& score) {
  const std::string_view short_name = std::string_view(type.full_name()).substr(11);  // "lbann_data."
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string& name = type.field(i)->name();
    for (int k = 0; k < trials_per_name; ++k) {
      const std::string typo = mutate(name, random);
      const bool is_name = typo.empty() || (typo[0] >= '0' && typo[0] <= '9') ||
                           type.FindFieldByName(typo) != nullptr || try_dialect(short_name, typo) != nullptr;
      if (is_name) continue;
      const std::unique_ptr<pb::Message> message(
          pb::MessageFactory::generated_factory()->GetPrototype(&type)->New());
      base::Diagnostics diagnostics;
      SpanTable spans;
      bind(parse_syntax_tree("f", "\n   " + typo + ": 1", diagnostics), *message, spans, diagnostics);
      BOOST_REQUIRE_MESSAGE(diagnostics.num_errors() == 1, typo);
      const auto& found = diagnostics.all()[0];
      BOOST_REQUIRE_MESSAGE((found.span.line == 2 && found.span.column == 4 &&
                             found.span.end_column == 4 + static_cast<int>(typo.size())),
                            typo);
      ++score.trials;
      if (found.help == "did you mean '" + name + "'?")
        ++score.right;
      else if (score.wrong.size() < 2000)
        score.wrong += std::string(short_name) + ": " + typo + " for " + name + ": " + found.help + "\n";
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_single_typo_in_a_field_name_is_put_right) {
  std::mt19937 random(7);
  Score score;
  for (const pb::Descriptor* type :
       {lbann_data::LbannPB::descriptor(), lbann_data::Model::descriptor(), lbann_data::Layer::descriptor(),
        lbann_data::Layer::Convolution::descriptor(), lbann_data::Layer::Pooling::descriptor(),
        lbann_data::Layer::BatchNormalization::descriptor(), lbann_data::Layer::FullyConnected::descriptor(),
        lbann_data::Weights::descriptor(), lbann_data::Initializer::descriptor(),
        lbann_data::Optimizer::descriptor(), lbann_data::Optimizer::Adam::descriptor(),
        lbann_data::Reader::descriptor(), lbann_data::Trainer::descriptor(),
        lbann_data::Callback::descriptor(), lbann_data::Transform::descriptor(),
        lbann_data::ObjectiveFunction::descriptor(), lbann_data::Metric::LayerMetric::descriptor()})
    try_message(*type, 10, random, score);
  std::printf("typos in field names: %d of %d right\n", score.right, score.trials);
  BOOST_TEST(score.trials > 2000);
  BOOST_TEST(score.right >= 0.97 * score.trials, score.right << " of " << score.trials << "\n"
                                                             << score.wrong);
}

BOOST_AUTO_TEST_CASE(a_single_typo_in_a_value_of_an_enumeration_is_put_right) {
  std::mt19937 random(11);
  Score score;
  const auto* type = pb::DescriptorPool::generated_pool()->FindEnumTypeByName("lbann_data.DataType");
  const auto* modes =
      pb::DescriptorPool::generated_pool()->FindEnumTypeByName("lbann_data.ConvTensorOpsMode");
  const std::pair<const pb::EnumDescriptor*, std::string> places[] = {
      {type, "model { layer { datatype: "}, {modes, "model { layer { convolution { conv_tensor_op_mode: "}};
  for (const auto& [values, before] : places) {
    for (int i = 0; i < 40 * values->value_count(); ++i) {
      const std::string& name = values->value(i % values->value_count())->name();
      std::string typo = mutate(name, random);
      const bool word = !typo.empty() && (typo[0] < '0' || typo[0] > '9');
      if (!word || values->FindValueByName(typo) != nullptr) continue;
      lbann_data::LbannPB message;
      base::Diagnostics diagnostics;
      SpanTable spans;
      const std::string text =
          before + typo + std::string(before.find("conv") == std::string::npos ? " } }" : " } } }");
      bind(parse_syntax_tree("f", text, diagnostics), message, spans, diagnostics);
      BOOST_REQUIRE_MESSAGE(diagnostics.num_errors() == 1, text << "\n" << diagnostics.render());
      const auto& found = diagnostics.all()[0];
      const int column = static_cast<int>(before.size()) + 1;
      BOOST_REQUIRE_MESSAGE(
          (found.span.column == column && found.span.end_column == column + static_cast<int>(typo.size())),
          text);
      ++score.trials;
      if (found.help == "did you mean '" + name + "'?")
        ++score.right;
      else
        score.wrong += typo + " for " + name + ": " + found.help + "\n";
    }
  }
  std::printf("typos in enumerations: %d of %d right\n", score.right, score.trials);
  BOOST_TEST(score.trials > 350);
  BOOST_TEST(score.right >= 0.97 * score.trials, score.wrong);
}

// Names as people give them; one parent is mistyped, and nothing else may be reported.
BOOST_AUTO_TEST_CASE(a_single_typo_in_the_name_of_a_parent_is_put_right) {
  const std::vector<std::string> names{"images",    "labels",     "conv1",       "conv2_bn",   "pool_stage1",
                                       "residual",  "shortcut_a", "fc_hidden",   "dropout7",   "prediction",
                                       "attention", "embedding",  "decoder_out", "layer_norm", "logits"};
  std::mt19937 random(13);
  Score score;
  for (int trial = 0; trial < 700; ++trial) {
    const std::size_t wrong = 1 + random() % (names.size() - 1);  // whose parent is mistyped
    const std::string& parent = names[random() % wrong];
    const std::string typo = mutate(parent, random);
    if (typo.empty() || std::find(names.begin(), names.end(), typo) != names.end()) continue;
    std::string text = "model {\n";
    int line = 0, column = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      text += "layer { name: \"" + names[i] + "\" ";
      if (i > 0) {
        const std::string shown = i == wrong ? typo : names[i - 1];
        const std::size_t begin = text.rfind('\n') + 1;
        if (i == wrong) {
          line = static_cast<int>(i) + 2;
          column = static_cast<int>(text.size() - begin + std::string("parents: ").size()) + 1;
        }
        text += "parents: \"" + shown + "\" relu {} }\n";
      } else {
        text += "input {} }\n";
      }
    }
    text += "}";
    base::Diagnostics diagnostics;
    Experiment experiment;
    parse_experiment("f", text, experiment, diagnostics);
    make_layer_graph(experiment, diagnostics);
    BOOST_REQUIRE_MESSAGE(diagnostics.num_errors() == 1, text << "\n" << diagnostics.render());
    const auto& found = diagnostics.all()[0];
    BOOST_REQUIRE_MESSAGE(
        (found.span.line == line && found.span.column == column),
        typo << ": " << found.span.line << ":" << found.span.column << " not " << line << ":" << column);
    ++score.trials;
    if (found.help == "did you mean '" + parent + "'?")
      ++score.right;
    else
      score.wrong += typo + " for " + parent + ": " + found.help + "\n";
  }
  std::printf("typos in names of layers: %d of %d right\n", score.right, score.trials);
  BOOST_TEST(score.trials > 600);
  BOOST_TEST(score.right >= 0.97 * score.trials, score.wrong);
}
