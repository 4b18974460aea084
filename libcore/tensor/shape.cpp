// Shape: element count with overflow check, text form.
#include "tensor/shape.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::tensor {

std::int64_t Shape::num_elements() const {
  std::int64_t product = 1;
  for (std::int64_t d : dims_) {
    if (d < 0 || __builtin_mul_overflow(product, d, &product) || product > (std::int64_t{1} << 62)) {
      throw base::Error(base::ExitCode::config, fmt::format("tensor {} has too many elements", to_string()));
    }
  }
  return product;
}

std::string Shape::to_string() const { return fmt::format("[{}]", fmt::join(dims_, ",")); }

}  // namespace lbann::tensor
