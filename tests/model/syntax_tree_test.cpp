// Places, recovery and hostile input of the syntax tree.
#include <boost/test/unit_test.hpp>

#include "model/syntax_tree.hpp"

using namespace lbann;
using namespace lbann::model;
using Kind = SyntaxValue::Kind;

namespace {

struct Parsed {
  base::Diagnostics diagnostics;
  SyntaxTree tree;
  explicit Parsed(std::string text) : tree(parse_syntax_tree("f", std::move(text), diagnostics)) {}
  /// "3:7 id" per error.
  std::vector<std::string> errors() const {
    std::vector<std::string> list;
    for (const auto& d : diagnostics.all())
      list.push_back(std::to_string(d.span.line) + ":" + std::to_string(d.span.column) + " " + d.id);
    return list;
  }
};

void check_place(const TextRange& range, int line, int column, int end_line, int end_column) {
  BOOST_TEST(range.line == line);
  BOOST_TEST(range.column == column);
  BOOST_TEST(range.end_line == end_line);
  BOOST_TEST(range.end_column == end_column);
}

using List = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(every_form_of_value_is_read_with_its_place) {
  const Parsed p("a: 1 b: -2.5e3, c: \"x\" 'y'; d { e: [1, 2] } f <g: t>\nh: inf [a.b/c.D] { i: 0x1F }");
  BOOST_REQUIRE(!p.diagnostics.has_errors());
  const auto& f = p.tree.fields;
  BOOST_REQUIRE(f.size() == 7);
  BOOST_TEST((f[0].value.kind == Kind::integer && f[0].value.text == "1"));
  BOOST_TEST((f[1].value.kind == Kind::floating && f[1].value.negative && f[1].value.text == "2.5e3"));
  BOOST_TEST((f[2].value.kind == Kind::string && f[2].value.text == "xy"));
  check_place(f[2].value.range, 1, 20, 1, 27);
  BOOST_REQUIRE((f[3].value.kind == Kind::message && f[3].value.fields.size() == 1));
  BOOST_TEST(f[3].value.fields[0].value.items.size() == 2);
  BOOST_TEST((f[4].value.kind == Kind::message));
  check_place(f[5].name_range, 2, 1, 2, 2);
  BOOST_TEST((f[6].is_type_url && f[6].name == "a.b/c.D"));
  check_place(f[6].name_range, 2, 8, 2, 17);
  check_place(f[6].value.range, 2, 18, 2, 29);
}

BOOST_AUTO_TEST_CASE(columns_count_code_points_and_a_tab_is_one) {
  // The string holds U+00E9 (2 bytes), U+20AC (3 bytes) and U+1F600 (4 bytes).
  const Parsed p("\t\ta: \"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\" b: 1\r\nc: 2\r\n");
  BOOST_REQUIRE(p.tree.fields.size() == 3);
  check_place(p.tree.fields[0].name_range, 1, 3, 1, 4);
  check_place(p.tree.fields[0].value.range, 1, 6, 1, 11);
  check_place(p.tree.fields[1].name_range, 1, 12, 1, 13);
  check_place(p.tree.fields[2].name_range, 2, 1, 2, 2);
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_no_column) {
  const Parsed p(
      "\xEF\xBB\xBF"
      "a: !");
  BOOST_TEST(p.errors() == List({"1:4 expected-value"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_bytes_of_every_node_are_in_the_text) {
  const std::string text = "# one\na: 12 # two\n  b { c: \"x # no\" } # three";
  const Parsed p(text);
  auto bytes = [&](const TextRange& r) { return text.substr(r.begin, r.end - r.begin); };
  BOOST_TEST(bytes(p.tree.fields[0].name_range) == "a");
  BOOST_TEST(bytes(p.tree.fields[0].value.range) == "12");
  BOOST_TEST(bytes(p.tree.fields[1].value.range) == "{ c: \"x # no\" }");
  BOOST_REQUIRE(p.tree.comments.size() == 3);
  BOOST_TEST(bytes(p.tree.comments[0]) == "# one");
  BOOST_TEST(bytes(p.tree.comments[1]) == "# two");
  BOOST_TEST(bytes(p.tree.comments[2]) == "# three");
  check_place(p.tree.comments[1], 2, 7, 2, 12);
}

BOOST_AUTO_TEST_CASE(parsing_goes_on_after_each_error) {
  const Parsed p(
      "a = 1\n"            // 1
      "b:\n"               // 2
      "c { d }\n"          // 3
      "e: 3x3 f: 09\n"     // 4
      "g: \"open\n"        // 5
      "h: [1 2]\n"         // 6
      "i j { k: } l: 5\n"  // 7
      "m: \xE2\x80\x9Cq\xE2\x80\x9D\n"
      "n: \"\\q\" o: 1\n"
      "p: 1\n");
  BOOST_TEST(
      p.errors() == List({"1:3 expected-colon", "2:1 missing-value", "3:5 missing-value", "4:5 bad-number",
                          "4:12 bad-number", "5:4 unterminated-string", "6:7 expected-comma",
                          "7:3 expected-colon", "7:7 missing-value", "8:4 bad-character", "9:6 bad-escape"}),
      boost::test_tools::per_element());
  BOOST_REQUIRE(!p.tree.fields.empty());
  BOOST_TEST(p.tree.fields.back().name == "p");
  BOOST_TEST(p.tree.fields.front().value.text == "1");  // '=' was read as ':'
}

BOOST_AUTO_TEST_CASE(a_missing_brace_is_found_by_the_indentation) {
  const Parsed p("model {\n  layer {\n    name: \"a\"\n  layer {\n    name: \"b\"\n  }\n}\noptimizer {}\n");
  BOOST_TEST(p.errors() == List({"2:9 unclosed-brace"}), boost::test_tools::per_element());
  BOOST_REQUIRE(p.tree.fields.size() == 2);
  BOOST_TEST(p.tree.fields[0].value.fields.size() == 2);
}

BOOST_AUTO_TEST_CASE(a_brace_too_many_is_found_by_the_indentation) {
  const Parsed p("model {\n  layer {\n    name: \"a\"\n    }\n  }\n  layer {}\n}\noptimizer {}\n");
  BOOST_TEST(p.errors() == List({"4:5 unmatched-brace"}), boost::test_tools::per_element());
  BOOST_REQUIRE(p.tree.fields.size() == 2);
  BOOST_TEST(p.tree.fields[0].value.fields.size() == 2);
}

BOOST_AUTO_TEST_CASE(odd_indentation_of_a_text_whose_braces_match_means_nothing) {
  const Parsed p("model {\nlayer {\n      name: \"a\"\n        }\nlayer { name: \"b\"\n}\n      }\n");
  BOOST_TEST(!p.diagnostics.has_errors());
  BOOST_REQUIRE(p.tree.fields.size() == 1);
  BOOST_TEST(p.tree.fields[0].value.fields.size() == 2);
}

BOOST_AUTO_TEST_CASE(nesting_deeper_than_the_limit_is_one_error) {
  for (const int depth : {101, 10000, 200000}) {
    std::string text = "x: 1 ";
    for (int i = 0; i < depth; ++i) text += "a {";
    for (int i = 0; i < depth; ++i) text += "}";
    const Parsed p(text + " y: 2");
    BOOST_REQUIRE(p.errors().size() == 1);
    BOOST_TEST(p.diagnostics.all()[0].id == "too-deep");
    BOOST_TEST(p.tree.fields.back().name == "y");
  }
  std::string allowed;
  for (int i = 0; i < max_nesting; ++i) allowed += "a {";
  BOOST_TEST(!Parsed(allowed + std::string(max_nesting, '}')).diagnostics.has_errors());
}

BOOST_AUTO_TEST_CASE(every_prefix_of_a_text_is_survived) {
  const std::string text =
      "model { layer { name: \"a\\n\xC3\xA9\" dims: [1, -2.5e1] [t.g/l.D] { x: inf } } # c\n}\n";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const Parsed p(text.substr(0, n));
    const bool whole = n == 0 || n >= text.size() - 1;
    BOOST_TEST(p.diagnostics.has_errors() == !whole, "prefix of " << n << " bytes");
  }
}

BOOST_AUTO_TEST_CASE(strange_bytes_are_errors_with_a_place) {
  const Parsed nul(std::string("abc: 1\nlonger_name: 2\nd\0: 3\nmore: 4\nstill: 5", 45));
  BOOST_REQUIRE(nul.diagnostics.has_errors());
  BOOST_TEST(nul.diagnostics.all()[0].span.line == 3);
  BOOST_TEST(nul.diagnostics.all()[0].span.column == 2);
  BOOST_TEST(nul.tree.fields.back().name == "still");
  const Parsed latin1("name: \"a\" caf\xE9: 1\nb: 2");
  BOOST_TEST(latin1.errors()[0] == "1:14 bad-character", "found " << latin1.errors()[0]);
  BOOST_TEST(latin1.tree.fields.back().name == "b");
  std::string binary;
  for (int i = 0; i < 4096; ++i) binary += static_cast<char>(i * 7);
  const Parsed bin(binary);
  BOOST_TEST(bin.errors() == List({"0:0 not-text"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_of_nothing_but_errors_is_given_up) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += "! !\n";
  const Parsed p(text);
  BOOST_TEST(p.diagnostics.num_errors() <= 101);
  BOOST_TEST(p.diagnostics.all().back().id == "too-many-errors");
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_an_empty_tree) {
  for (const char* text : {"", "\n\n", "# nothing\n", "\xEF\xBB\xBF"}) {
    const Parsed p(text);
    BOOST_TEST(!p.diagnostics.has_errors());
    BOOST_TEST(p.tree.fields.empty());
  }
}
