// See waiting.hpp.
#include "lbann-train/waiting.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace lbann::tools {

void limit_spinning(char** argv) {
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"})
    if (std::getenv(name) != nullptr) return;
  double load = 0;
  const unsigned cores = std::thread::hardware_concurrency();
  if (::getloadavg(&load, 1) != 1 || cores == 0 || load < cores) return;
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed || ::setenv("GOMP_SPINCOUNT", "10000", 0) != 0) return;
  ::execv(program.c_str(), argv);  // where that fails, this process goes on as it is
}

}  // namespace lbann::tools
