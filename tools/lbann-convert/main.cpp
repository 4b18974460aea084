// lbann-convert: command line in, exit code out. The work is in convert.cpp.
#include <utility>

#include "common/convert_options.hpp"
#include "lbann-convert/convert.hpp"

int main(int argc, char** argv) {
  using namespace lbann::tools;
  return run_tool(argc, argv, [](int count, char** words) {
    ConvertOptions options;
    if (const auto done = parse_convert_options(count, words, options)) return *done;
    return convert_main(std::move(options));
  });
}
