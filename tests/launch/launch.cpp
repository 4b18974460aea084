// Time limits, the map of ranks, quoting judged by sh itself, and command lines word by word.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "base/process.hpp"
#include "launch/allocation.hpp"
#include "launch/job.hpp"

using namespace lbann::launch;

BOOST_AUTO_TEST_SUITE(launch)

BOOST_AUTO_TEST_CASE(time_limits) {
  BOOST_TEST(try_parse_time_limit("90").value() == 5400);
  BOOST_TEST(try_parse_time_limit("1:30:05").value() == 5405);
  BOOST_TEST(try_parse_time_limit("48:00:00").value() == 172800);
  BOOST_TEST(try_parse_time_limit("2-03:04:05").value() == 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
  for (const char* bad : {"", "0", "-5", "1:30", "1:60:00", "1:00:60", "x", "1-", "1-5", "1:2:3:4", "1.5",
                          " 5", "99999999999999999999", "1:-2:03"})
    BOOST_TEST_CONTEXT(bad) BOOST_TEST(!try_parse_time_limit(bad).has_value());
  BOOST_TEST(time_limit_text(2 * 86400 + 3 * 3600 + 4 * 60 + 5) == "2-03:04:05");
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

BOOST_AUTO_TEST_CASE(mpirun_words) {
  Job job;
  job.allocation.nodes = 2;
  job.allocation.procs_per_node = 4;
  job.command = {"prog", "a b"};
  job.launcher_args = {"--hostfile=h"};
  const std::vector<std::string> unbound = {"mpirun",     "--hostfile=h", "-n",   "8",    "--map-by",
                                            "ppr:4:node", "--bind-to",    "none", "prog", "a b"};
  BOOST_TEST(mpirun_command(job) == unbound, boost::test_tools::per_element());
  job.allocation.cores_per_proc = 3;
  job.work_dir = "/x y";
  const std::vector<std::string> bound = {
      "mpirun",          "--hostfile=h", "-n",   "8",  "--map-by",
      "ppr:4:node:PE=3", "--bind-to",    "core", "-x", "OMP_NUM_THREADS=3",
      "-wdir",           "/x y",         "prog", "a b"};
  BOOST_TEST(mpirun_command(job) == bound, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(srun_repeats_what_sbatch_was_told) {
  Job job;
  job.allocation = {3, 2, 5, 1, 60};
  job.partition = "p";
  job.account = "a";
  job.command = {"prog"};
  const std::string script = slurm_script(job);
  const std::string last = script.substr(script.rfind("\nsrun ") + 1);
  std::size_t options = 0;
  for (std::size_t at = 0; (at = script.find("#SBATCH ", at)) != std::string::npos; ++at) {
    const std::string option = script.substr(at + 8, script.find('\n', at) - at - 8);
    ++options;
    if (option != "--open-mode=append")
      BOOST_TEST(last.find(" " + option + " ") != std::string::npos, option);
  }
  BOOST_TEST(options == 10U);
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

BOOST_AUTO_TEST_SUITE_END()
