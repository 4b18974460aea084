// The options that decide between kernels that compute the same: how far they may round, and the file
// of measured times. Shared by lbann-train and lbann-validate, so that what is planned is what runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/option_table.hpp"
#include "passes/kernel_table.hpp"

namespace lbann::tools {

struct KernelOptions {
  passes::Numerics numerics = passes::Numerics::exact;
  std::string table{};                    // a file; empty: the times that ship with the library
  std::optional<std::string> autotune{};  // measure into this file; "auto": the default place
};

void add_kernel_options(OptionTable& table, KernelOptions& options);
/// Where --autotune writes: the file named, or lbann/kernel_table.txt in the user's cache folder. Throws
/// base::Error (environment) when there is none.
std::string autotune_path(const KernelOptions& options);

/// Reads the table. Throws base::Error (data, config).
passes::CatalogueOptions make_catalogue_options(const KernelOptions& options, int threads);

/// What a checkpoint remembers of them, "name: value"; nothing for the defaults.
std::vector<std::string> list_identity(const passes::CatalogueOptions& options);

}  // namespace lbann::tools
