// kernel_table.txt, put among the constants by the assembler and read when first asked for.
#include "kernels/cpu/catalogue.hpp"

asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".local lbann_kernel_table_begin\n"
    "lbann_kernel_table_begin:\n"
    ".incbin \"" LBANN_KERNEL_TABLE
    "\"\n"
    ".local lbann_kernel_table_end\n"
    "lbann_kernel_table_end:\n"
    ".popsection\n");
extern "C" {
extern const char lbann_kernel_table_begin[] __attribute__((visibility("hidden")));
extern const char lbann_kernel_table_end[] __attribute__((visibility("hidden")));
}

namespace lbann::kernels::cpu {

std::shared_ptr<const passes::KernelTable> shipped_kernel_table() {
  static const auto table = std::make_shared<const passes::KernelTable>(passes::KernelTable::parse(
      {lbann_kernel_table_begin, static_cast<std::size_t>(lbann_kernel_table_end - lbann_kernel_table_begin)},
      "kernel_table.txt"));
  return table;
}

}  // namespace lbann::kernels::cpu
