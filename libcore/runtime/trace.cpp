// trace_json: see profile_report.hpp. Times are microseconds with three decimals, as the format has them.
#include <fmt/format.h>

#include "base/utf8.hpp"
#include "runtime/profile_report.hpp"

namespace lbann::runtime {
namespace {

using base::json_quote;

std::string_view direction(graph::Phase phase) {
  return phase == graph::Phase::forward ? "forward" : phase == graph::Phase::backward ? "backward" : "update";
}

std::string name_track(int track, std::string_view name) {
  return fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})"
                     ",\n"
                     R"({{"ph":"M","pid":1,"tid":{},"name":"thread_sort_index","args":{{"sort_index":{}}}}})"
                     ",\n",
                     track, name, track, track);
}

}  // namespace

std::string trace_json(const Profiler& profiler) {
  std::string text = R"({"displayTimeUnit":"ms","traceEvents":[)"
                     "\n";
  text += R"({"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"lbann-train"}},)"
          "\n";
  text += name_track(1, "steps") + name_track(2, "kernels");
  // The last one without a comma: events follow only with one before them.
  std::string host = name_track(3, "host");
  host.resize(host.size() - 2);
  text += host;
  for (const TraceSpan& s : profiler.spans()) {
    const int track = s.track == TraceSpan::Track::steps ? 1 : s.track == TraceSpan::Track::kernels ? 2 : 3;
    std::string name = s.name, category = "host", args = "{}";
    if (s.plan >= 0) {
      const PlanProfile& p = profiler.plans()[static_cast<std::size_t>(s.plan)];
      name = p.name;
      category = "step";
      if (s.kernel >= 0) {
        const KernelProfile& k = p.kernels[static_cast<std::size_t>(s.kernel)];
        name = k.layer + ": " + k.op;
        category = direction(k.phase);
        args =
            fmt::format(R"({{"kernel":{},"layer":{},"kind":{},"result":{},"flops":{:.0f},"bytes":{:.0f}}})",
                        json_quote(k.kernel), json_quote(k.layer), json_quote(k.layer_kind),
                        json_quote(k.result), k.flops, k.bytes);
      }
    }
    text += fmt::format(
        ",\n"
        R"({{"ph":"X","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f},"name":{},"cat":"{}","args":{}}})",
        track, s.start_us, s.us, json_quote(name), category, args);
  }
  return text + "\n]}\n";
}

}  // namespace lbann::runtime
