// Counts the allocations of the whole test program, to see that a running pipeline makes none.
// A file of its own: g++ warns about a replaced operator that it can inline.
#include <atomic>
#include <cstdlib>
#include <new>

extern std::atomic<long> num_allocations;
std::atomic<long> num_allocations{0};

void* operator new(std::size_t n) {
  ++num_allocations;
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
