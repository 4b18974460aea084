// Reading of zip archives, as far as .npz files need it: members stored or deflated, zip64.
// Format: PKWARE's APPNOTE 6.3.
//
// Nothing a directory claims is believed: places and sizes must lie within the file, a deflated member may
// not claim more than deflate's best ratio (1032), and it is inflated piece by piece, its length and CRC-32
// compared at the end. Encrypted, split and otherwise compressed members are refused by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/input_file.hpp"

namespace lbann::base {

struct ZipMember {
  std::string name;
  bool deflated = false;
  std::uint64_t compressed_bytes = 0, bytes = 0;
  std::uint32_t crc = 0;
  std::uint64_t header_offset = 0;
};

class ZipFile {
public:
  /// Opens the file and reads its directory. Throws Error(data).
  explicit ZipFile(const std::string& path);

  const std::vector<ZipMember>& members() const { return members_; }
  const ZipMember* try_find(const std::string& name) const;
  /// The member's bytes. Throws Error(data) when they are damaged, Error(out_of_memory).
  std::string read(const ZipMember& member) const;
  /// Its first bytes, at most `n`; the CRC is not compared.
  std::string read_start(const ZipMember& member, std::size_t n) const;

private:
  [[noreturn]] void fail(const std::string& what) const;
  void read_at(std::uint64_t offset, void* out, std::uint64_t n) const;
  std::uint64_t data_offset(const ZipMember& member) const;
  void read_directory();
  std::string inflate_member(const ZipMember& member, std::uint64_t offset, std::uint64_t limit) const;

  InputFile file_;
  std::vector<ZipMember> members_;
};

}  // namespace lbann::base
