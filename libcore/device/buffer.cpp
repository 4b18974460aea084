// Buffer: anonymous mappings for big blocks, aligned heap memory for small ones.
#include "device/buffer.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::device {
namespace {

constexpr std::int64_t mapping_threshold = std::int64_t{1} << 20;
constexpr std::size_t alignment = 64;

// Counters only: they influence nothing.
std::atomic<std::int64_t> held_bytes{0};
std::atomic<std::int64_t> allocations{0};

bool is_mapped(std::int64_t bytes) { return bytes >= mapping_threshold; }

}  // namespace

Buffer::Buffer(std::int64_t bytes, const std::string& purpose) : bytes_(bytes) {
  if (bytes <= 0) return;
  void* p = nullptr;
  if (is_mapped(bytes)) {
    p = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
             -1, 0);
    if (p == MAP_FAILED) p = nullptr;
    if (p != nullptr) madvise(p, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);
  } else {
    const std::size_t rounded = (static_cast<std::size_t>(bytes) + alignment - 1) / alignment * alignment;
    p = std::aligned_alloc(alignment, rounded);
    if (p != nullptr) std::memset(p, 0, rounded);
  }
  if (p == nullptr) {
    throw base::Error(
        base::ExitCode::out_of_memory,
        fmt::format("cannot allocate {:.1f} MiB for {}", static_cast<double>(bytes) / (1 << 20), purpose),
        "use a smaller mini-batch");
  }
  data_ = static_cast<std::byte*>(p);
  held_bytes += bytes;
  ++allocations;
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  if (is_mapped(bytes_)) {
    munmap(data_, static_cast<std::size_t>(bytes_));
  } else {
    std::free(data_);
  }
  held_bytes -= bytes_;
}

void Buffer::poison() {
  if (data_ != nullptr) std::memset(data_, 0xff, static_cast<std::size_t>(bytes_));
}

std::int64_t Buffer::allocated_bytes() { return held_bytes; }
std::int64_t Buffer::num_allocations() { return allocations; }

}  // namespace lbann::device
