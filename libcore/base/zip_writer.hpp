// Writes a zip archive of stored members (no compression), as NumPy's savez does; zip64 where a size needs
// it. Format: PKWARE's APPNOTE 6.3.
//
// Members borrow their bytes; nothing is copied, the file is put together while it is written. Equal members
// give equal bytes: the time stamps are the format's first day, 1980-01-01.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::base {

class ZipWriter {
public:
  /// A member of two pieces, so that a header need not be copied before its data. `data` must outlive save().
  void add(std::string name, std::string head, std::string_view data);
  /// Writes aside, syncs, renames. Throws Error(storage).
  void save(const std::string& path) const;

private:
  struct Member {
    std::string name, head;
    std::string_view data;
    std::uint32_t crc = 0;
    std::uint64_t bytes() const { return head.size() + data.size(); }
  };
  std::vector<Member> members_;
};

}  // namespace lbann::base
