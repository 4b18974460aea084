// A stretch of the host's time between kernels, told to the profiler where there is one.
#pragma once

#include "runtime/profiler.hpp"

namespace lbann::train {

class HostSpan {
public:
  HostSpan(runtime::Profiler* profiler, const char* name) : profiler_(profiler), name_(name) {
    if (profiler_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  ~HostSpan() {
    if (profiler_ != nullptr) profiler_->add_host_span(name_, start_);
  }
  HostSpan(const HostSpan&) = delete;
  HostSpan& operator=(const HostSpan&) = delete;

private:
  runtime::Profiler* profiler_;
  const char* name_;
  std::chrono::steady_clock::time_point start_{};
};

}  // namespace lbann::train
