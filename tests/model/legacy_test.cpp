// Old files, field by field: legacy_cases.tsv has a line for every field that files of v0.97 to v0.103 had
// otherwise than today. The judge of a meaning is protobuf's own text format on today's spelling; the
// same judge reads what fix_spelling makes of the old text.
#include <cstdio>
#include <fstream>
#include <map>

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <boost/test/unit_test.hpp>

#include "lbann.pb.h"
#include "model/experiment.hpp"
#include "model/fix.hpp"
#include "model/reader_sizes.hpp"

using namespace lbann;
using namespace lbann::model;
namespace pb = google::protobuf;

namespace {

// Lines of the table at the last change of it; a line is never lost.
constexpr int num_lines = 479;

struct Line {
  int number = 0;
  std::string message, field, versions, status, old, today;
};

std::vector<Line> load_lines() {
  std::ifstream file(LBANN_SOURCE_DIR "/tests/model/legacy_cases.tsv");
  std::vector<Line> lines;
  std::string text;
  for (int number = 1; std::getline(file, text); ++number) {
    if (text.empty() || text[0] == '#') continue;
    Line line;
    line.number = number;
    std::string* parts[] = {&line.message, &line.field, &line.versions, &line.status, &line.old, &line.today};
    std::size_t begin = 0;
    for (std::string* part : parts) {
      const std::size_t end = std::min(text.find('\t', begin), text.size());
      *part = text.substr(begin, end - begin);
      begin = std::min(end + 1, text.size());
    }
    lines.push_back(line);
  }
  return lines;
}

lbann_data::LbannPB parse_today(const std::string& text, const std::string& what) {
  lbann_data::LbannPB message;
  BOOST_TEST(pb::TextFormat::ParseFromString(text, &message), what << ": " << text);
  return message;
}

std::string difference(const pb::Message& a, const pb::Message& b) {
  std::string report;
  pb::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  return differencer.Compare(a, b) ? "" : report;
}

/// Fixes `old` and checks the promises of fix.hpp. Returns the fixed text.
std::string check_fix(const std::string& old, const pb::Message& meaning, const std::string& what) {
  base::Diagnostics diagnostics;
  const std::string fixed = fix_spelling(parse_syntax_tree("old", old, diagnostics)).text;
  BOOST_TEST(difference(parse_today(fixed, what), meaning) == "", what << ": " << fixed);
  const FixedText again = fix_spelling(parse_syntax_tree("fixed", fixed, diagnostics));
  BOOST_TEST(again.text == fixed, what << ": not idempotent");
  BOOST_TEST(again.num_changes == 0, what);
  return fixed;
}

std::string comments_of(const std::string& text) {
  base::Diagnostics ignored;
  const SyntaxTree tree = parse_syntax_tree("f", text, ignored);
  std::string all;
  for (const auto& comment : tree.comments)
    all += text.substr(comment.begin, comment.end - comment.begin) + "\n";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_old_field_is_understood_or_refused_at_its_place) {
  std::map<std::string, int> counts;
  int changed_by_fix = 0;
  const auto lines = load_lines();
  for (const Line& line : lines) {
    const std::string what = "line " + std::to_string(line.number) + ", " + line.message + "." + line.field;
    if (line.today == "-") {
      // No text can hold it: no message of today and no row of the table leads there.
      BOOST_TEST(lbann_data::LbannPB::descriptor()->file()->pool()->FindMessageTypeByName(
                     "lbann_data." + line.message) == nullptr,
                 what);
      ++counts["unreachable"];
      continue;
    }
    base::Diagnostics diagnostics;
    Experiment experiment;
    parse_experiment("old", line.old, experiment, diagnostics);
    if (line.today[0] == '!') {
      BOOST_REQUIRE_MESSAGE(diagnostics.num_errors() == 1, what << "\n" << diagnostics.render());
      for (const auto& d : diagnostics.all()) {
        if (d.severity != base::Severity::error) continue;
        BOOST_TEST("!" + std::to_string(d.span.line) + ":" + std::to_string(d.span.column) == line.today,
                   what);
        BOOST_TEST(!d.help.empty(), what << ": says not what to do instead");
      }
      ++counts["refused"];
      continue;
    }
    BOOST_TEST(!diagnostics.has_errors(), what << "\n" << diagnostics.render());
    const auto meaning = parse_today(line.today, what);
    BOOST_TEST(difference(*experiment.proto, meaning) == "", what);
    changed_by_fix += check_fix(line.old, meaning, what) != line.old ? 1 : 0;
    ++counts[line.status];
  }
  std::string report;
  for (const auto& [status, count] : counts) report += " " + status + " " + std::to_string(count);
  std::printf("legacy table: %zu lines:%s; fixed by --fix %d\n", lines.size(), report.c_str(),
              changed_by_fix);
  BOOST_TEST(lines.size() >= num_lines);
  BOOST_TEST(counts["unreachable"] <= 12);
  BOOST_TEST(counts["refused"] <= 71);
}

BOOST_AUTO_TEST_CASE(fixing_keeps_comments_and_touches_nothing_else) {
  const std::string old =
      "# an old experiment\n"
      "model {\n"
      "  mini_batch_size: 64  # of the whole trainer\n"
      "  type: \"dag_model\"\n"
      "  layer {\n"
      "    name: \"conv\"   # first\n"
      "    parents: \"a  b\"\n"
      "    convolution {\n"
      "      num_output_channels: 8\n"
      "      # a square\n"
      "      conv_dims_i: 3 conv_strides_i: 1\n"
      "      weight_initialization: \"he\" # never read\n"
      "    }\n"
      "  }\n"
      "  layer { sigmoid { } }  # squash\n"
      "}\n"
      "data_reader { reader { name: \"mnist\"\n"
      "  image_preprocessor {\n"
      "    normalizer { # per sample\n"
      "      z_score: true\n"
      "    }\n"
      "  }\n"
      "} }\n"
      "trainer {\n"
      "  name: \"t\"\n"
      "}";
  const std::string expected =
      "# an old experiment\n"
      "model {\n"
      "  # of the whole trainer\n"
      "  layer {\n"
      "    name: \"conv\"   # first\n"
      "    parents: [\"a\", \"b\"]\n"
      "    convolution {\n"
      "      out_channels: 8\n"
      "      # a square\n"
      "      kernel_size: 3 stride: 1\n"
      "      # never read\n"
      "      has_bias { value: false }\n"
      "    }\n"
      "  }\n"
      "  layer { operator_layer { ops { parameters { [type.googleapis.com/lbann_data.SigmoidOperator] { } } "
      "} } }  "
      "# squash\n"
      "}\n"
      "data_reader { reader { name: \"mnist\"\n"
      "  # per sample\n"
      "  transforms { sample_normalize {} }\n"
      "} }\n"
      "trainer {\n"
      "  name: \"t\"\n"
      "  mini_batch_size: 64\n"
      "}";
  base::Diagnostics diagnostics;
  Experiment experiment;
  parse_experiment("old", old, experiment, diagnostics);
  BOOST_REQUIRE(!diagnostics.has_errors());
  const std::string fixed = check_fix(old, *experiment.proto, "comments");
  BOOST_TEST(fixed == expected);
  BOOST_TEST(comments_of(fixed) == comments_of(old));
}

BOOST_AUTO_TEST_CASE(fixing_a_file_of_today_changes_no_byte) {
  for (const char* name :
       {"examples/lenet.prototext", "examples/mlp.prototext", "examples/linear.prototext"}) {
    std::ifstream file(std::string(LBANN_SOURCE_DIR "/") + name, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    base::Diagnostics diagnostics;
    Experiment experiment;
    parse_experiment(name, text, experiment, diagnostics);
    BOOST_REQUIRE(!diagnostics.has_errors());
    check_fix(text, *experiment.proto, name);
  }
}

BOOST_AUTO_TEST_CASE(sizes_that_old_files_take_from_the_reader) {
  base::Diagnostics diagnostics;
  Experiment experiment;
  parse_experiment("old",
                   "model { layer { fully_connected { num_neurons_is_num_labels: true } }\n"
                   "layer { fully_connected { has_bias: true } num_neurons_from_data_reader: true }\n"
                   "layer { reshape { dims: 3 } num_neurons_from_data_reader: true }\n"
                   "layer { deconvolution {} num_neurons_from_data_reader: true } }",
                   experiment, diagnostics);
  apply_reader_sizes(experiment, {{"samples", tensor::Shape{1, 28, 28}}, {"labels", tensor::Shape{10}}},
                     diagnostics);
  BOOST_TEST(!diagnostics.has_errors(), diagnostics.render());
  const auto expected = parse_today(
      "model { layer { fully_connected { num_neurons: 10 } }"
      " layer { fully_connected { num_neurons: 784 has_bias: true } }"
      " layer { reshape { dims: 784 } } layer { deconvolution { out_channels: 784 } } }",
      "sizes");
  BOOST_TEST(difference(*experiment.proto, expected) == "");

  Experiment wrong;
  parse_experiment("wrong",
                   "model { layer { relu {}\n num_neurons_from_data_reader: true }\n"
                   "layer { fully_connected { num_neurons: 5\n num_neurons_is_num_labels: true } } }",
                   wrong, diagnostics);
  base::Diagnostics found;
  apply_reader_sizes(wrong, {{"samples", tensor::Shape{784}}}, found);
  BOOST_REQUIRE(found.num_errors() == 2);
  BOOST_TEST(found.all()[0].span.line == 2);
  BOOST_TEST(found.all()[1].span.line == 4);
}
