// Which samples of a data set a reader uses, how they are divided among roles, and their order in each epoch.
//
// Selection (N samples on disk): the list 0..N-1, permuted when shuffling; its first absolute_sample_count or
// floor(fraction_of_data_to_use * N) are used; floor(validation_fraction * used), then
// floor(tournament_fraction * used), are taken off its end. All parts are kept in ascending order: with
// shuffling every epoch permutes them anyway.
// Order: epoch e of a shuffled part is permutation e of (key, reader, part), computed directly from e, which
// counts on through the whole run. (LBANN re-shuffles the previous epoch's list with std::shuffle and a
// 32-bit Mersenne twister: the rules are the same, the permutations are not.)
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lbann::data {

struct SelectionOptions {
  bool shuffle = false;
  double fraction_of_data_to_use = 0;      // exactly one of these two is set;
  std::int64_t absolute_sample_count = 0;  // there is no default
  double validation_fraction = 0;
  double tournament_fraction = 0;
};

struct Selection {
  std::vector<std::int64_t> training, validation, tournament;
};

/// Divides `num_samples` samples. `key` is the run's random key, `reader` the reader's name or role (its
/// stream). Throws base::Error (config) with both numbers when a rule is violated or a part would be empty.
Selection select_samples(std::int64_t num_samples, const SelectionOptions& options, std::uint64_t key,
                         std::string_view reader);

/// The stream of a reader's epoch orders; `part` is the role, so that parts are permuted independently.
std::uint64_t make_order_stream(std::string_view reader, std::string_view part);

/// order = samples, permuted by epoch when `shuffle`; both of the same length. Allocates nothing.
void fill_epoch_order(std::span<const std::int64_t> samples, bool shuffle, std::uint64_t key,
                      std::uint64_t stream, std::int64_t epoch, std::span<std::int64_t> order);

}  // namespace lbann::data
