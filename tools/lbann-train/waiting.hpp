// How long a compute thread that waits for the others spins before it sleeps.
//
// GNU's OpenMP spins for many milliseconds. On a machine with more work than cores, that takes the core away
// from the very thread that is waited for: steps of small networks become tens of times longer. A tenth of a
// millisecond is as fast where cores are free (the gaps between kernels are shorter), and sleeping at once is
// three times slower there.
#pragma once

namespace lbann::tools {

/// The library reads its settings before main() begins, so the program starts itself anew, once, with
/// GOMP_SPINCOUNT set. Not where the user has said how to wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT).
void limit_spinning(char** argv);

}  // namespace lbann::tools
