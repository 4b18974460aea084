// What a Profiler has collected, as text for people, and as one JSON object for programs; the trace as the
// JSON trace events that Perfetto (ui.perfetto.dev) and chrome://tracing open.
#pragma once

#include <string>

#include "runtime/profiler.hpp"
#include "runtime/roofline.hpp"

namespace lbann::runtime {

/// Tables: direction, kernel, layer, the longest calls, edges through memory. Of the training plan with the
/// most runs; one line for every other plan.
std::string profile_text(const Profiler& profiler, const Roofline& roof);
/// Schema "lbann-profile-1": every kernel call and every edge of every plan.
std::string profile_json(const Profiler& profiler, const Roofline& roof);
/// {"traceEvents":[..]}: complete events ("ph":"X") on three tracks: steps, kernels, host.
std::string trace_json(const Profiler& profiler);

}  // namespace lbann::runtime
