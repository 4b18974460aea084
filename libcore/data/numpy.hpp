// The readers `numpy` (one .npy file) and `numpy_npz` (one .npz file with several arrays).
//
// numpy: axis 0 counts the samples. With labels or responses the other axes are flattened and the last entry
// of a row is the target: sample dims [entries - 1]. Without targets the sample has the dims of the other
// axes. numpy_npz: arrays `data` [n, dims...], `labels` [n] or [n,1] (class numbers), `responses` [n,
// dims...]. Integers of 16 bits are multiplied by int16_scale, as LBANN does.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.hpp"

namespace lbann::data {

/// What is wanted of labels or responses: npz files serve what they hold unless it is said.
enum class Wanted { no, yes, if_there };

struct NumpyOptions {
  std::string directory, file;  // data_filedir, data_filename
  Wanted labels = Wanted::no, responses = Wanted::no;
  std::int64_t num_labels = 0;  // 0: the largest class number + 1
  float scale = 1;              // of samples
  float int16_scale = 1;        // of samples of type int16; numpy_npz only
};

/// Throws base::Error: data (with file and place), config (both labels and responses from one column).
std::shared_ptr<const Dataset> make_numpy_dataset(const NumpyOptions& options);
std::shared_ptr<const Dataset> make_numpy_npz_dataset(const NumpyOptions& options);

}  // namespace lbann::data
