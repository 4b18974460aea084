// Rendering of diagnostics: place, quoted line, caret, order, hostile text, JSON.
#include <boost/test/unit_test.hpp>

#include "base/diagnostic.hpp"
#include "base/utf8.hpp"

using namespace lbann::base;

namespace {

SourceSpan span(int line, int column, int end_column) {
  return {"exp.prototext", line, column, line, end_column};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_diagnostic_quotes_its_line_with_a_caret) {
  Diagnostics d;
  d.set_source("exp.prototext", "layer {\n  convolution { groups: 5 }\n}\n");
  Diagnostic one;
  one.id = "groups-divide-channels";
  one.message = "96 channels not divisible by groups = 5";
  one.span = span(2, 25, 26);
  one.notes = {{"'pool1' produces [96,27,27]", {}}, {"declared here", span(1, 1, 6)}};
  one.help = "use a divisor of 96";
  d.add(one);
  BOOST_TEST(d.render() ==
             "exp.prototext:2:25: error: 96 channels not divisible by groups = 5 [groups-divide-channels]\n"
             "    2 |   convolution { groups: 5 }\n"
             "      |                         ^\n"
             "note: 'pool1' produces [96,27,27]\n"
             "exp.prototext:1:1: note: declared here\n"
             "    1 | layer {\n"
             "      | ^~~~~\n"
             "help: use a divisor of 96\n");
  BOOST_TEST(d.num_errors() == 1);
  BOOST_TEST((d.exit_code() == ExitCode::config));
}

BOOST_AUTO_TEST_CASE(the_caret_line_copies_tabs_and_counts_code_points) {
  Diagnostics d;
  d.set_source("exp.prototext", "\tname: \"\xC3\xA9\xE2\x82\xAC\" x\r\n");
  d.error("unknown-field", span(1, 13, 14), "no field 'x'");
  BOOST_TEST(d.render() ==
             "exp.prototext:1:13: error: no field 'x' [unknown-field]\n"
             "    1 | \tname: \"\xC3\xA9\xE2\x82\xAC\" x\n"
             "      | \t           ^\n");
}

BOOST_AUTO_TEST_CASE(diagnostics_come_in_file_order_and_unknown_places_last) {
  Diagnostics d;
  d.error("c", {}, "third");
  d.error("b", span(9, 2, 3), "second");
  d.warning("a", span(9, 1, 2), "first");
  BOOST_TEST(d.render() ==
             "exp.prototext:9:1: warning: first [a]\n"
             "exp.prototext:9:2: error: second [b]\n"
             "error: third [c]\n");
  BOOST_TEST(d.num_errors() == 2);
  BOOST_TEST(d.num_warnings() == 1);
}

BOOST_AUTO_TEST_CASE(control_characters_and_broken_utf8_never_reach_the_terminal) {
  Diagnostics d;
  d.set_source("exp.prototext", std::string("a\x1b[2J\0\xFF", 7) + "\xC2\x9B" + "b\n");
  d.error("bad-byte", span(1, 2, 3), "escape \x1b here");
  const std::string text = d.render();
  for (char c : text) BOOST_TEST((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  BOOST_TEST(text.find("\xEF\xBF\xBD") != std::string::npos);
  BOOST_TEST(text.find("\xC2\x9B") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_very_long_line_is_cut_around_the_place) {
  Diagnostics d;
  d.set_source("exp.prototext", std::string(5000, 'x') + "HERE" + std::string(5000, 'y'));
  d.error("long", span(1, 5001, 5005), "m");
  const std::string text = d.render();
  BOOST_TEST(text.size() < 500);
  const auto quoted = text.find("HERE");
  const auto caret = text.find("^~~~\n");
  BOOST_REQUIRE(quoted != std::string::npos);
  BOOST_REQUIRE(caret != std::string::npos);
  BOOST_TEST(quoted - text.rfind('\n', quoted) == caret - text.rfind('\n', caret));
}

BOOST_AUTO_TEST_CASE(a_place_outside_the_text_does_no_harm) {
  Diagnostics d;
  d.set_source("exp.prototext", "one line");
  d.error("a", span(7, 1, 2), "no such line");
  d.error("b", span(1, 400, 401), "no such column");
  BOOST_TEST(d.render().find("no such column") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_escapes_what_json_cannot_hold) {
  Diagnostics d;
  BOOST_TEST(d.render_json() == "[]\n");
  d.error("id", span(3, 4, 5), "quote \" backslash \\ newline \n bell \a bad \xFE", "h");
  BOOST_TEST(d.render_json() ==
             "[\n{\"severity\":\"error\",\"id\":\"id\",\"message\":\"quote \\\" backslash \\\\ newline \\n "
             "bell \\u0007 bad "
             "\xEF\xBF\xBD\",\"file\":\"exp.prototext\",\"line\":3,\"column\":4,\"end_line\":3,\"end_"
             "column\":5,\"notes\":[],"
             "\"help\":\"h\",\"exit_code\":3}\n]\n");
}

BOOST_AUTO_TEST_CASE(utf8_follows_the_table_of_well_formed_sequences) {
  // Overlong '/', surrogate U+D800, beyond U+10FFFF, lone continuation: each byte counts one.
  BOOST_TEST(count_code_points("\xC0\xAF") == 2);
  BOOST_TEST(count_code_points("\xED\xA0\x80") == 3);
  BOOST_TEST(count_code_points("\xF4\x90\x80\x80") == 4);
  BOOST_TEST(count_code_points("\x80") == 1);
  BOOST_TEST(count_code_points("\xF0\x9F\x98\x80") == 1);
  BOOST_TEST(count_code_points("\xE2\x82") == 2);
  BOOST_TEST(count_code_points("a\xC3\xA9\xE2\x82\xAC") == 3);
}
