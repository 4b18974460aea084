// XXH3 values against those of the reference implementation's own command (xxhsum -H3, -H2).
#include "base/hash.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace lbann::base;

BOOST_AUTO_TEST_SUITE(hash)

BOOST_AUTO_TEST_CASE(known_answers) {
  BOOST_TEST(to_hex(hash64("")) == "2d06800538d394c2");
  BOOST_TEST(to_hex(hash64("abc")) == "78af5f94892f3950");
  BOOST_TEST(to_hex(digest128("")) == "99aa06d3014798d86001c324468d497f");
  BOOST_TEST(to_hex(digest128("abc")) == "06b05ab6733a618578af5f94892f3950");
}

BOOST_AUTO_TEST_CASE(pieces_and_whole_agree) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text.push_back(static_cast<char>(i * 7 + i / 256));
  Digester pieces;
  for (std::size_t at = 0, step = 1; at < text.size(); at += step, step = step * 3 % 1021 + 1)
    pieces.update(std::string_view(text).substr(at, step));
  BOOST_TEST(to_hex(pieces.value()) == to_hex(digest128(text)));
  text[4321] ^= 1;
  BOOST_TEST(to_hex(pieces.value()) != to_hex(digest128(text)));
}

BOOST_AUTO_TEST_CASE(fields_do_not_run_together) {
  Hasher64 a, b, c;
  a.update("ab"), a.update("c");
  b.update("a"), b.update("bc");
  c.update("abc");
  BOOST_TEST(a.value() != b.value());
  BOOST_TEST(a.value() != c.value());
}

BOOST_AUTO_TEST_SUITE_END()
