// The binder against protobuf's text format on today's spelling, and alone on the rest.
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>

#include <boost/test/unit_test.hpp>

#include "base/files.hpp"
#include "lbann.pb.h"
#include "model/binder.hpp"
#include "model/dialect.hpp"

using namespace lbann;
using namespace lbann::model;
namespace pb = google::protobuf;

namespace {

struct Bound {
  base::Diagnostics diagnostics;
  SpanTable spans;
  lbann_data::LbannPB message;
  explicit Bound(const std::string& text) {
    bind(parse_syntax_tree("f", text, diagnostics), message, spans, diagnostics);
  }
  std::vector<std::string> errors() const {
    std::vector<std::string> list;
    for (const auto& d : diagnostics.all())
      if (d.severity == base::Severity::error)
        list.push_back(std::to_string(d.span.line) + ":" + std::to_string(d.span.column) + " " + d.id);
    return list;
  }
  std::string help(std::size_t i) const { return diagnostics.all()[i].help; }
};

using List = std::vector<std::string>;

/// Empty when both readers give the same message.
std::string difference(const std::string& text, const pb::Message& prototype) {
  const std::unique_ptr<pb::Message> ours(prototype.New());
  const std::unique_ptr<pb::Message> theirs(prototype.New());
  base::Diagnostics diagnostics;
  SpanTable spans;
  bind(parse_syntax_tree("f", text, diagnostics), *ours, spans, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.render();
  if (!pb::TextFormat::ParseFromString(text, theirs.get())) return "the judge refuses";
  pb::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  pb::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  std::string report;
  differencer.ReportDifferencesToString(&report);
  if (differencer.Compare(*ours, *theirs)) return "";
  return report;
}

void for_each_message(const std::function<void(const pb::Descriptor&)>& action) {
  const auto* pool = pb::DescriptorPool::generated_pool();
  std::function<void(const pb::Descriptor&)> visit = [&](const pb::Descriptor& type) {
    if (!type.options().map_entry()) action(type);
    for (int i = 0; i < type.nested_type_count(); ++i) visit(*type.nested_type(i));
  };
  for (const char* file :
       {"lbann.proto", "model.proto", "layers.proto", "operators.proto", "weights.proto", "optimizers.proto",
        "objective_functions.proto", "metrics.proto", "callbacks.proto", "reader.proto", "transforms.proto",
        "data_coordinator.proto", "trainer.proto", "training_algorithm.proto"}) {
    const auto* descriptor = pool->FindFileByName(file);
    BOOST_REQUIRE(descriptor != nullptr);
    for (int i = 0; i < descriptor->message_type_count(); ++i) visit(*descriptor->message_type(i));
  }
}

/// Fills a message with random content that today's spelling can hold.
class Filler {
public:
  explicit Filler(unsigned seed) : random_(seed) {}

  void fill(pb::Message& message, int depth) {
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      const bool is_message = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
      if (is_message && depth == 0) continue;
      if (below(3) != 0) continue;
      const int times = field.is_repeated() ? 1 + below(3) : 1;
      for (int k = 0; k < times; ++k) fill_field(message, field, depth);
    }
  }

private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  void fill_any(pb::Message& message, int depth, const std::string& holder) {
    auto& any = static_cast<pb::Any&>(message);
    auto pack = [&](auto content) {
      fill(content, depth);
      any.PackFrom(content);
    };
    if (holder == "lbann_data.Operator.parameters") return pack(lbann_data::ClampOperator());
    if (holder == "lbann_data.LTFB.meta_learning_strategy") return pack(lbann_data::RegularizedEvolution());
    BOOST_REQUIRE(holder == "lbann_data.TrainingAlgorithm.parameters");
    return below(2) == 0 ? pack(lbann_data::SGD()) : pack(lbann_data::KFAC());
  }

  std::string text(bool name) {
    static const char* pieces[] = {"a", "conv1", "\n", "\"", "\\", "\xC3\xA9", " ",
                                   "#", "{",     "'",  "0",  "\t", "\x01"};
    std::string out;
    for (int n = below(6); n >= 0; --n) out += name ? pieces[below(2)] : pieces[below(13)];
    return out;
  }

  void fill_field(pb::Message& message, const pb::FieldDescriptor& field, int depth) {
    const auto* r = message.GetReflection();
    const bool many = field.is_repeated();
    const std::int64_t whole =
        static_cast<std::int64_t>((static_cast<std::uint64_t>(random_()) << 32) | random_());
    static const double reals[] = {0.0, -1.5, 1e-8, 0.1, 1e300, -0.0, INFINITY, NAN, 3};
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_INT32: {
        const auto v = static_cast<std::int32_t>(whole);
        return many ? r->AddInt32(&message, &field, v) : r->SetInt32(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_INT64:
        return many ? r->AddInt64(&message, &field, whole) : r->SetInt64(&message, &field, whole);
      case pb::FieldDescriptor::CPPTYPE_UINT32: {
        const auto v = static_cast<std::uint32_t>(whole);
        return many ? r->AddUInt32(&message, &field, v) : r->SetUInt32(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_UINT64: {
        const auto v = static_cast<std::uint64_t>(whole);
        return many ? r->AddUInt64(&message, &field, v) : r->SetUInt64(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_DOUBLE: {
        const double v = reals[below(9)];
        return many ? r->AddDouble(&message, &field, v) : r->SetDouble(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_FLOAT: {
        const auto v = static_cast<float>(reals[below(4)]);
        return many ? r->AddFloat(&message, &field, v) : r->SetFloat(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_BOOL: {
        const bool v = below(2) == 1;
        return many ? r->AddBool(&message, &field, v) : r->SetBool(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_ENUM: {
        const auto* v = field.enum_type()->value(below(field.enum_type()->value_count()));
        return many ? r->AddEnum(&message, &field, v) : r->SetEnum(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_STRING: {
        std::string v = text(many);  // entries of name lists hold no blanks
        return many ? r->AddString(&message, &field, v) : r->SetString(&message, &field, v);
      }
      case pb::FieldDescriptor::CPPTYPE_MESSAGE: {
        auto& child = many ? *r->AddMessage(&message, &field) : *r->MutableMessage(&message, &field);
        if (field.message_type()->full_name() == "google.protobuf.Any")
          return fill_any(child, depth, field.full_name());
        return fill(child, depth - 1);
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_examples_read_as_protobuf_reads_them) {
  int num_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LBANN_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".prototext") continue;
    ++num_files;
    BOOST_TEST(difference(base::read_file(entry.path()), lbann_data::LbannPB()) == "", entry.path());
  }
  BOOST_TEST(num_files >= 3);
}

BOOST_AUTO_TEST_CASE(every_message_binds_from_an_empty_text) {
  int num_messages = 0;
  for_each_message([&](const pb::Descriptor& type) {
    const auto* prototype = pb::MessageFactory::generated_factory()->GetPrototype(&type);
    BOOST_TEST(difference("", *prototype) == "", type.full_name());
    BOOST_TEST(difference("# nothing\n", *prototype) == "", type.full_name());
    ++num_messages;
  });
  BOOST_TEST(num_messages >= 300);  // the schema must not shrink unnoticed
}

BOOST_AUTO_TEST_CASE(random_messages_read_as_protobuf_reads_them) {
  int num_trials = 0;
  std::size_t num_bytes = 0;
  for_each_message([&](const pb::Descriptor& type) {
    const auto* prototype = pb::MessageFactory::generated_factory()->GetPrototype(&type);
    for (unsigned seed = 0; seed < 16; ++seed) {
      const std::unique_ptr<pb::Message> message(prototype->New());
      Filler(seed).fill(*message, 4);
      pb::TextFormat::Printer printer;
      printer.SetExpandAny(true);
      std::string text;
      printer.PrintToString(*message, &text);
      BOOST_TEST(difference(text, *prototype) == "", type.full_name() << " from\n" << text);
      ++num_trials;
      num_bytes += text.size();
    }
  });
  BOOST_TEST(num_trials > 2000);
  BOOST_TEST(num_bytes > 100000);
}

BOOST_AUTO_TEST_CASE(short_forms_and_quoted_lists_are_read) {
  const Bound b(
      "model { layer { name: \"c\" parents: \"a  b\" parents: \"d\" convolution { has_bias: false groups: 2\n"
      " kernel_size: \"3 5\" } reshape {} }\n"
      "layer { reshape { dims: \"-1 4\" dims: [2, 3] } }\n"
      "layer { weighted_sum { scaling_factors: \" 0.5 -1e2 inf\" } } }");
  BOOST_TEST(b.errors() == List({"2:23 two-of-oneof"}), boost::test_tools::per_element());
  const auto& conv = b.message.model().layer(0);
  BOOST_TEST(conv.parents_size() == 3);
  BOOST_TEST(conv.parents(1) == "b");
  BOOST_TEST(conv.convolution().has_has_bias());
  BOOST_TEST(!conv.convolution().has_bias().value());
  BOOST_TEST(conv.convolution().groups().value() == 2);
  BOOST_TEST(conv.convolution().kernel_size(1) == 5);
  const auto& dims = b.message.model().layer(1).reshape().dims();
  BOOST_TEST(std::vector<std::int64_t>(dims.begin(), dims.end()) == std::vector<std::int64_t>({-1, 4, 2, 3}),
             boost::test_tools::per_element());
  const auto& factors = b.message.model().layer(2).weighted_sum().scaling_factors();
  BOOST_TEST(
      std::vector<double>(factors.begin(), factors.end()) == std::vector<double>({0.5, -100, INFINITY}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(places_of_fields_are_remembered) {
  const Bound b(
      "model {\n  layer {\n    name: \"x\"\n    convolution { kernel_size: [3, 5] has_bias: true }\n  }\n}");
  auto place = [&](const std::string& path) {
    const auto s = b.spans.span(path);
    return std::to_string(s.line) + ":" + std::to_string(s.column);
  };
  BOOST_TEST(place("model.layer[0]") == "2:3");
  BOOST_TEST(place("model.layer[0].name") == "3:11");
  BOOST_TEST(place("model.layer[0].convolution.kernel_size[1]") == "4:36");
  BOOST_TEST(place("model.layer[0].convolution.has_bias") == "4:49");
  BOOST_TEST(place("model.layer[0].convolution.stride") == "4:5");  // not written: the block
  BOOST_TEST(!b.spans.span("trainer.name").known());
}

BOOST_AUTO_TEST_CASE(values_of_the_wrong_kind_are_refused_with_their_place) {
  const Bound b(
      "model { num_epochs: 1.5 }\n"                                           // 1
      "trainer { mini_batch_size: 99999999999999999999 }\n"                   // 2
      "trainer { random_seed: \"7\" }\n"                                      // 3: second trainer
      "optimizer { sgd { learn_rate: fast nesterov: 2 momentum: 1e999 } }\n"  // 4
      "data_reader { reader { gan_label_value: 3000000000 num_labels: -2147483649 role: train } }\n"  // 5
      "data_set_metadata { schema { image_height: -1 jag_scalar_keys: [1] } }\n"                      // 6
      "training_algorithm: 3\n"                                                                       // 7
      "nothing: 3\n");
  BOOST_TEST(
      b.errors() == List({"1:21 wrong-type", "2:28 out-of-range", "3:1 duplicate-field", "4:31 wrong-type",
                          "4:46 wrong-type", "4:58 out-of-range", "5:41 out-of-range", "5:64 out-of-range",
                          "5:82 wrong-type", "6:44 out-of-range", "6:65 wrong-type", "7:21 wrong-type",
                          "8:1 unknown-section"}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(enums_are_read_by_name_or_number) {
  const Bound good("model { layer { datatype: DOUBLE } layer { datatype: 1 } }");
  BOOST_TEST(good.errors().empty());
  BOOST_TEST(good.message.model().layer(0).datatype() == lbann_data::DOUBLE);
  BOOST_TEST(good.message.model().layer(1).datatype() == lbann_data::FLOAT);
  const Bound bad(
      "model { layer { datatype: DUOBLE } layer { datatype: 77 } layer { datatype: \"FLOAT\" } }");
  BOOST_TEST(bad.errors() == List({"1:27 unknown-enum-value", "1:54 unknown-enum-value", "1:77 wrong-type"}),
             boost::test_tools::per_element());
  BOOST_TEST(bad.help(0) == "did you mean 'DOUBLE'?");
  BOOST_TEST(bad.help(2) == "write datatype: FLOAT");
}

BOOST_AUTO_TEST_CASE(a_name_in_the_wrong_block_is_sent_to_the_right_one) {
  const Bound b("model { layer { num_neurons: 3 fully_connected { layer {} } konvolution {} } } modle {}");
  BOOST_TEST(b.errors() == List({"1:17 unknown-field", "1:50 unknown-field", "1:61 unknown-field",
                                 "1:80 unknown-section"}),
             boost::test_tools::per_element());
  BOOST_TEST(b.help(0) == "'num_neurons' belongs into 'fully_connected { ... }'");
  BOOST_TEST(b.help(1).find("belongs to a block of type Model") != std::string::npos);
  BOOST_TEST(b.help(2) == "did you mean 'convolution'?");
  BOOST_TEST(b.help(3) == "did you mean 'model'?");
}

BOOST_AUTO_TEST_CASE(typed_blocks_hold_what_belongs_there) {
  auto op = [](const std::string& inside) {
    return "model { layer { operator_layer { ops { parameters { " + inside + " } } } } }";
  };
  const Bound good(op("[type.googleapis.com/lbann_data.ClampOperator] { min: -1 max: 1 }"));
  BOOST_TEST(good.errors().empty());
  lbann_data::ClampOperator clamp;
  BOOST_REQUIRE(good.message.model().layer(0).operator_layer().ops(0).parameters().UnpackTo(&clamp));
  BOOST_TEST(clamp.min() == -1);
  BOOST_TEST(good.spans.span("model.layer[0].operator_layer.ops[0].parameters.max").column > 100);
  BOOST_TEST(Bound(op("[type.googleapis.com/lbann_data.AdOperator] {}")).help(0) ==
             "did you mean 'AddOperator'?");
  BOOST_TEST(Bound(op("[type.googleapis.com/lbann_data.Layer] {}")).errors()[0] == "1:53 unknown-type");
  BOOST_TEST(Bound(op("[lbann_data.AddOperator] {}")).errors()[0] == "1:53 bad-type-url");
  BOOST_TEST(Bound(op("[type.googleapis.com/lbann_data.ClampOperator] { mim: 1 }")).errors()[0] ==
             "1:102 unknown-field");
  BOOST_TEST(Bound(op("min: 3")).errors()[0] == "1:53 missing-type-url");
  BOOST_TEST(Bound(op("")).errors()[0] == "1:51 missing-type-url");
  BOOST_TEST(Bound("model { [a.b/c] {} }").errors()[0] == "1:9 unknown-field");
}

BOOST_AUTO_TEST_CASE(typed_blocks_may_be_written_as_bytes) {
  auto algorithm = [](const std::string& inside) {
    return "trainer { training_algorithm { parameters { " + inside + " } } }";
  };
  const std::string url = "type_url: \"type.googleapis.com/lbann_data.SGD\" ";
  // The bytes are those protobuf prints for stopping_criteria { max_epochs: 3 }.
  const Bound good(algorithm(url + "value: \"\\n\\002\\020\\003\""));
  BOOST_TEST(good.errors().empty());
  lbann_data::SGD sgd;
  BOOST_REQUIRE(good.message.trainer().training_algorithm().parameters().UnpackTo(&sgd));
  BOOST_TEST(sgd.stopping_criteria().max_epochs() == 3u);
  BOOST_TEST(Bound(algorithm(url)).errors().empty());
  BOOST_TEST(Bound(algorithm(url + "value: \"\\377\"")).errors()[0] == "1:99 bad-any-value");
  BOOST_TEST(Bound(algorithm(url + "value: \"\\030\\001\"")).errors()[0] == "1:99 bad-any-value");
  BOOST_TEST(Bound(algorithm("type_url: \"a/lbann_data.Layer\"")).errors()[0] == "1:55 unknown-type");
  BOOST_TEST(Bound(algorithm("value: \"x\"")).errors()[0] == "1:43 bad-type-url");
  BOOST_TEST(Bound(algorithm(url + url)).errors()[0] == "1:92 duplicate-field");
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf8_is_refused) {
  BOOST_TEST(Bound("model { name: \"\xFF\" }").errors()[0] == "1:15 bad-utf8");
  BOOST_TEST(Bound("model { name: \"\\377\" }").errors()[0] == "1:15 bad-utf8");
}

BOOST_AUTO_TEST_CASE(the_table_of_old_spellings_is_sorted_and_fits_the_schema) {
  const auto* pool = pb::DescriptorPool::generated_pool();
  const auto rows = dialect_rows();
  BOOST_TEST(rows.size() >= 200);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (i > 0) {
      const auto& before = rows[i - 1];
      BOOST_TEST((std::pair<std::string, std::string>(before.message, before.field) <
                  std::pair<std::string, std::string>(row.message, row.field)));
    }
    BOOST_TEST(try_dialect(row.message, row.field) == &row);
    const auto* type = pool->FindMessageTypeByName(std::string("lbann_data.") + row.message);
    BOOST_REQUIRE_MESSAGE(type != nullptr, row.message);
    BOOST_TEST(type->FindFieldByName(row.field) == nullptr,
               row.message << "." << row.field << " exists today");
    const std::string target = row.target;
    const auto* root = row.action == DialectAction::move || row.action == DialectAction::move_negated
                           ? lbann_data::LbannPB::descriptor()
                           : type;
    switch (row.action) {
      case DialectAction::rename:
      case DialectAction::move:
      case DialectAction::move_negated: {
        for (std::size_t begin = 0; begin <= target.size();) {
          const std::size_t end = std::min(target.find('.', begin), target.size());
          const auto* field = root->FindFieldByName(target.substr(begin, end - begin));
          BOOST_REQUIRE_MESSAGE(field != nullptr, row.message << "." << row.field);
          root = field->message_type();
          begin = end + 1;
        }
        break;
      }
      case DialectAction::convolution:
        BOOST_TEST((target.empty() || type->FindFieldByName(target) != nullptr));
        break;
      case DialectAction::rewrite:
        BOOST_TEST(type->FindFieldByName(target) != nullptr, row.message << "." << row.field);
        break;
      case DialectAction::hoist:
        BOOST_TEST(lbann_data::Layer::descriptor()->FindFieldByName(target) != nullptr);
        break;
      case DialectAction::operator_kind:
        BOOST_TEST(pool->FindMessageTypeByName("lbann_data." + target) != nullptr, row.target);
        break;
      case DialectAction::ignore:
      case DialectAction::refuse:
        BOOST_TEST(!target.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(old_convolutions_keep_their_meaning) {
  const Bound scalars(
      "model { layer { convolution { num_dims: 2 num_output_channels: 8 conv_dims_i: 5 conv_strides_i: 2"
      " conv_dilations_i: 0 num_groups: 0 conv_dims: \"9 9\" weight_initialization: \"x\" } } }");
  BOOST_TEST(scalars.errors().empty());
  const auto& c = scalars.message.model().layer(0).convolution();
  BOOST_TEST(c.out_channels() == 8);
  BOOST_REQUIRE(c.kernel_size_size() == 1);
  BOOST_TEST(c.kernel_size(0) == 5);
  BOOST_TEST(c.stride(0) == 2);
  BOOST_TEST(c.dilation_size() == 0);
  BOOST_TEST(!c.has_groups());
  BOOST_TEST((c.has_has_bias() && !c.has_bias().value()));  // unset was FALSE then
  const Bound lists(
      "model { layer { convolution { has_vectors: true num_output_channels: 8 conv_dims: \"5 3\""
      " conv_strides: \"2 1\" conv_pads: \"1 0\" has_bias: true } } }");
  BOOST_TEST(lists.errors().empty());
  const auto& l = lists.message.model().layer(0).convolution();
  BOOST_REQUIRE(l.kernel_size_size() == 2);
  BOOST_TEST(l.kernel_size(1) == 3);
  BOOST_TEST(l.padding(0) == 1);
  BOOST_TEST(l.has_bias().value());
  BOOST_TEST(Bound("model { layer { convolution { out_channels: 8 conv_dims_i: 3 } } }").errors()[0] ==
             "1:47 mixed-spellings");
  BOOST_TEST(Bound("model { layer { convolution { num_output_channels: 8 conv_dims_i: 3 } } }").errors()[0] ==
             "1:29 stride-missing");
  BOOST_TEST(Bound("model { layer { convolution { out_channels: 8 } } }").errors().empty());
}

BOOST_AUTO_TEST_CASE(old_fields_given_twice_are_refused_wherever_they_go) {
  BOOST_TEST(
      Bound("model { mini_batch_size: 64 mini_batch_size: 32 }").errors() == List({"1:29 duplicate-field"}),
      boost::test_tools::per_element());
  BOOST_TEST(Bound("model { serialize_io: true serialize_background_io: true }").errors() ==
                 List({"1:28 duplicate-field"}),
             boost::test_tools::per_element());
  BOOST_TEST(
      Bound("data_reader { reader { jag_input_keys: \"a\" jag_input_keys: \"b\" } }").errors().empty());
  BOOST_TEST(Bound("model { layer { unpooling { pooling_layer: \"a\" pooling_layer: \"b\" } } }").errors() ==
                 List({"1:48 duplicate-field"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(old_fields_move_or_are_refused_but_never_vanish) {
  const Bound b(
      "model { mini_batch_size: 64 random_seed: 5 layer { sigmoid {} } layer { clamp { min: 0 max: 1 } }\n"
      "weights { name: \"w\" constant_initializer { value: 3 } } type: \"dag_model\"\n"
      "objective_function { l1_weight_regularization {} }\n"
      "layer { zero {} } } trainer { random_seed: 6 }");
  BOOST_TEST(b.errors() == List({"3:22 old-field", "4:9 old-field"}), boost::test_tools::per_element());
  BOOST_TEST(b.message.trainer().mini_batch_size() == 64);
  BOOST_TEST(b.message.trainer().random_seed() == 6);  // today's spelling wins, with a warning
  BOOST_TEST(b.diagnostics.num_warnings() == 1);
  BOOST_TEST(b.message.model().weights(0).initializer().constant_initializer().value() == 3);
  lbann_data::ClampOperator clamp;
  BOOST_REQUIRE(b.message.model().layer(1).operator_layer().ops(0).parameters().UnpackTo(&clamp));
  BOOST_TEST(clamp.max() == 1);
}
