// Hashes: 64 bits for names (random streams, tables), 128 bits for contents (checkpoints, plans, data sets).
//
// Both are XXH3 (libxxhash): a function of the bytes alone, the same on every machine and in every version
// since 0.8, so that values may be written to files. They guard against accidents, not against attackers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lbann::base {

/// XXH3-64 of the bytes.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

/// Hash of a sequence of fields. A text counts with its length, a number as 8 bytes little-endian, so
/// ("ab", "c") and ("a", "bc") differ.
class Hasher64 {
public:
  void update(std::string_view text);
  void update(const char* text) { update(std::string_view(text)); }
  void update(std::uint64_t number);
  std::uint64_t value() const;

private:
  std::string bytes_;
};

/// A 128-bit content digest.
struct Digest128 {
  std::uint64_t high = 0, low = 0;
  bool operator==(const Digest128&) const = default;
};

/// XXH3-128 of the bytes.
Digest128 digest128(std::span<const std::byte> bytes);
Digest128 digest128(std::string_view bytes);

/// The same digest of data that comes in pieces.
class Digester {
public:
  Digester();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes) { update(std::as_bytes(std::span(bytes))); }
  /// Of all bytes so far; more may follow.
  Digest128 value() const;

private:
  struct Free {
    void operator()(void* state) const;
  };
  std::unique_ptr<void, Free> state_;
};

/// 16 or 32 lower-case hexadecimal digits, most significant first (the order `xxhsum -H2` prints).
std::string to_hex(std::uint64_t value);
std::string to_hex(const Digest128& digest);

}  // namespace lbann::base
