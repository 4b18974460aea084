// Files for the data tests: a directory that vanishes, IDX bytes written by hand, gzip by zlib.
#pragma once

#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"

namespace lbann::data::test {

class Directory {
public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "lbann-data-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

inline std::string big_endian(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

inline std::string idx_header(std::uint32_t magic, const std::vector<std::uint32_t>& dims) {
  std::string s = big_endian(magic);
  for (std::uint32_t d : dims) s += big_endian(d);
  return s;
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string gzip(const std::string& bytes) {
  z_stream z{};
  BOOST_REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, bytes.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// The action must throw base::Error with this code and a message that holds all of `parts`.
inline void check_error(const std::function<void()>& action, base::ExitCode code,
                        const std::vector<std::string>& parts) {
  try {
    action();
    BOOST_ERROR("no error, expected one about '" + parts.at(0) + "'");
  } catch (const base::Error& e) {
    BOOST_TEST(static_cast<int>(e.code()) == static_cast<int>(code));
    const std::string text = std::string(e.what()) + " | " + e.help();
    for (const std::string& part : parts)
      BOOST_TEST((text.find(part) != std::string::npos), "'" << part << "' is not in: " << text);
  }
}

}  // namespace lbann::data::test
