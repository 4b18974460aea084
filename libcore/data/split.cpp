// See split.hpp.
#include "data/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/diagnostic.hpp"
#include "base/philox.hpp"

namespace lbann::data {
namespace {

[[noreturn]] void refuse(std::string_view reader, const std::string& what, std::string help = {}) {
  throw base::Error(base::ExitCode::config, fmt::format("reader '{}': {}", reader, what), std::move(help));
}

void check_fraction(std::string_view reader, const char* name, double value) {
  if (!(value >= 0 && value <= 1)) refuse(reader, fmt::format("{} = {} is outside 0..1", name, value));
}

std::int64_t floor_of(double fraction, std::int64_t n) {
  return static_cast<std::int64_t>(std::floor(fraction * static_cast<double>(n)));
}

std::int64_t count_used(std::int64_t num_samples, const SelectionOptions& o, std::string_view reader) {
  const bool by_count = o.absolute_sample_count != 0, by_fraction = o.fraction_of_data_to_use != 0;
  if (!by_count && !by_fraction)
    refuse(reader, "neither fraction_of_data_to_use nor absolute_sample_count is set",
           "fraction_of_data_to_use: 1.0 uses all samples");
  if (by_count && by_fraction)
    refuse(reader,
           fmt::format("fraction_of_data_to_use = {} and absolute_sample_count = {} exclude each other",
                       o.fraction_of_data_to_use, o.absolute_sample_count));
  if (o.absolute_sample_count < 0)
    refuse(reader, fmt::format("absolute_sample_count = {} is negative", o.absolute_sample_count));
  if (o.absolute_sample_count > num_samples)
    refuse(reader, fmt::format("absolute_sample_count = {}, but there are {} samples",
                               o.absolute_sample_count, num_samples));
  const std::int64_t used =
      by_count ? o.absolute_sample_count : floor_of(o.fraction_of_data_to_use, num_samples);
  if (used == 0)
    refuse(reader, fmt::format("fraction_of_data_to_use = {} of {} samples is less than one sample",
                               o.fraction_of_data_to_use, num_samples));
  return used;
}

}  // namespace

Selection select_samples(std::int64_t num_samples, const SelectionOptions& o, std::uint64_t key,
                         std::string_view reader) {
  check_fraction(reader, "fraction_of_data_to_use", o.fraction_of_data_to_use);
  check_fraction(reader, "validation_fraction", o.validation_fraction);
  check_fraction(reader, "tournament_fraction", o.tournament_fraction);
  const std::int64_t used = count_used(num_samples, o, reader);

  std::vector<std::int64_t> list(static_cast<std::size_t>(num_samples));
  std::iota(list.begin(), list.end(), std::int64_t{0});
  if (o.shuffle) base::shuffle(base::RandomStream(key, base::make_stream(reader, "sample selection")), list);
  list.resize(static_cast<std::size_t>(used));

  const auto take = [&](const char* name, double fraction) {
    std::vector<std::int64_t> part;
    const std::int64_t n = floor_of(fraction, used);
    if (fraction > 0 && n == 0)
      refuse(reader, fmt::format("{} = {} of {} samples is less than one sample", name, fraction, used));
    if (n >= static_cast<std::int64_t>(list.size()))
      refuse(reader, fmt::format("{} = {} takes {} samples and leaves none of {} for training", name,
                                 fraction, n, used));
    part.assign(list.end() - n, list.end());
    list.resize(list.size() - static_cast<std::size_t>(n));
    std::sort(part.begin(), part.end());
    return part;
  };
  Selection selection;
  selection.validation = take("validation_fraction", o.validation_fraction);
  selection.tournament = take("tournament_fraction", o.tournament_fraction);
  std::sort(list.begin(), list.end());
  list.shrink_to_fit();
  selection.training = std::move(list);
  return selection;
}

std::uint64_t make_order_stream(std::string_view reader, std::string_view part) {
  return base::make_stream(fmt::format("{}/{}", reader, part), "epoch order");
}

void fill_epoch_order(std::span<const std::int64_t> samples, bool shuffle, std::uint64_t key,
                      std::uint64_t stream, std::int64_t epoch, std::span<std::int64_t> order) {
  std::copy(samples.begin(), samples.end(), order.begin());
  if (shuffle) base::shuffle(base::RandomStream(key, stream, static_cast<std::uint64_t>(epoch)), order);
}

}  // namespace lbann::data
