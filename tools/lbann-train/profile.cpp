// See profile.hpp.
#include "lbann-train/profile.hpp"

#include <omp.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "runtime/profile_report.hpp"

namespace lbann::tools {

std::string profile_folder(const TrainOptions& options) {
  if (!options.profile) return {};
  if (*options.profile != "auto") return *options.profile;
  return options.run_dir.empty() ? std::string() : options.run_dir + "/profile";
}

void report_profile(const TrainOptions& options, runtime::Profiler& profiler) {
  profiler.finish();
  const runtime::Roofline roof = runtime::measure_roofline(omp_get_max_threads());
  const std::string text = runtime::profile_text(profiler, roof);
  base::log().print(text);
  const std::string folder = profile_folder(options);
  if (folder.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot make the folder '{}': {}", folder, failed.message()));
  base::atomic_write_file(folder + "/profile.txt", text);
  base::atomic_write_file(folder + "/profile.json", runtime::profile_json(profiler, roof));
  base::atomic_write_file(folder + "/trace.json", runtime::trace_json(profiler));
}

}  // namespace lbann::tools
