// See zip.hpp.
#include "base/zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/diagnostic.hpp"

namespace lbann::base {
namespace {

constexpr std::uint64_t end_bytes = 22, locator_bytes = 20, end64_bytes = 56, entry_bytes = 46,
                        local_bytes = 30;
/// The directory of a file of arrays is small; a huge one is damage.
constexpr std::uint64_t max_directory_bytes = std::uint64_t{64} << 20;

/// Little-endian numbers of a record.
class Record {
public:
  explicit Record(const unsigned char* bytes) : bytes_(bytes) {}
  std::uint64_t number(std::size_t at, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes_[at + i]} << (8 * i);
    return value;
  }
  std::uint64_t u16(std::size_t at) const { return number(at, 2); }
  std::uint64_t u32(std::size_t at) const { return number(at, 4); }
  std::uint64_t u64(std::size_t at) const { return number(at, 8); }

private:
  const unsigned char* bytes_;
};

constexpr std::uint64_t unset32 = 0xffffffff;

}  // namespace

ZipFile::ZipFile(const std::string& path) : file_(path, "a zip archive") { read_directory(); }

void ZipFile::fail(const std::string& what) const { file_.fail(what); }

void ZipFile::read_at(std::uint64_t offset, void* out, std::uint64_t n) const { file_.read(offset, out, n); }

void ZipFile::read_directory() {
  if (file_.size() < end_bytes) fail(fmt::format("no zip archive: only {} bytes", file_.size()));
  // The end record is followed by a comment of at most 65535 bytes.
  const std::uint64_t tail_bytes = std::min<std::uint64_t>(file_.size(), end_bytes + 65535);
  std::vector<unsigned char> tail(tail_bytes);
  read_at(file_.size() - tail_bytes, tail.data(), tail_bytes);
  std::optional<std::uint64_t> found;
  for (std::uint64_t i = tail_bytes - end_bytes + 1; i-- > 0;) {
    const Record r(tail.data() + i);
    if (r.u32(0) == 0x06054b50 && r.u16(20) == tail_bytes - end_bytes - i) {
      found = i;
      break;
    }
  }
  if (!found) fail("no zip archive, or its end is missing");
  const Record end(tail.data() + *found);
  const std::uint64_t end_offset = file_.size() - tail_bytes + *found;
  std::uint64_t count = end.u16(10), bytes = end.u32(12), offset = end.u32(16);
  if (end.u16(4) != 0 || end.u16(6) != 0) fail("is one part of a split archive");
  if (count == 0xffff || bytes == unset32 || offset == unset32) {
    unsigned char locator[locator_bytes], end64[end64_bytes];
    if (end_offset < locator_bytes) fail("the zip64 directory is missing");
    read_at(end_offset - locator_bytes, locator, locator_bytes);
    if (Record(locator).u32(0) != 0x07064b50) fail("the zip64 directory is missing");
    read_at(Record(locator).u64(8), end64, end64_bytes);
    const Record r(end64);
    if (r.u32(0) != 0x06064b50) fail("the zip64 directory is damaged");
    count = r.u64(32), bytes = r.u64(40), offset = r.u64(48);
  }
  if (bytes > max_directory_bytes || offset > file_.size() || bytes > file_.size() - offset)
    fail(fmt::format("the directory claims {} bytes at {}, the file has {}", bytes, offset, file_.size()));
  if (count > bytes / entry_bytes) fail(fmt::format("{} members in a directory of {} bytes", count, bytes));

  std::vector<unsigned char> directory(bytes);
  read_at(offset, directory.data(), bytes);
  std::set<std::string> names;
  std::uint64_t at = 0;
  for (std::uint64_t k = 0; k < count; ++k) {
    if (bytes - at < entry_bytes) fail("the directory is cut off");
    const Record r(directory.data() + at);
    if (r.u32(0) != 0x02014b50) fail(fmt::format("entry {} of the directory is damaged", k));
    const std::uint64_t name_bytes = r.u16(28), extra_bytes = r.u16(30), comment_bytes = r.u16(32);
    if (bytes - at - entry_bytes < name_bytes + extra_bytes + comment_bytes) fail("the directory is cut off");
    ZipMember m;
    const unsigned char* text = directory.data() + at + entry_bytes;
    m.name.assign(reinterpret_cast<const char*>(text), name_bytes);
    m.crc = static_cast<std::uint32_t>(r.u32(16));
    m.compressed_bytes = r.u32(20);
    m.bytes = r.u32(24);
    m.header_offset = r.u32(42);
    // Extra field 1 holds, in this order, those of the three that do not fit 32 bits.
    for (std::uint64_t e = 0; e + 4 <= extra_bytes;) {
      const Record extra(text + name_bytes + e);
      const std::uint64_t length = extra.u16(2);
      if (e + 4 + length > extra_bytes) fail(fmt::format("member '{}': its extra field is damaged", m.name));
      std::uint64_t inside = 4;
      for (std::uint64_t* value : {&m.bytes, &m.compressed_bytes, &m.header_offset}) {
        if (extra.u16(0) != 1 || *value != unset32) continue;
        if (inside + 8 > 4 + length) fail(fmt::format("member '{}': its zip64 sizes are missing", m.name));
        *value = extra.u64(inside);
        inside += 8;
      }
      e += 4 + length;
    }
    const std::uint64_t method = r.u16(10);
    if (method != 0 && method != 8)
      fail(fmt::format("member '{}' is compressed with method {}, 0 and 8 can be read", m.name, method));
    if ((r.u16(8) & 1) != 0) fail(fmt::format("member '{}' is encrypted", m.name));
    m.deflated = method == 8;
    if (m.compressed_bytes > file_.size())
      fail(fmt::format("member '{}' claims {} bytes, the file has {}", m.name, m.compressed_bytes,
                       file_.size()));
    if (m.deflated ? m.bytes / 1032 > m.compressed_bytes + 1 : m.bytes != m.compressed_bytes)
      fail(fmt::format("member '{}' claims {} bytes out of {}", m.name, m.bytes, m.compressed_bytes));
    if (!names.insert(m.name).second) fail(fmt::format("two members are named '{}'", m.name));
    members_.push_back(std::move(m));
    at += entry_bytes + name_bytes + extra_bytes + comment_bytes;
  }
}

const ZipMember* ZipFile::try_find(const std::string& name) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const ZipMember& m) { return m.name == name; });
  return found == members_.end() ? nullptr : &*found;
}

std::uint64_t ZipFile::data_offset(const ZipMember& member) const {
  unsigned char local[local_bytes];
  read_at(member.header_offset, local, local_bytes);
  const Record r(local);
  if (r.u32(0) != 0x04034b50) fail(fmt::format("member '{}': its header is damaged", member.name));
  const std::uint64_t offset = member.header_offset + local_bytes + r.u16(26) + r.u16(28);
  if (offset > file_.size() || member.compressed_bytes > file_.size() - offset)
    fail(fmt::format("member '{}' is cut off: {} bytes at {}, the file has {}", member.name,
                     member.compressed_bytes, offset, file_.size()));
  return offset;
}

std::string ZipFile::inflate_member(const ZipMember& member, std::uint64_t offset,
                                    std::uint64_t limit) const {
  std::string out(limit, '\0');
  std::vector<unsigned char> in(std::size_t{1} << 17);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  struct End {
    z_stream* s;
    ~End() { inflateEnd(s); }
  } end{&stream};
  std::uint64_t consumed = 0, made = 0;
  for (int code = Z_OK; code != Z_STREAM_END && made < limit;) {
    if (stream.avail_in == 0) {
      const std::uint64_t n = std::min<std::uint64_t>(in.size(), member.compressed_bytes - consumed);
      if (n == 0)
        fail(fmt::format("member '{}': its data end after {} of {} bytes", member.name, made, member.bytes));
      read_at(offset + consumed, in.data(), n);
      consumed += n;
      stream.next_in = in.data();
      stream.avail_in = static_cast<uInt>(n);
    }
    const std::uint64_t room = std::min<std::uint64_t>(limit - made, std::uint64_t{1} << 30);
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + made;
    stream.avail_out = static_cast<uInt>(room);
    code = inflate(&stream, Z_NO_FLUSH);
    made += room - stream.avail_out;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      fail(fmt::format("member '{}': damaged data after {} bytes", member.name, made));
  }
  if (made < limit) fail(fmt::format("member '{}': {} bytes instead of {}", member.name, made, member.bytes));
  return out;
}

std::string ZipFile::read_start(const ZipMember& member, std::size_t n) const {
  const std::uint64_t offset = data_offset(member), limit = std::min<std::uint64_t>(n, member.bytes);
  if (member.deflated) return inflate_member(member, offset, limit);
  std::string out(limit, '\0');
  read_at(offset, out.data(), limit);
  return out;
}

std::string ZipFile::read(const ZipMember& member) const {
  std::string out;
  try {
    out = read_start(member, member.bytes);
  } catch (const std::bad_alloc&) {
    throw Error(ExitCode::out_of_memory, fmt::format("{}: no memory for the {} bytes of '{}'", file_.path(),
                                                     member.bytes, member.name));
  }
  const auto crc = static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(out.data()), out.size()));
  if (crc != member.crc)
    fail(fmt::format("member '{}': its bytes do not have their checksum ({:08x}, {:08x} is written)",
                     member.name, crc, member.crc));
  return out;
}

}  // namespace lbann::base
