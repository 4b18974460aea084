// The `synthetic` reader: random samples without files, for smoke tests and benchmarks.
//
// Fields: "samples" [dims], standard normal or, with a vocabulary, token numbers; then either "labels"
// [num_labels], one-hot of a uniform class, or "responses" [response_dims], standard normal. Sample i is a
// pure function of (key, name, i): it is the same in every epoch and mini-batch, so runs on synthetic data
// repeat (LBANN draws anew at every fetch).
#pragma once

#include <memory>
#include <string>

#include "data/dataset.hpp"

namespace lbann::data {

struct SyntheticOptions {
  std::int64_t num_samples = 0;
  std::vector<std::int64_t> dims;           // synth_dimensions
  std::int64_t num_labels = 0;              // > 0: classification
  std::vector<std::int64_t> response_dims;  // not empty: regression; exactly one of the two
  std::int64_t vocabulary_size = 0;         // > 0: samples are whole numbers, uniform in 0..n-1
  std::uint64_t key = 0;                    // base::make_random_key(seed, trainer)
  std::string name = "synthetic";           // reader's name: two readers give different data
};

/// Throws base::Error (config) for impossible options.
std::shared_ptr<const Dataset> make_synthetic_dataset(const SyntheticOptions& options);

}  // namespace lbann::data
