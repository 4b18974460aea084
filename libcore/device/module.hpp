// Optional parts of the runtime (CUDA, MPI) are modules opened when somebody asks for them: linked
// in, CUDA's libraries would cost every start-up and a machine without them could not even say so.
#pragma once

#include <string>

namespace lbann::device {

struct ModuleStatus {
  bool available = false;
  std::string path;    // where it was found
  std::string reason;  // why it is not available
};

/// Looks for liblbann_<name>.so beside the library and the executable and opens it once.
ModuleStatus probe_module(const std::string& name);

}  // namespace lbann::device
