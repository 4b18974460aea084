// Layouts against offsets written out by hand (the meaning of the tags is the CPU library's manual).
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

#include "base/diagnostic.hpp"
#include "tensor/layout.hpp"
#include "tensor/layout_walk.hpp"

using lbann::tensor::InnerBlock;
using lbann::tensor::Layout;
using lbann::tensor::Shape;
using Dims = std::vector<std::int64_t>;

namespace {

std::int64_t offset(const char* tag, const Shape& shape, Dims index) {
  return Layout::from_tag(tag).offset(shape, index.data());
}

// Offsets of all elements in C order.
Dims all_offsets(const Layout& layout, const Shape& shape) {
  Dims result(static_cast<std::size_t>(shape.num_elements()), -1);
  lbann::tensor::for_each_element(layout, shape, [&](std::int64_t position, std::int64_t at) {
    result[static_cast<std::size_t>(position)] = at;
  });
  return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(named_layouts_have_the_manuals_tags) {
  BOOST_CHECK_EQUAL(Layout::plain(0).tag(), "");
  BOOST_CHECK_EQUAL(Layout::plain(1).tag(), "a");
  BOOST_CHECK_EQUAL(Layout::plain(4).tag(), "abcd");
  BOOST_CHECK_EQUAL(Layout::channels_last(2).tag(), "ab");
  BOOST_CHECK_EQUAL(Layout::channels_last(3).tag(), "acb");
  BOOST_CHECK_EQUAL(Layout::channels_last(4).tag(), "acdb");
  BOOST_CHECK_EQUAL(Layout::channels_last(5).tag(), "acdeb");
  BOOST_CHECK_EQUAL(Layout::blocked_channels(4, 16).tag(), "aBcd16b");
  BOOST_CHECK_EQUAL(Layout::blocked_channels(5, 8).tag(), "aBcde8b");
}

BOOST_AUTO_TEST_CASE(tags_read_back) {
  for (const char* tag : {"a", "abcd", "acdb", "cdba", "aBcd16b", "aBcd8b", "ABcd16b16a", "ABcd8b16a2b",
                          "BA16a16b", "Abcd4a", "ABcde4b4a", "Acdb16a"}) {
    const Layout layout = Layout::from_tag(tag);
    BOOST_CHECK_EQUAL(layout.tag(), tag);
    BOOST_CHECK(Layout::from_tag(layout.tag()) == layout);
  }
  const Layout layout = Layout::from_tag("ABcd8b16a2b");
  BOOST_CHECK((layout.order() == std::vector<int>{0, 1, 2, 3}));
  BOOST_CHECK((layout.blocks() == std::vector<InnerBlock>{{1, 8}, {0, 16}, {1, 2}}));
}

BOOST_AUTO_TEST_CASE(malformed_tags_are_refused) {
  for (const char* tag :
       {"b", "aa", "ac", "abc?", "a1", "aB", "aBcd", "aBcd16", "aBcd16e", "aBcd16z", "abcd16b", "aBcd16B",
        "aBcd16bc", "aBcd99999999999b", "aBcd0b", "16b", "a b", "aBcd-4b"}) {
    BOOST_CHECK_THROW(Layout::from_tag(tag), lbann::base::Error);
  }
}

BOOST_AUTO_TEST_CASE(plain_and_blocked_are_told_apart) {
  BOOST_CHECK(Layout::from_tag("abcd").is_plain());
  BOOST_CHECK(!Layout::from_tag("abcd").is_blocked());
  BOOST_CHECK(!Layout::from_tag("acdb").is_plain());
  BOOST_CHECK(!Layout::from_tag("acdb").is_blocked());
  BOOST_CHECK(!Layout::from_tag("aBcd16b").is_plain());
  BOOST_CHECK(Layout::from_tag("aBcd16b").is_blocked());
}

BOOST_AUTO_TEST_CASE(row_major_offsets) {
  const Shape shape{2, 3, 4};
  BOOST_CHECK((Layout::plain(3).outer_strides(shape) == Dims{12, 4, 1}));
  BOOST_CHECK_EQUAL(offset("abc", shape, {0, 0, 0}), 0);
  BOOST_CHECK_EQUAL(offset("abc", shape, {1, 2, 3}), 23);
  BOOST_CHECK_EQUAL(offset("abc", shape, {1, 0, 2}), 14);
  BOOST_CHECK_EQUAL(Layout::plain(0).offset(Shape{}, nullptr), 0);
  BOOST_CHECK_EQUAL(Layout::plain(0).storage_elements(Shape{}), 1);
}

BOOST_AUTO_TEST_CASE(channels_last_offsets) {
  const Shape shape{2, 3, 4, 5};  // n c h w: strides n 60, h 15, w 3, c 1
  BOOST_CHECK((Layout::channels_last(4).outer_strides(shape) == Dims{60, 1, 15, 3}));
  BOOST_CHECK_EQUAL(offset("acdb", shape, {1, 2, 3, 4}), 60 + 2 + 45 + 12);
  // [1,2,2,2] in C order: c h w = 000 001 010 011 100 101 110 111 -> h w c
  BOOST_CHECK((all_offsets(Layout::channels_last(4), {1, 2, 2, 2}) == Dims{0, 2, 4, 6, 1, 3, 5, 7}));
}

BOOST_AUTO_TEST_CASE(blocked_channels_offsets_and_padding) {
  const Layout layout = Layout::from_tag("aBc4b");
  const Shape shape{2, 6, 3};  // 6 channels -> 2 blocks of 4: storage 2 x 2 x 3 x 4
  BOOST_CHECK((layout.padded(shape) == Shape{2, 8, 3}));
  BOOST_CHECK_EQUAL(layout.storage_elements(shape), 48);
  BOOST_CHECK(layout.has_padding(shape));
  BOOST_CHECK((layout.outer_strides(shape) == Dims{24, 12, 4}));
  BOOST_CHECK_EQUAL(offset("aBc4b", shape, {0, 3, 0}), 3);   // last lane of the first block
  BOOST_CHECK_EQUAL(offset("aBc4b", shape, {0, 4, 0}), 12);  // first lane of the second
  BOOST_CHECK_EQUAL(offset("aBc4b", shape, {1, 5, 2}), 24 + 12 + 8 + 1);
  // [1,3,2]: lanes of c, then w; lane 3 is padding.
  BOOST_CHECK((all_offsets(layout, {1, 3, 2}) == Dims{0, 4, 1, 5, 2, 6}));
  BOOST_CHECK(!layout.has_padding({1, 4, 2}));
  BOOST_CHECK(layout.has_padding({1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(weights_blocked_twice) {
  // ABcd2b4a... [k=6,c=3,1,2] with "ABcd2b4a": k padded to 8 (blocks of 4), c to 4 (blocks of 2).
  const Layout layout = Layout::from_tag("ABcd2b4a");
  const Shape shape{6, 3, 1, 2};
  BOOST_CHECK((layout.padded(shape) == Shape{8, 4, 1, 2}));
  BOOST_CHECK_EQUAL(layout.storage_elements(shape), 64);
  BOOST_CHECK((layout.outer_strides(shape) == Dims{32, 16, 16, 8}));
  BOOST_CHECK_EQUAL(offset("ABcd2b4a", shape, {0, 0, 0, 0}), 0);
  BOOST_CHECK_EQUAL(offset("ABcd2b4a", shape, {3, 0, 0, 0}), 3);  // a innermost
  BOOST_CHECK_EQUAL(offset("ABcd2b4a", shape, {0, 1, 0, 0}), 4);  // then b
  BOOST_CHECK_EQUAL(offset("ABcd2b4a", shape, {5, 2, 0, 1}), 32 + 16 + 8 + 1);
}

BOOST_AUTO_TEST_CASE(a_dim_split_twice) {
  // "ABcd2b4a2b": c in blocks of 4, as 2 (outer) x 2 (inner), a between them.
  const Shape shape{4, 4, 1, 1};
  // c = 0..3 -> outer bit at stride 8, inner bit at stride 1; k at stride 2.
  BOOST_CHECK_EQUAL(offset("ABcd2b4a2b", shape, {0, 1, 0, 0}), 1);
  BOOST_CHECK_EQUAL(offset("ABcd2b4a2b", shape, {0, 2, 0, 0}), 8);
  BOOST_CHECK_EQUAL(offset("ABcd2b4a2b", shape, {3, 3, 0, 0}), 15);
  BOOST_CHECK((Layout::from_tag("ABcd2b4a2b").padded({5, 5, 1, 1}) == Shape{8, 8, 1, 1}));
}

BOOST_AUTO_TEST_CASE(every_layout_is_injective_and_inside_its_storage) {
  const Shape shape{3, 5, 2, 3};
  for (const char* tag : {"abcd", "acdb", "cdba", "aBcd4b", "aBcd16b", "ABcd4b4a", "ABcd2b4a2b", "Acdb8a"}) {
    const Layout layout = Layout::from_tag(tag);
    const Dims offsets = all_offsets(layout, shape);
    const std::set<std::int64_t> distinct(offsets.begin(), offsets.end());
    BOOST_CHECK_EQUAL(distinct.size(), 90u);
    BOOST_CHECK_GE(*distinct.begin(), 0);
    BOOST_CHECK_LT(*distinct.rbegin(), layout.storage_elements(shape));
  }
}

// Judged by the offset of every element and the size of the storage.
BOOST_AUTO_TEST_CASE(same_storage_under_several_names) {
  const char* const tags[] = {"abcd", "acdb", "cdba", "bacd", "aBcd4b", "aBcd16b", "Abcd4a", "ABcd4b4a"};
  const std::vector<Shape> shapes = {{3, 16, 2, 5}, {3, 4, 2, 5},  {2, 16, 1, 1}, {2, 20, 1, 1},
                                     {4, 4, 3, 1},  {1, 32, 3, 3}, {1, 1, 1, 1},  {4, 1, 2, 2}};
  int same = 0, different = 0;
  for (const Shape& shape : shapes) {
    for (const char* first : tags) {
      for (const char* second : tags) {
        const Layout a = Layout::from_tag(first), b = Layout::from_tag(second);
        const bool equal = all_offsets(a, shape) == all_offsets(b, shape) &&
                           a.storage_elements(shape) == b.storage_elements(shape);
        // Storage that is mostly padding may be taken for different, never the other way round.
        const bool padded = a.has_padding(shape) || b.has_padding(shape);
        const bool got = lbann::tensor::same_storage(shape, a, b);
        BOOST_TEST((got == equal || (padded && !got)),
                   first << " and " << second << " for " << shape.to_string());
        ++(equal ? same : different);
      }
    }
  }
  BOOST_TEST(same > 100);
  BOOST_TEST(different > 100);
}
