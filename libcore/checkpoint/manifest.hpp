// manifest.json: what a checkpoint folder must hold. JSON whose first line is
//
//   {"digest": "<XXH3-128 of all bytes after this line>",
//
// so that a changed bit of the manifest itself is found before anything in it is believed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/container.hpp"

namespace lbann::checkpoint {

struct Manifest {
  struct File {
    std::string name;
    std::int64_t size = 0;  // bytes
    std::string digest;     // XXH3-128, hex
  };
  /// Rows [begin, end) of an array, as one data set of a file.
  struct Part {
    std::size_t file = 0;
    std::int64_t begin = 0, end = 0;
  };
  struct Array {
    std::string name;
    tensor::DataType type = tensor::DataType::f32;
    tensor::Shape shape;
    std::vector<Part> parts;  // in order, without gaps
  };
  std::vector<File> files;
  std::vector<Array> arrays;  // by name
  Scalars scalars;
};

constexpr std::string_view manifest_name = "manifest.json";

/// Extent of the first dim; 1 without dims.
std::int64_t num_rows(const tensor::Shape& shape);
/// The shape with another number of rows.
tensor::Shape shape_of_rows(const tensor::Shape& shape, std::int64_t rows);
/// Bytes of an array of this shape. Throws base::Error when that does not fit.
std::int64_t num_bytes(tensor::DataType type, const tensor::Shape& shape);

std::string format_manifest(const Manifest& manifest);
/// Everything in the result is consistent: names are unique, parts cover their arrays and fit into
/// their files. Throws base::Error (checkpoint); `path` opens the message.
Manifest parse_manifest(std::string_view text, const std::string& path);

}  // namespace lbann::checkpoint
