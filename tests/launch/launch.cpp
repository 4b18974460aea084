// Times, sizes, the map of ranks, quoting judged by sh itself, sweeps, and what schedulers answer.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "base/process.hpp"
#include "launch/affinity.hpp"
#include "launch/allocation.hpp"
#include "launch/job.hpp"
#include "launch/queue.hpp"
#include "launch/site.hpp"
#include "launch/sweep.hpp"

using namespace lbann::launch;

BOOST_AUTO_TEST_SUITE(launch)

BOOST_AUTO_TEST_CASE(time_limits) {
  BOOST_TEST(try_parse_time_limit("90").value() == 5400);
  BOOST_TEST(try_parse_time_limit("90s").value() == 90);
  BOOST_TEST(try_parse_time_limit("90m").value() == 5400);
  BOOST_TEST(try_parse_time_limit("1.5h").value() == 5400);
  BOOST_TEST(try_parse_time_limit("2d").value() == 172800);
  BOOST_TEST(try_parse_time_limit("1:30:05").value() == 5405);
  BOOST_TEST(try_parse_time_limit("48:00:00").value() == 172800);
  BOOST_TEST(try_parse_time_limit("1-12").value() == 86400 + 12 * 3600);
  BOOST_TEST(try_parse_time_limit("1-12:30").value() == 86400 + 12 * 3600 + 1800);
  BOOST_TEST(try_parse_time_limit("2-03:04:05").value() == 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
  for (const char* bad : {"", "0", "-5", "1:30", "1:60:00", "1:00:60", "x", "1-", "1:2:3:4", "1.5", " 5", "h",
                          ".5h", "1.h", "1e3m", "0s", "99999999999999999999", "1:-2:03", "999999999d"})
    BOOST_TEST_CONTEXT(bad) BOOST_TEST(!try_parse_time_limit(bad).has_value());
  BOOST_TEST(time_limit_text(2 * 86400 + 3 * 3600 + 4 * 60 + 5) == "2-03:04:05");
}

BOOST_AUTO_TEST_CASE(sizes) {
  BOOST_TEST(try_parse_size("512").value() == 512 * 1048576);
  BOOST_TEST(try_parse_size("64G").value() == std::int64_t{64} << 30);
  BOOST_TEST(try_parse_size("1.5GiB").value() == std::int64_t{3} << 29);
  BOOST_TEST(try_parse_size("2TB").value() == std::int64_t{2} << 40);
  for (const char* bad : {"", "G", "-1G", "1.2.3M", "0", "1X", "9999999P"})
    BOOST_TEST_CONTEXT(bad) BOOST_TEST(!try_parse_size(bad).has_value());
  BOOST_TEST(size_text(std::int64_t{3} << 29) == "1.5 GiB");
  BOOST_TEST(size_text(1048576) == "1 MiB");
}

BOOST_AUTO_TEST_CASE(odd_words_come_back_from_the_shell) {
  const std::vector<std::string> words = {"",   "it's", "a b", "$HOME",     "`ls`",  "\"q\"", "back\\slash",
                                          "-n", "*",    "~",   "new\nline", "#x",    "a;b",   "!1",
                                          "ü",  "'",    "''",  "a=b",       "{a,b}", "tab\t", "&&"};
  std::string script = "printf '%s\\0'";
  std::string expected;
  for (const std::string& word : words) {
    script += " " + shell_quote(word);
    expected += word + '\0';
  }
  const auto result = lbann::base::run_process({"sh"}, script + "\n");
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST((result.out == expected));
  BOOST_TEST(shell_quote("exp.prototext") == "exp.prototext");
}

BOOST_AUTO_TEST_CASE(many_ranks_are_shown_by_their_ends) {
  Allocation a;
  a.nodes = 1000;
  a.procs_per_node = 4;
  const std::string text = rank_map_text(a);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 66);
  BOOST_TEST(text.find("\n    31      7        3 ") != std::string::npos);
  BOOST_TEST(text.find("\n  3968    992        0 ") != std::string::npos);
  BOOST_TEST(text.find("\n  3999    999        3 ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(sweeps_are_products) {
  const auto rates = try_parse_sweep("optimizer.sgd.learn_rate=0.1,0.01");
  const auto seeds = try_parse_sweep("trainer.random_seed=3..5");
  BOOST_REQUIRE((rates && seeds));
  BOOST_TEST(rates->path == "optimizer.sgd.learn_rate");
  BOOST_TEST(seeds->values == (std::vector<std::string>{"3", "4", "5"}), boost::test_tools::per_element());
  const auto points = sweep_points({*rates, *seeds});
  BOOST_REQUIRE(points.size() == 6U);
  BOOST_TEST(points[0] == (std::vector<std::string>{"0.1", "3"}), boost::test_tools::per_element());
  BOOST_TEST(points[1] == (std::vector<std::string>{"0.1", "4"}), boost::test_tools::per_element());
  BOOST_TEST(points[5] == (std::vector<std::string>{"0.01", "5"}), boost::test_tools::per_element());
  BOOST_TEST(sweep_points({}).empty());
  for (const char* bad : {"", "x", "=1", "x=", "x=1,,2", "x=1,", "x=5..3", "x=a..b", "x=1..9999999"})
    BOOST_TEST_CONTEXT(bad) BOOST_TEST(!try_parse_sweep(bad).has_value());
}

// The texts are what the programs' manuals show.
BOOST_AUTO_TEST_CASE(job_ids) {
  BOOST_TEST(try_parse_job_id(Scheduler::slurm, "123\n").value() == "123");
  BOOST_TEST(try_parse_job_id(Scheduler::slurm, "123;cluster\n").value() == "123");
  BOOST_TEST(try_parse_job_id(Scheduler::lsf, "Job <77> is submitted to queue <normal>.\n").value() == "77");
  BOOST_TEST(try_parse_job_id(Scheduler::pbs, "1234.server\n").value() == "1234.server");
  BOOST_TEST(try_parse_job_id(Scheduler::pjm, "[INFO] PJM 0000 pjsub Job 55 submitted.\n").value() == "55");
  BOOST_TEST(try_parse_job_id(Scheduler::flux, "f58abC\n").value() == "f58abC");
  for (const Scheduler s :
       {Scheduler::slurm, Scheduler::lsf, Scheduler::pbs, Scheduler::pjm, Scheduler::flux})
    BOOST_TEST(!try_parse_job_id(s, "").has_value());
}

BOOST_AUTO_TEST_CASE(job_states) {
  const auto check = [](Scheduler s, const char* text, Phase phase, std::optional<int> code = {}) {
    const JobState state = parse_state(s, text);
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((state.phase == phase));
      BOOST_TEST((state.exit_code == code));
    }
  };
  check(Scheduler::slurm, "JobId=1 JobState=PENDING ExitCode=0:0", Phase::waiting);
  check(Scheduler::slurm, "JobId=1 JobState=RUNNING Reason=None ExitCode=0:0", Phase::running);
  check(Scheduler::slurm, "JobId=1 JobState=FAILED Reason=NonZeroExitCode ExitCode=7:0", Phase::ended, 7);
  check(Scheduler::slurm, "JobId=1 JobState=CANCELLED Reason=None ExitCode=0:15", Phase::ended, 143);
  check(Scheduler::slurm, "", Phase::unknown);
  check(Scheduler::flux, "SCHED -\n", Phase::waiting);
  check(Scheduler::flux, "INACTIVE 3\n", Phase::ended, 3);
  check(Scheduler::lsf, "RUN -\n", Phase::running);
  check(Scheduler::lsf, "EXIT 5\n", Phase::ended, 5);
  check(Scheduler::pbs, "Job Id: 1.s\n    job_state = Q\n", Phase::waiting);
  check(Scheduler::pbs, "Job Id: 1.s\n    job_state = F\n    Exit_status = 2\n", Phase::ended, 2);
  check(Scheduler::pjm, "ST  EC\nRUN 0\n", Phase::running);
  check(Scheduler::pjm, "ST  EC\nEXT 4\n", Phase::ended, 4);
}

BOOST_AUTO_TEST_CASE(sites_are_recognised) {
  BOOST_TEST(glob_match("quartz*.llnl.gov", "quartz1234.LLNL.gov"));
  BOOST_TEST(!glob_match("quartz*", "xquartz"));
  BOOST_TEST(glob_match("n??", "n12"));
  Site site;
  const auto environment = [](const char* name) {
    return std::string(name) == "NERSC_HOST" ? "cgpu" : nullptr;
  };
  BOOST_TEST(!matches(site, "anything", environment));
  site.variables = {"NERSC_HOST=other"};
  BOOST_TEST(!matches(site, "anything", environment));
  site.variables = {"NERSC_HOST=cgpu"};
  BOOST_TEST(matches(site, "anything", environment));
}

BOOST_AUTO_TEST_SUITE_END()
