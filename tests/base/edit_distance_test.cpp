// Suggestions for mistyped names.
#include <boost/test/unit_test.hpp>

#include "base/edit_distance.hpp"

using namespace lbann::base;

namespace {

const std::vector<std::string> kinds = {
    "relu",      "elu",         "softmax",       "log_softmax", "pooling",
    "unpooling", "convolution", "deconvolution", "sum",         "batch_normalization"};

}  // namespace

BOOST_AUTO_TEST_CASE(an_edit_costs_two_and_a_change_of_case_one) {
  BOOST_TEST(edit_distance("", "") == 0);
  BOOST_TEST(edit_distance("abc", "abc") == 0);
  BOOST_TEST(edit_distance("abc", "abd") == 2);
  BOOST_TEST(edit_distance("abc", "ab") == 2);
  BOOST_TEST(edit_distance("abc", "xabc") == 2);
  BOOST_TEST(edit_distance("abc", "acb") == 2);
  BOOST_TEST(edit_distance("Relu", "relu") == 1);
  BOOST_TEST(edit_distance("batch-norm", "batch_norm") == 1);
  BOOST_TEST(edit_distance("", "abcd") == 8);
  BOOST_TEST(edit_distance("kitten", "sitting") == 6);
}

BOOST_AUTO_TEST_CASE(single_typos_find_their_name) {
  BOOST_TEST(try_closest("softmx", kinds).value() == "softmax");
  BOOST_TEST(try_closest("convoluton", kinds).value() == "convolution");
  BOOST_TEST(try_closest("Relu", kinds).value() == "relu");
  BOOST_TEST(try_closest("poolign", kinds).value() == "pooling");
  BOOST_TEST(try_closest("batch_normalisation", kinds).value() == "batch_normalization");
}

BOOST_AUTO_TEST_CASE(an_abbreviation_finds_its_only_continuation) {
  BOOST_TEST(try_closest("batch_norm", kinds).value() == "batch_normalization");
  BOOST_TEST(try_closest("conv", kinds).value() == "convolution");
  BOOST_TEST(!try_closest("conv", std::vector<std::string>{"conv_long_a", "conv_long_b"}));
}

BOOST_AUTO_TEST_CASE(a_strange_name_gets_no_suggestion) {
  BOOST_TEST(!try_closest("xyzzy", kinds));
  BOOST_TEST(!try_closest("", kinds));
  BOOST_TEST(!try_closest("q", kinds));
  BOOST_TEST(!try_closest(std::string(100000, 'r'), kinds));
  BOOST_TEST(did_you_mean("xyzzy", kinds).empty());
  BOOST_TEST(did_you_mean("rely", kinds) == "did you mean 'relu'?");
}
