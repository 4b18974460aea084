// lbann-train: command line in, exit code out. The work is in train.cpp.
#include "common/train_options.hpp"
#include "lbann-train/train.hpp"
#include "lbann-train/waiting.hpp"

int main(int argc, char** argv) {
  using namespace lbann::tools;
  return run_tool(argc, argv, [](int count, char** words) {
    TrainOptions options;
    if (const auto done = parse_train_options(count, words, options)) return *done;
    limit_spinning(words);
    return train_main(options);
  });
}
