// Layout <-> oneDNN descriptor: element offsets are compared with those the library itself uses,
// found by reordering a tensor of distinct numbers.
#include <boost/test/unit_test.hpp>

#include <dnnl.hpp>

#include "kernels/cpu/dnnl_layout.hpp"

using namespace lbann::kernels::cpu;
using lbann::tensor::Layout;
using lbann::tensor::Shape;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

namespace {

// Storage written by the library when it brings row-major 1, 2, 3, ... into `desc`.
std::vector<float> library_storage(const Shape& shape, const Desc& desc) {
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  std::vector<float> plain(static_cast<std::size_t>(shape.num_elements()));
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<float>(i + 1);
  std::vector<float> stored(desc.get_size() / sizeof(float), -1.0F);
  dnnl::memory from(make_desc(shape, Layout::plain(shape.rank())), engine, plain.data());
  dnnl::memory to(desc, engine, stored.data());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return stored;
}

void check_offsets(const Shape& shape, const Layout& layout, const std::vector<float>& stored) {
  BOOST_REQUIRE_EQUAL(static_cast<std::int64_t>(stored.size()), layout.storage_elements(shape));
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()), 0);
  for (std::int64_t i = 0; i < shape.num_elements(); ++i) {
    std::int64_t rest = i;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      index[static_cast<std::size_t>(d)] = rest % shape[d];
      rest /= shape[d];
    }
    const auto at = static_cast<std::size_t>(layout.offset(shape, index.data()));
    BOOST_REQUIRE_EQUAL(stored[at], static_cast<float>(i + 1));
  }
}

struct Case {
  Shape shape;
  Tag tag;
  const char* text;
};

}  // namespace

BOOST_AUTO_TEST_CASE(named_formats_round_trip) {
  const std::vector<Case> cases{
      {{3, 5, 4, 6}, Tag::abcd, "abcd"},
      {{3, 5, 4, 6}, Tag::acdb, "acdb"},
      {{3, 17, 4, 6}, Tag::aBcd16b, "aBcd16b"},
      {{3, 20, 4, 6}, Tag::aBcd8b, "aBcd8b"},
      {{33, 20, 3, 2}, Tag::ABcd16b16a, "ABcd16b16a"},
      {{40, 20, 3, 2}, Tag::ABcd8b16a2b, "ABcd8b16a2b"},
      {{33, 3, 5, 5}, Tag::Acdb16a, "Acdb16a"},
      {{2, 17, 3, 4, 5}, Tag::aBcde16b, "aBcde16b"},
      {{17, 30}, Tag::ab, "ab"},
      {{17, 30}, Tag::ba, "ba"},
      {{70, 33}, Tag::AB16b64a, "AB16b64a"},
      {{70, 33}, Tag::BA16a16b, "BA16a16b"},
      {{9}, Tag::a, "a"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      const Desc named(c.shape.dims(), Type::f32, c.tag);
      const auto layout = try_layout(named);
      BOOST_REQUIRE(layout.has_value());
      BOOST_CHECK_EQUAL(layout->tag(), c.text);
      BOOST_CHECK(make_desc(c.shape, Layout::from_tag(c.text)) == named);
      check_offsets(c.shape, *layout, library_storage(c.shape, named));
    }
  }
}

BOOST_AUTO_TEST_CASE(grouped_weights_keep_their_storage) {
  // [g, k/g, c/g, h, w] of the library is our [k, c/g, h, w] when no block straddles two groups.
  struct Grouped {
    Shape shape;
    std::int64_t groups;
    Tag tag;
    const char* text;  // null: no layout of ours
  };
  const std::vector<Grouped> cases{
      {{6, 5, 3, 2}, 3, Tag::goihw, "abcd"},
      {{64, 16, 3, 2}, 2, Tag::gOIhw16i16o, "ABcd16b16a"},
      {{64, 20, 3, 2}, 4, Tag::gOIhw16i16o, "ABcd16b16a"},
      {{40, 20, 3, 2}, 2, Tag::gOIhw16i16o, nullptr},  // 20 channels per group: padded inside
      {{20, 1, 3, 3}, 20, Tag::Goihw16g, "Abcd16a"},   // depthwise
      {{64, 3, 3, 2}, 2, Tag::gOhwi16o, "Acdb16a"},
  };
  for (const Grouped& c : cases) {
    std::vector<std::int64_t> dims{c.groups, c.shape[0] / c.groups, c.shape[1], c.shape[2], c.shape[3]};
    const Desc named(dims, Type::f32, c.tag);
    const auto layout = try_weight_layout(named, c.groups);
    BOOST_REQUIRE_EQUAL(layout.has_value(), c.text != nullptr);
    if (!layout) continue;
    BOOST_CHECK_EQUAL(layout->tag(), c.text);
    BOOST_CHECK(*try_make_weight_desc(c.shape, *layout, c.groups) == named);
    check_offsets(c.shape, *layout, library_storage(Shape(dims), named));
  }
  BOOST_CHECK(!try_make_weight_desc({40, 20, 3, 2}, Layout::from_tag("ABcd16b16a"), 2));
}

BOOST_AUTO_TEST_CASE(dims_of_extent_one_have_one_spelling) {
  // One input channel: Oihw16o and Ohwi16o are the same bytes.
  const Shape shape{33, 1, 5, 5};
  const auto a = try_layout(Desc(shape.dims(), Type::f32, Tag::Abcd16a));
  const auto b = try_layout(Desc(shape.dims(), Type::f32, Tag::Acdb16a));
  BOOST_REQUIRE(a && b);
  BOOST_CHECK_EQUAL(a->tag(), b->tag());
  BOOST_CHECK_EQUAL(canonical(Layout::from_tag("acdb"), {4, 7, 1, 1}).tag(), "abcd");
  BOOST_CHECK_EQUAL(canonical(Layout::from_tag("acdb"), {1, 7, 2, 3}).tag(), "acdb");
  BOOST_CHECK_EQUAL(canonical(Layout::from_tag("ba"), {1, 7}).tag(), "ab");
}

BOOST_AUTO_TEST_CASE(same_storage_sees_through_spelling) {
  const Layout blocked = Layout::from_tag("aBcd16b");
  const Layout last = Layout::from_tag("acdb");
  BOOST_CHECK(same_storage({2, 16, 3, 4}, blocked, last));
  BOOST_CHECK(!same_storage({2, 32, 3, 4}, blocked, last));
  BOOST_CHECK(!same_storage({2, 10, 3, 4}, blocked, last));
  BOOST_CHECK(!same_storage({2, 10, 1, 1}, blocked, Layout::plain(4)));  // padded
  BOOST_CHECK(same_storage({2, 32, 1, 1}, blocked, Layout::plain(4)));
  BOOST_CHECK(!same_storage({2, 3, 3, 4}, last, Layout::plain(4)));
}

BOOST_AUTO_TEST_CASE(transposed_spelling_is_the_same_storage) {
  const Shape shape{70, 33};
  const Layout layout = Layout::from_tag("BA16a16b");
  const Layout other = permuted(layout, {1, 0});
  BOOST_CHECK_EQUAL(other.tag(), "AB16b16a");
  for (std::int64_t i = 0; i < shape[0]; i += 7) {
    for (std::int64_t j = 0; j < shape[1]; ++j) {
      const std::int64_t ij[2]{i, j};
      const std::int64_t ji[2]{j, i};
      BOOST_REQUIRE_EQUAL(layout.offset(shape, ij), other.offset({33, 70}, ji));
    }
  }
}

BOOST_AUTO_TEST_CASE(descriptors_that_are_no_layout_are_refused) {
  const Desc strided({4, 6}, Type::f32, dnnl::memory::dims{8, 1});  // gaps between the rows
  BOOST_CHECK(!try_layout(strided));
  const Desc big({8, 6}, Type::f32, Tag::ab);
  BOOST_CHECK(!try_layout(big.submemory_desc({2, 6}, {3, 0})));  // offset
  BOOST_CHECK(!try_layout(Desc({8, 6}, Type::f32, Tag::any)));
  // Winograd weights, as the library itself asks for them.
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const Desc x({2, 64, 14, 14}, Type::f32, Tag::any);
  const Desc w({64, 64, 3, 3}, Type::f32, Tag::any);
  try {
    const dnnl::convolution_forward::desc op(dnnl::prop_kind::forward_inference,
                                             dnnl::algorithm::convolution_winograd, x, w, x, {1, 1}, {1, 1},
                                             {1, 1});
    const dnnl::convolution_forward::primitive_desc pd(op, engine);
    if (pd.weights_desc().data.format_kind == dnnl_format_kind_wino)
      BOOST_CHECK(!try_layout(pd.weights_desc()));
  } catch (const dnnl::error&) {
    BOOST_TEST_MESSAGE("no Winograd on this machine");
  }
}
