// From optimizer, initializer and schedule messages to plain configurations. Optimizers are judged by five
// golden steps per row (tests/layers/golden_optim): the rule written out here, fed with the bound step
// scalars.
#include "model/bind_optim.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "lbann.pb.h"
#include "model/experiment.hpp"

using namespace lbann;
using namespace lbann::model;

namespace {

const std::string table = LBANN_SOURCE_DIR "/tests/layers/golden_optim/";

struct Element {
  double w;
  std::map<std::string, double> states{};
};

/// One step of docs/primitives.md's table for one entry; s = step scalars by slot name.
void step(std::string_view rule, std::map<std::string, double> s, double g, Element& e) {
  const double lr = s["lr"];
  if (rule == "sgd") e.w -= lr * g;
  if (rule == "momentum" || rule == "nesterov") {
    double& v = e.states["velocity"];
    v = s["mu"] * v + g;
    e.w -= lr * (rule == "momentum" ? v : s["mu"] * v + g);
  }
  if (rule == "adagrad" || rule == "rmsprop") {
    double& c = e.states["cache"];
    c = rule == "adagrad" ? c + g * g : s["decay"] * c + (1 - s["decay"]) * g * g;
    e.w -= lr * g / (std::sqrt(c) + s["eps"]);
  }
  if (rule == "adam" && std::isfinite(g)) {
    double &m = e.states["moment1"], &v = e.states["moment2"];
    m = s["beta1"] * m + (1 - s["beta1"]) * g;
    v = s["beta2"] * v + (1 - s["beta2"]) * g * g;
    const double corr = lr * std::sqrt(1 - s["beta2^t"]) / (1 - s["beta1^t"]);
    e.w -= corr * m / (std::sqrt(v) + s["eps"]) + lr * s["weight_decay"] * e.w;
  }
}

bool nearly(double got, double want) {
  if (std::isnan(want)) return std::isnan(got);
  return std::fabs(got - want) <= 1e-12 * (1 + std::fabs(want));
}

void check_row(const std::string& row, const std::string& states) {
  base::Diagnostics diagnostics;
  Experiment experiment;
  parse_experiment("optimizer.prototext", base::read_file(table + row + "/optimizer.prototext"), experiment,
                   diagnostics);
  const auto config =
      bind_optimizer(experiment.proto->optimizer(), "optimizer", experiment.spans, diagnostics);
  BOOST_TEST_CONTEXT(row << diagnostics.render()) {
    BOOST_REQUIRE(config.has_value());
    const optim::UpdateRule& rule = optim::update_rule(*config);
    std::string names;
    for (const std::string_view s : rule.states) names += (names.empty() ? "" : ",") + std::string(s);
    BOOST_TEST((names.empty() ? "-" : names) == states);

    const base::NpyArray w = base::load_npy(table + row + "/w.npy"),
                         g = base::load_npy(table + row + "/g.npy"),
                         expected = base::load_npy(table + row + "/w_new.npy");
    const std::size_t n = w.values.size();
    std::vector<Element> elements;
    for (const double x : w.values) elements.push_back({x});
    for (std::size_t t = 0; t < 5; ++t) {
      const auto scalars = optim::scalars_at(*config, config->learn_rate, static_cast<std::int64_t>(t) + 1);
      std::map<std::string, double> slots;
      for (std::size_t i = 0; i < scalars.size(); ++i) slots[std::string(rule.slots[i])] = scalars[i];
      for (std::size_t i = 0; i < n; ++i) {
        step(rule.name, slots, g.values[t * n + i], elements[i]);
        BOOST_TEST(nearly(elements[i].w, expected.values[t * n + i]));
        for (const std::string_view state : rule.states) {
          const base::NpyArray values = base::load_npy(table + row + "/" + std::string(state) + ".npy");
          BOOST_TEST(nearly(elements[i].states[std::string(state)], values.values[t * n + i]));
        }
      }
    }
  }
}

struct BoundText {
  Experiment experiment;
  base::Diagnostics diagnostics;
};

BoundText parse(const std::string& text) {
  BoundText r;
  parse_experiment("exp.prototext", text, r.experiment, r.diagnostics);
  BOOST_REQUIRE(!r.diagnostics.has_errors());
  return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(binding)

BOOST_AUTO_TEST_CASE(golden_optimizer_steps) {
  std::ifstream index(table + "index.txt");
  std::string line;
  int rows = 0;
  while (std::getline(index, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string row, kind, states;
    fields >> row >> kind >> states;
    check_row(row, states);
    ++rows;
  }
  BOOST_TEST(rows >= 23);
}

BOOST_AUTO_TEST_CASE(no_optimizer_and_the_empty_message) {
  for (const char* text : {"optimizer {}", "optimizer { no_optimizer {} }"}) {
    BoundText r = parse(text);
    const auto c =
        bind_optimizer(r.experiment.proto->optimizer(), "optimizer", r.experiment.spans, r.diagnostics);
    BOOST_REQUIRE(c.has_value());
    BOOST_TEST((c->kind == optim::OptimizerKind::none));
    BOOST_TEST(r.diagnostics.all().empty());
  }
}

BOOST_AUTO_TEST_CASE(an_explicit_zero_is_not_warned_about) {
  BoundText r = parse("optimizer { adam { learn_rate: 0.1 beta1: 0 beta2: 0 eps: 0 } }");
  BOOST_TEST(bind_optimizer(r.experiment.proto->optimizer(), "optimizer", r.experiment.spans, r.diagnostics)
                 .has_value());
  BOOST_TEST(r.diagnostics.all().empty());
}

BOOST_AUTO_TEST_CASE(initializers) {
  using optim::InitializerKind;
  const std::pair<std::string, InitializerKind> table_of_kinds[] = {
      {"constant_initializer { value: 3 }", InitializerKind::constant},
      {"value_initializer { values_d: [1, 2] }", InitializerKind::value_list},
      {"numpy_initializer { file: 'w.npy' }", InitializerKind::numpy},
      {"uniform_initializer { min: -1 max: 1 }", InitializerKind::uniform},
      {"normal_initializer { mean: 1 standard_deviation: 2 }", InitializerKind::normal},
      {"glorot_normal_initializer {}", InitializerKind::glorot_normal},
      {"glorot_uniform_initializer {}", InitializerKind::glorot_uniform},
      {"he_normal_initializer {}", InitializerKind::he_normal},
      {"he_uniform_initializer {}", InitializerKind::he_uniform},
      {"lecun_normal_initializer {}", InitializerKind::lecun_normal},
      {"lecun_uniform_initializer {}", InitializerKind::lecun_uniform}};
  for (const auto& [text, kind] : table_of_kinds) {
    BoundText r = parse("model { weights { initializer { " + text + " } } }");
    const auto c = bind_initializer(r.experiment.proto->model().weights(0).initializer(),
                                    "model.weights[0].initializer", r.experiment.spans, r.diagnostics);
    BOOST_REQUIRE(c.has_value());
    BOOST_TEST_CONTEXT(text) { BOOST_TEST((c->kind == kind)); }
    if (kind == InitializerKind::constant) BOOST_TEST(c->value == 3);
    if (kind == InitializerKind::value_list) BOOST_TEST((c->values == std::vector<double>{1, 2}));
    if (kind == InitializerKind::numpy) BOOST_TEST(c->file == "w.npy");
    if (kind == InitializerKind::uniform) BOOST_TEST((c->min == -1 && c->max == 1));
    if (kind == InitializerKind::normal) BOOST_TEST((c->mean == 1 && c->deviation == 2));
  }
  BoundText both = parse("model { weights { initializer { value_initializer { values: 1 values_d: 2 } } } }");
  BOOST_TEST(!bind_initializer(both.experiment.proto->model().weights(0).initializer(),
                               "model.weights[0].initializer", both.experiment.spans, both.diagnostics)
                  .has_value());
  BOOST_TEST(both.diagnostics.num_errors() == 1);
}

BOOST_AUTO_TEST_CASE(schedules) {
  const auto bind_first = [](BoundText& r, std::int64_t steps) {
    return bind_schedule(r.experiment.proto->model().callback(0), "model.callback[0]", steps,
                         r.experiment.spans, r.diagnostics);
  };
  BoundText step = parse(R"(model { callback { step_learning_rate { weights: "a b" step: 3 amt: 0.5 } } })");
  const auto s = bind_first(step, 10);
  BOOST_REQUIRE(s.has_value());
  BOOST_TEST((s->weights == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(optim::learning_rate_at(s->schedule, 1, 7, 0) == 0.25);

  BoundText poly = parse("model { callback { poly_learning_rate { power: 1 num_epochs: 4 } } }");
  const auto p = bind_first(poly, 25);  // ends after 100 steps
  BOOST_REQUIRE(p.has_value());
  BOOST_TEST(p->weights.empty());
  BOOST_TEST(optim::learning_rate_at(p->schedule, 1, 0, 50) == 0.5);

  BoundText zero = parse("model {\n callback { step_learning_rate { step: 0 amt: 1 } } }");
  BOOST_TEST(!bind_first(zero, 10).has_value());
  BOOST_REQUIRE_EQUAL(zero.diagnostics.num_errors(), 1);
  BOOST_TEST(zero.diagnostics.all()[0].span.line == 2);
  BOOST_TEST(zero.diagnostics.all()[0].span.column == 40);

  BoundText other = parse("model { callback { print {} } }");
  BOOST_TEST(!bind_first(other, 10).has_value());
  BOOST_TEST(other.diagnostics.all().empty());
}

BOOST_AUTO_TEST_SUITE_END()
