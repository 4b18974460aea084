// See world.hpp.
#include "comm/world.hpp"

#include <dlfcn.h>

#include <cstdlib>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "device/module.hpp"

namespace lbann::comm {
namespace {

/// A whole number in the environment; -1: not there or no number.
int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return -1;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  return *end == '\0' && value >= 0 && value < 1 << 24 ? static_cast<int>(value) : -1;
}

struct Launcher {
  const char* name;
  const char* mark;  // set by this launcher alone
  const char* size;
  const char* rank;
};
constexpr Launcher launchers[] = {
    {"Open MPI", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
    {"PMI", "PMI_RANK", "PMI_SIZE", "PMI_RANK"},
    {"PMIx", "PMIX_RANK", "SLURM_STEP_NUM_TASKS", "PMIX_RANK"},
    {"Slurm", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
};

class SelfWorld final : public World {
public:
  SelfWorld() : ends_(make_self_world(1)) {}
  Communicator& ranks() override { return *ends_.front(); }
  void publish(std::int64_t, const char*) override {}
  void end_all(int code) override { std::exit(code); }
  std::string place() const override { return "rank 0"; }
  std::string name() const override { return "self"; }

private:
  std::vector<std::unique_ptr<Communicator>> ends_;
};

[[noreturn]] void refuse(const std::string& message, const std::string& help) {
  throw base::Error(base::ExitCode::environment, message, help);
}

World* open_module(const Launch& launch, double timeout_seconds) {
  const bool open_mpi_first = launch.launcher != "PMI";
  std::string reasons;
  for (const char* name :
       {open_mpi_first ? "mpi_openmpi" : "mpi_mpich", open_mpi_first ? "mpi_mpich" : "mpi_openmpi"}) {
    const device::ModuleStatus module = device::probe_module(name);
    if (!module.available) {
      reasons += fmt::format("\n  {}", module.reason);
      continue;
    }
    void* library = dlopen(module.path.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto open = reinterpret_cast<OpenWorldFunction>(dlsym(library, "lbann_open_mpi_world"));
    if (open == nullptr) {
      reasons += fmt::format("\n  '{}' is no MPI module", module.path);
      continue;
    }
    return open(timeout_seconds);
  }
  refuse(fmt::format("started as one of several ranks by {}, but no MPI module can be used:{}",
                     launch.launcher, reasons),
         "build with libopenmpi-dev (cmake reports the MPI it found), or start one process");
}

}  // namespace

Launch find_launch() {
  Launch launch;
  for (const Launcher& l : launchers) {
    if (std::getenv(l.mark) == nullptr) continue;
    launch.launcher = l.name;
    const int size = number_in(l.size);
    launch.expected_ranks = std::max(size, 0);
    launch.said_by = l.size;
    launch.rank = std::max(number_in(l.rank), 0);
    break;
  }
  if (const int expected = number_in("LBANN_EXPECTED_WORLD"); expected > 0) {
    launch.expected_ranks = expected;
    launch.said_by = "LBANN_EXPECTED_WORLD";
  }
  return launch;
}

std::unique_ptr<World> open_world(const Launch& launch, double timeout_seconds) {
  std::unique_ptr<World> world;
  const bool alone = launch.launcher.empty() || launch.expected_ranks == 1;
  // A launcher's single process needs no MPI, but an expectation of more is put to the test.
  world.reset(alone || (launch.launcher.empty() && launch.expected_ranks > 1)
                  ? new SelfWorld
                  : open_module(launch, timeout_seconds));
  const int found = world->ranks().size();
  if (launch.expected_ranks > 0 && found != launch.expected_ranks) {
    refuse(fmt::format("{} = {}, but the world has {} rank{}", launch.said_by, launch.expected_ranks, found,
                       found == 1 ? "" : "s"),
           found == 1 ? "the launcher and MPI do not understand each other (PMI): use the mpirun of this "
                        "MPI, or srun --mpi=pmix"
                      : "start as many processes as are expected");
  }
  return world;
}

}  // namespace lbann::comm
