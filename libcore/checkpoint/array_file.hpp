// Files of named arrays in public formats: what weights travel in to and from other programs.
//
//   .npz           NumPy: one .npy per array, stored; names with any characters but NUL
//   .safetensors   Hugging Face: 8 bytes length, JSON header, raw little-endian data
//   .h5, .hdf5     HDF5: one data set per array in the root group ('/' in names as %2F, see hdf5_image.hpp);
//                  read from any group, the names then joined by '/'
//
// Arrays are in C order, little-endian. The format is recognised by content when reading and by the ending of
// the name when writing. Sizes are compared with the file before memory is taken; HDF5 files of others are
// looked at in a child process with a time limit, because HDF5 can crash or hang on damaged ones.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/container.hpp"

namespace lbann::checkpoint {

enum class ArrayFormat { npz, safetensors, hdf5 };

using ArrayMap = std::map<std::string, LoadedArray>;

/// By the ending; nullopt: none of ours.
std::optional<ArrayFormat> try_format_of_name(const std::string& path);
/// By the first bytes of a regular file; nullopt: another content, or the file cannot be read.
std::optional<ArrayFormat> try_format_of_content(const std::string& path);
std::string_view to_string(ArrayFormat format);

/// Throws base::Error (data), which names the file and the array.
ArrayMap load_arrays(const std::string& path, ArrayFormat format);

/// Written aside and renamed. Throws base::Error (storage; config for names the format cannot have).
/// .npz has no 16-bit bfloat: such arrays are widened to float32, exactly; their names are returned.
std::vector<std::string> save_arrays(const std::string& path, ArrayFormat format, const ArrayMap& arrays);

// The formats, each in a file of its own.
ArrayMap load_npz(const std::string& path);
std::vector<std::string> save_npz(const std::string& path, const ArrayMap& arrays);
ArrayMap load_safetensors(const std::string& path);
void save_safetensors(const std::string& path, const ArrayMap& arrays);
ArrayMap load_hdf5(const std::string& path);
void save_hdf5(const std::string& path, const ArrayMap& arrays);

}  // namespace lbann::checkpoint
