// .npz: a zip archive with one .npy file per array, as numpy.savez writes it.
#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/npy.hpp"
#include "base/zip.hpp"
#include "base/zip_writer.hpp"
#include "checkpoint/array_file.hpp"
#include "checkpoint/array_values.hpp"

namespace lbann::checkpoint {
namespace {

using base::NpyType;
using tensor::DataType;

std::optional<DataType> try_data_type(NpyType type) {
  switch (type) {
    case NpyType::f32:
      return DataType::f32;
    case NpyType::f64:
      return DataType::f64;
    case NpyType::i32:
      return DataType::i32;
    case NpyType::i64:
      return DataType::i64;
    case NpyType::u8:
    case NpyType::boolean:
      return DataType::u8;
    default:
      return std::nullopt;
  }
}

NpyType npy_type(DataType type) {
  switch (type) {
    case DataType::f64:
      return NpyType::f64;
    case DataType::i32:
      return NpyType::i32;
    case DataType::i64:
      return NpyType::i64;
    case DataType::u8:
      return NpyType::u8;
    default:
      return NpyType::f32;
  }
}

}  // namespace

ArrayMap load_npz(const std::string& path) {
  const base::ZipFile file(path);
  ArrayMap arrays;
  for (const base::ZipMember& member : file.members()) {
    std::string name = member.name;
    const std::string where = fmt::format("{}: '{}'", path, name);
    if (!name.ends_with(".npy")) throw base::Error(base::ExitCode::data, where + " is not a .npy file");
    name.resize(name.size() - 4);
    base::RawNpyArray raw = base::parse_raw_npy(file.read(member), where);
    const std::optional<DataType> type = try_data_type(raw.type);
    if (!type) {
      throw base::Error(
          base::ExitCode::data,
          fmt::format("{} has element type {}; weights are float32, float64, int32, int64 or uint8", where,
                      base::to_string(raw.type)));
    }
    const auto* begin = reinterpret_cast<const std::byte*>(raw.data());
    const auto bytes = static_cast<std::ptrdiff_t>(raw.storage.size() - raw.offset);
    LoadedArray array{*type, tensor::Shape(raw.shape), std::vector<std::byte>(begin, begin + bytes)};
    if (!arrays.emplace(name, std::move(array)).second)
      throw base::Error(base::ExitCode::data, where + " is there twice");
  }
  return arrays;
}

std::vector<std::string> save_npz(const std::string& path, const ArrayMap& arrays) {
  std::vector<std::string> widened;
  std::vector<LoadedArray> kept;
  kept.reserve(arrays.size());
  base::ZipWriter zip;
  for (const auto& [name, a] : arrays) {
    const bool half = a.type == DataType::bf16 || a.type == DataType::f16;
    if (half) {
      kept.push_back(convert(a, DataType::f32));
      widened.push_back(name);
    }
    const std::vector<std::byte>& bytes = half ? kept.back().bytes : a.bytes;
    const std::string_view data(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    zip.add(name + ".npy", base::format_npy_header(npy_type(a.type), a.shape.dims()), data);
  }
  zip.save(path);
  return widened;
}

}  // namespace lbann::checkpoint
