// The `mnist` reader: a pair of IDX files held in memory as bytes, served as float.
//
// Fields: "samples" [1, rows, columns], value * scale (scale 1: 0..255 as LBANN's reader gives them;
// 0.003921568627: 0..1); "labels" [num_labels], one-hot.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.hpp"

namespace lbann::data {

struct MnistOptions {
  std::string directory;   // empty: file names stand alone
  std::string image_file;  // idx3-ubyte, plain or gzip; "X" also finds "X.gz"
  std::string label_file;  // idx1-ubyte
  float scale = 1.0f;
  std::int64_t num_labels = 10;
  std::int64_t first_n = 0;  // > 0: only the first n samples of the files
};

/// Throws base::Error: data (files), config (options).
std::shared_ptr<const Dataset> make_mnist_dataset(const MnistOptions& options);

}  // namespace lbann::data
