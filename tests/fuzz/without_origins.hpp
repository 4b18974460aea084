// A resolved configuration without the comments that tell where each line comes from.
#pragma once

#include <string>

namespace lbann::fuzz {

inline std::string without_origins(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    out += line.substr(0, line.rfind("  # ")) + '\n';
    begin = end + 1;
  }
  return out;
}

}  // namespace lbann::fuzz
