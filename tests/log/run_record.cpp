// Run records: exact text, numbers that read back to the bit, torn and hostile files.
#include "log/run_record.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "base/diagnostic.hpp"
#include "log/json.hpp"

using namespace lbann::log;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const char* line_of_epoch_0 =
    "{\"schema\":\"lbann-log/1\",\"run\":\"5f0c\",\"attempt\":2,\"kind\":\"epoch\",\"step\":211,\"epoch\":0,"
    "\"mode\":\"training\",\"wall\":1700000000.25,\"metrics\":{\"objective function\":0.1,\"accuracy\":87.5,"
    "\"bad\":\"NaN\",\"worse\":\"-Infinity\"}}\n";

RunRecord epoch_0() {
  return {"5f0c",
          2,
          "epoch",
          211,
          0,
          "training",
          1700000000.25,
          {{"objective function", 0.1}, {"accuracy", 87.5}, {"bad", not_a_number}, {"worse", -infinity}}};
}

struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    char name[] = "/tmp/lbann-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string file(const char* name) const { return path / name; }
};

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_record)

BOOST_AUTO_TEST_CASE(exact_text) { BOOST_TEST(render_record(epoch_0()) == line_of_epoch_0); }

BOOST_AUTO_TEST_CASE(reads_back) {
  const RunLog log = parse_records(line_of_epoch_0);
  BOOST_TEST(log.bad_lines.empty());
  BOOST_REQUIRE(log.records.size() == 1);
  const RunRecord& r = log.records[0];
  BOOST_TEST(r.run == "5f0c");
  BOOST_TEST(r.attempt == 2);
  BOOST_TEST(r.kind == "epoch");
  BOOST_TEST(r.step == 211);
  BOOST_TEST(r.epoch == 0);
  BOOST_TEST(r.mode == "training");
  BOOST_TEST(r.wall == 1700000000.25);
  BOOST_REQUIRE(r.metrics.size() == 4);
  BOOST_TEST(r.metrics[0].first == "objective function");
  BOOST_TEST(r.metrics[0].second == 0.1);
  BOOST_TEST(std::isnan(r.metrics[2].second));
  BOOST_TEST(r.metrics[3].second == -infinity);
}

// strtod is the independent judge of what the digits mean.
BOOST_AUTO_TEST_CASE(numbers_read_back_to_the_bit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = json_number(value);
    const double by_libc = std::strtod(text.c_str(), nullptr);
    const auto ours = try_parse_json(text);
    BOOST_REQUIRE(std::memcmp(&by_libc, &value, sizeof value) == 0);
    BOOST_REQUIRE((ours && std::memcmp(&ours->number, &value, sizeof value) == 0));
    BOOST_REQUIRE(text.size() <= 24u);
  }
  BOOST_TEST(json_number(0.1) == "0.1");
  BOOST_TEST(json_number(5e-324) == "5e-324");
}

BOOST_AUTO_TEST_CASE(numbers_do_not_depend_on_the_locale) {
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "C"})
    if (std::setlocale(LC_ALL, name)) break;
  BOOST_TEST(json_number(1234567.5) == "1234567.5");
  BOOST_TEST(try_parse_json("0.5")->number == 0.5);
  std::setlocale(LC_ALL, "C");
}

BOOST_AUTO_TEST_CASE(names_are_escaped) {
  RunRecord r = epoch_0();
  r.metrics = {{"a\"b\\c\nd\te", 1.0}};
  const std::string line = render_record(r);
  BOOST_TEST(std::count(line.begin(), line.end(), '\n') == 1);
  const RunLog log = parse_records(line);
  BOOST_REQUIRE(log.records.size() == 1);
  BOOST_TEST(log.records[0].metrics[0].first == "a\"b\\c\nd\te");
}

BOOST_AUTO_TEST_CASE(writer_appends_and_cuts_off_a_torn_line) {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.jsonl");
  { RecordWriter(path).write(epoch_0()); }
  const std::string whole = content(path);
  BOOST_TEST(whole == line_of_epoch_0);
  {
    std::ofstream out(path, std::ios::app);
    out << std::string(10000, 'x');
  }
  { RecordWriter(path).write(epoch_0()); }
  BOOST_TEST(content(path) == whole + whole);
  {
    std::ofstream out(folder.file("torn"));
    out << "{\"schema\"";
  }
  { RecordWriter(folder.file("torn")).write(epoch_0()); }
  BOOST_TEST(content(folder.file("torn")) == whole);
}

BOOST_AUTO_TEST_CASE(two_writers_do_not_overwrite_each_other) {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.jsonl");
  RecordWriter a(path), b(path);
  a.write(epoch_0());
  b.write(epoch_0());
  a.write(epoch_0());
  BOOST_TEST(load_records(path).records.size() == 3);
}

BOOST_AUTO_TEST_CASE(failing_storage_is_exit_8) {
  const auto is_storage = [](const lbann::base::Error& e) {
    return e.code() == lbann::base::ExitCode::storage;
  };
  BOOST_CHECK_EXCEPTION(RecordWriter("/nonexistent/log.jsonl"), lbann::base::Error, is_storage);
  BOOST_CHECK_EXCEPTION(RecordWriter("/dev/full").write(epoch_0()), lbann::base::Error, is_storage);
}

BOOST_AUTO_TEST_CASE(bad_lines_are_listed_and_the_rest_is_read) {
  const std::string good = line_of_epoch_0;
  const RunLog log =
      parse_records("\n" + good + "garbage\n{\"schema\":\"other\"}\n[]\n" + good + good.substr(0, 40));
  BOOST_TEST(log.records.size() == 2);
  BOOST_REQUIRE(log.bad_lines.size() == 4);
  BOOST_TEST(log.bad_lines[0].line == 3);
  BOOST_TEST(log.bad_lines[1].line == 4);
  BOOST_TEST(log.bad_lines[1].reason == "schema 'other' is not 'lbann-log/1'");
  BOOST_TEST(log.bad_lines[2].reason == "not an object");
  BOOST_TEST(log.bad_lines[3].line == 7);
  BOOST_TEST(log.bad_lines[3].reason.substr(0, 9) == "torn line");
}

BOOST_AUTO_TEST_CASE(unknown_members_are_skipped_and_wrong_types_are_not) {
  std::string more = line_of_epoch_0;
  more.insert(1, "\"new\":[1,{\"x\":null}],");
  BOOST_TEST(parse_records(more).records.size() == 1);
  std::string wrong = line_of_epoch_0;
  wrong.replace(wrong.find("211"), 3, "2.5");
  BOOST_TEST(parse_records(wrong).bad_lines.at(0).reason == "'step' is not an integer");
}

// Every prefix and every changed byte of a record: no crash, and a record only where it is one.
BOOST_AUTO_TEST_CASE(mutilated_records) {
  const std::string line(line_of_epoch_0);
  for (std::size_t n = 0; n + 2 < line.size(); ++n)
    BOOST_REQUIRE(parse_records(line.substr(0, n)).records.empty());
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string bad = line;
    bad[random() % bad.size()] = static_cast<char>(random());
    const RunLog log = parse_records(bad);
    BOOST_REQUIRE(log.records.size() + log.bad_lines.size() <= 2);
  }
}

BOOST_AUTO_TEST_CASE(json_accepts_what_the_standard_does_and_no_more) {
  for (const char* good : {"null", " true ", "-0", "1e5", "1.5E-3", "\"\\u00e9\\ud83d\\ude00\"", "[]",
                           "[1,[2]]", "{}", "{\"a\":{\"b\":[]}}"})
    BOOST_TEST(try_parse_json(good).has_value(), good);
  for (const char* bad :
       {"",        "nul",        "01",      "1.",          ".5",          "+1",     "1e",    "--1",
        "NaN",     "\"",         "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "[1,]",   "[1 2]", "{1:2}",
        "{\"a\"}", "{\"a\":1,}", "[",       "{",           "1 2",         "\"\n\"", "1e999", "'a'"})
    BOOST_TEST(!try_parse_json(bad).has_value(), bad);
  BOOST_TEST(try_parse_json("\"\\u00e9\\ud83d\\ude00\"")->text == "\xC3\xA9\xF0\x9F\x98\x80");
  std::string why;
  BOOST_TEST(!try_parse_json(std::string(1000000, '['), &why));
  BOOST_TEST(why == "nested too deep at byte 102");
}

BOOST_AUTO_TEST_CASE(run_json_reads_back) {
  const TemporaryFolder folder;
  const RunInfo info{
      "5f0c", 3, 42, "lbann-train", "0.1.0", "abc", "node1", 1700000000.5, {"lbann-train", "a \"b\""}};
  save_run_info(info, folder.file("run.json"));
  const RunInfo back = load_run_info(folder.file("run.json"));
  BOOST_TEST(back.run == "5f0c");
  BOOST_TEST(back.attempt == 3);
  BOOST_TEST(back.seed == 42);
  BOOST_TEST(back.program == "lbann-train");
  BOOST_TEST(back.version == "0.1.0");
  BOOST_TEST(back.git == "abc");
  BOOST_TEST(back.host == "node1");
  BOOST_TEST(back.started == 1700000000.5);
  BOOST_TEST(back.argv == info.argv, boost::test_tools::per_element());
  std::ofstream(folder.file("run.json")) << "{}";
  BOOST_CHECK_THROW(load_run_info(folder.file("run.json")), lbann::base::Error);
}

BOOST_AUTO_TEST_SUITE_END()
