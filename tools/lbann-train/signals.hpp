// Signals as flags. A handler only sets one; what is to be done is done at the next step boundary.
//
//   SIGINT, SIGTERM, SIGXCPU, the pre-emption signal   stop after a checkpoint (a second SIGINT kills at
//   once) SIGHUP                                             checkpoint and go on SIGUSR2 say how the run
//   stands
//
// The library installs no handler (xSDK M6): this is the tool's. The flags are global because a handler has
// no other way to reach anything.
#pragma once

namespace lbann::tools {

/// Installs the handlers. `preempt` is a signal number, 0: none. `can_save`: there is a place for
/// checkpoints; without one only SIGUSR2 is caught, the others keep their usual effect.
void watch_signals(int preempt, bool can_save);

/// The signal that asks to stop; 0: none. Stays set.
int stop_signal();
/// Since the last call: was a checkpoint asked for?
bool take_checkpoint_request();
bool take_status_request();

}  // namespace lbann::tools
