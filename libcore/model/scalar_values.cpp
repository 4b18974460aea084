// Numbers are read by the functions of protobuf's tokenizer, so that our bits are its bits.
#include "model/scalar_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/message.h>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "base/utf8.hpp"

namespace lbann::model {

namespace pb = google::protobuf;
using pb::io::Tokenizer;
using Kind = SyntaxValue::Kind;
using Field = pb::FieldDescriptor;

namespace {

std::string shown(const SyntaxValue& value) {
  const std::string text = base::printable(value.text.substr(0, 60));
  if (value.kind == Kind::string) return fmt::format("the text \"{}\"", text);
  return fmt::format("'{}{}'", value.negative ? "-" : "", text);
}

ScalarError wrong_type(const SyntaxValue& value, const Field& field, std::string help = {}) {
  return {"wrong-type",
          fmt::format("'{}' takes {}, not {}", field.name(), describe_type(field), shown(value)),
          std::move(help)};
}

std::string unquoted_help(const SyntaxValue& value, const Field& field) {
  if (value.kind != Kind::string || value.text.empty() || value.text.size() > 60) return {};
  return fmt::format("write {}: {}", field.name(), value.text);
}

template <class T>
std::optional<ScalarError> read_integer(const SyntaxValue& value, const Field& field, T& out) {
  if (value.kind != Kind::integer) return wrong_type(value, field, unquoted_help(value, field));
  constexpr auto low = std::numeric_limits<T>::min();
  constexpr auto high = std::numeric_limits<T>::max();
  // A negative range reaches one further than the positive.
  const std::uint64_t limit = value.negative ? (low == 0 ? 0 : static_cast<std::uint64_t>(high) + 1)
                                             : static_cast<std::uint64_t>(high);
  std::uint64_t magnitude = 0;
  if (!Tokenizer::ParseInteger(value.text, limit, &magnitude))
    return ScalarError{"out-of-range", fmt::format("{} does not fit '{}': the range is {} to {}",
                                                   shown(value), field.name(), low, high)};
  out = static_cast<T>(value.negative ? 0 - magnitude : magnitude);
  return std::nullopt;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::optional<ScalarError> read_double(const SyntaxValue& value, const Field& field, double& out) {
  if (value.kind == Kind::identifier) {
    const std::string word = lower(value.text);
    if (word == "inf" || word == "infinity")
      out = std::numeric_limits<double>::infinity();
    else if (word == "nan")
      out = std::numeric_limits<double>::quiet_NaN();
    else
      return wrong_type(value, field);
  } else if (value.kind == Kind::integer || value.kind == Kind::floating) {
    const bool decimal = value.kind == Kind::floating || value.text == "0" || value.text[0] != '0';
    if (!decimal) return wrong_type(value, field, "write it in decimal");
    out = Tokenizer::ParseFloat(value.text);
    if (std::isinf(out))
      return ScalarError{"out-of-range",
                         fmt::format("{} does not fit '{}': the largest number is {}", shown(value),
                                     field.name(), std::numeric_limits<double>::max())};
  } else {
    return wrong_type(value, field, unquoted_help(value, field));
  }
  if (value.negative) out = -out;
  return std::nullopt;
}

std::optional<ScalarError> read_float(const SyntaxValue& value, const Field& field, float& out) {
  double wide = 0;
  if (auto error = read_double(value, field, wide)) return error;
  out = static_cast<float>(wide);
  if (std::isinf(out) && !std::isinf(wide))
    return ScalarError{"out-of-range",
                       fmt::format("{} does not fit '{}': the largest number is {}", shown(value),
                                   field.name(), std::numeric_limits<float>::max())};
  return std::nullopt;
}

std::optional<ScalarError> read_bool(const SyntaxValue& value, const Field& field, bool& out) {
  const bool word = value.kind == Kind::identifier && !value.negative;
  const bool number = value.kind == Kind::integer && !value.negative;
  const auto& text = value.text;
  if ((word && (text == "true" || text == "True" || text == "t")) || (number && text == "1"))
    out = true;
  else if ((word && (text == "false" || text == "False" || text == "f")) || (number && text == "0"))
    out = false;
  else
    return wrong_type(value, field, unquoted_help(value, field));
  return std::nullopt;
}

std::optional<ScalarError> read_string(const SyntaxValue& value, const Field& field) {
  if (value.kind != Kind::string)
    return wrong_type(value, field,
                      fmt::format("write {}: \"{}{}\"", field.name(), value.negative ? "-" : "", value.text));
  if (field.type() == Field::TYPE_BYTES) return std::nullopt;
  for (std::size_t pos = 0; pos < value.text.size();) {
    bool valid = false;
    pos += base::utf8_length(value.text, pos, &valid);
    if (!valid)
      return ScalarError{"bad-utf8", fmt::format("the text of '{}' is not valid UTF-8", field.name())};
  }
  return std::nullopt;
}

std::optional<ScalarError> read_enum(const SyntaxValue& value, const Field& field,
                                     const pb::EnumValueDescriptor*& out) {
  const auto& type = *field.enum_type();
  out = nullptr;
  if (value.kind == Kind::identifier && !value.negative) {
    out = type.FindValueByName(value.text);
  } else if (value.kind == Kind::integer) {
    std::int32_t number = 0;
    if (auto error = read_integer(value, field, number)) return error;
    out = type.FindValueByNumber(number);
  } else {
    return wrong_type(value, field, unquoted_help(value, field));
  }
  if (out != nullptr) return std::nullopt;
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
  std::string help = value.kind == Kind::identifier ? base::did_you_mean(value.text, names) : "";
  if (help.empty()) help = fmt::format("one of {}", fmt::join(names, ", "));
  return ScalarError{"unknown-enum-value", fmt::format("{} has no value {}", type.name(), shown(value)),
                     std::move(help)};
}

/// Sets or appends, whichever the field wants.
#define LBANN_STORE(Type, expression)                                 \
  if (field.is_repeated())                                            \
    message.GetReflection()->Add##Type(&message, &field, expression); \
  else                                                                \
    message.GetReflection()->Set##Type(&message, &field, expression)

}  // namespace

std::optional<ScalarError> assign_scalar(const SyntaxValue& value, const Field& field, pb::Message& message) {
  std::optional<ScalarError> error;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32: {
      std::int32_t v = 0;
      if (!(error = read_integer(value, field, v))) {
        LBANN_STORE(Int32, v);
      }
      break;
    }
    case Field::CPPTYPE_INT64: {
      std::int64_t v = 0;
      if (!(error = read_integer(value, field, v))) {
        LBANN_STORE(Int64, v);
      }
      break;
    }
    case Field::CPPTYPE_UINT32: {
      std::uint32_t v = 0;
      if (!(error = read_integer(value, field, v))) {
        LBANN_STORE(UInt32, v);
      }
      break;
    }
    case Field::CPPTYPE_UINT64: {
      std::uint64_t v = 0;
      if (!(error = read_integer(value, field, v))) {
        LBANN_STORE(UInt64, v);
      }
      break;
    }
    case Field::CPPTYPE_DOUBLE: {
      double v = 0;
      if (!(error = read_double(value, field, v))) {
        LBANN_STORE(Double, v);
      }
      break;
    }
    case Field::CPPTYPE_FLOAT: {
      float v = 0;
      if (!(error = read_float(value, field, v))) {
        LBANN_STORE(Float, v);
      }
      break;
    }
    case Field::CPPTYPE_BOOL: {
      bool v = false;
      if (!(error = read_bool(value, field, v))) {
        LBANN_STORE(Bool, v);
      }
      break;
    }
    case Field::CPPTYPE_ENUM: {
      const pb::EnumValueDescriptor* v = nullptr;
      if (!(error = read_enum(value, field, v))) {
        LBANN_STORE(Enum, v);
      }
      break;
    }
    case Field::CPPTYPE_STRING:
      if (!(error = read_string(value, field))) {
        LBANN_STORE(String, value.text);
      }
      break;
    case Field::CPPTYPE_MESSAGE:
      error = wrong_type(value, field, fmt::format("write {} {{ ... }}", field.name()));
      break;
  }
  return error;
}

#undef LBANN_STORE

namespace {

SyntaxValue part_of_list(std::string part, bool name) {
  SyntaxValue value;
  if (name) {
    value.kind = Kind::string;
    value.text = std::move(part);
    return value;
  }
  value.negative = part[0] == '-';
  if (value.negative) part.erase(0, 1);
  // digits [. digits] [e [sign] digits]
  std::size_t pos = 0;
  auto digits = [&] {
    const std::size_t begin = pos;
    while (pos < part.size() && part[pos] >= '0' && part[pos] <= '9') ++pos;
    return pos - begin;
  };
  std::size_t num_digits = digits();
  const bool integer = num_digits > 0 && pos == part.size();
  if (pos < part.size() && part[pos] == '.') {
    ++pos;
    num_digits += digits();
  }
  bool number = num_digits > 0;
  if (number && pos < part.size() && (part[pos] == 'e' || part[pos] == 'E')) {
    ++pos;
    if (pos < part.size() && (part[pos] == '+' || part[pos] == '-')) ++pos;
    number = digits() > 0;
  }
  number = number && pos == part.size();
  value.kind = integer ? Kind::integer : number ? Kind::floating : Kind::identifier;
  value.text = std::move(part);
  return value;
}

}  // namespace

std::vector<SyntaxValue> split_list(const SyntaxValue& value, bool names) {
  std::vector<SyntaxValue> parts;
  constexpr const char* blanks = " \t\r\n\v\f";
  const std::string& text = value.text;
  for (std::size_t begin = text.find_first_not_of(blanks); begin != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(blanks, begin), text.size());
    parts.push_back(part_of_list(text.substr(begin, end - begin), names));
    parts.back().range = value.range;
    begin = text.find_first_not_of(blanks, end);
  }
  return parts;
}

std::string describe_type(const Field& field) {
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
    case Field::CPPTYPE_INT64:
      return "an integer";
    case Field::CPPTYPE_UINT32:
    case Field::CPPTYPE_UINT64:
      return "an integer that is not negative";
    case Field::CPPTYPE_DOUBLE:
    case Field::CPPTYPE_FLOAT:
      return "a number";
    case Field::CPPTYPE_BOOL:
      return "true or false";
    case Field::CPPTYPE_ENUM:
      return fmt::format("a value of {}", field.enum_type()->name());
    case Field::CPPTYPE_STRING:
      return "a text in quotes";
    case Field::CPPTYPE_MESSAGE:
      return "a block { ... }";
  }
  return "a value";
}

}  // namespace lbann::model
