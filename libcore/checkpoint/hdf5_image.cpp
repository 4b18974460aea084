// HDF5 in memory: core driver without backing store.
#include "checkpoint/hdf5_image.hpp"

#include <hdf5.h>

#include <bit>
#include <utility>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::checkpoint {
namespace {

using tensor::DataType;

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

constexpr std::size_t growth = std::size_t{1} << 20;  // of the image, bytes

/// Keeps HDF5 from printing its error stack; the caller gets an exception instead.
class SilentErrors {
public:
  SilentErrors() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  SilentErrors(const SilentErrors&) = delete;
  SilentErrors& operator=(const SilentErrors&) = delete;
  ~SilentErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// An HDF5 object and what closes it.
class Handle {
public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  bool good() const { return id_ >= 0; }
  hid_t get() const { return id_; }
  hid_t release() { return std::exchange(id_, -1); }

private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

std::string data_set_name(const std::string& name) {
  if (name == ".") return "%2E";
  std::string result;
  for (char c : name) {
    if (c == '/') {
      result += "%2F";
    } else if (c == '%') {
      result += "%25";
    } else {
      result += c;
    }
  }
  return result;
}

/// 16-bit floats have no predefined type: sign, exponent and mantissa from the top.
Handle make_short_float(int exponent_bits, int mantissa_bits) {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  const auto e = static_cast<std::size_t>(exponent_bits), m = static_cast<std::size_t>(mantissa_bits);
  const bool good = H5Tset_fields(type.get(), 15, m, e, 0, m) >= 0 && H5Tset_precision(type.get(), 16) >= 0 &&
                    H5Tset_size(type.get(), 2) >= 0 &&
                    H5Tset_ebias(type.get(), (std::size_t{1} << (e - 1)) - 1) >= 0;
  return good ? std::move(type) : Handle(-1, H5Tclose);
}

/// The type in the file, which is the type in memory too: nothing is ever converted.
Handle make_type(DataType type) {
  switch (type) {
    case DataType::f32:
      return Handle(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
    case DataType::f64:
      return Handle(H5Tcopy(H5T_IEEE_F64LE), H5Tclose);
    case DataType::bf16:
      return make_short_float(8, 7);
    case DataType::f16:
      return make_short_float(5, 10);
    case DataType::i32:
      return Handle(H5Tcopy(H5T_STD_I32LE), H5Tclose);
    case DataType::i64:
      return Handle(H5Tcopy(H5T_STD_I64LE), H5Tclose);
    case DataType::u8:
      return Handle(H5Tcopy(H5T_STD_U8LE), H5Tclose);
  }
  return Handle(-1, H5Tclose);
}

Handle make_space(const tensor::Shape& shape) {
  const std::vector<hsize_t> dims(shape.dims().begin(), shape.dims().end());
  if (dims.empty()) return Handle(H5Screate(H5S_SCALAR), H5Sclose);
  return Handle(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
}

Handle make_memory_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!access.good() || H5Pset_fapl_core(access.get(), growth, false) < 0) return Handle(-1, H5Pclose);
  return access;
}

bool add_data_set(hid_t file, hid_t creation, const NamedArray& a) {
  const Handle type = make_type(a.type), space = make_space(a.shape);
  if (!type.good() || !space.good()) return false;
  const Handle set(H5Dcreate2(file, data_set_name(a.name).c_str(), type.get(), space.get(), H5P_DEFAULT,
                              creation, H5P_DEFAULT),
                   H5Dclose);
  if (!set.good()) return false;
  if (a.bytes.empty()) return true;
  return H5Dwrite(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, a.bytes.data()) >= 0;
}

}  // namespace

std::vector<std::byte> make_hdf5_image(std::span<const NamedArray> arrays) {
  const SilentErrors silent;
  const auto fail = [](const std::string& what) {
    throw base::Error(base::ExitCode::internal, "checkpoint: HDF5 cannot lay out " + what);
  };
  const Handle access = make_memory_access();
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (!access.good() || !creation.good() || H5Pset_layout(creation.get(), H5D_CONTIGUOUS) < 0 ||
      H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY) < 0 ||
      H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER) < 0 ||
      H5Pset_obj_track_times(creation.get(), false) < 0)
    fail("a file");
  const Handle file(H5Fcreate("image", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  if (!file.good()) fail("a file");
  for (const NamedArray& a : arrays)
    if (!add_data_set(file.get(), creation.get(), a))
      fail(fmt::format("the array '{}' {}", a.name, a.shape.to_string()));
  if (H5Fflush(file.get(), H5F_SCOPE_LOCAL) < 0) fail("a file");
  const ssize_t size = H5Fget_file_image(file.get(), nullptr, 0);
  if (size <= 0) fail("a file");
  std::vector<std::byte> image(static_cast<std::size_t>(size));
  if (H5Fget_file_image(file.get(), image.data(), image.size()) != size) fail("a file");
  return image;
}

Hdf5Image::Hdf5Image(std::span<const std::byte> bytes, std::string path) : path_(std::move(path)), file_(-1) {
  const SilentErrors silent;
  const Handle access = make_memory_access();
  // HDF5 copies the image; the parameter is not const only because an option lets it take the memory over.
  if (access.good() &&
      H5Pset_file_image(access.get(), const_cast<std::byte*>(bytes.data()), bytes.size()) >= 0) {
    file_ = H5Fopen("image", H5F_ACC_RDONLY, access.get());
  }
  if (file_ < 0) throw base::Error(base::ExitCode::checkpoint, fmt::format("{}: not an HDF5 file", path_));
}

Hdf5Image::~Hdf5Image() {
  const SilentErrors silent;
  H5Fclose(file_);
}

void Hdf5Image::read(const std::string& name, DataType type, const tensor::Shape& shape,
                     std::span<std::byte> out) const {
  const SilentErrors silent;
  const auto fail = [&](std::string_view what) {
    throw base::Error(base::ExitCode::checkpoint, fmt::format("{}: array '{}' {}", path_, name, what));
  };
  const Handle set(H5Dopen2(file_, data_set_name(name).c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.good()) fail("is not there");
  const Handle wanted = make_type(type), found(H5Dget_type(set.get()), H5Tclose);
  if (!wanted.good() || !found.good() || H5Tequal(wanted.get(), found.get()) <= 0)
    fail(fmt::format("is not of type {}", tensor::to_string(type)));
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  std::vector<hsize_t> dims(static_cast<std::size_t>(shape.rank()));
  if (!space.good() || H5Sget_simple_extent_ndims(space.get()) != shape.rank() ||
      H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr) < 0 ||
      std::vector<std::int64_t>(dims.begin(), dims.end()) != shape.dims())
    fail(fmt::format("has not the shape {}", shape.to_string()));
  if (out.empty()) return;
  if (H5Dread(set.get(), wanted.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) < 0) fail("cannot be read");
}

}  // namespace lbann::checkpoint
