// See signals.hpp.
#include "lbann-train/signals.hpp"

#include <csignal>

namespace lbann::tools {
namespace {

volatile std::sig_atomic_t stop_flag = 0;
volatile std::sig_atomic_t checkpoint_flag = 0;
volatile std::sig_atomic_t status_flag = 0;

extern "C" void on_stop(int number) { stop_flag = number; }
extern "C" void on_checkpoint(int) { checkpoint_flag = 1; }
extern "C" void on_status(int) { status_flag = 1; }

void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | flags;
  sigemptyset(&action.sa_mask);
  struct sigaction old {};
  // nohup and shells' background jobs ignore signals on purpose.
  if (sigaction(number, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) return;
  sigaction(number, &action, nullptr);
}

}  // namespace

void watch_signals(int preempt, bool can_save) {
  handle(SIGUSR2, on_status, 0);
  if (!can_save) return;
  // The first SIGINT takes the handler away: the second one kills.
  handle(SIGINT, on_stop, SA_RESETHAND);
  handle(SIGTERM, on_stop, 0);
  handle(SIGXCPU, on_stop, 0);
  handle(SIGHUP, on_checkpoint, 0);
  if (preempt > 0) handle(preempt, on_stop, 0);
}

int stop_signal() { return stop_flag; }

bool take_checkpoint_request() {
  if (checkpoint_flag == 0) return false;
  checkpoint_flag = 0;
  return true;
}

bool take_status_request() {
  if (status_flag == 0) return false;
  status_flag = 0;
  return true;
}

}  // namespace lbann::tools
