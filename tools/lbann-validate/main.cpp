// lbann-validate: command line in, exit code out. The work is in validate.cpp.
#include "common/validate_options.hpp"
#include "lbann-validate/validate.hpp"

int main(int argc, char** argv) {
  using namespace lbann::tools;
  return run_tool(argc, argv, [](int count, char** words) {
    ValidateOptions options;
    if (const auto done = parse_validate_options(count, words, options)) return *done;
    return validate_main(options);
  });
}
