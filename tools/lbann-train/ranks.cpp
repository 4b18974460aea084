// See ranks.hpp.
#include "lbann-train/ranks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/log.hpp"
#include "common/tool.hpp"

namespace lbann::tools {
namespace {

/// Sends this process's output nowhere, and back.
class Silence {
public:
  Silence() {
    saved_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      if (nowhere >= 0) ::dup2(nowhere, fd);
    }
    if (nowhere >= 0) ::close(nowhere);
  }
  void end() const {
    if (saved_ >= 0) ::dup2(saved_, STDERR_FILENO);
  }

private:
  int saved_ = -1;
};

/// Time for rank 0 to say what all ranks have met.
constexpr auto courtesy = std::chrono::milliseconds(1000);

[[noreturn]] void fail_alone(comm::World& world, const Silence& silence) {
  // The lower rank speaks first and ends the others.
  std::this_thread::sleep_for(courtesy + world.ranks().rank() * std::chrono::milliseconds(50));
  silence.end();
  base::log().set_quiet(false);
  report_exception();
  base::log().talk(fmt::format("note: this was {}; all ranks end\n", world.place()));
  const int code = static_cast<int>(base::ExitCode::communication);
  print_last_line(code);
  world.end_all(code);
  std::abort();  // not reached
}

}  // namespace

int agree_on_code(comm::World& world, int code) {
  comm::Communicator& ranks = world.ranks();
  if (ranks.size() == 1) return code;
  std::vector<double> codes(static_cast<std::size_t>(ranks.size()), 0);
  codes[static_cast<std::size_t>(ranks.rank())] = code;
  ranks.all_reduce(codes, comm::ReduceOp::max);
  if (code != 0) return code;
  for (std::size_t r = 0; r < codes.size(); ++r) {
    const int other = static_cast<int>(codes[r]);
    if (other == 0) continue;
    if (codes[0] == 0) base::log().error(fmt::format("rank {} alone ended with exit code {}", r, other));
    return other;
  }
  return 0;
}

int run_on_ranks(double timeout_seconds, const std::function<int(comm::World&)>& work) {
  const comm::Launch launch = comm::find_launch();
  std::unique_ptr<Silence> silence;
  if (launch.rank != 0 && launch.expected_ranks != 1) silence = std::make_unique<Silence>();
  const std::unique_ptr<comm::World> world = comm::open_world(launch, timeout_seconds);
  if (world->ranks().size() == 1) return work(*world);
  if (!silence && world->ranks().rank() != 0) silence = std::make_unique<Silence>();
  try {
    return work(*world);
  } catch (...) {
    if (silence) fail_alone(*world, *silence);
    const int code = report_exception();
    print_last_line(code);
    world->end_all(code);
    return code;  // not reached
  }
}

}  // namespace lbann::tools
