// "Did you mean": the known name nearest to what somebody typed.
//
// Distance: optimal string alignment (insert, delete, substitute, swap of neighbours; 2 each),
// where a change of case or '-' for '_' costs 1. Ties go to the longer common prefix, then to
// the more equal length, then to the earlier name. An abbreviation ("conv", "batch_norm") that
// begins exactly one candidate is accepted too.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lbann::base {

/// In half edits: 2 per edit, 1 per change of case or of '-' and '_'.
int edit_distance(std::string_view a, std::string_view b);

/// The candidate worth suggesting for `name`, or nothing when none is near (about one edit per
/// three characters, at most four).
std::optional<std::string> try_closest(std::string_view name, std::span<const std::string> candidates);

/// "did you mean 'x'?", or an empty text.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace lbann::base
