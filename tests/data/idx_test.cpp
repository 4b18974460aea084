// IDX files, good and bad, and the mnist data set over them. The bytes are written here by hand.
#include "data/idx.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "data/mnist.hpp"
#include "files.hpp"

using namespace lbann;
using namespace lbann::data;
using namespace lbann::data::test;

namespace {

constexpr std::uint32_t images_magic = 0x803, labels_magic = 0x801;

/// 5 images of 2 x 3; pixel p of image i is 40 i + p.
std::string five_images() {
  std::string s = idx_header(images_magic, {5, 2, 3});
  for (int i = 0; i < 5; ++i)
    for (int p = 0; p < 6; ++p) s.push_back(static_cast<char>(40 * i + p));
  return s;
}
std::string five_labels() { return idx_header(labels_magic, {5}) + std::string("\3\0\2\1\3", 5); }

struct Pair {
  Directory dir;
  Pair() {
    write_file(dir.file("i"), five_images());
    write_file(dir.file("l"), five_labels());
  }
  MnistOptions options() const {
    MnistOptions o;
    o.directory = dir.path();
    o.image_file = "i";
    o.label_file = "l";
    o.num_labels = 4;
    return o;
  }
};

void check_bad_images(const std::string& bytes, const std::vector<std::string>& parts) {
  Directory dir;
  write_file(dir.file("bad"), bytes);
  auto expected = parts;
  expected.push_back(dir.file("bad"));
  check_error([&] { load_idx(dir.file("bad"), 3); }, base::ExitCode::data, expected);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(idx)

BOOST_AUTO_TEST_CASE(good_files) {
  Pair p;
  const IdxArray images = load_idx(p.dir.file("i"), 3);
  BOOST_TEST(images.dims == (std::vector<std::int64_t>{5, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(images.values.size() == 30u);
  BOOST_TEST(int{images.values[29]} == 165);
  const IdxArray labels = load_idx(p.dir.file("l"), 1);
  BOOST_TEST(labels.values == (std::vector<std::uint8_t>{3, 0, 2, 1, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(compressed_files) {
  Directory dir;
  std::string big = idx_header(images_magic, {3000, 28, 28});
  for (int i = 0; i < 3000 * 784; ++i) big.push_back(static_cast<char>(i % 251));
  write_file(dir.file("big.gz"), gzip(big));
  write_file(dir.file("misnamed"), gzip(five_images()));
  const IdxArray by_fallback = load_idx(dir.file("big"), 3);  // only big.gz exists
  BOOST_TEST(by_fallback.values.size() == 3000u * 784);
  BOOST_TEST(std::equal(by_fallback.values.begin(), by_fallback.values.end(), big.begin() + 16,
                        [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }));
  BOOST_TEST(load_idx(dir.file("misnamed"), 3).dims[0] == 5);
}

BOOST_AUTO_TEST_CASE(missing_and_odd_files) {
  Directory dir;
  check_error([&] { load_idx(dir.file("none"), 3); }, base::ExitCode::data, {"none", "no such file"});
  check_error([&] { load_idx(dir.path(), 3); }, base::ExitCode::data, {"is a directory"});
  check_error([&] { load_idx("/dev/zero", 3); }, base::ExitCode::data, {"not a regular file"});
  check_bad_images("", {"truncated", "0 bytes", "16"});
  check_bad_images(five_images().substr(0, 11), {"truncated", "11 bytes", "16"});
}

BOOST_AUTO_TEST_CASE(wrong_magic) {
  check_bad_images("GIF89a and so on.....", {"0x47494638", "0x00000803"});
  check_bad_images(five_labels() + five_labels(), {"0x00000801", "exchanged"});
  check_bad_images(idx_header(0x0D03, {1, 1, 1}) + "abcd", {"0x00000d03", "unsigned bytes"});
  Directory dir;
  write_file(dir.file("l"), five_images());
  check_error([&] { load_idx(dir.file("l"), 1); }, base::ExitCode::data,
              {"0x00000803", "0x00000801", "exchanged"});
}

BOOST_AUTO_TEST_CASE(wrong_lengths) {
  check_bad_images(five_images().substr(0, 45), {"truncated", "[5,2,3]", "46 bytes", "45"});
  check_bad_images(five_images() + "x", {"too long", "46 bytes", "47"});
  check_bad_images(idx_header(images_magic, {0, 28, 28}), {"extent 1 of 3 is 0"});
  check_bad_images(gzip(five_images().substr(0, 45)), {"truncated", "46 bytes", "found 45"});
  check_bad_images(gzip(five_images() + "x"), {"too long", "46 bytes"});
}

// A header may promise anything: refused without an allocation of that size.
BOOST_AUTO_TEST_CASE(absurd_sizes) {
  const std::uint32_t huge = 0xFFFFFFFF;
  check_bad_images(idx_header(images_magic, {huge, huge, huge}) + "x", {"no file can hold", "4294967295"});
  check_bad_images(idx_header(images_magic, {huge, 28, 28}) + "x", {"truncated", "the file has 17"});
  check_bad_images(gzip(idx_header(images_magic, {huge, 28, 28})),
                   {"truncated", "compressed bytes can hold"});
  // 500 MB promised, 1 MB of incompressible bytes delivered: possible for all the file's length tells.
  std::string noise = idx_header(images_magic, {500, 1000, 1000});
  for (std::uint32_t i = 0, v = 1; i < 1 << 20; ++i)
    noise.push_back(static_cast<char>((v = v * 1664525 + 1013904223) >> 24));
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  check_bad_images(gzip(noise), {"truncated", "found 1048592"});
  getrusage(RUSAGE_SELF, &after);
  BOOST_TEST(after.ru_maxrss - before.ru_maxrss < 64 * 1024);
}

BOOST_AUTO_TEST_CASE(damaged_gzip) {
  std::string many = idx_header(images_magic, {50, 28, 28});
  for (int i = 0; i < 50 * 784; ++i) many.push_back(static_cast<char>(i * i % 251 + i % 3));
  const std::string good = gzip(many);
  check_bad_images(good.substr(0, good.size() - 4), {"truncated"});
  check_bad_images(good.substr(0, good.size() / 2), {"truncated"});
  std::string bad_sum = good;
  bad_sum[bad_sum.size() - 6] ^= 1;
  check_bad_images(bad_sum, {"damaged"});
  // One flipped bit anywhere behind the gzip header is noticed.
  std::size_t accepted = 0, tried = 0;
  Directory dir;
  for (std::size_t at = 10; at < good.size(); at += 37, ++tried) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    write_file(dir.file("x"), bad);
    try {
      load_idx(dir.file("x"), 3);
      ++accepted;
    } catch (const base::Error& e) {
      BOOST_TEST(static_cast<int>(e.code()) == 4);
    }
  }
  BOOST_TEST(tried > 20u);
  BOOST_TEST(accepted == 0u);
}

BOOST_AUTO_TEST_CASE(mnist_fields_and_reads) {
  Pair p;
  MnistOptions o = p.options();
  const auto raw = make_mnist_dataset(o);
  BOOST_TEST(raw->size() == 5);
  BOOST_REQUIRE(raw->fields().size() == 2u);
  BOOST_TEST(raw->fields()[0].name == "samples");
  BOOST_TEST(raw->fields()[0].dims == (std::vector<std::int64_t>{1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST((raw->try_find_field("labels") == std::size_t{1}));
  BOOST_TEST(!raw->try_find_field("responses"));
  const std::vector<std::int64_t> indices{4, 1, 4};
  float x[18], y[12];
  raw->read(0, indices, x);
  raw->read(1, indices, y);
  BOOST_TEST(std::vector<float>(x, x + 18) == (std::vector<float>{160, 161, 162, 163, 164, 165, 40, 41, 42,
                                                                  43, 44, 45, 160, 161, 162, 163, 164, 165}),
             boost::test_tools::per_element());
  BOOST_TEST(std::vector<float>(y, y + 12) == (std::vector<float>{0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1}),
             boost::test_tools::per_element());
  o.scale = 0.003921568627f;
  make_mnist_dataset(o)->read(0, std::vector<std::int64_t>{4}, x);
  BOOST_TEST(x[5] == 0.003921568627f * 165.0f);
  o.first_n = 2;
  BOOST_TEST(make_mnist_dataset(o)->size() == 2);
}

BOOST_AUTO_TEST_CASE(mnist_errors) {
  Pair p;
  MnistOptions o = p.options();
  o.num_labels = 3;  // the files hold labels 0..3
  check_error([&] { make_mnist_dataset(o); }, base::ExitCode::data,
              {"label 3 of sample 0", "0..2", p.dir.file("l")});
  o = p.options();
  o.first_n = 6;
  check_error([&] { make_mnist_dataset(o); }, base::ExitCode::config, {"first_n = 6", "5 samples"});
  o = p.options();
  write_file(p.dir.file("l"), idx_header(labels_magic, {4}) + std::string(4, '\0'));
  check_error([&] { make_mnist_dataset(o); }, base::ExitCode::data,
              {"4 labels", "5 images", p.dir.file("i")});
  o.image_file = "";
  check_error([&] { make_mnist_dataset(o); }, base::ExitCode::config, {"data_filename"});
}

BOOST_AUTO_TEST_SUITE_END()
