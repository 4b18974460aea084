// trainer.training_algorithm: what stops a run, and what is refused.
#include <boost/test/unit_test.hpp>

#include "model/bind_algorithm.hpp"
#include "model/layer_graph.hpp"

using namespace lbann;
using namespace lbann::model;

namespace {

struct Bound {
  base::Diagnostics diagnostics;
  Experiment experiment;
  TrainingSettings settings;

  explicit Bound(const std::string& trainer, std::int64_t num_epochs = -1) {
    parse_experiment("f", trainer + "\nmodel { num_epochs: 7 layer { name: \"x\" input {} } }", experiment,
                     diagnostics);
    if (num_epochs >= 0) apply_num_epochs(num_epochs, experiment, diagnostics);
    const LayerGraph graph = make_layer_graph(experiment, diagnostics);
    settings = bind_settings(experiment, graph, diagnostics);
  }
  std::string first_error() const {
    for (const auto& d : diagnostics.all())
      if (d.severity == base::Severity::error)
        return std::to_string(d.span.line) + ":" + std::to_string(d.span.column) + " " + d.id + " " +
               d.message;
    return "";
  }
};

std::string sgd(const std::string& inside) {
  return "trainer { mini_batch_size: 4 training_algorithm { name: \"a\" parameters {\n"
         "[type.googleapis.com/lbann_data.SGD] { " +
         inside + " } } } }";
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_algorithm_decides_how_long_to_train) {
  BOOST_TEST(Bound("").settings.num_epochs == 7);
  BOOST_TEST(Bound("", 3).settings.num_epochs == 3);
  const Bound epochs(sgd("stopping_criteria { max_epochs: 2 } suppress_timer_output: true"));
  BOOST_TEST(epochs.first_error() == "");
  BOOST_TEST(epochs.settings.num_epochs == 2);
  BOOST_TEST(epochs.settings.max_steps == -1);
  BOOST_TEST(Bound(sgd("stopping_criteria { max_epochs: 2 }"), 5).settings.num_epochs == 5);
  BOOST_TEST(Bound(sgd("stopping_criteria { max_batches: 100 }")).settings.max_steps == 100);
  BOOST_TEST(Bound(sgd("stopping_criteria { max_batches: 0 }")).settings.max_steps == 0);
  BOOST_TEST(Bound(sgd("stopping_criteria { max_seconds: 1.5 }")).settings.max_seconds == 1.5);
  const Bound raw(
      "trainer { training_algorithm { parameters { type_url: \"type.googleapis.com/lbann_data.SGD\""
      " value: \"\\n\\002\\020\\003\" } } }");
  BOOST_TEST(raw.settings.num_epochs == 3);
  const Bound overridden(sgd("stopping_criteria { max_batches: 100 }"), 5);
  BOOST_TEST(overridden.settings.num_epochs == 5);
  BOOST_TEST(overridden.settings.max_steps == -1);
}

BOOST_AUTO_TEST_CASE(other_algorithms_are_refused_by_name_and_place) {
  BOOST_TEST(Bound(sgd("")).first_error() ==
             "1:30 missing-field the training algorithm has no stopping criterion");
  BOOST_TEST(Bound(sgd("stopping_criteria { max_seconds: nan }")).first_error().find("2:73 range") == 0);
  BOOST_TEST(Bound(sgd("stopping_criteria { max_epochs: 99999999999 }")).first_error().find("2:72 range") ==
             0);
  for (const char* name : {"LTFB", "KFAC"}) {
    const Bound other(
        std::string("trainer { training_algorithm {\n parameters { [type.googleapis.com/lbann_data.") + name +
        "] {} } } }");
    BOOST_TEST(other.first_error() == std::string("2:2 not-supported training algorithm '") + name +
                                          "' is known to LBANN, not yet supported here");
  }
  BOOST_TEST(Bound("trainer { training_algorithm { } }").first_error().find("missing-field") !=
             std::string::npos);
  const Bound top("training_algorithm { name: \"x\" }");
  BOOST_TEST(top.first_error() == "");
  BOOST_TEST(top.diagnostics.num_warnings() == 1);
  BOOST_TEST(top.settings.num_epochs == 7);
}
