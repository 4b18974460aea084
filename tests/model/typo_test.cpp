// Mistyped names: where they are and what is suggested. Thousands of single edits of names of
// the schema; the promise is 97 % right first suggestions and exact places always.
#include <random>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <boost/test/unit_test.hpp>

#include "lbann.pb.h"
#include "model/binder.hpp"
#include "model/dialect.hpp"

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
  BOOST_TEST_MESSAGE(score.right << " of " << score.trials << " right\n" << score.wrong);
  BOOST_TEST(score.trials > 2000);
  BOOST_TEST(score.right >= 0.97 * score.trials, score.right << " of " << score.trials << "\n"
                                                             << score.wrong);
}
