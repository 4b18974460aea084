// The python reader: modules written here, run by whatever python3 there is (with and without NumPy).
#include "data/python.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <set>

#include "base/process.hpp"
#include "data/pipeline.hpp"
#include "files.hpp"

using namespace lbann;
using namespace lbann::data;
using namespace lbann::data::test;

namespace {

const char* const good = R"(
def num_samples(): return 50
def sample_dims(): return (2, 3)
def sample(i): return [[10*i, 10*i+1, 10*i+2], (10*i+3, 10*i+4, 10*i+5)]
)";

struct Module {
  Directory dir;
  PythonOptions o;
  explicit Module(const std::string& text) {
    write_file(dir.file("user_data.py"), text);
    o.module = "user_data";
    o.directory = dir.path();
    o.sample_function = "sample";
  }
  void fails(const std::vector<std::string>& parts) const {
    check_error(
        [&] {
          const auto d = make_python_dataset(o);
          std::vector<float> out(static_cast<std::size_t>(d->fields()[0].num_elements()) * 2);
          d->read(0, std::vector<std::int64_t>{3, 4}, out.data());
        },
        base::ExitCode::data, parts);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(python)

BOOST_AUTO_TEST_CASE(values) {
  for (const char* interpreter : {"python3", "/usr/bin/python3"}) {
    Module m(good);
    m.o.interpreter = interpreter;
    m.o.scale = 0.5f;
    const auto d = make_python_dataset(m.o);
    BOOST_TEST(d->size() == 50);
    BOOST_TEST(d->fields()[0].dims == (std::vector<std::int64_t>{2, 3}), boost::test_tools::per_element());
    std::vector<float> out(12);
    d->read(0, std::vector<std::int64_t>{7, 0}, out.data());
    for (int k = 0; k < 6; ++k) {
      BOOST_TEST(out[static_cast<std::size_t>(k)] == 0.5f * static_cast<float>(70 + k));
      BOOST_TEST(out[static_cast<std::size_t>(6 + k)] == 0.5f * static_cast<float>(k));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_number_is_a_sample_and_prints_do_no_harm) {
  const Module m(
      "print('hello')\ndef num_samples(): return 3\ndef sample_dims(): return 1\n"
      "def sample(i):\n  print('sample', i)\n  return i + 0.25\n");
  const auto d = make_python_dataset(m.o);
  float out[2];
  d->read(0, std::vector<std::int64_t>{2, 1}, out);
  BOOST_TEST(out[0] == 2.25f);
  BOOST_TEST(out[1] == 1.25f);
}

BOOST_AUTO_TEST_CASE(several_processes_fill_a_mini_batch) {
  const Module m(
      "import os\ndef num_samples(): return 64\ndef sample_dims(): return [2]\n"
      "def sample(i):\n  import time; time.sleep(0.002)\n  return [i, os.getpid()]\n");
  PipelineOptions o;
  o.batch_size = 32;
  o.num_threads = 3;
  std::vector<std::int64_t> samples(64);
  for (int i = 0; i < 64; ++i) samples[static_cast<std::size_t>(i)] = i;
  Pipeline p(make_python_dataset(m.o), samples, o);
  std::set<float> processes;
  for (int batch = 0; batch < 2; ++batch) {
    const Batch& b = p.next();
    for (int i = 0; i < 32; ++i) {
      BOOST_TEST(b.fields[0][2 * i] == static_cast<float>(32 * batch + i));
      processes.insert(b.fields[0][2 * i + 1]);
    }
  }
  BOOST_TEST(processes.size() >= 2u);
  BOOST_TEST(processes.size() <= 3u);
}

BOOST_AUTO_TEST_CASE(errors_of_the_module) {
  const std::string rest = "def num_samples(): return 9\ndef sample_dims(): return [2]\n";
  Module("import no_such_thing\n").fails({"module 'user_data' cannot be used", "no_such_thing"});
  Module("x = (\n").fails({"user_data.py", "SyntaxError"});
  Module(rest).fails({"no function 'sample'"});
  Module("def sample(i): return 0\ndef num_samples(): return 0\ndef sample_dims(): return [1]\n")
      .fails({"has 0 samples"});
  Module("def sample(i): return 0\ndef num_samples(): return 'x'\ndef sample_dims(): return [1]\n")
      .fails({"cannot be used", "ValueError"});
  Module(rest + "def sample(i): return [1, 2, 3]\n")
      .fails({"sample(3) has 3 values, sample_dims() says [2] = 2"});
  Module(rest + "def sample(i): return 'ab'\n").fails({"sample(3)", "ValueError"});
  Module(rest + "def sample(i):\n  return [i, 1 // (i - 4)]\n")
      .fails({"sample(4)", "user_data.py\", line 4", "ZeroDivisionError"});
  Module(rest + "import sys\ndef sample(i): sys.exit(5)\n").fails({"sample(3)", "SystemExit"});
  Module absent(good);
  absent.o.module = "absent";
  absent.fails({"No module named 'absent'"});
}

BOOST_AUTO_TEST_CASE(dead_helpers) {
  const std::string rest = "import os, signal\ndef num_samples(): return 9\ndef sample_dims(): return [2]\n";
  Module(rest + "def sample(i): os._exit(3)\n")
      .fails({"helper process of module 'user_data'", "exit code 3"});
  Module(rest + "def sample(i): os.kill(os.getpid(), 9)\n").fails({"signal 9"});
  Module(rest + "def sample(i): os.abort()\n").fails({"signal 6"});
  Module("import os\nos._exit(4)\n").fails({"exit code 4"});
  Module(rest + "def sample(i): os.write(3, b'nonsense' * 9); return [0, 0]\n").fails({"descriptor 3"});
}

BOOST_AUTO_TEST_CASE(signals_for_the_trainer_do_not_end_a_helper) {
  const Module m(
      "import os\ndef num_samples(): return 9\ndef sample_dims(): return [1]\ndef sample(i): return "
      "os.getpid()\n");
  const auto d = make_python_dataset(m.o);
  float pid = 0;
  d->read(0, std::vector<std::int64_t>{0}, &pid);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGHUP})
    BOOST_TEST(kill(static_cast<pid_t>(pid), signal) == 0);
  float again = 0;
  d->read(0, std::vector<std::int64_t>{1}, &again);
  BOOST_TEST(again == pid);
}

BOOST_AUTO_TEST_CASE(no_process_is_left_behind) {
  const Module m(
      "import time\ndef num_samples(): return 9\ndef sample_dims(): return [1]\ndef sample(i): return 0\n");
  { make_python_dataset(m.o); }
  BOOST_TEST(waitpid(-1, nullptr, WNOHANG) == -1);
  BOOST_TEST(errno == ECHILD);
}

// samples [2], labels [3] (one-hot of i mod 3), responses [1]; the last one counts how often its sample was
// made.
BOOST_AUTO_TEST_CASE(pickled_data_sets) {
  const char* const code = R"(
class Dims:
    sample, label, response = [2], [3], 1
class One: pass
class Data:
    def __init__(self): self.made = {}
    def __len__(self): return 12
    def get_sample_dims(self): return Dims
    def __getitem__(self, i):
        one = One()
        one.sample, one.label = [i, -i], [float(i % 3 == k) for k in range(3)]
        self.made[i] = self.made.get(i, 0) + 1
        one.response = self.made[i]
        return one
)";
  Module m(code);
  m.o.module.clear();
  m.o.dataset_path = m.dir.file("data.pkl");
  const auto dump = [&](const std::string& object) {
    const auto done =
        base::run_process({"python3", "-B", "-c",
                           "import sys, pickle; sys.path.insert(0, sys.argv[1]); import user_data\n"
                           "pickle.dump(" +
                               object + ", open(sys.argv[2], 'wb'))",
                           m.dir.path(), m.dir.file("data.pkl")},
                          "");
    BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  };
  dump("user_data.Data()");
  const auto d = make_python_dataset(m.o);
  BOOST_TEST(d->size() == 12);
  BOOST_REQUIRE(d->fields().size() == 3u);
  BOOST_TEST(d->fields()[1].name == "labels");
  const std::vector<std::int64_t> rows{7, 2};
  std::vector<float> x(4), labels(6), responses(2);
  d->read(0, rows, x.data());
  d->read(1, rows, labels.data());
  d->read(2, rows, responses.data());
  BOOST_TEST(x == (std::vector<float>{7, -7, 2, -2}), boost::test_tools::per_element());
  BOOST_TEST(labels == (std::vector<float>{0, 1, 0, 0, 0, 1}), boost::test_tools::per_element());
  BOOST_TEST(responses == (std::vector<float>{1, 1}),
             boost::test_tools::per_element());  // made once for all fields

  d->read(0, rows, x.data());  // the same samples again are made again: they may be drawn at random
  d->read(2, rows, responses.data());
  BOOST_TEST(responses == (std::vector<float>{2, 2}), boost::test_tools::per_element());

  // With several readers too, all fields of a sample come from one evaluation: the trainer's way of reading.
  PipelineOptions o;
  o.batch_size = 4;
  o.num_threads = 3;
  Pipeline p(d, {0, 1, 3, 4, 5, 6, 8, 9}, o);
  for (int batch = 0; batch < 2; ++batch) {
    const Batch& b = p.next();
    for (int i = 0; i < 4; ++i) BOOST_TEST(b.fields[2][i] == 1.0f);
  }

  m.o.dataset_path = m.dir.file("absent.pkl");
  check_error([&] { make_python_dataset(m.o); }, base::ExitCode::data,
              {"absent.pkl' cannot be used", "FileNotFound"});
  write_file(m.dir.file("bad.pkl"), "no pickle");
  m.o.dataset_path = m.dir.file("bad.pkl");
  check_error([&] { make_python_dataset(m.o); }, base::ExitCode::data, {"bad.pkl' cannot be used"});
  m.o.dataset_path = m.dir.file("data.pkl");
  dump("[1, 2, 3]");
  check_error([&] { make_python_dataset(m.o); }, base::ExitCode::data, {"get_sample_dims"});
}

BOOST_AUTO_TEST_CASE(interpreters) {
  Module m(good);
  m.o.interpreter = "/no/such/python";
  check_error([&] { make_python_dataset(m.o); }, base::ExitCode::environment,
              {"/no/such/python", "LBANN_PYTHON"});
  m.o.interpreter = "";
  setenv("LBANN_PYTHON", "/usr/bin/python3", 1);
  BOOST_TEST(make_python_dataset(m.o)->size() == 50);
  unsetenv("LBANN_PYTHON");
}

BOOST_AUTO_TEST_SUITE_END()
