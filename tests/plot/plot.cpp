// Series, assertions and figures from small logs whose values are in the text.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <regex>

#include "base/diagnostic.hpp"
#include "base/process.hpp"
#include "plot/assertion.hpp"
#include "plot/figure.hpp"
#include "plot/gnuplot.hpp"
#include "plot/report.hpp"
#include "plot/series.hpp"
#include "plot/statistics.hpp"
#include "plot/units.hpp"

using namespace lbann::plot;

namespace {

std::string record(int attempt, int step, int epoch, const char* mode, double wall, const char* metrics) {
  return "{\"schema\":\"lbann-log/1\",\"run\":\"r\",\"attempt\":" + std::to_string(attempt) +
         ",\"kind\":\"epoch\",\"step\":" + std::to_string(step) + ",\"epoch\":" + std::to_string(epoch) +
         ",\"mode\":\"" + mode + "\",\"wall\":" + std::to_string(wall) + ",\"metrics\":{" + metrics + "}}\n";
}

const char* console =
    "[0] Epoch : stats formated [tr/v/te/to] iter/epoch = [10/1/1/0]\n"
    "m (instance 0) training epoch 0 accuracy : 50%\n"
    "m (instance 0) training epoch 0 run time : 2s\n"
    "m (instance 0) validation accuracy : 90%\n"
    "m (instance 0) validation run time : 1s\n"
    "m (instance 0) training epoch 1 accuracy : nan%\n"
    "m (instance 0) training epoch 1 run time : 4s\n"
    "m (instance 0) validation accuracy : 97%\n"
    "m (instance 0) training epoch 2 accuracy : 80%\n"
    "m (instance 0) training epoch 2 run time : 4s\n"
    "m (instance 0) validation accuracy : 95%\n";

Run parse_run(const std::string& name, const std::string& text) {
  std::vector<Run> runs = parse_runs(name, text);
  BOOST_REQUIRE_EQUAL(runs.size(), 1U);
  return runs[0];
}

std::string draw(std::vector<Run> runs, ImageFormat format) {
  choose_level(runs, Axis::epoch);
  const FigureOptions options;
  return draw_image(make_figure(runs, options), options, format);
}

bool met(const char* text, const std::vector<Run>& runs) {
  std::string why;
  const auto assertion = try_parse_assertion(text, why);
  BOOST_REQUIRE_MESSAGE(assertion, text << ": " << why);
  for (const Verdict& v : judge(*assertion, runs))
    if (!v.met) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plot)

BOOST_AUTO_TEST_CASE(a_restarted_run_counts_each_epoch_once) {
  const Run run = parse_run("r", record(1, 5, 0, "training", 100, "\"loss\":3") +
                                     record(1, 10, 1, "training", 110, "\"loss\":2") +
                                     record(2, 10, 1, "training", 500, "\"loss\":1.5") +
                                     record(2, 15, 2, "training", 520, "\"loss\":\"NaN\""));
  BOOST_REQUIRE_EQUAL(run.series.size(), 1U);
  const auto& points = run.series[0].points;
  BOOST_REQUIRE_EQUAL(points.size(), 3U);
  BOOST_TEST(points[1].value == 1.5);
  BOOST_TEST(std::isnan(points[2].value));
  BOOST_TEST(points[2].time == 30);  // 10 s of the first attempt, 20 s of the second
  BOOST_TEST(best_point(run.series[0])->epoch == 1);
}

BOOST_AUTO_TEST_CASE(console_axes) {
  Run run = parse_run("c", console);
  const Series& training = run.series[0];
  BOOST_TEST(training.points[0].time == 3);
  BOOST_TEST(training.points[2].time == 11);
  BOOST_TEST(training.points[2].step == 30);
  std::vector<Run> timeless = {parse_run("c", "m (instance 0) test loss : 1\n")};
  BOOST_CHECK_THROW(choose_level(timeless, Axis::time), lbann::base::Error);
  BOOST_CHECK_THROW(parse_runs("c", "hello\n"), lbann::base::Error);
  BOOST_CHECK_THROW(parse_runs("c", "{\"schema\":\"other\",\"a\":1}\n"), lbann::base::Error);
}

BOOST_AUTO_TEST_CASE(assertions) {
  const std::vector<Run> runs = {parse_run("c", console)};
  BOOST_TEST(met("validation accuracy >= 97% by epoch 10", runs));
  BOOST_TEST(met("validation accuracy >= 97 by epoch 1", runs));
  BOOST_TEST(!met("validation accuracy > 97% by epoch 10", runs));
  BOOST_TEST(!met("validation accuracy >= 97% by epoch 0", runs));
  BOOST_TEST(!met("validation accuracy >= 97%", runs));
  BOOST_TEST(met("validation accuracy >= 95%", runs));
  BOOST_TEST(met("validation accuracy < 91 at epoch 0", runs));
  BOOST_TEST(met("training accuracy <= 50 by epoch 2", runs));
  BOOST_TEST(!met("training accuracy >= 0 at epoch 1", runs));  // nan
  BOOST_TEST(!met("training accuracy >= 0 at epoch 9", runs));
  BOOST_TEST(!met("test accuracy >= 0", runs));
  BOOST_TEST(met("training run time <= 5", runs));
  std::string why;
  for (const char* bad : {"", "accuracy >= 97", "validation accuracy = 97", "validation accuracy >=",
                          "validation accuracy >= x", "validation >= 1", "validation accuracy >= 97 by epoch",
                          "validation accuracy >= 97 by epoch -1", "validation accuracy >= 97 in epoch 1",
                          "validation accuracy >= 97 by epoch 1 2", "validation accuracy >= nan",
                          "validation accuracy >= 1 by epoch 1.5", "validation accuracy>=97"})
    BOOST_TEST_CONTEXT(bad) BOOST_TEST(!try_parse_assertion(bad, why).has_value());
}

BOOST_AUTO_TEST_CASE(selection) {
  std::vector<Run> runs = {parse_run("c", console)};
  BOOST_CHECK_THROW(select_metrics(runs, {"acuracy"}), lbann::base::Error);
  std::vector<Run> timed = runs;
  select_metrics(runs, {});
  BOOST_TEST(metric_names(runs) == std::vector<std::string>{"accuracy"}, boost::test_tools::per_element());
  select_metrics(timed, {"run time"});
  BOOST_TEST(metric_names(timed) == std::vector<std::string>{"run time"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(svg_has_the_points_where_the_data_are) {
  if (!lbann::base::try_find_program("gnuplot")) {
    BOOST_TEST_MESSAGE("skipped: gnuplot is not installed");
    std::puts("skipped: svg_has_the_points_where_the_data_are (gnuplot is not installed)");
    return;
  }
  std::vector<Run> runs = {parse_run("it's; system('false') \"$x\" `y`", console)};
  select_metrics(runs, {});
  const std::string svg = draw(runs, ImageFormat::svg);
  for (const char* text : {">epoch<", ">accuracy [%]<", ">training<", ">validation<"})
    BOOST_TEST_CONTEXT(text) BOOST_TEST(svg.find(text) != std::string::npos);
  // The curve of the validation: 90, 97, 95 at equal distances; the training breaks at its nan.
  const std::regex path(
      "<path stroke='rgb\\(213,  94,   0\\)' stroke-dasharray='[0-9.,]+'  d='M([0-9.]+),([0-9.]+) "
      "L([0-9.]+),([0-9.]+) L([0-9.]+),([0-9.]+)");
  const std::regex broken("<path stroke='rgb\\(  0, 114, 178\\)'  d='M[0-9.]+,[0-9.]+ M[0-9.]+,[0-9.]+");
  BOOST_TEST(std::regex_search(svg, broken));
  std::smatch m;
  BOOST_REQUIRE(std::regex_search(svg, m, path));
  double v[6];
  for (int i = 0; i < 6; ++i) v[i] = std::stod(m[i + 1]);
  BOOST_TEST(v[2] - v[0] == v[4] - v[2], boost::test_tools::tolerance(0.01));
  BOOST_TEST((v[1] - v[3]) / (v[5] - v[3]) == 7.0 / 2.0, boost::test_tools::tolerance(0.05));
  const std::string png = draw(runs, ImageFormat::png);
  BOOST_TEST(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
}

BOOST_AUTO_TEST_CASE(a_curve_without_finite_values_can_be_drawn) {
  if (!lbann::base::try_find_program("gnuplot")) {
    std::puts("skipped: a_curve_without_finite_values_can_be_drawn (gnuplot is not installed)");
    return;
  }
  const std::vector<Run> runs = {parse_run("c", "m (instance 0) test loss : nan\n")};
  BOOST_TEST(draw(runs, ImageFormat::svg).find("no finite values") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
