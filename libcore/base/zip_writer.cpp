// See zip_writer.hpp.
#include "base/zip_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <deque>

#include "base/files.hpp"

namespace lbann::base {
namespace {

constexpr std::uint64_t limit32 = 0xffffffff, limit16 = 0xffff;
constexpr std::uint64_t first_day = (1 << 5) | 1;  // 1980-01-01 in MS-DOS form
constexpr std::uint64_t names_are_utf8 = 1 << 11;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::uint32_t extend_crc(std::uint32_t crc, std::string_view bytes) {
  constexpr std::size_t piece = std::size_t{1} << 30;  // zlib counts in unsigned int
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    crc = static_cast<std::uint32_t>(
        ::crc32(crc, reinterpret_cast<const unsigned char*>(part.data()), static_cast<uInt>(part.size())));
    bytes.remove_prefix(part.size());
  }
  return crc;
}

/// What local and directory entries have in common, from "version needed" to the CRC and the sizes.
void put_common(std::string& out, bool big, std::uint32_t crc, std::uint64_t bytes) {
  put(out, big ? 45 : 20, 2);
  put(out, names_are_utf8, 2);
  put(out, 0, 2);  // stored
  put(out, 0, 2);  // midnight
  put(out, first_day, 2);
  put(out, crc, 4);
  put(out, big ? limit32 : bytes, 4);
  put(out, big ? limit32 : bytes, 4);
}

}  // namespace

void ZipWriter::add(std::string name, std::string head, std::string_view data) {
  const std::uint32_t crc = extend_crc(extend_crc(0, head), data);
  members_.push_back({std::move(name), std::move(head), data, crc});
}

void ZipWriter::save(const std::string& path) const {
  std::deque<std::string> headers;  // stay where they are while pieces point to them
  std::vector<std::string_view> pieces;
  std::string directory;
  std::uint64_t offset = 0;
  for (const Member& m : members_) {
    const bool big = m.bytes() >= limit32, far = offset >= limit32;
    std::string& local = headers.emplace_back("PK\3\4");
    put_common(local, big, m.crc, m.bytes());
    put(local, m.name.size(), 2);
    put(local, big ? 20 : 0, 2);
    local += m.name;
    if (big) {
      put(local, 1, 2);
      put(local, 16, 2);
      put(local, m.bytes(), 8);
      put(local, m.bytes(), 8);
    }
    directory += "PK\1\2";
    put(directory, big || far ? 45 : 20, 2);
    put_common(directory, big, m.crc, m.bytes());
    const std::uint64_t extra = (big ? 16 : 0) + (far ? 8 : 0);
    put(directory, m.name.size(), 2);
    put(directory, extra > 0 ? extra + 4 : 0, 2);
    put(directory, 0, 2);  // comment
    put(directory, 0, 2);  // disk
    put(directory, 0, 2);  // internal attributes
    put(directory, std::uint64_t{0644} << 16, 4);
    put(directory, far ? limit32 : offset, 4);
    directory += m.name;
    if (extra > 0) {
      put(directory, 1, 2);
      put(directory, extra, 2);
      if (big) {
        put(directory, m.bytes(), 8);
        put(directory, m.bytes(), 8);
      }
      if (far) put(directory, offset, 8);
    }
    pieces.insert(pieces.end(), {local, m.head, m.data});
    offset += local.size() + m.bytes();
  }
  const std::uint64_t count = members_.size(), directory_bytes = directory.size();
  if (offset >= limit32 || count >= limit16 || directory_bytes >= limit32) {
    const std::uint64_t end64 = offset + directory_bytes;
    directory += "PK\6\6";
    put(directory, 44, 8);  // of the rest of this record
    put(directory, 45, 2);
    put(directory, 45, 2);
    put(directory, 0, 8);  // disks
    put(directory, count, 8);
    put(directory, count, 8);
    put(directory, directory_bytes, 8);
    put(directory, offset, 8);
    directory += "PK\6\7";
    put(directory, 0, 4);
    put(directory, end64, 8);
    put(directory, 1, 4);
  }
  directory += "PK\5\6";
  put(directory, 0, 4);  // disks
  put(directory, std::min(count, limit16), 2);
  put(directory, std::min(count, limit16), 2);
  put(directory, std::min(directory_bytes, limit32), 4);
  put(directory, std::min(offset, limit32), 4);
  put(directory, 0, 2);  // comment
  pieces.push_back(directory);
  atomic_write_file(path, pieces);
}

}  // namespace lbann::base
