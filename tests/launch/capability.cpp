// The capability table, exhaustively: every option at every back end either changes what is written, and
// with its value, or is refused by its name.
#include <boost/test/unit_test.hpp>
#include <set>

#include "base/process.hpp"
#include "launch/capability.hpp"
#include "launch/script.hpp"

using namespace lbann::launch;

namespace {

using R = Request;

struct Way {
  Scheduler scheduler;
  Launcher launcher;
  bool batch;
  bool in_allocation;
};

// All back ends, in each way that they can start a job.
std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const Scheduler s :
       {Scheduler::slurm, Scheduler::flux, Scheduler::lsf, Scheduler::pbs, Scheduler::pjm}) {
    std::vector<Launcher> launchers = {Launcher::automatic, Launcher::openmpi, Launcher::mpich};
    for (const Launcher l : launchers)
      for (const bool batch : {true, false}) ways.push_back({s, l, batch, !batch});
  }
  ways.push_back({Scheduler::slurm, Launcher::automatic, false, false});
  ways.push_back({Scheduler::flux, Launcher::automatic, false, false});
  for (const Scheduler s : {Scheduler::openmpi, Scheduler::mpich, Scheduler::local})
    ways.push_back({s, Launcher::automatic, false, false});
  return ways;
}

Job make_job(const Way& way) {
  Job job;
  job.scheduler = way.scheduler;
  job.launcher = way.launcher;
  job.batch = way.batch;
  job.in_allocation = way.in_allocation;
  job.command = {"prog", "a b"};
  job.run_dir = "/runs/my run";
  job.script_file = "/runs/my run/batch.sh";
  job.texts[R::out_log] = {"/runs/my run/out.log"};
  job.texts[R::err_log] = {"/runs/my run/err.log"};
  return job;
}

// Asks for one thing; returns a text that must then be somewhere in the script.
std::string ask(Job& job, Request request) {
  Allocation& a = job.allocation;
  switch (request) {
    case R::nodes:
      a.nodes = 3;
      if (job.scheduler == Scheduler::openmpi || job.scheduler == Scheduler::mpich)
        job.texts[R::hostfile] = {"/hosts"};
      return "3";
    case R::procs_per_node:
      a.procs_per_node = 5;
      return "5";
    case R::cores_per_proc:
      a.cores_per_proc = 7;
      return "7";
    case R::gpus_per_proc:
      a.gpus_per_proc = 6;
      return "6";
    case R::memory_per_node:
      a.memory_per_node = std::int64_t{321} << 20;
      return "321";
    case R::time_limit:
      a.time_limit = 5400;
      return "";  // each has its own form; the golden scripts show them
    case R::job_name:
      job.name = "odd'name";
      return "odd'\\''name";
    case R::work_dir:
      job.work_dir = "/work dir";
      return "/work dir";
    case R::max_restarts:
      job.max_restarts = 4;
      return "-ge 4 ";
    case R::signal_before:
      a.time_limit = 7200;
      job.signal = "USR2";
      job.signal_before = 300;
      return "USR2";
    case R::env:
      job.texts[request] = {"NAME=va lue"};
      return "NAME='va lue'";
    case R::bind:
      job.texts[request] = {"core"};
      return "";
    case R::exclusive:
    case R::test_only:
      job.texts[request] = {"1"};
      return "";
    case R::out_log:
    case R::err_log:
      job.texts[request] = {"/elsewhere/x.log"};
      return "/elsewhere/x.log";
    case R::preamble:
    case R::cleanup:
      job.texts[request] = {"echo one two"};
      return "\n" + std::string(request == R::cleanup ? "  " : "") + "echo one two\n";
    default:
      job.texts[request] = {"value7"};
      return "value7";
  }
}

std::string text_of(const Job& job) { return script_text(job); }

bool is_refused(const Job& job, Request request) {
  for (const Refusal& r : refusals(job))
    if (r.request == request ||
        r.message.find(std::string("--") + option_of(request) + "'") != std::string::npos)
      return true;
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(capability)

BOOST_AUTO_TEST_CASE(each_back_end_has_a_cell_for_each_request) {
  for (const Backend* backend : all_backends()) {
    BOOST_TEST(backend->cells.size() == static_cast<std::size_t>(num_requests), backend->name);
    for (int i = 0; i < num_requests; ++i) {
      const Cell& cell = cell_of(*backend, static_cast<Request>(i));
      const bool refused = cell.honoured == Honoured::refused;
      BOOST_TEST_CONTEXT(backend->name << " --" << option_of(cell.request)) {
        BOOST_TEST(refused == (cell.reason[0] != '\0'));
        BOOST_TEST((!refused || cell.directive[0] == '\0'));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(option_times_back_end) {
  int honoured = 0, refused = 0;
  for (const Way& way : all_ways()) {
    for (int i = 0; i < num_requests; ++i) {
      const auto request = static_cast<Request>(i);
      Job job = make_job(way);
      // Something to differ from: the limit itself belongs to --time-limit.
      if (request == R::signal_before) job.allocation.time_limit = 7200;
      const std::string before = text_of(job);
      BOOST_TEST_CONTEXT(name_of(way.scheduler)
                         << "/" << name_of(way.launcher) << (way.batch ? " batch" : " now")
                         << (way.in_allocation ? " inside" : "") << " --" << option_of(request)) {
        const std::string expected = ask(job, request);
        if (is_refused(job, request)) {
          ++refused;
          continue;
        }
        ++honoured;
        // Honoured outside the script: by the copies that the tool makes, or the submission's own words.
        if ((request == R::out_log || request == R::err_log) && !way.batch) continue;
        if (request == R::test_only && way.scheduler == Scheduler::slurm) continue;
        // It names the run directory where there is no queue to name it for.
        if (request == R::job_name && !way.batch) continue;
        const std::string after = text_of(job);
        BOOST_TEST((after != before));
        // The headline shows sizes; what counts is below it.
        const std::size_t line = after.find("\n# ");
        const std::string rest = after.substr(0, line) + after.substr(after.find('\n', line + 1));
        const bool shown = rest.find(expected) != std::string::npos;
        const bool implied = request == R::nodes && !way.batch;
        BOOST_TEST((shown || implied));
      }
    }
  }
  BOOST_TEST_MESSAGE("honoured " << honoured << ", refused " << refused);
  BOOST_TEST(honoured > 400);
  BOOST_TEST(refused > 200);
}

BOOST_AUTO_TEST_CASE(srun_repeats_the_sizes_sbatch_was_told) {
  Job job = make_job({Scheduler::slurm, Launcher::automatic, true, false});
  job.allocation = {3, 2, 5, 1, 0, 60};
  const std::string line = shell_line(launch_words(job));
  int repeated = 0;
  for (const Flag& flag : directives(job)) {
    const std::string text = shell_line(flag.words);
    const std::string& first = flag.words[0];
    if (first.find("--output") == 0 || first.find("--error") == 0 || first.find("--open") == 0) continue;
    BOOST_TEST((" " + line + " ").find(" " + text + " ") != std::string::npos, text);
    ++repeated;
  }
  BOOST_TEST(repeated == 7);
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_go_together) {
  Job job = make_job({Scheduler::slurm, Launcher::automatic, true, false});
  job.signal_before = 60;
  BOOST_TEST(is_refused(job, R::signal_before));  // no limit
  job.allocation.time_limit = 60;
  BOOST_TEST(is_refused(job, R::signal_before));  // before the start
  job.allocation.time_limit = 61;
  BOOST_TEST(!is_refused(job, R::signal_before));
  Job local = make_job({Scheduler::local, Launcher::automatic, false, false});
  local.allocation.procs_per_node = 2;
  BOOST_TEST(is_refused(local, R::procs_per_node));
  Job lsf = make_job({Scheduler::lsf, Launcher::automatic, false, false});
  BOOST_TEST(refusals(lsf).size() == 1U);  // no nodes to start on
  Job pbs = make_job({Scheduler::pbs, Launcher::automatic, true, false});
  pbs.texts[R::partition] = {"a"};
  pbs.texts[R::reservation] = {"b"};
  BOOST_TEST(is_refused(pbs, R::reservation));
  Job mixed = make_job({Scheduler::pbs, Launcher::srun, true, false});
  BOOST_TEST(!refusals(mixed).empty());
}

BOOST_AUTO_TEST_CASE(scripts_are_clean) {
  if (!lbann::base::try_find_program("shellcheck")) {
    BOOST_TEST_MESSAGE("skipped: shellcheck is not installed");
    return;
  }
  for (const Way& way : all_ways()) {
    for (const bool full : {false, true}) {
      Job job = make_job(way);
      if (full) {
        job.allocation.time_limit = 7200;
        job.allocation.cores_per_proc = 2;
        job.signal_before = 300;
        job.max_restarts = 3;
        job.work_dir = "/work dir";
        job.checkpoints = "/runs/my run/ckpt";
        job.texts[R::env] = {"A=it's", "B=$HOME"};
        job.texts[R::preamble] = {"echo begin"};
        job.texts[R::cleanup] = {"echo end"};
      }
      const auto result = lbann::base::run_process({"shellcheck", "--shell=bash", "-"}, script_text(job));
      BOOST_TEST(result.exit_code == 0, name_of(way.scheduler) << "/" << name_of(way.launcher) << "\n"
                                                               << result.out);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
