// Shapes, types, placements and their text forms.
#include <boost/test/unit_test.hpp>

#include "base/diagnostic.hpp"
#include "tensor/tensor_spec.hpp"

using namespace lbann::tensor;

BOOST_AUTO_TEST_CASE(element_counts_and_overflow) {
  BOOST_CHECK_EQUAL(Shape{}.num_elements(), 1);
  BOOST_CHECK_EQUAL((Shape{256, 64, 14, 14}).num_elements(), 3211264);
  BOOST_CHECK_EQUAL((Shape{5, 0, 3}).num_elements(), 0);
  const std::int64_t big = std::int64_t{1} << 31;
  BOOST_CHECK_EQUAL((Shape{big, big}).num_elements(), std::int64_t{1} << 62);
  BOOST_CHECK_THROW((Shape{big, big, 2}).num_elements(), lbann::base::Error);
  BOOST_CHECK_THROW((Shape{big, big, big}).num_elements(), lbann::base::Error);
  BOOST_CHECK_THROW((Shape{-1}).num_elements(), lbann::base::Error);
}

BOOST_AUTO_TEST_CASE(element_types) {
  const struct {
    DataType type;
    const char* name;
    int bytes;
    bool floating;
  } rows[] = {{DataType::f32, "f32", 4, true},   {DataType::f64, "f64", 8, true},
              {DataType::bf16, "bf16", 2, true}, {DataType::f16, "f16", 2, true},
              {DataType::i32, "i32", 4, false},  {DataType::i64, "i64", 8, false},
              {DataType::u8, "u8", 1, false}};
  for (const auto& row : rows) {
    BOOST_CHECK_EQUAL(to_string(row.type), row.name);
    BOOST_CHECK_EQUAL(size_bytes(row.type), row.bytes);
    BOOST_CHECK_EQUAL(is_floating(row.type), row.floating);
    BOOST_CHECK(try_parse_data_type(row.name) == row.type);
  }
  BOOST_CHECK(!try_parse_data_type("float"));
  BOOST_CHECK(!try_parse_data_type(""));
}

BOOST_AUTO_TEST_CASE(specs_as_text) {
  TensorSpec spec{DataType::f32, {256, 10}, {}};
  BOOST_CHECK_EQUAL(spec.to_string(), "f32[256,10]");
  BOOST_CHECK_EQUAL(spec.num_bytes(), 10240);
  spec.placement = Placement::sharded(0);
  BOOST_CHECK_EQUAL(spec.to_string(), "f32[256,10]@S0");
  BOOST_CHECK_EQUAL((TensorSpec{DataType::i64, {}, {}}).to_string(), "i64[]");
}

BOOST_AUTO_TEST_CASE(placements_as_text) {
  for (const char* text : {"S0", "P", "S12", "S0,R", "R,P", "S1,S0", "P,P"}) {
    BOOST_CHECK_EQUAL(parse_placement(text).to_string(), text);
  }
  BOOST_CHECK_EQUAL(Placement::replicated().to_string(), "R");
  BOOST_CHECK(parse_placement("R") == Placement::replicated());
  BOOST_CHECK(parse_placement("S3") == Placement::sharded(3));
  for (const char* text : {"X", "S", "s0", "R;P", ",", "PP"}) {
    BOOST_CHECK_THROW(parse_placement(text), lbann::base::Error);
  }
}

BOOST_AUTO_TEST_CASE(placement_predicates) {
  BOOST_CHECK(parse_placement("R,R").is_replicated());
  BOOST_CHECK(!parse_placement("R,S0").is_replicated());
  BOOST_CHECK(parse_placement("R,P").has_partial());
  BOOST_CHECK(!parse_placement("S0,R").has_partial());
  Mesh mesh;
  BOOST_CHECK_EQUAL(mesh.num_ranks(), 1);
  mesh.axes = {{"data", 4}, {"height", 2}};
  BOOST_CHECK_EQUAL(mesh.num_ranks(), 8);
}
