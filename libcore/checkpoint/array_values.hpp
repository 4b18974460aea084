// The elements of a stored array as numbers, whatever their type.
#pragma once

#include <vector>

#include "checkpoint/container.hpp"

namespace lbann::checkpoint {

/// All elements as double: exact for every type but i64 beyond 2^53.
std::vector<double> values_of(const LoadedArray& array);

/// The array in another floating type, rounded to nearest even. Only to f32 and f64.
LoadedArray convert(const LoadedArray& array, tensor::DataType type);

}  // namespace lbann::checkpoint
