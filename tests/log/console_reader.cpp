// Console text of all eras: every form of line, and what a reader must not take for one.
#include "log/console_reader.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace lbann::log;

namespace {

const ConsoleValue& only(const ConsoleLog& log) {
  BOOST_REQUIRE_EQUAL(log.values.size(), 1U);
  return log.values[0];
}

void check_value(const ConsoleValue& v, int instance, const char* mode, std::int64_t epoch,
                 const char* metric, double value, const char* unit) {
  BOOST_TEST(v.instance == instance);
  BOOST_TEST(v.mode == mode);
  BOOST_TEST(v.epoch == epoch);
  BOOST_TEST(v.metric == metric);
  BOOST_TEST(v.value == value);
  BOOST_TEST(v.unit == unit);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(console_reader)

BOOST_AUTO_TEST_CASE(an_epoch_of_today) {
  const ConsoleLog log = parse_console(
      "[0] Epoch : stats formated [tr/v/te/to] iter/epoch = [211/24/40/0]\n"
      "            Global MB = [ 256/ 256/ 256/   0]  Global last MB = [ 240/ 112/  16/   0]\n"
      "model0 (instance 0) training epoch 0 objective function : 0.412345\n"
      "model0 (instance 0) training epoch 0 accuracy : 87.5926%\n"
      "model0 (instance 0) training epoch 0 run time : 3.21456s\n"
      "model0 (instance 0) training epoch 0 mini-batch time statistics : 0.0150213s mean, 0.0148s median, "
      "0.0921s max, 0.0140s min, 0.00543s stdev\n"
      "model0 (instance 0) validation objective function : 0.131\n"
      "model0 (instance 0) test accuracy : 97.02%\n");
  BOOST_TEST(log.steps_per_epoch == 211);
  BOOST_TEST(log.num_fragments == 0);
  BOOST_REQUIRE_EQUAL(log.values.size(), 6U);
  check_value(log.values[0], 0, "training", 0, "objective function", 0.412345, "");
  check_value(log.values[1], 0, "training", 0, "accuracy", 87.5926, "%");
  check_value(log.values[2], 0, "training", 0, "run time", 3.21456, "s");
  check_value(log.values[3], 0, "training", 0, "mini-batch time", 0.0150213, "s");
  check_value(log.values[4], 0, "validation", 0, "objective function", 0.131, "");
  check_value(log.values[5], 0, "test", 0, "accuracy", 97.02, "%");
}

BOOST_AUTO_TEST_CASE(old_prefixes_and_header) {
  const ConsoleLog log = parse_console(
      "[7] Epoch : stats formated [tr/v/te] iter/epoch = [719/80/79]\n"
      "Model 0 training epoch 2 top-5 categorical accuracy : 79.6794%\n"
      "Model 0 validation objective function : 43.6683\n"
      "Model 0 training epoch 3 mini-batch time statistics : 1.00631s mean, 9.14323s max, 0.860223s min, "
      "0.305414s stdev\n");
  BOOST_TEST(log.steps_per_epoch == 719);
  BOOST_REQUIRE_EQUAL(log.values.size(), 3U);
  check_value(log.values[0], 0, "training", 2, "top-5 categorical accuracy", 79.6794, "%");
  check_value(log.values[1], 0, "validation", 2, "objective function", 43.6683, "");
  check_value(log.values[2], 0, "training", 3, "mini-batch time", 1.00631, "s");
}

BOOST_AUTO_TEST_CASE(numbers) {
  const std::vector<std::pair<const char*, double>> cases = {{"1e-05", 1e-5},   {"-3.25e+20", -3.25e20},
                                                             {"inf", HUGE_VAL}, {"-inf", -HUGE_VAL},
                                                             {"0", 0},          {"940.059", 940.059}};
  for (const auto& [text, value] : cases)
    BOOST_TEST(
        only(parse_console(std::string("m (instance 0) training epoch 4 loss : ") + text + "\n")).value ==
        value);
  for (const char* text : {"nan", "-nan"})
    BOOST_TEST(
        std::isnan(only(parse_console(std::string("m (instance 0) test loss : ") + text + "\n")).value));
  const ConsoleLog times = parse_console(
      "m (instance 0) test mini-batch time statistics : N/A mean, nans median, N/A max, N/A min, N/A "
      "stdev\n");
  BOOST_TEST(std::isnan(only(times).value));
  check_value(only(parse_console("m (instance 0) test accuracy : 9.7020e+01%\n")), 0, "test", 0, "accuracy",
              97.02, "%");
}

BOOST_AUTO_TEST_CASE(trainers_keep_their_own_epochs) {
  const ConsoleLog log = parse_console(
      "a (instance 0) training epoch 3 loss : 1\n"
      "b (instance 1) training epoch 1 loss : 2\n"
      "b (instance 1) validation loss : 3\n"
      "a (instance 0) validation loss : 4\n"
      "a global average training epoch 3 loss : 5\n"
      "a (global stdev) validation loss : 6\n");
  BOOST_REQUIRE_EQUAL(log.values.size(), 6U);
  check_value(log.values[2], 1, "validation", 1, "loss", 3, "");
  check_value(log.values[3], 0, "validation", 3, "loss", 4, "");
  check_value(log.values[4], -1, "training", 3, "loss", 5, "");
  check_value(log.values[5], -1, "validation", 3, "loss", 6, "");
  BOOST_TEST(log.values[4].statistic == "average");
  BOOST_TEST(log.values[5].statistic == "stdev");
}

BOOST_AUTO_TEST_CASE(rounds_are_numbered_on_and_restarts_are_not) {
  const ConsoleLog rounds = parse_console(
      "m (instance 0) training epoch 0 loss : 1\nm (instance 0) training epoch 1 loss : 2\n"
      "m (instance 0) training epoch 0 loss : 3\nm (instance 0) validation loss : 4\n");
  BOOST_REQUIRE_EQUAL(rounds.values.size(), 4U);
  BOOST_TEST(rounds.values[2].epoch == 2);
  BOOST_TEST(rounds.values[3].epoch == 2);
  const ConsoleLog again = parse_console(
      "m (instance 0) training epoch 0 loss : 1\nm (instance 0) training epoch 1 loss : 2\n"
      "STARTING lbann with this command line:\nm (instance 0) training epoch 0 loss : 3\n");
  BOOST_TEST(again.values.back().epoch == 0);
  const ConsoleLog resumed =
      parse_console("m (instance 0) training epoch 4 loss : 1\nm (instance 0) training epoch 3 loss : 2\n");
  BOOST_TEST(resumed.values.back().epoch == 3);
}

BOOST_AUTO_TEST_CASE(fragments_are_skipped) {
  for (const char* text :
       {"ModelModel 0 validation objective function : 43.6683\n",
        "model0 (instance 0) training epoch 0 loss : 0.4model0 (instance 1) training epoch 0 loss : 2\n",
        "model0 (instance 0) training epoch 0 accur\n", "model0 (instance 0) training epoch\n",
        "model0 (instance 0) validation accuracy : \n", "model0 (inst\n", "Model 0\n",
        "model0 (instance 0) test mini-batch time statistics : 0.1s mean, 0.2s\n",
        "Model 99999999999999999999 test loss : 1\n", "say: 1 : 2\n"}) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(parse_console(text).values.empty());
  }
  // The end of a killed job: 96.1 may have been cut to 9.
  const ConsoleLog cut = parse_console("m (instance 0) test loss : 1\nm (instance 0) test accuracy : 9");
  BOOST_TEST(cut.values.size() == 1U);
  BOOST_TEST(cut.num_fragments == 1);
}

BOOST_AUTO_TEST_CASE(bars_labels_and_line_ends) {
  BOOST_TEST(parse_console("50% done\rm (instance 0) test loss : 1\r\nm (instance 0) test loss : 2 \n")
                 .values.size() == 2U);
  check_value(only(parse_console("12: m (instance 0) test loss : 1\n")), 0, "test", 0, "loss", 1, "");
  check_value(only(parse_console("[1,0]<stdout>:m (instance 0) test loss : 1\n")), 0, "test", 0, "loss", 1,
              "");
}

BOOST_AUTO_TEST_CASE(what_is_around_the_values) {
  const ConsoleLog log = parse_console(
      "  Processes on node          : 2\n  Total number of processes  : 8\n  Trainers              : 4\n"
      "Model 0: changing global learning rate to 1e-05 at epoch 3\n"
      "LTFB (model \"m x\", step 7): trainer 1 selected model from trainer 3 (trainer 1 score = 0.5, trainer "
      "3 score = "
      "nan)\n"
      "Model 2 GPU memory usage statistics : 1.5 GiB mean, 1.4 GiB median, 2 GiB max, 1 GiB min (16 GiB "
      "total)\n");
  BOOST_TEST(log.processes_on_node == 2);
  BOOST_TEST(log.num_processes == 8);
  BOOST_TEST(log.num_trainers == 4);
  BOOST_REQUIRE_EQUAL(log.values.size(), 2U);
  check_value(log.values[0], 0, "training", 3, "learning rate", 1e-5, "");
  check_value(log.values[1], 2, "training", 0, "GPU memory", 1.5, "GiB");
  BOOST_REQUIRE_EQUAL(log.exchanges.size(), 1U);
  BOOST_TEST(log.exchanges[0].model == "m x");
  BOOST_TEST(log.exchanges[0].step == 7);
  BOOST_TEST(log.exchanges[0].trainer == 1);
  BOOST_TEST(log.exchanges[0].winner == 3);
}

BOOST_AUTO_TEST_CASE(any_bytes_are_survived) {
  BOOST_TEST(parse_console("").values.empty());
  BOOST_TEST(parse_console(std::string(1 << 20, 'a') + "\n").values.empty());
  BOOST_TEST(parse_console(std::string("Model 0 test \0 : 1\n", 19)).values.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
