// First values of weights, from a rule, a list or a file.
//
// Values are written in storage order = LBANN's linear order of the weight. Random values are a pure function
// of (key of the run, name of the weights, position): they depend neither on other weights nor on the order
// in which, or the threads by which, they are drawn. They are computed in double and rounded once to the type
// of the weight, so a float and a double run start from the same numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "optim/finding.hpp"
#include "tensor/shape.hpp"

namespace lbann::optim {

enum class InitializerKind {
  constant,
  value_list,
  numpy,
  uniform,
  normal,
  glorot_normal,
  glorot_uniform,
  he_normal,
  he_uniform,
  lecun_normal,
  lecun_uniform,
  scale_bias,  // first half 1, second half 0
};

struct InitializerConfig {
  InitializerKind kind = InitializerKind::constant;
  double value = 0;                // constant
  std::vector<double> values{};    // value_list
  std::string file{};              // numpy
  double min = 0, max = 0;         // uniform; both 0: [0, 1)
  double mean = 0, deviation = 0;  // normal; both 0: N(0, 1)

  bool operator==(const InitializerConfig&) const = default;
};

/// What an initializer must know of the weights it fills.
struct InitializerTarget {
  std::string name;
  tensor::Shape shape;      // storage order
  std::int64_t fan_in = 0;  // 0: variance scaling does not apply
  std::int64_t fan_out = 0;
  std::int64_t matrix_height = 0;  // > 0: column-major matrix, files hold height x width
};

/// What would go wrong, without drawing a number. Reads the file of a numpy initializer.
std::optional<Finding> check_initializer(const InitializerConfig& config, const InitializerTarget& target);

/// All values, from position 0. Throws base::Error with what check_initializer would say.
/// `key` = base::make_random_key(seed, trainer).
void fill_initial(const InitializerConfig& config, const InitializerTarget& target, std::uint64_t key,
                  std::span<float> out);
void fill_initial(const InitializerConfig& config, const InitializerTarget& target, std::uint64_t key,
                  std::span<double> out);

}  // namespace lbann::optim
