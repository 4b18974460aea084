// The manifest's text and its checks.
#include "checkpoint/manifest.hpp"

#include <limits>
#include <set>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace lbann::checkpoint {
namespace {

using base::json_quote;
using base::JsonValue;

constexpr std::int64_t format_version = 1;
constexpr int max_rank = 32;  // HDF5's limit

std::string first_line(std::string_view rest) {
  return fmt::format("{{\"digest\": \"{}\",\n", base::to_hex(base::digest128(rest)));
}

template <typename Range, typename Format>
std::string join_lines(const Range& items, Format format) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "\n  " : ",\n  ") + format(item);
  return text;
}

std::string format_scalar(const std::pair<const std::string, Scalar>& scalar) {
  const auto entry = [&](std::string_view type, const std::string& value) {
    return fmt::format("{{\"name\": {}, \"type\": \"{}\", \"value\": {}}}", json_quote(scalar.first), type,
                       value);
  };
  if (const auto* i = std::get_if<std::int64_t>(&scalar.second)) return entry("i64", fmt::format("{}", *i));
  if (const auto* d = std::get_if<double>(&scalar.second)) return entry("f64", base::json_number(*d));
  return entry("text", json_quote(std::get<std::string>(scalar.second)));
}

std::string format_array(const Manifest::Array& a) {
  std::string parts;
  for (const Manifest::Part& p : a.parts)
    parts += fmt::format("{}{{\"file\": {}, \"rows\": [{}, {}]}}", parts.empty() ? "" : ", ", p.file, p.begin,
                         p.end);
  return fmt::format("{{\"name\": {}, \"type\": \"{}\", \"shape\": [{}], \"parts\": [{}]}}",
                     json_quote(a.name), tensor::to_string(a.type), fmt::join(a.shape.dims(), ", "), parts);
}

/// Reads one manifest; every failure names the place.
class Reader {
public:
  Reader(const JsonValue& root, const std::string& path) : root_(root), path_(path) {}

  Manifest read() {
    const std::int64_t version = integer(root_, "format", "the manifest");
    if (version != format_version)
      fail(fmt::format("format version {}, this program reads version {}", version, format_version));
    for (const JsonValue& v : array(root_, "files", "the manifest")) read_file_entry(v);
    for (const JsonValue& v : array(root_, "arrays", "the manifest")) read_array(v);
    for (const JsonValue& v : array(root_, "scalars", "the manifest")) read_scalar(v);
    return std::move(manifest_);
  }

private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::Error(base::ExitCode::checkpoint, fmt::format("{}: {}", path_, what));
  }
  const JsonValue& member(const JsonValue& v, const char* name, const std::string& where) const {
    const JsonValue* found = v.find(name);
    if (!found) fail(fmt::format("{} has no \"{}\"", where, name));
    return *found;
  }
  const std::vector<JsonValue>& array(const JsonValue& v, const char* name, const std::string& where) const {
    const JsonValue& m = member(v, name, where);
    if (m.kind != JsonValue::Kind::array) fail(fmt::format("\"{}\" of {} is not a list", name, where));
    return m.items;
  }
  std::int64_t integer(const JsonValue& v, const char* name, const std::string& where) const {
    const JsonValue& m = member(v, name, where);
    if (!m.integer) fail(fmt::format("\"{}\" of {} is not an integer", name, where));
    return *m.integer;
  }
  const std::string& text(const JsonValue& v, const char* name, const std::string& where) const {
    const JsonValue& m = member(v, name, where);
    if (m.kind != JsonValue::Kind::string) fail(fmt::format("\"{}\" of {} is not a text", name, where));
    return m.text;
  }

  void read_file_entry(const JsonValue& v) {
    Manifest::File f;
    f.name = text(v, "name", "a file");
    const std::string where = fmt::format("file '{}'", f.name);
    // A name, not a path: nothing outside the folder is ever opened.
    if (f.name.empty() || f.name.find('/') != std::string::npos || f.name[0] == '.' ||
        f.name.find('\0') != std::string::npos)
      fail(where + " is not a plain name");
    f.size = integer(v, "bytes", where);
    f.digest = text(v, "xxh3_128", where);
    if (f.size < 0) fail(where + " has a negative size");
    if (!names_.insert("file " + f.name).second) fail(where + " is there twice");
    manifest_.files.push_back(std::move(f));
  }

  void read_array(const JsonValue& v) {
    Manifest::Array a;
    a.name = text(v, "name", "an array");
    const std::string where = fmt::format("array '{}'", a.name);
    if (!names_.insert("array " + a.name).second) fail(where + " is there twice");
    const std::optional<tensor::DataType> type = tensor::try_parse_data_type(text(v, "type", where));
    if (!type) fail(where + " has an unknown type");
    a.type = *type;
    std::vector<std::int64_t> dims;
    for (const JsonValue& d : array(v, "shape", where)) {
      if (!d.integer || *d.integer < 0) fail(where + " has a bad shape");
      dims.push_back(*d.integer);
    }
    a.shape = tensor::Shape(std::move(dims));
    if (a.shape.rank() > max_rank) fail(where + " has too many dims");
    std::int64_t next = 0;
    for (const JsonValue& p : array(v, "parts", where)) next = read_part(p, where, next, a);
    if (a.parts.empty() || next != num_rows(a.shape))
      fail(fmt::format("{} has {} rows, its parts {}", where, num_rows(a.shape), next));
    manifest_.arrays.push_back(std::move(a));
  }

  std::int64_t read_part(const JsonValue& p, const std::string& where, std::int64_t next,
                         Manifest::Array& a) const {
    const std::int64_t file = integer(p, "file", where);
    const std::vector<JsonValue>& rows = array(p, "rows", where);
    if (file < 0 || file >= static_cast<std::int64_t>(manifest_.files.size()))
      fail(where + " is in a file that is not listed");
    if (rows.size() != 2 || !rows[0].integer || !rows[1].integer || *rows[0].integer != next ||
        *rows[1].integer < next || *rows[1].integer > num_rows(a.shape))
      fail(where + " has parts with gaps");
    if (!a.parts.empty() && a.parts.back().file >= static_cast<std::size_t>(file))
      fail(where + " has parts in the wrong order");
    const Manifest::Part part{static_cast<std::size_t>(file), next, *rows[1].integer};
    // So that no size is believed for which there are no bytes.
    try {
      const std::int64_t size = num_bytes(a.type, shape_of_rows(a.shape, part.end - part.begin));
      if (size > manifest_.files[part.file].size) fail(where + " is larger than its file");
    } catch (const base::Error& e) {
      fail(fmt::format("{}: {}", where, e.what()));
    }
    a.parts.push_back(part);
    return part.end;
  }

  void read_scalar(const JsonValue& v) {
    const std::string& name = text(v, "name", "a scalar");
    const std::string where = fmt::format("scalar '{}'", name);
    const std::string& type = text(v, "type", where);
    Scalar value;
    if (type == "i64") {
      value = integer(v, "value", where);
    } else if (type == "f64") {
      const std::optional<double> number = base::try_json_double(member(v, "value", where));
      if (!number) fail(where + " is not a number");
      value = *number;
    } else if (type == "text") {
      value = text(v, "value", where);
    } else {
      fail(where + " has an unknown type");
    }
    if (!manifest_.scalars.emplace(name, std::move(value)).second) fail(where + " is there twice");
  }

  const JsonValue& root_;
  const std::string& path_;
  std::set<std::string> names_;
  Manifest manifest_;
};

}  // namespace

std::int64_t num_rows(const tensor::Shape& shape) { return shape.rank() == 0 ? 1 : shape[0]; }

tensor::Shape shape_of_rows(const tensor::Shape& shape, std::int64_t rows) {
  tensor::Shape result = shape;
  if (shape.rank() > 0) result[0] = rows;
  return result;
}

std::int64_t num_bytes(tensor::DataType type, const tensor::Shape& shape) {
  const std::int64_t elements = shape.num_elements();
  if (elements > std::numeric_limits<std::int64_t>::max() / tensor::size_bytes(type))
    throw base::Error(base::ExitCode::config, fmt::format("the shape {} is too large", shape.to_string()));
  return elements * tensor::size_bytes(type);
}

std::string format_manifest(const Manifest& manifest) {
  const std::string files = join_lines(manifest.files, [](const Manifest::File& f) {
    return fmt::format("{{\"name\": {}, \"bytes\": {}, \"xxh3_128\": \"{}\"}}", json_quote(f.name), f.size,
                       f.digest);
  });
  const std::string rest = fmt::format(
      "\"format\": {},\n\"files\": [{}],\n\"arrays\": [{}],\n\"scalars\": [{}]}}\n", format_version, files,
      join_lines(manifest.arrays, format_array), join_lines(manifest.scalars, format_scalar));
  return first_line(rest) + rest;
}

Manifest parse_manifest(std::string_view text, const std::string& path) {
  const auto fail = [&](const std::string& what) {
    throw base::Error(base::ExitCode::checkpoint, fmt::format("{}: {}", path, what));
  };
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || text.substr(0, end + 1) != first_line(text.substr(end + 1)))
    fail("the digest in the first line is not that of the rest: damaged or not a manifest");
  std::string why;
  const std::optional<JsonValue> root = base::try_parse_json(text, &why);
  if (!root) fail(why);
  return Reader(*root, path).read();
}

}  // namespace lbann::checkpoint
