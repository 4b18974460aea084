// Keys, bulk fills and permutations over the counter-based generator of philox.hpp.
//
// The bulk fills compute `lanes` blocks side by side in plain arrays, so that the compiler can vectorise the
// ten rounds over blocks; they give exactly the numbers of the one-at-a-time functions.
#include "base/philox.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/hash.hpp"
#include "base/target_clones.hpp"

namespace lbann::base {
namespace {

constexpr std::uint64_t lanes =
    32;  // more than 16: else g++ unrolls the loops over lanes before it vectorises

/// out[4 * lane + word] of blocks first .. first + lanes - 1.
[[gnu::always_inline]] inline void blocks(const RandomStream& s, std::uint64_t first, std::uint32_t* out) {
  std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
  for (std::uint64_t l = 0; l < lanes; ++l) {
    c0[l] = static_cast<std::uint32_t>(first + l);
    c1[l] = static_cast<std::uint32_t>((first + l) >> 32);
    c2[l] = static_cast<std::uint32_t>(s.draw());
    c3[l] = static_cast<std::uint32_t>(s.draw() >> 32);
  }
  std::uint32_t k0 = static_cast<std::uint32_t>(s.philox_key());
  std::uint32_t k1 = static_cast<std::uint32_t>(s.philox_key() >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::uint64_t l = 0; l < lanes; ++l) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[l], p1 = std::uint64_t{0xCD9E8D57u} * c2[l];
      c0[l] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[l] ^ k0;
      c1[l] = static_cast<std::uint32_t>(p1);
      c2[l] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[l] ^ k1;
      c3[l] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (std::uint64_t l = 0; l < lanes; ++l) {
    out[4 * l] = c0[l];
    out[4 * l + 1] = c1[l];
    out[4 * l + 2] = c2[l];
    out[4 * l + 3] = c3[l];
  }
}

/// Whole groups of 4 * lanes uniforms; one clone per instruction set, chosen when the program is loaded.
LBANN_TARGET_CLONES void uniform_groups(const RandomStream& s, std::uint64_t first_block,
                                        std::uint64_t num_groups, float* out) {
  std::uint32_t words[4 * lanes];
  for (std::uint64_t g = 0; g < num_groups; ++g, out += 4 * lanes) {
    blocks(s, first_block + g * lanes, words);
    for (std::uint64_t j = 0; j < 4 * lanes; ++j) out[j] = RandomStream::to_uniform(words[j]);
  }
}

/// Whole groups of 4 * lanes choices.
LBANN_TARGET_CLONES void bernoulli_groups(const RandomStream& s, float p, float value,
                                          std::uint64_t first_block, std::uint64_t num_groups, float* out) {
  std::uint32_t words[4 * lanes];
  for (std::uint64_t g = 0; g < num_groups; ++g, out += 4 * lanes) {
    blocks(s, first_block + g * lanes, words);
    for (std::uint64_t j = 0; j < 4 * lanes; ++j)
      out[j] = RandomStream::to_uniform(words[j]) < p ? value : 0.0f;
  }
}

/// Whole groups of 2 * lanes normals.
LBANN_TARGET_CLONES void normal_groups(const RandomStream& s, std::uint64_t first_block,
                                       std::uint64_t num_groups, float* out) {
  std::uint32_t words[4 * lanes];
  for (std::uint64_t g = 0; g < num_groups; ++g, out += 2 * lanes) {
    blocks(s, first_block + g * lanes, words);
    for (std::uint64_t l = 0; l < lanes; ++l) {
      const auto pair = box_muller({words[4 * l], words[4 * l + 1], words[4 * l + 2], words[4 * l + 3]});
      out[2 * l] = static_cast<float>(pair[0]);
      out[2 * l + 1] = static_cast<float>(pair[1]);
    }
  }
}

/// Whole groups of 2 * lanes numbers a + b * normal.
template <class T>
[[gnu::always_inline]] inline void scaled_normals(const RandomStream& s, double a, double b,
                                                  std::uint64_t first_block, std::uint64_t num_groups,
                                                  T* out) {
  std::uint32_t words[4 * lanes];
  for (std::uint64_t g = 0; g < num_groups; ++g, out += 2 * lanes) {
    blocks(s, first_block + g * lanes, words);
    for (std::uint64_t l = 0; l < lanes; ++l) {
      const auto pair = box_muller({words[4 * l], words[4 * l + 1], words[4 * l + 2], words[4 * l + 3]});
      out[2 * l] = static_cast<T>(a + b * pair[0]);
      out[2 * l + 1] = static_cast<T>(a + b * pair[1]);
    }
  }
}
LBANN_TARGET_CLONES void scaled_normal_groups(const RandomStream& s, double a, double b, std::uint64_t first,
                                              std::uint64_t num_groups, float* out) {
  scaled_normals(s, a, b, first, num_groups, out);
}
LBANN_TARGET_CLONES void scaled_normal_groups(const RandomStream& s, double a, double b, std::uint64_t first,
                                              std::uint64_t num_groups, double* out) {
  scaled_normals(s, a, b, first, num_groups, out);
}

/// Whole groups of 2 * lanes numbers low + (high - low) * uniform_double, which rounding must not raise to
/// high.
template <class T>
[[gnu::always_inline]] inline void scaled_uniforms(const RandomStream& s, double low, double high,
                                                   std::uint64_t first_block, std::uint64_t num_groups,
                                                   T* out) {
  std::uint32_t words[4 * lanes];
  const T top = static_cast<T>(high), below = std::nextafter(top, static_cast<T>(low));
  for (std::uint64_t g = 0; g < num_groups; ++g, out += 2 * lanes) {
    blocks(s, first_block + g * lanes, words);
    for (std::uint64_t l = 0; l < 2 * lanes; ++l) {
      const double u = box_muller_detail::upper_53(words[2 * l], words[2 * l + 1]) * 0x1p-53;
      const T value = static_cast<T>(low + (high - low) * u);
      out[l] = value < top ? value : below;
    }
  }
}
LBANN_TARGET_CLONES void scaled_uniform_groups(const RandomStream& s, double a, double b, std::uint64_t first,
                                               std::uint64_t num_groups, float* out) {
  scaled_uniforms(s, a, b, first, num_groups, out);
}
LBANN_TARGET_CLONES void scaled_uniform_groups(const RandomStream& s, double a, double b, std::uint64_t first,
                                               std::uint64_t num_groups, double* out) {
  scaled_uniforms(s, a, b, first, num_groups, out);
}

/// Any range from whole groups: `groups(first block, number of groups, where)` makes `per_block` numbers per
/// block. What does not fill a group goes through a buffer, so that short ranges cost one group, not one
/// block per number.
template <std::uint64_t per_block, class T, class Groups>
void fill_range(std::span<T> out, std::uint64_t first, Groups groups) {
  constexpr std::uint64_t group = per_block * lanes;
  std::uint64_t i = 0;
  const std::uint64_t n = out.size();
  const auto partial = [&](std::uint64_t count) {
    T buffer[group];
    groups((first + i) / per_block, 1, buffer);
    std::copy_n(buffer + (first + i) % per_block, count, out.data() + i);
    i += count;
  };
  if (n > 0 && first % per_block != 0) partial(std::min(n, group - first % per_block));
  const std::uint64_t whole = (n - i) / group;
  if (whole > 0) groups((first + i) / per_block, whole, out.data() + i);
  i += whole * group;
  while (i < n) partial(std::min(n - i, group - (first + i) % per_block));
}

}  // namespace

std::uint64_t make_random_key(std::uint64_t seed, std::uint64_t trainer) {
  Hasher64 h;
  h.update("random key");
  h.update(seed);
  h.update(trainer);
  return h.value();
}

std::uint64_t make_stream(std::string_view name, std::string_view purpose, std::uint64_t ordinal) {
  Hasher64 h;
  h.update(name);
  h.update(purpose);
  h.update(ordinal);
  return h.value();
}

void fill_uniform(const RandomStream& stream, std::span<float> out, std::uint64_t first) {
  fill_range<4>(out, first, [&](std::uint64_t block, std::uint64_t count, float* to) {
    uniform_groups(stream, block, count, to);
  });
}

void fill_bernoulli(const RandomStream& stream, double p, float value, std::span<float> out,
                    std::uint64_t first) {
  const float threshold = static_cast<float>(p);
  fill_range<4>(out, first, [&](std::uint64_t block, std::uint64_t count, float* to) {
    bernoulli_groups(stream, threshold, value, block, count, to);
  });
}

void fill_normal(const RandomStream& stream, std::span<float> out, std::uint64_t first) {
  fill_range<2>(out, first, [&](std::uint64_t block, std::uint64_t count, float* to) {
    normal_groups(stream, block, count, to);
  });
}

namespace {

template <class T>
void fill_normal_any(const RandomStream& stream, double mean, double deviation, std::span<T> out,
                     std::uint64_t first) {
  fill_range<2>(out, first, [&](std::uint64_t block, std::uint64_t count, T* to) {
    scaled_normal_groups(stream, mean, deviation, block, count, to);
  });
}

template <class T>
void fill_uniform_any(const RandomStream& stream, double low, double high, std::span<T> out,
                      std::uint64_t first) {
  fill_range<2>(out, first, [&](std::uint64_t block, std::uint64_t count, T* to) {
    scaled_uniform_groups(stream, low, high, block, count, to);
  });
}

}  // namespace

void fill_normal(const RandomStream& s, double mean, double deviation, std::span<float> out,
                 std::uint64_t first) {
  fill_normal_any(s, mean, deviation, out, first);
}
void fill_normal(const RandomStream& s, double mean, double deviation, std::span<double> out,
                 std::uint64_t first) {
  fill_normal_any(s, mean, deviation, out, first);
}
void fill_uniform(const RandomStream& s, double low, double high, std::span<float> out, std::uint64_t first) {
  fill_uniform_any(s, low, high, out, first);
}
void fill_uniform(const RandomStream& s, double low, double high, std::span<double> out,
                  std::uint64_t first) {
  fill_uniform_any(s, low, high, out, first);
}

void shuffle(const RandomStream& stream, std::span<std::int64_t> items) {
  for (std::uint64_t i = items.size(); i-- > 1;) std::swap(items[i], items[stream.bounded(i + 1, i)]);
}

std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t key, std::uint64_t stream,
                                      std::uint64_t epoch) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(n));
  std::iota(items.begin(), items.end(), std::int64_t{0});
  shuffle(RandomStream(key, stream, epoch), items);
  return items;
}

}  // namespace lbann::base
