// XXH3 behind our own types: the only file that includes xxhash.h.
#include "base/hash.hpp"

#include <xxhash.h>

#include <new>

namespace lbann::base {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

void Hasher64::update(std::string_view text) {
  update(static_cast<std::uint64_t>(text.size()));
  bytes_.append(text);
}

void Hasher64::update(std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) bytes_.push_back(static_cast<char>(number >> shift & 0xFF));
}

std::uint64_t Hasher64::value() const { return hash64(bytes_); }

Digest128 digest128(std::span<const std::byte> bytes) {
  const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

Digest128 digest128(std::string_view bytes) { return digest128(std::as_bytes(std::span(bytes))); }

Digester::Digester() : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_.get()));
}

void Digester::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(static_cast<XXH3_state_t*>(state_.get()), bytes.data(), bytes.size());
}

Digest128 Digester::value() const {
  const XXH128_hash_t h = XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_.get()));
  return {h.high64, h.low64};
}

void Digester::Free::operator()(void* state) const { XXH3_freeState(static_cast<XXH3_state_t*>(state)); }

std::string to_hex(std::uint64_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (int i = 15; i >= 0; --i, value >>= 4) text[static_cast<std::size_t>(i)] = digits[value & 15];
  return text;
}

std::string to_hex(const Digest128& digest) { return to_hex(digest.high) + to_hex(digest.low); }

}  // namespace lbann::base
