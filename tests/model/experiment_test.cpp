// Merging, --set, the resolved print, and the golden diagnostics of bad files.
#include <unistd.h>

#include <filesystem>
#include <set>

#include <google/protobuf/util/message_differencer.h>

#include <boost/test/unit_test.hpp>

#include "base/files.hpp"
#include "lbann.pb.h"
#include "model/layer_graph.hpp"

using namespace lbann;
using namespace lbann::model;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("lbann_experiment_test_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    base::atomic_write_file(path / name, text);
    return path / name;
  }
};

constexpr const char* small =
    "model { num_epochs: 3 layer { name: \"a\" convolution { kernel_size: 3 kernel_size: 5 } } layer { relu "
    "{} } }\n"
    "optimizer { sgd { learn_rate: 0.5 } }\n"
    "trainer { training_algorithm { parameters { [type.googleapis.com/lbann_data.SGD] { stopping_criteria { "
    "max_epochs: 2 } } } } }";

struct Set {
  base::Diagnostics diagnostics;
  Experiment experiment;
  explicit Set(const std::vector<std::string>& assignments) {
    parse_experiment("f", small, experiment, diagnostics);
    for (const auto& a : assignments) apply_override(a, experiment, diagnostics);
  }
  std::string first() const {
    if (diagnostics.all().empty()) return "";
    const auto& d = diagnostics.all()[0];
    return d.span.file + ":" + std::to_string(d.span.column) + " " + d.id + " " + d.help;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(files_merge_from_left_to_right, Folder) {
  base::Diagnostics diagnostics;
  const auto e =
      load_experiment({write("m", "model { num_epochs: 3 layer { relu {} } } trainer { mini_batch_size: 8 }"),
                       write("o", "optimizer { sgd { learn_rate: 1 momentum: 2 } }"),
                       write("p",
                             "model { num_epochs: 4 name: \"x\" layer { elu {} } }\n"
                             "optimizer { sgd { learn_rate: 0.5 } } trainer { mini_batch_size: 8 }")},
                      {}, diagnostics);
  BOOST_TEST(!diagnostics.has_errors());
  const auto& p = *e.proto;
  BOOST_TEST(p.model().num_epochs() == 4);
  BOOST_TEST(p.model().layer_size() == 2);
  BOOST_TEST(p.model().layer(1).has_elu());
  BOOST_TEST(p.optimizer().sgd().learn_rate() == 0.5);
  BOOST_TEST(p.optimizer().sgd().momentum() == 2);
  // Two values changed; mini_batch_size is the same in both files and no conflict.
  BOOST_REQUIRE(diagnostics.all().size() == 2);
  BOOST_TEST(diagnostics.all()[0].message == "'model.num_epochs' changes from 3 to 4");
  BOOST_TEST(diagnostics.all()[0].notes[0].span.file == (path / "m").string());
  BOOST_TEST(e.spans.span("model.layer[1]").file == (path / "p").string());
}

BOOST_FIXTURE_TEST_CASE(a_kind_of_a_later_file_replaces_the_earlier_one, Folder) {
  base::Diagnostics diagnostics;
  const auto e = load_experiment(
      {write("a", "optimizer { sgd { learn_rate: 1 } }"), write("b", "optimizer { adam { eps: 1 } }")}, {},
      diagnostics);
  BOOST_TEST(e.proto->optimizer().has_adam());
  BOOST_REQUIRE(diagnostics.all().size() == 1);
  BOOST_TEST((diagnostics.all()[0].severity == base::Severity::note));
}

BOOST_FIXTURE_TEST_CASE(a_binary_file_is_known_by_its_name, Folder) {
  lbann_data::LbannPB message;
  message.mutable_model()->set_name("binary");
  base::Diagnostics diagnostics;
  const auto e = load_experiment({write("exp.protobin", message.SerializeAsString())}, {}, diagnostics);
  BOOST_TEST(e.proto->model().name() == "binary");
  load_experiment({write("bad.protobin", "model {")}, {}, diagnostics);
  BOOST_TEST(diagnostics.all().back().id == "not-protobuf");
}

BOOST_FIXTURE_TEST_CASE(a_missing_file_ends_with_code_4, Folder) {
  base::Diagnostics diagnostics;
  BOOST_CHECK_EXCEPTION(load_experiment({path / "none"}, {}, diagnostics), base::Error,
                        [](const base::Error& e) { return e.code() == base::ExitCode::data; });
}

BOOST_AUTO_TEST_CASE(set_replaces_single_values_lists_and_blocks) {
  const Set s({"model.num_epochs=7", "model.name=two words",
               "model.layer[a].convolution.kernel_size=[1, 2, 4]",
               "model.layer[0].convolution.kernel_size[1]=9", "model.layer[layer1].name=b",
               "optimizer.adam.beta1=0.5", "model.layer[0].parents=[b, c]",
               "model.layer[0].convolution.has_bias=false",
               "trainer.training_algorithm.parameters.stopping_criteria.max_epochs=11",
               "model.layer[0].weights=\"u v\"", "data_reader={ reader { name: \"mnist\" } }"});
  BOOST_REQUIRE_MESSAGE(s.diagnostics.all().empty(), s.diagnostics.render());
  const auto& p = *s.experiment.proto;
  BOOST_TEST(p.model().num_epochs() == 7);
  BOOST_TEST(p.model().name() == "two words");
  const auto& k = p.model().layer(0).convolution().kernel_size();
  BOOST_TEST(std::vector<std::int64_t>(k.begin(), k.end()) == std::vector<std::int64_t>({1, 9, 4}),
             boost::test_tools::per_element());
  BOOST_TEST(p.model().layer(1).name() == "b");
  BOOST_TEST((p.optimizer().has_adam() && p.optimizer().adam().beta1() == 0.5));
  BOOST_TEST(p.model().layer(0).parents(1) == "c");
  BOOST_TEST((p.model().layer(0).convolution().has_has_bias() &&
              !p.model().layer(0).convolution().has_bias().value()));
  BOOST_TEST(p.model().layer(0).weights_size() == 2);
  BOOST_TEST(p.data_reader().reader(0).name() == "mnist");
  lbann_data::SGD sgd;
  BOOST_REQUIRE(p.trainer().training_algorithm().parameters().UnpackTo(&sgd));
  BOOST_TEST(sgd.stopping_criteria().max_epochs() == 11);
  BOOST_TEST(s.experiment.spans.span("model.num_epochs").file == "--set");
  BOOST_TEST(s.experiment.spans.span("model.num_epochs").column == 18);
  BOOST_TEST(!s.experiment.spans.name_span("optimizer.sgd").known());
}

BOOST_AUTO_TEST_CASE(bad_assignments_are_errors_of_the_command_line) {
  BOOST_TEST(Set({"model.num_epoch=7"}).first() == "--set:7 unknown-field did you mean 'num_epochs'?");
  BOOST_TEST(Set({"modl.num_epochs=7"}).first() == "--set:1 unknown-field did you mean 'model'?");
  BOOST_TEST(Set({"model.num_epochs=many"}).first() == "--set:18 wrong-type ");
  BOOST_TEST(Set({"model.layer[layr1].name=x"}).first() == "--set:7 bad-override did you mean 'layer1'?");
  BOOST_TEST(Set({"model.layer[2].name=x"}).first() == "--set:7 bad-override ");
  BOOST_TEST(Set({"model.num_epochs.x=1"}).first() == "--set:7 bad-override ");
  BOOST_TEST(Set({"model.num_epochs="}).first() == "--set:18 bad-override ");
  BOOST_TEST(Set({"model.num_epochs=1 name: \"x\""}).first() == "--set:18 bad-override ");
  BOOST_TEST(Set({"optimizer.sgd={ learn_rte: 1 }"}).first() ==
             "--set:17 unknown-field did you mean 'learn_rate'?");
  for (const char* text :
       {"", "=", "a", "a.", ".a=1", "a[=1", "a[]=1", "a[0=1", "model..x=1", "model.layer=", "a\x01=2"}) {
    const Set s({text});
    BOOST_TEST(s.diagnostics.num_errors() == 1, text);
    BOOST_TEST((s.diagnostics.exit_code() == base::ExitCode::usage));
  }
}

BOOST_AUTO_TEST_CASE(the_resolved_print_reads_back_and_tells_origins) {
  const Set s({"model.num_epochs=9"});
  const std::string text = print_resolved(s.experiment);
  BOOST_TEST(text.find("num_epochs: 9  # --set\n") != std::string::npos);
  BOOST_TEST(text.find("learn_rate: 0.5  # f:2\n") != std::string::npos);
  BOOST_TEST(text.find("kernel_size: [3, 5]  # f:1\n") != std::string::npos);
  BOOST_TEST(text.find("has_bias { value: true }  # default\n") != std::string::npos);
  BOOST_TEST(text.find("name: \"layer1\"  # default\n") != std::string::npos);
  BOOST_TEST(text.find("[type.googleapis.com/lbann_data.SGD] {") != std::string::npos);
  Experiment again;
  base::Diagnostics diagnostics;
  parse_experiment("g", text, again, diagnostics);
  BOOST_TEST(!diagnostics.has_errors(), diagnostics.render());
  std::string second = print_resolved(again);
  // Origins differ, nothing else may: strip the comments.
  auto strip = [](const std::string& t) {
    std::string out;
    for (std::size_t begin = 0; begin < t.size();) {
      const std::size_t end = t.find('\n', begin);
      const std::string line = t.substr(begin, end - begin);
      out += line.substr(0, line.rfind("  # ")) + '\n';
      begin = end + 1;
    }
    return out;
  };
  BOOST_TEST(strip(text) == strip(second));
}

BOOST_AUTO_TEST_CASE(sections_that_training_needs_are_asked_for) {
  const Experiment empty;
  base::Diagnostics diagnostics;
  check_complete(empty, diagnostics);
  BOOST_TEST(diagnostics.num_errors() == 3);
  // A section that is there but could not be read is not missing.
  for (const char* text : {"optimzer {}", "model { layer {"}) {
    base::Diagnostics damaged;
    Experiment experiment;
    parse_experiment("f", text, experiment, damaged);
    const int before = damaged.num_errors();
    check_complete(experiment, damaged);
    BOOST_TEST(before == 1);
    BOOST_TEST(damaged.num_errors() == before);
  }
}

// Each bad file has its diagnostics beside it, checked by eye when they were written.
BOOST_AUTO_TEST_CASE(bad_files_give_the_diagnostics_that_stand_beside_them) {
  int num_files = 0;
  for (const auto& entry : fs::directory_iterator(LBANN_SOURCE_DIR "/tests/golden/bad")) {
    if (entry.path().extension() != ".prototext") continue;
    ++num_files;
    base::Diagnostics diagnostics;
    Experiment experiment;
    parse_experiment(entry.path().filename(), base::read_file(entry.path()), experiment, diagnostics);
    make_layer_graph(experiment, diagnostics);
    auto expected = entry.path();
    expected.replace_extension(".expected");
    BOOST_TEST(diagnostics.render() == base::read_file(expected), entry.path().filename());
    BOOST_TEST(diagnostics.has_errors());
  }
  BOOST_TEST(num_files >= 9);
}

BOOST_AUTO_TEST_CASE(one_file_with_thirteen_errors_of_eleven_kinds_gets_them_all) {
  base::Diagnostics diagnostics;
  Experiment experiment;
  parse_experiment("f", base::read_file(LBANN_SOURCE_DIR "/tests/golden/bad/many_errors.prototext"),
                   experiment, diagnostics);
  make_layer_graph(experiment, diagnostics);
  std::set<std::string> kinds;
  for (const auto& d : diagnostics.all()) kinds.insert(d.id);
  BOOST_TEST(diagnostics.num_errors() == 13);
  BOOST_TEST(kinds.size() == 11);
}
