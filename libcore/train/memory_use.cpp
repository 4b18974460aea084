// MemoryUse: sums over /proc/self/smaps.
#include "train/memory_use.hpp"

#include <malloc.h>

#include <fstream>
#include <sstream>
#include <string>

namespace lbann::train {

std::int64_t resident_data_bytes() {
  std::ifstream maps("/proc/self/smaps");
  std::int64_t kib = 0;
  bool code = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream text(line);
    std::string first, second;
    text >> first >> second;
    if (first.back() != ':') {
      code = second.find('x') != std::string::npos;  // a mapping's head: range, rights, ...
    } else if (!code && first == "Anonymous:") {
      kib += std::stoll(second);
    }
  }
  return kib * 1024;
}

void MemoryUse::begin(std::int64_t touched_bytes) {
  malloc_trim(0);  // freed heap that is still resident would hide growth
  baseline_bytes = resident_data_bytes() - touched_bytes;
}

void MemoryUse::leave_out(std::int64_t resident_bytes) {
  malloc_trim(0);
  baseline_bytes += resident_data_bytes() - resident_bytes;
}

std::int64_t MemoryUse::growth_bytes() const {
  if (baseline_bytes == 0) return 0;
  malloc_trim(0);
  return resident_data_bytes() - baseline_bytes;
}

}  // namespace lbann::train
