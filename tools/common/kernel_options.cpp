// See kernel_options.hpp.
#include "common/kernel_options.hpp"

#include <cstdlib>

#include "base/diagnostic.hpp"
#include "base/files.hpp"

namespace lbann::tools {

void add_kernel_options(OptionTable& table, KernelOptions& options) {
  table.add_choice<passes::Numerics>(
      "numerics", options.numerics, {{"exact", passes::Numerics::exact}, {"fast", passes::Numerics::fast}},
      "exact: every product of a convolution is computed. fast: Winograd's algorithm where it pays, which "
      "rounds more.");
  table.add_file(
      "kernel-table", "FILE", options.table,
      "Choose convolution kernels by the times in FILE instead of those that ship with the library.");
}

std::string autotune_path(const KernelOptions& options) {
  if (options.autotune && *options.autotune != "auto") return *options.autotune;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/lbann/kernel_table.txt";
  if (home != nullptr && *home != '\0') return std::string(home) + "/.cache/lbann/kernel_table.txt";
  throw base::Error(base::ExitCode::environment, "neither XDG_CACHE_HOME nor HOME is set",
                    "name the file with --autotune=FILE");
}

passes::CatalogueOptions make_catalogue_options(const KernelOptions& options, int threads) {
  passes::CatalogueOptions result;
  result.threads = threads;
  result.numerics = options.numerics;
  if (!options.table.empty()) {
    result.table = std::make_shared<const passes::KernelTable>(
        passes::KernelTable::parse(base::read_file(options.table), options.table));
  }
  return result;
}

std::vector<std::string> list_identity(const passes::CatalogueOptions& options) {
  std::vector<std::string> lines;
  if (options.numerics == passes::Numerics::fast) lines.emplace_back("--numerics: fast");
  if (options.table != nullptr) lines.push_back("--kernel-table: " + options.table->digest());
  return lines;
}

}  // namespace lbann::tools
