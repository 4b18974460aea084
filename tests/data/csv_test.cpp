// The csv reader: tables written here by hand.
#include "data/csv.hpp"

#include "files.hpp"

using namespace lbann;
using namespace lbann::data;
using namespace lbann::data::test;

namespace {

struct Table {
  Directory dir;
  CsvOptions o;
  explicit Table(const std::string& text) {
    write_file(dir.file("t.csv"), text);
    o.directory = dir.path();
    o.file = "t.csv";
  }
  std::shared_ptr<const Dataset> open() const { return make_csv_dataset(o); }
  void fails(const std::vector<std::string>& parts, base::ExitCode code = base::ExitCode::data) const {
    check_error([&] { open(); }, code, parts);
  }
};

std::vector<float> all(const Dataset& d, const std::string& field) {
  const auto f = d.try_find_field(field);
  BOOST_REQUIRE(f.has_value());
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < d.size(); ++i) indices.push_back(i);
  std::vector<float> out(indices.size() * static_cast<std::size_t>(d.fields()[*f].num_elements()));
  d.read(*f, indices, out.data());
  return out;
}

using Floats = std::vector<float>;
const auto each = boost::test_tools::per_element();

}  // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(plain_table) {
  const Table t("1,2,3\n4,-5.5,6e1\n");
  const auto d = t.open();
  BOOST_TEST(d->size() == 2);
  BOOST_TEST(d->fields().size() == 1u);
  BOOST_TEST(all(*d, "samples") == (Floats{1, 2, 3, 4, -5.5f, 60}), each);
}

BOOST_AUTO_TEST_CASE(line_ends_blanks_quotes_and_a_last_line_without_end) {
  const Table t("\xef\xbb\xbf\"a, \"\"b\"\"\",c\r\n 1 ,\"2\"\r\n\r\n+3,\t4");
  Table u = Table("x");
  u.o.has_header = true;
  write_file(u.dir.file("t.csv"), "\xef\xbb\xbf\"a, \"\"b\"\"\",c\r\n 1 ,\"2\"\r\n\r\n+3,\t4");
  BOOST_TEST(all(*u.open(), "samples") == (Floats{1, 2, 3, 4}), each);
  t.fails({"t.csv:1:", "is no number", "has_header: true"});
}

BOOST_AUTO_TEST_CASE(skipped_rows_and_columns_and_another_separator) {
  Table t("made by hand\nname;x;y\nfirst;1;2\nsecond;3;4\n");
  t.o.separator = ';';
  t.o.skip_rows = 1;
  t.o.has_header = true;
  t.o.skip_columns = 1;
  BOOST_TEST(all(*t.open(), "samples") == (Floats{1, 2, 3, 4}), each);
}

BOOST_AUTO_TEST_CASE(labels_and_responses_where_the_fields_say) {
  Table t("7,2,0.5\n8,0,1.5\n9,1,2.5\n");
  t.o.label_column = 1;
  t.o.response_column = -1;
  const auto d = t.open();
  BOOST_TEST(all(*d, "samples") == (Floats{7, 8, 9}), each);
  BOOST_TEST(all(*d, "labels") == (Floats{0, 0, 1, 1, 0, 0, 0, 1, 0}), each);
  BOOST_TEST(all(*d, "responses") == (Floats{0.5f, 1.5f, 2.5f}), each);
  t.o.num_labels = 2;
  t.fails({"t.csv:1: label 2 is outside 0..1"});
  t.o.num_labels = 0;
  t.o.label_column = 2;
  t.o.response_column.reset();
  t.fails({"t.csv:1: label 0.5 is no class number"});
}

BOOST_AUTO_TEST_CASE(places_of_errors) {
  Table("1,2\n3,x\n").fails({"t.csv:2:3: 'x' is no number"});
  Table("1,2\n3\n").fails({"t.csv:2:2: 1 cells, the rows before have 2"});
  Table("1,2\n3,4,5\n").fails({"t.csv:2:5: more than the 2 cells"});
  Table("1,2\n3,\n").fails({"t.csv:2:3: an empty cell"});
  Table("1,2\n\n\n3,4\n5,6.7.8\n").fails({"t.csv:5:3: '6.7.8' is no number"});
  Table("1,\"2\n").fails({"t.csv:1:3: a quoted cell does not end"});
  Table("1,1e999\n").fails({"t.csv:1:3: the number does not fit"});
  Table("1,2\n\xc3\xa4,3\n").fails({"t.csv:2:1: '\xc3\xa4' is no number"});
  Table("\n\n").fails({"there are no samples"});
  Table("").fails({"there are no samples"});
  Table header("a,b,c\n1,2\n");
  header.o.has_header = true;
  header.fails({"t.csv:2:1: 2 cells under a header of 3"});
}

BOOST_AUTO_TEST_CASE(options_that_do_not_fit_the_table) {
  Table t("1,2\n");
  t.o.label_column = 2;
  t.fails({"label_col = 2, but its rows have 2 columns"}, base::ExitCode::config);
  t.o.label_column = 1;
  t.o.response_column = -1;
  t.fails({"column 1 cannot be label and response"}, base::ExitCode::config);
  t.o.label_column.reset();
  t.o.skip_columns = 2;
  t.o.response_column.reset();
  t.fails({"no column is left"}, base::ExitCode::config);
  CsvOptions absent;
  absent.file = t.dir.file("absent.csv");
  check_error([&] { make_csv_dataset(absent); }, base::ExitCode::data, {"absent.csv"});
  absent.file = t.dir.path();
  check_error([&] { make_csv_dataset(absent); }, base::ExitCode::data, {t.dir.path()});
}

// Random bytes between numbers: an error with a place, never a crash.
BOOST_AUTO_TEST_CASE(damaged_tables) {
  const std::string good = "1,\"2\",3\r\n4,5,6\n7,8,9\n";
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'"', ',', '\n', '\r', '\0', 'x', '\xff', '-'}) {
      std::string bad = good;
      bad[at] = c;
      try {
        Table(bad).open();
      } catch (const base::Error& e) {
        BOOST_TEST((e.code() == base::ExitCode::data));
        BOOST_TEST((std::string(e.what()).find("t.csv:") != std::string::npos));
        ++refused;
      }
    }
  }
  BOOST_TEST(refused > 80);
}

BOOST_AUTO_TEST_SUITE_END()
