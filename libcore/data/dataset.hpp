// The contract of the data room: a data set is a fixed number of samples with named fields of fixed
// dimensions, read as float in any order by any number of threads at once.
//
// A read is a pure function of (field, indices). Everything that varies between epochs (order, mini-batches)
// belongs to the pipeline, what varies between roles (which samples) to the split; so the same data set
// serves training and validation. Owned by shared_ptr: pipelines keep it alive.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::data {

/// A field as a model sees it: "samples", "labels", "responses"; `dims` are those of one sample, e.g.
/// {1,28,28}.
struct FieldSpec {
  std::string name;
  std::vector<std::int64_t> dims;
  /// Number of values of one sample; throws base::Error (config) when it does not fit 63 bits.
  std::int64_t num_elements() const;
};

class Dataset {
public:
  virtual ~Dataset() = default;
  /// Number of samples, at least 1.
  virtual std::int64_t size() const = 0;
  virtual const std::vector<FieldSpec>& fields() const = 0;
  /// Writes rows `indices` of field number `field` to out[indices.size(), dims...], row-major. Thread-safe.
  /// Throws base::Error (data) when a sample cannot be read. Indices are in 0..size()-1.
  virtual void read(std::size_t field, std::span<const std::int64_t> indices, float* out) const = 0;
  /// Position of a field in fields().
  std::optional<std::size_t> try_find_field(std::string_view name) const;
};

}  // namespace lbann::data
