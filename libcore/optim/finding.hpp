// What is wrong with an optimizer, schedule or initializer. The caller knows the place in the user's file and
// makes a base::Diagnostic of it.
#pragma once

#include <string>

#include "base/diagnostic.hpp"

namespace lbann::optim {

struct Finding {
  std::string id;       // stable diagnostic id
  std::string message;  // names both numbers
  std::string field{};  // inside the message; empty: the message itself
  std::string help{};
  base::ExitCode code = base::ExitCode::config;
};

}  // namespace lbann::optim
