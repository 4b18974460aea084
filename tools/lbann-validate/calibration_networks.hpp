// The networks that --calibrate times: between them they use the usual kernels at several sizes. Prototext,
// so that they pass through the same front end, passes and kernel choice as anybody's.
#pragma once

#include <string>
#include <vector>

namespace lbann::tools {

std::vector<std::string> calibration_networks();

}  // namespace lbann::tools
