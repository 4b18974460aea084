// Series, assertions and figures from small logs whose values are in the text.
#include <algorithm>
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

BOOST_AUTO_TEST_CASE(smoothing_is_the_weighted_mean_of_what_came_before) {
  std::vector<XY> points;
  for (int i = 0; i < 40; ++i) points.push_back({2.0 * i, std::sin(i) + 0.1 * i});
  const double w = 0.8;
  const std::vector<XY> got = smooth(points, w, 2);
  for (std::size_t i = 0; i < points.size(); ++i) {
    double sum = 0;
    double weights = 0;
    for (std::size_t j = 0; j <= i; ++j) {
      sum += std::pow(w, i - j) * points[j].y;
      weights += std::pow(w, i - j);
    }
    BOOST_TEST(got[i].y == sum / weights, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(got[i].x == points[i].x);
  }
  // Points far apart hardly know each other, and behind a gap it begins anew.
  const std::vector<XY> sparse = smooth({{0, 1}, {100, 2}, {101, std::nan("")}, {102, 7}}, 0.9, 1);
  BOOST_TEST(sparse[1].y == 2, boost::test_tools::tolerance(1e-3));
  BOOST_TEST(std::isnan(sparse[2].y));
  BOOST_TEST(sparse[3].y == 7);
}

BOOST_AUTO_TEST_CASE(thinning_keeps_extremes_ends_and_gaps) {
  std::vector<XY> points;
  for (int i = 0; i < 100000; ++i) points.push_back({static_cast<double>(i), std::cos(i * 0.37)});
  points[34567].y = 50;
  points[34568].y = -60;
  points[70000].y = std::nan("");
  const std::vector<XY> thin = thin_out(points, 500);
  BOOST_TEST(thin.size() <= 2010U);
  const auto has = [&thin](double x) {
    return std::any_of(thin.begin(), thin.end(), [x](const XY& p) { return p.x == x; });
  };
  for (const double x : {0.0, 99999.0, 34567.0, 34568.0, 70000.0, 69999.0, 70001.0})
    BOOST_TEST_CONTEXT(x) BOOST_TEST(has(x));
  BOOST_TEST(std::is_sorted(thin.begin(), thin.end(), [](const XY& a, const XY& b) { return a.x < b.x; }));
}

BOOST_AUTO_TEST_CASE(units_are_turned_into_each_other) {
  BOOST_TEST(*convert_unit(1500, "ms", "s") == 1.5);
  BOOST_TEST(*convert_unit(2, "h", "min") == 120);
  BOOST_TEST(*convert_unit(1, "GiB", "MiB") == 1024);
  BOOST_TEST(!convert_unit(1, "s", "GiB"));
  BOOST_TEST(!convert_unit(1, "parsec", "s"));
  std::vector<Run> runs = {
      parse_run("a", "m (instance 0) test accuracy : 97%\nm (instance 0) test run time : 2s\n"),
      parse_run("b", "epoch,test_accuracy,test_run time [ms]\n0,0.5,250\n")};
  unify_units(runs);
  BOOST_TEST(runs[1].series[0].points[0].value == 50);
  BOOST_TEST(runs[1].series[0].unit == "%");
  BOOST_TEST(runs[1].series[1].points[0].value == 0.25);
}

BOOST_AUTO_TEST_CASE(assertions_know_units_places_and_times) {
  const std::vector<Run> fractions = {
      parse_run("f", "epoch,step,time,val_accuracy,loss\n0,10,60,0.5,2\n1,20,120,0.98,nan\n")};
  BOOST_TEST(met("validation accuracy >= 97% by epoch 1", fractions));
  BOOST_TEST(met("val accuracy >= 0.97 by step 20", fractions));
  BOOST_TEST(!met("val accuracy >= 97% by step 19", fractions));
  BOOST_TEST(met("val accuracy >= 97% within 2 min", fractions));
  BOOST_TEST(!met("val accuracy >= 97% within 90s", fractions));
  BOOST_TEST(!met("training loss is finite", fractions));
  BOOST_TEST(met("validation accuracy is finite", fractions));
  const std::vector<Run> timed = {parse_run("c", console)};
  BOOST_TEST(met("training run time <= 4000 ms", timed));
  BOOST_TEST(met("training run time <= 0.1min", timed));
  BOOST_TEST(!met("training run time <= 4 GiB", timed));
}

BOOST_AUTO_TEST_CASE(statistics_of_a_run) {
  const Run run =
      parse_run("s",
                "epoch,step,time,loss,val_loss,val_accuracy\n0,100,10,2,2.5,10\n1,200,20,1,1.5,60\n"
                "2,300,40,0.5,1.25,70\n3,400,50,0.25,2.75,65\n4,500,60,0.2,3,64\n");
  const auto of = [&run](const char* mode, const char* metric) -> const Series& {
    for (const Series& s : run.series)
      if (s.mode == mode && s.metric == metric) return s;
    throw 0;
  };
  std::string why;
  const std::vector<Target> targets = {*try_parse_target("validation accuracy=60%", why),
                                       *try_parse_target("loss=0.1", why)};
  const SeriesStatistics loss = measure(run, of("validation", "loss"), targets);
  BOOST_TEST(loss.best->epoch == 2);
  BOOST_TEST(loss.diverged->epoch == 3);
  BOOST_TEST(*loss.gap == 3 - 0.2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST((loss.has_target && !loss.reached));
  const SeriesStatistics accuracy = measure(run, of("validation", "accuracy"), targets);
  BOOST_TEST(accuracy.reached->epoch == 1);
  BOOST_TEST(accuracy.reached->time == 20);
  BOOST_TEST(!accuracy.diverged);
  const auto speed = measure_throughput(run);
  BOOST_TEST(speed->median == 10);
  BOOST_TEST(speed->low == 5);
  for (const char* bad : {"accuracy", "=3", "accuracy=", "accuracy=x", "accuracy=3 parsec"})
    BOOST_TEST_CONTEXT(bad) BOOST_TEST(!try_parse_target(bad, why).has_value());
}

BOOST_AUTO_TEST_CASE(parts_of_a_run_are_stitched) {
  std::vector<Run> parts = {parse_run("a", "epoch,time,loss\n0,10,5\n1,20,4\n2,30,3\n"),
                            parse_run("b", "epoch,time,loss\n1,10,3.5\n")};
  const Run whole = stitch(std::move(parts));
  BOOST_REQUIRE_EQUAL(whole.series.size(), 1U);
  const auto& points = whole.series[0].points;
  BOOST_REQUIRE_EQUAL(points.size(), 2U);  // epoch 2 was lost and has not been done again
  BOOST_TEST(points[1].value == 3.5);
  BOOST_TEST(points[1].time == 40);
  BOOST_TEST(whole.restarts.size() == 1U);
}

BOOST_AUTO_TEST_CASE(trainers_and_seeds_make_a_band) {
  std::vector<Run> runs = {parse_run("a", "epoch,loss\n0,1\n1,2\n"),
                           parse_run("b", "epoch,loss\n0,3\n1,4\n2,8\n")};
  FigureOptions options;
  options.group = Group::runs;
  const Figure figure = make_figure(runs, options);
  const Curve& c = figure.panels.at(0).curves.at(0);
  BOOST_TEST(c.label == "training");
  BOOST_TEST(c.points.at(0).y == 2);
  BOOST_TEST(c.low.at(1).y == 2);
  BOOST_TEST(c.high.at(1).y == 4);
  BOOST_TEST(c.points.at(2).y == 8);
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
