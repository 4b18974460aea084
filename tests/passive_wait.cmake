# Read by ctest: threads that wait for others sleep at once. Tests share a machine with other tests, and what
# spins takes the core from the thread it waits for. Who asks for something else gets that.
if(NOT DEFINED ENV{OMP_WAIT_POLICY} AND NOT DEFINED ENV{GOMP_SPINCOUNT})
  set(ENV{OMP_WAIT_POLICY} PASSIVE)
endif()
