// Sweeps: `optimizer.sgd.learn_rate=0.1,0.01` twice or more is the product of all lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::launch {

struct SweepAxis {
  std::string path{};  // of the field, as --set takes it
  std::vector<std::string> values{};
};

/// `path=a,b,c` or `path=1..5` (whole numbers, both ends included); nullopt if it is neither.
std::optional<SweepAxis> try_parse_sweep(std::string_view text);

/// One value of each axis per point; the last axis changes fastest. Empty without axes.
std::vector<std::vector<std::string>> sweep_points(const std::vector<SweepAxis>& axes);

}  // namespace lbann::launch
