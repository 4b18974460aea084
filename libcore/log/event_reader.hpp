// TensorBoard event files, read and written without TensorFlow.
//
//   file    frames: length u64 | masked CRC32C of the length u32 | data | masked CRC32C of the data u32
//   data    protobuf message Event: wall_time 1 (double), step 2, file_version 3, summary 5, session_log 7
//   value   Summary.value 1: tag 1, simple_value 2 (float) or tensor 8 (TensorProto, one element)
//   mask    (crc >> 15 | crc << 17) + 0xa282ead8
//
// All integers are little-endian. Fields and the mask are TensorFlow's public formats (event.proto,
// summary.proto, tensor.proto, record_writer). A data frame whose sum is wrong is skipped; behind a
// length whose sum is wrong nothing can be trusted.
#pragma once

#include <cstdint>
#include <string_view>

namespace lbann::log {

std::uint32_t crc32c(std::string_view bytes);
std::uint32_t masked_crc32c(std::string_view bytes);
/// Whether the first frame of an event file stands here; needs 12 bytes.
bool begins_event_file(std::string_view bytes);

}  // namespace lbann::log
