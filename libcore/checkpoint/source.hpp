// Where saved weights can come from: a checkpoint, the newest one of a run, or a file of arrays.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/array_file.hpp"

namespace lbann::checkpoint {

struct Source {
  std::string place;                 // the folder or file that was read
  std::string kind;                  // "checkpoint", "npz", "safetensors", "HDF5"
  std::vector<std::string> notes{};  // newer checkpoints that were refused
  ArrayMap arrays{};
  Scalars scalars{};  // of a checkpoint
};

/// True when `path` is a folder or begins like one of the array formats: then it is no prototext.
bool is_source(const std::string& path);

/// Looks at `path` itself, then, in a folder, at what a run or LBANN's tree puts below it: <model>,
/// trainer0/<model>, then the newest good checkpoint in it, in ckpt and in trainer0. Throws base::Error
/// (checkpoint) when there is nothing or it is damaged, (data) for a damaged file.
Source load_source(const std::string& path, const std::string& model = {});

/// Folders of all checkpoints that load_source would choose from, newest first; `path` alone if it is one.
std::vector<std::string> list_sources(const std::string& path);

/// True for a state of an optimizer ("fc:moment1" beside "fc").
bool is_state(const ArrayMap& arrays, const std::string& name);

}  // namespace lbann::checkpoint
