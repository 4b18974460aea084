// What every data set shares: sizes and field lookup.
#include "data/dataset.hpp"

#include "base/diagnostic.hpp"

namespace lbann::data {

std::int64_t FieldSpec::num_elements() const {
  std::int64_t n = 1;
  for (std::int64_t d : dims) {
    if (d < 1 || __builtin_mul_overflow(n, d, &n))
      throw base::Error(base::ExitCode::config, "data field '" + name + "': dimension " + std::to_string(d) +
                                                    " is not positive or makes the sample too large");
  }
  return n;
}

std::optional<std::size_t> Dataset::try_find_field(std::string_view name) const {
  for (std::size_t i = 0; i < fields().size(); ++i)
    if (fields()[i].name == name) return i;
  return std::nullopt;
}

}  // namespace lbann::data
