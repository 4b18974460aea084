// Host memory for tensors: 64-byte aligned, zeroed, counted. Owned by exactly one Buffer.
//
// Big blocks are asked from the kernel with huge pages where it grants them: an arena is touched
// from end to end every step. Nothing is allocated in steady state; `allocated_bytes` lets a test
// see that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace lbann::device {

class Buffer {
public:
  Buffer() = default;
  /// Throws base::Error (out_of_memory) that names `purpose` and the size.
  Buffer(std::int64_t bytes, const std::string& purpose);
  ~Buffer();
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return data_; }
  std::int64_t size_bytes() const { return bytes_; }
  /// Fills with a NaN pattern: what a kernel reads before anybody wrote it shows.
  void poison();

  /// Bytes held by all buffers of the process.
  static std::int64_t allocated_bytes();
  /// Number of allocations since the process began.
  static std::int64_t num_allocations();

private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace lbann::device
