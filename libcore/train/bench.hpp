// Timings of a run for benchmarks: steps, median, time from process start to the end of the first step.
#pragma once

#include <memory>
#include <string>

#include "train/callback.hpp"

namespace lbann::train {

/// Prints one JSON line at the end of training:
/// {"steps":..,"ms_median":..,"ms_p10":..,"ms_p90":..,"first_step_s":..,"peak_rss_mib":..,
///  "planned_bytes":..,"growth_bytes":..,"loss":[first,last]}
/// The first `warmup` steps and partial mini-batches do not count in the times.
std::unique_ptr<Callback> make_bench_callback(std::int64_t warmup);

}  // namespace lbann::train
