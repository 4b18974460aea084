// OptionTable: every trap of command lines that cost somebody a run, one test each.
#include "common/option_table.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>

using lbann::tools::OptionOrigin;
using lbann::tools::OptionTable;
using lbann::tools::ParseOutcome;

namespace {

enum class Fruit { apple, pear };

struct Options {
  bool flag = false;
  int level = 0;
  std::string text{};
  std::string file{};
  std::optional<std::int64_t> number{};
  std::optional<std::string> resume{};
  std::vector<std::string> sets{};
  std::vector<std::string> files{};
  Fruit fruit = Fruit::apple;
};

struct Fixture {
  Options o;
  OptionTable table{"tool", "Does things.", "[OPTION]... FILE..."};
  Fixture() {
    table.section("Options");
    table.add_flag("dry-run", o.flag, "A flag.");
    table.add_counter("verbose,v", o.level, "A counter.");
    table.add_value("output,o", "FILE", o.text, "A text.");
    table.add_file("model", "FILE", o.file, "A file.");
    table.add_integer("mini-batch-size,mbs", "N", o.number, 1, 100, "A number.");
    table.add_optional_value("resume", "DIR", o.resume, "auto", "A value with = only.");
    table.add_list("set", "PATH=VALUE", o.sets, "A list.");
    table.add_choice<Fruit>("fruit", o.fruit, {{"apple", Fruit::apple}, {"pear", Fruit::pear}}, "A choice.");
    table.set_positional(o.files);
    table.add_unsupported({"procs-per-node"});
    table.add_obsolete({"super-node"}, false);
    table.add_obsolete({"block-size"}, true);
  }
  ParseOutcome parse(std::vector<const char*> words) {
    words.insert(words.begin(), "tool");
    return table.parse(static_cast<int>(words.size()), words.data());
  }
};

struct Variable {
  const char* name;
  Variable(const char* n, const char* value) : name(n) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name); }
};

using Words = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(option_table, Fixture)

BOOST_AUTO_TEST_CASE(underscores_hyphens_and_both_value_forms) {
  BOOST_TEST(parse({"--mini_batch_size=7", "--output", "a_b--c", "x"}).problems.empty());
  BOOST_TEST(o.number.value() == 7);
  BOOST_TEST(o.text == "a_b--c");
  BOOST_TEST(o.files == Words{"x"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(values_after_the_equals_sign_are_untouched) {
  BOOST_TEST(parse({"--set=model.layer_x=a_b-c=d"}).problems.empty());
  BOOST_TEST(o.sets == Words{"model.layer_x=a_b-c=d"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_list_takes_one_word_at_a_time) {
  BOOST_TEST(parse({"--set", "a=1", "x.prototext", "--set", "b=2", "y"}).problems.empty());
  BOOST_TEST(o.sets == (Words{"a=1", "b=2"}), boost::test_tools::per_element());
  BOOST_TEST(o.files == (Words{"x.prototext", "y"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(brackets_are_ordinary_characters) {
  BOOST_TEST(parse({"--set=[a,b]", "[x,y]"}).problems.empty());
  BOOST_TEST(o.sets == Words{"[a,b]"}, boost::test_tools::per_element());
  BOOST_TEST(o.files == Words{"[x,y]"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(optional_value_leaves_the_next_word_alone) {
  BOOST_TEST(parse({"--resume", "x.prototext"}).problems.empty());
  BOOST_TEST(o.resume.value() == "auto");
  BOOST_TEST(o.files == Words{"x.prototext"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(optional_value_with_equals) {
  BOOST_TEST(parse({"--resume=dir"}).problems.empty());
  BOOST_TEST(o.resume.value() == "dir");
}

BOOST_AUTO_TEST_CASE(double_dash_ends_options_and_dash_is_a_word) {
  BOOST_TEST(parse({"-", "--", "--dry-run", "-x"}).problems.empty());
  BOOST_TEST(!o.flag);
  BOOST_TEST(o.files == (Words{"-", "--dry-run", "-x"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(counters_and_clusters) {
  BOOST_TEST(parse({"-vv", "--verbose", "-o", "f"}).problems.empty());
  BOOST_TEST(o.level == 3);
  BOOST_TEST(o.text == "f");
}

BOOST_AUTO_TEST_CASE(short_option_with_attached_value) {
  BOOST_TEST(parse({"-ofile"}).problems.empty());
  BOOST_TEST(o.text == "file");
}

BOOST_AUTO_TEST_CASE(flags_take_truth_values) {
  BOOST_TEST(parse({"--dry-run", "--dry_run=false"}).problems.empty());
  BOOST_TEST(!o.flag);
  BOOST_REQUIRE(parse({"--dry-run=maybe"}).problems.size() == 1);
}

BOOST_AUTO_TEST_CASE(last_of_a_repeated_scalar_counts) {
  BOOST_TEST(parse({"--mbs=3", "--mini-batch-size=4"}).problems.empty());
  BOOST_TEST(o.number.value() == 4);
}

BOOST_AUTO_TEST_CASE(file_options_are_given_once) {
  BOOST_TEST(parse({"--model=a", "--model", "b"}).problems.at(0).message ==
             "option '--model' is given 2 times");
  BOOST_TEST(parse({"--model={a,b}"}).problems.size() == 1);
}

BOOST_AUTO_TEST_CASE(every_problem_is_reported) {
  const auto problems =
      parse({"--mini_batch_siz=3", "-model=x", "--mbs=0", "--fruit=plum", "-z", "--output"}).problems;
  BOOST_REQUIRE(problems.size() == 6);
  BOOST_TEST(problems[0].message == "unknown option '--mini_batch_siz'");
  BOOST_TEST(problems[0].help == "did you mean '--mini_batch_size'?");
  BOOST_TEST(problems[1].message == "unknown option '-model'");
  BOOST_TEST(problems[1].help == "did you mean '--model'?");
  BOOST_TEST(problems[2].message == "unknown option '-z'");
  BOOST_TEST(problems[3].message == "option '--output' needs a value");
  BOOST_TEST(problems[4].message == "option '--mini-batch-size': 0 is too small; the smallest value is 1");
  BOOST_TEST(problems[5].message == "option '--fruit': 'plum' is not one of apple|pear");
}

BOOST_AUTO_TEST_CASE(the_next_option_is_not_a_value) {
  const auto outcome = parse({"--output", "--dry-run"});
  BOOST_REQUIRE(outcome.problems.size() == 1);
  BOOST_TEST(outcome.problems[0].message == "option '--output' needs a value");
  BOOST_TEST(o.flag);
}

BOOST_AUTO_TEST_CASE(empty_values_are_refused_and_swallow_nothing) {
  BOOST_TEST(parse({"--output=", "x"}).problems.size() == 1);
  BOOST_TEST(o.files == Words{"x"}, boost::test_tools::per_element());
  BOOST_TEST(parse({"--output", ""}).problems.size() == 1);
}

BOOST_AUTO_TEST_CASE(numbers) {
  for (const char* good : {"1", "100", "+7", "007"})
    BOOST_TEST(parse({"--mbs", good}).problems.empty(), good);
  for (const char* bad :
       {"-1", "101", "1.5", "0x10", " 1", "1 ", "99999999999999999999", "1e2", "++1", "+-1"})
    BOOST_TEST(parse({"--mbs", bad}).problems.size() == 1, bad);
}

BOOST_AUTO_TEST_CASE(unsupported_and_obsolete_names) {
  BOOST_TEST(parse({"--procs_per_node=3"}).problems.at(0).message ==
             "option '--procs_per_node' is known to LBANN but not yet supported here");
  const auto outcome = parse({"--super_node", "--block-size", "256", "x"});
  BOOST_TEST(outcome.problems.empty());
  BOOST_TEST(outcome.notes.size() == 2);
  BOOST_TEST(o.files == Words{"x"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(environment_is_read_and_the_command_line_wins) {
  const Variable a("LBANN_MINI_BATCH_SIZE", "5"), b("LBANN_FRUIT", "pear"), c("LBANN_SET", "a=1;b=2"),
      d("LBANN_DRY_RUN", "1");
  BOOST_TEST(parse({"--fruit=apple"}).problems.empty());
  BOOST_TEST(o.number.value() == 5);
  BOOST_TEST((o.fruit == Fruit::apple));
  BOOST_TEST(o.sets == (Words{"a=1", "b=2"}), boost::test_tools::per_element());
  BOOST_TEST(o.flag);
  BOOST_TEST((table.origin("mini-batch-size") == OptionOrigin::environment));
  BOOST_TEST((table.origin("fruit") == OptionOrigin::command_line));
  BOOST_TEST((table.origin("output") == OptionOrigin::unset));
}

BOOST_AUTO_TEST_CASE(environment_aliases_bad_values_and_unsupported_names) {
  {
    const Variable a("LBANN_MBS", "9");
    BOOST_TEST(parse({"x"}).problems.empty());
    BOOST_TEST(o.number.value() == 9);
  }
  {
    const Variable a("LBANN_MBS", "nine");
    BOOST_TEST(parse({"x"}).problems.at(0).message ==
               "environment variable LBANN_MBS: 'nine' is not an integer");
  }
  {
    const Variable a("LBANN_PROCS_PER_NODE", "4");
    BOOST_TEST(parse({"x"}).problems.size() == 1);
  }
  const Variable a("LBANN_PROCS_PER_NODE", "0"), b("LBANN_VERSION", "0.104"), c("LBANN_OUTPUT", "");
  BOOST_TEST(parse({"x"}).problems.empty());
}

BOOST_AUTO_TEST_CASE(help_wins_over_errors_but_not_after_double_dash) {
  BOOST_TEST(parse({"--nonsense", "--help"}).help);
  BOOST_TEST(parse({"-h"}).help);
  BOOST_TEST(!parse({"--", "--help"}).help);
}

BOOST_AUTO_TEST_CASE(help_lists_what_is_supported_within_80_columns) {
  const std::string help = table.help_text();
  for (const char* name : {"--dry-run", "-v, --verbose", "--mini-batch-size=N", "--resume[=DIR]",
                           "--fruit=apple|pear", "Also --mbs.", "[apple]"})
    BOOST_TEST(help.find(name) != std::string::npos, name);
  for (const char* name : {"procs-per-node", "super-node"})
    BOOST_TEST(help.find(name) == std::string::npos, name);
  for (std::size_t begin = 0; begin < help.size();) {
    const std::size_t end = help.find('\n', begin);
    BOOST_TEST(end - begin <= 80u);
    begin = end + 1;
  }
}

BOOST_AUTO_TEST_SUITE_END()
