// A checkpoint folder: named arrays and scalars that are either completely there or refused.
//
//   <dir>/manifest.json     format version, size and XXH3-128 of every file, name, type, shape and place
//                           of every array, the scalars; its first line holds the digest of the rest
//   <dir>/arrays-NNNN.h5    HDF5 files of at most 256 MB; arrays in C order of their logical shape,
//                           an array larger than that is cut between rows (indices of its first dim)
//
// Written as <dir>.partial-N, synced file by file, then renamed: at every instant, power loss
// included, <dir> is absent, the old one or the new one. Equal content gives equal bytes: nothing
// inside tells a time, a host or a path. Reading checks the manifest, then every size and digest, and
// only then lets HDF5 look at the bytes, because HDF5 reads many damaged files without an error.
// The digests find accidents, not forgeries. File side only: no distribution over ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "tensor/data_type.hpp"
#include "tensor/shape.hpp"

namespace lbann::checkpoint {

/// An array of the caller; `bytes` are its elements, little-endian, in C order of the shape.
struct NamedArray {
  std::string name;
  tensor::DataType type = tensor::DataType::f32;
  tensor::Shape shape;
  std::span<const std::byte> bytes;
};

using Scalar = std::variant<std::int64_t, double, std::string>;  // texts are UTF-8
using Scalars = std::map<std::string, Scalar>;

struct LoadedArray {
  tensor::DataType type = tensor::DataType::f32;
  tensor::Shape shape;
  std::vector<std::byte> bytes;
};

struct Checkpoint {
  std::map<std::string, LoadedArray> arrays;
  Scalars scalars;
};

struct SaveOptions {
  std::int64_t max_shard_bytes = std::int64_t{1} << 28;  // of array data in a file; a row is never cut
};

/// Writes the folder; its parent must exist, an older checkpoint of that name is replaced at the end.
/// Throws base::Error (storage) when the disk does not take it; then an old one is as before and
/// nothing else is left behind.
void save_checkpoint(const std::string& dir, std::vector<NamedArray> arrays, const Scalars& scalars,
                     const SaveOptions& options = {});

/// Throws base::Error (checkpoint), which names the file (and its arrays), unless every byte is as it
/// was written.
Checkpoint load_checkpoint(const std::string& dir);

struct FoundCheckpoint {
  std::string dir;
  Checkpoint checkpoint;
  std::vector<std::string> notes;  // one line for each newer one that was refused, newest first
};

/// "step-00000120": the folder's name for a training step.
std::string make_step_name(std::int64_t step);
/// "sgd.shared.epoch_begin.epoch.3.step.120": the name in the tree of LBANN's checkpoint callback.
std::string make_hook_name(const std::string& hook, std::int64_t epoch, std::int64_t step);

/// Names of the checkpoints in a folder, of either form, newest first. Empty when there is no such folder;
/// throws base::Error (checkpoint; storage when it is a file) when it cannot be read.
std::vector<std::string> list_checkpoints(const std::string& root);

/// Throws base::Error (checkpoint) unless the manifest and every file are as they were written.
void check_checkpoint(const std::string& dir);

/// Removes a checkpoint. A kill in the middle leaves nothing that could be taken for one.
void remove_checkpoint(const std::string& dir);

/// Removes what killed runs left half-written or half-removed. Nobody else may be writing there.
void remove_leftovers(const std::string& root);

/// The newest good checkpoint in a folder; tries at most three older ones when the newest is
/// damaged. nullopt when there is none at all (or no such folder); throws base::Error (checkpoint)
/// when there are some but none of those tried is good.
std::optional<FoundCheckpoint> find_newest(const std::string& root);

}  // namespace lbann::checkpoint
