// The inner loops for one instruction set; see loops.hpp and isa.cmake.
#define LBANN_LOOPS loops_generic
#include "kernels/cpu/loops_table.hpp"
