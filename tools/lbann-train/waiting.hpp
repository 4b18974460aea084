// How long a compute thread that waits for the others spins before it sleeps.
//
// GNU's OpenMP spins for many milliseconds. On a machine with more work than cores, that takes the core away
// from the very thread that is waited for: steps of small networks become tens of times longer. Where cores
// are free the long spin pays: with a tenth of a millisecond steps of small networks took 5 to 10 % longer.
#pragma once

namespace lbann::tools {

/// The library reads its settings before main() begins, so the program starts itself anew, once, with
/// GOMP_SPINCOUNT set. Only where the load of the last minute is not below the number of cores, and not where
/// the user has said how to wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT).
void limit_spinning(char** argv);

}  // namespace lbann::tools
