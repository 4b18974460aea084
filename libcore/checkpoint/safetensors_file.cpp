// safetensors: u64 header length, header, data. The header is a JSON object
//
//   {"name": {"dtype": "F32", "shape": [2,3], "data_offsets": [begin, end]}, ..., "__metadata__": {...}}
//
// whose offsets count from the end of the header. The format asks that the data be covered without gaps and
// overlaps; that is checked, as its own reader does (github.com/huggingface/safetensors, "Format").
#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/input_file.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "checkpoint/array_file.hpp"
#include "checkpoint/manifest.hpp"

namespace lbann::checkpoint {
namespace {

using base::JsonValue;
using tensor::DataType;

constexpr std::uint64_t max_header_bytes = 100'000'000;  // the format's own limit

constexpr std::pair<std::string_view, DataType> types[] = {
    {"F32", DataType::f32}, {"F64", DataType::f64}, {"F16", DataType::f16}, {"BF16", DataType::bf16},
    {"I32", DataType::i32}, {"I64", DataType::i64}, {"U8", DataType::u8},   {"BOOL", DataType::u8},
};

struct Entry {
  std::string name;
  DataType type = DataType::f32;
  tensor::Shape shape;
  std::uint64_t begin = 0, end = 0;
};

Entry parse_entry(const base::InputFile& file, const std::string& name, const JsonValue& value) {
  const auto fail = [&](const std::string& what) { file.fail(fmt::format("array '{}': {}", name, what)); };
  const JsonValue* type = value.find("dtype");
  const JsonValue* shape = value.find("shape");
  const JsonValue* offsets = value.find("data_offsets");
  if (type == nullptr || shape == nullptr || offsets == nullptr)
    fail("dtype, shape or data_offsets is missing");
  Entry e{name, DataType::f32, {}, 0, 0};
  const auto* row =
      std::find_if(std::begin(types), std::end(types), [&](const auto& t) { return t.first == type->text; });
  if (row == std::end(types)) fail(fmt::format("element type '{}' cannot be read", type->text));
  e.type = row->second;
  std::vector<std::int64_t> dims;
  for (const JsonValue& d : shape->items) {
    if (!d.integer || *d.integer < 0) fail("a dim is no number of elements");
    dims.push_back(*d.integer);
  }
  e.shape = tensor::Shape(std::move(dims));
  if (offsets->items.size() != 2 || !offsets->items[0].integer || !offsets->items[1].integer ||
      *offsets->items[0].integer < 0 || *offsets->items[1].integer < *offsets->items[0].integer)
    fail("data_offsets are not two places in order");
  e.begin = static_cast<std::uint64_t>(*offsets->items[0].integer);
  e.end = static_cast<std::uint64_t>(*offsets->items[1].integer);
  const auto needed = static_cast<std::uint64_t>(num_bytes(e.type, e.shape));
  if (needed != e.end - e.begin)
    fail(fmt::format("its shape needs {} bytes, data_offsets give {}", needed, e.end - e.begin));
  return e;
}

std::vector<Entry> read_header(const base::InputFile& file, std::uint64_t& data_begin) {
  unsigned char start[8] = {};
  if (file.size() < 8) file.fail(fmt::format("not a safetensors file: only {} bytes", file.size()));
  file.read(0, start, 8);
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | start[i];
  if (length > max_header_bytes || length > file.size() - 8)
    file.fail(fmt::format("the header claims {} bytes, {} follow", length, file.size() - 8));
  std::string text(length, '\0');
  file.read(8, text.data(), length);
  data_begin = 8 + length;
  std::string why;
  const std::optional<JsonValue> header = base::try_parse_json(text, &why);
  if (!header || header->kind != JsonValue::Kind::object)
    file.fail("the header is not a JSON object: " + why);
  std::vector<Entry> entries;
  for (const auto& [name, value] : header->members) {
    if (name != "__metadata__") entries.push_back(parse_entry(file, name, value));
  }
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t filled = 0;
  for (const Entry& e : entries) {
    if (e.begin != filled)
      file.fail(fmt::format("array '{}' begins at byte {} of the data, {} is due", e.name, e.begin, filled));
    filled = e.end;
  }
  if (filled != file.size() - data_begin)
    file.fail(
        fmt::format("the header describes {} bytes of data, {} follow", filled, file.size() - data_begin));
  return entries;
}

}  // namespace

ArrayMap load_safetensors(const std::string& path) {
  const base::InputFile file(path, "a safetensors file");
  std::uint64_t data_begin = 0;
  ArrayMap arrays;
  for (const Entry& e : read_header(file, data_begin)) {
    LoadedArray array{e.type, e.shape, std::vector<std::byte>(e.end - e.begin)};
    file.read(data_begin + e.begin, array.bytes.data(), array.bytes.size());
    if (!arrays.emplace(e.name, std::move(array)).second)
      file.fail(fmt::format("array '{}' is there twice", e.name));
  }
  return arrays;
}

void save_safetensors(const std::string& path, const ArrayMap& arrays) {
  std::string header = R"({"__metadata__":{"format":"pt","producer":"LBANN"})";
  std::uint64_t offset = 0;
  std::vector<std::string_view> pieces(2);
  for (const auto& [name, a] : arrays) {
    if (name == "__metadata__")
      throw base::Error(base::ExitCode::config,
                        "a safetensors file cannot hold an array named '__metadata__'");
    const auto* row =
        std::find_if(std::begin(types), std::end(types), [&](const auto& t) { return t.second == a.type; });
    header +=
        fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", base::json_quote(name),
                    row->first, fmt::join(a.shape.dims(), ","), offset, offset + a.bytes.size());
    offset += a.bytes.size();
    pieces.emplace_back(reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size());
  }
  header += '}';
  while (header.size() % 8 != 0) header += ' ';  // data lie aligned
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>((header.size() >> (8 * i)) & 0xff);
  pieces[0] = length;
  pieces[1] = header;
  base::atomic_write_file(path, pieces);
}

}  // namespace lbann::checkpoint
