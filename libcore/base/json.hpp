// JSON values: the part that run records and checkpoint manifests need, read strictly (RFC 8259).
//
// Why our own: records are read by the million and must never crash or hang on bytes that a killed
// run left behind. Nesting is limited to 100; a number keeps its integer when it has one. Writing is
// text assembly with json_number and json_quote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbann::base {

struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::optional<std::int64_t>
      integer{};  // the number, if it is written without fraction and exponent and fits
  std::string text{};
  std::vector<JsonValue> items{};
  std::vector<std::pair<std::string, JsonValue>> members{};  // in file order

  /// The first member of that name; nullptr if there is none or this is no object.
  const JsonValue* find(std::string_view name) const;
};

/// The whole text as one value; nullopt and a reason in `*why` (may be null) if it is none.
std::optional<JsonValue> try_parse_json(std::string_view text, std::string* why = nullptr);

/// Shortest digits that read back as the same double; "NaN", "Infinity" and "-Infinity" as strings.
std::string json_number(double value);
/// The inverse, which takes the three strings too.
std::optional<double> try_json_double(const JsonValue& value);

}  // namespace lbann::base
