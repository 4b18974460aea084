// Console lines against text written down by hand from LBANN's formats.
#include "train/console.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace lbann::train;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
const Speaker model0{};

}  // namespace

BOOST_AUTO_TEST_SUITE(console)

BOOST_AUTO_TEST_CASE(epoch_header) {
  const EpochHeader header{0, {211, 256, 240}, {24, 256, 112}, {40, 256, 16}, {0, 0, 0}};
  BOOST_TEST(
      epoch_header_text(header) ==
      "--------------------------------------------------------------------------------------------\n"
      "[0] Epoch : stats formated [tr/v/te/to] iter/epoch = [211/24/40/0]\n"
      "            Global MB = [ 256/ 256/ 256/   0]  Global last MB = [ 240/ 112/  16/   0]\n"
      "--------------------------------------------------------------------------------------------\n");
}

BOOST_AUTO_TEST_CASE(wide_batches_widen_the_header) {
  const EpochHeader header{12, {1, 16384, 10000}, {}, {}, {}};
  const std::string text = epoch_header_text(header);
  BOOST_TEST(text.find("[12] Epoch") != std::string::npos);
  BOOST_TEST(text.find("Global MB = [16384/   0/   0/   0]  Global last MB = [10000/   0/   0/   0]\n") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(objective_and_metrics) {
  BOOST_TEST(objective_line(model0, training_mode(0), 0.4123454) ==
             "model0 (instance 0) training epoch 0 objective function : 0.412345\n");
  BOOST_TEST(metric_line(model0, training_mode(17), "accuracy", 87.59263, "%") ==
             "model0 (instance 0) training epoch 17 accuracy : 87.5926%\n");
  BOOST_TEST(metric_line({"alexnet", 3}, "validation", "top-5 categorical accuracy", 96.1, "%") ==
             "alexnet (instance 3) validation top-5 categorical accuracy : 96.1%\n");
  BOOST_TEST(metric_line(model0, "test", "recon error", 1465.0512, "") ==
             "model0 (instance 0) test recon error : 1465.05\n");
  BOOST_TEST(objective_line(model0, "tournament", 1e-5) ==
             "model0 (instance 0) tournament objective function : 1e-05\n");
}

BOOST_AUTO_TEST_CASE(numbers_have_six_significant_digits) {
  BOOST_TEST(console_number(0.05728490) == "0.0572849");
  BOOST_TEST(console_number(1000000) == "1e+06");
  BOOST_TEST(console_number(123456) == "123456");
  BOOST_TEST(console_number(2) == "2");
  BOOST_TEST(console_number(-0.5) == "-0.5");
  BOOST_TEST(console_number(not_a_number) == "nan");
  BOOST_TEST(console_number(-not_a_number) == "nan");
  BOOST_TEST(console_number(-infinity) == "-inf");
}

BOOST_AUTO_TEST_CASE(times) {
  BOOST_TEST(run_time_line(model0, training_mode(0), 3.214558) ==
             "model0 (instance 0) training epoch 0 run time : 3.21456s\n");
  BOOST_TEST(
      step_time_line(model0, training_mode(0), {0.0150213, 0.0148, 0.0921, 0.014, 0.00543}) ==
      "model0 (instance 0) training epoch 0 mini-batch time statistics : 0.0150213s mean, 0.0148s median, "
      "0.0921s max, 0.014s min, 0.00543s stdev\n");
  BOOST_TEST(
      step_time_line(model0, "validation", {0.5, 0.5, 0.5, 0.5, not_a_number}) ==
      "model0 (instance 0) validation mini-batch time statistics : 0.5s mean, 0.5s median, 0.5s max, 0.5s "
      "min, N/A stdev\n");
  BOOST_TEST(
      step_time_line(model0, "test",
                     {not_a_number, not_a_number, not_a_number, not_a_number, not_a_number}) ==
      "model0 (instance 0) test mini-batch time statistics : N/A mean, nans median, N/A max, N/A min, N/A "
      "stdev\n");
}

BOOST_AUTO_TEST_CASE(start_up) {
  StartupInfo info;
  info.command_line = {"lbann-train", "--num_epochs=3", "a.prototext"};
  info.version = "0.1.0";
  info.git = "abc123";
  info.build_type = "Release";
  info.num_threads = 2;
  BOOST_TEST(startup_text(info) ==
             "\n\n==============================================================\n"
             "STARTING lbann with this command line:\n"
             "lbann-train --num_epochs=3 a.prototext \n\n"
             "Hardware properties (for master process)\n"
             "  Processes on node          : 1\n"
             "  Total number of processes  : 1\n"
             "  OpenMP threads per process : 2\n"
             "  I/O threads per process    : 1\n"
             "  Background I/O enabled     : 1\n"
             "  GPUs on node               : 0\n\n"
             "Running: LLNL LBANN version: 0.1.0 (abc123)\n\n"
             "Build settings\n  Type     : Release\n\n"
             "Trainer settings\n"
             "  Trainers              : 1\n"
             "  Processes per trainer : 1\n\n");
  BOOST_TEST(version_line("0.1.0") == "Training with LLNL LBANN version 0.1.0\n");
}

BOOST_AUTO_TEST_CASE(parameter_block) {
  RunParameters p;
  p.mini_batch_size = 256;
  p.num_epochs = 5;
  p.random_seed = 42;
  BOOST_TEST(parameters_text(p) ==
             "Running with these parameters:\n"
             " General:\n"
             "  datatype size:              4\n"
             "  mini_batch_size:            256\n"
             "  num_epochs:                 5\n"
             "  procs_per_trainer:          1\n"
             "  serialize_io:               0\n"
             "  cuda:                       disabled\n"
             "  cudnn:                      disabled\n"
             "  random_seed[t][r]:          [0][0]=0000000042\n");
}

BOOST_AUTO_TEST_CASE(exit_after_setup) {
  BOOST_TEST(exit_after_setup_text() ==
             "--------------------------------------------------------------------------------\n"
             "ALERT: model has been setup; we are now exiting due to command\n"
             "       line option: --exit_after_setup\n"
             "--------------------------------------------------------------------------------\n");
}

BOOST_AUTO_TEST_SUITE_END()
