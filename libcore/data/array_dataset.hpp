// A data set held in memory as arrays: what the numpy, numpy_npz and csv readers make of their files.
//
// Samples stay in the element type of the file (a byte image costs one byte per pixel) and become floats when
// they are read: y = scale * x. Rows may be wider than the sample, so that targets in columns of the same
// array need no copy. Labels are class numbers, served one-hot; responses are numbers as they are.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/npy.hpp"
#include "data/dataset.hpp"

namespace lbann::data {

struct ArrayParts {
  std::string name;  // of the file, for messages
  base::NpyType type = base::NpyType::f32;
  std::shared_ptr<const void> owner;      // keeps `values` alive
  const unsigned char* values = nullptr;  // [num_samples, row_elements]
  std::int64_t num_samples = 0, row_elements = 0;
  std::vector<std::int64_t> dims;  // of the sample: the first elements of a row
  float scale = 1;
  std::vector<std::int32_t> labels;  // empty: none; else one per sample, in 0..num_labels-1
  std::int64_t num_labels = 0;
  std::vector<float> responses;  // empty: none; [num_samples, response_dims]
  std::vector<std::int64_t> response_dims;
};

/// Throws base::Error (data) when there is no sample.
std::shared_ptr<const Dataset> make_array_dataset(ArrayParts parts);

/// Class numbers from numbers: whole, not negative, below num_labels. num_labels 0: the largest + 1, which is
/// written back. `where(i)` names the place of number i in an error (data).
std::vector<std::int32_t> make_labels(const std::vector<double>& numbers, std::int64_t& num_labels,
                                      const std::function<std::string(std::size_t)>& where);

/// "directory/file", or the file alone when it is absolute or there is no directory.
std::string join_path(const std::string& directory, const std::string& file);

}  // namespace lbann::data
