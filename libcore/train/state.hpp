// Named values that a part of a run puts into a checkpoint and takes back from it.
//
// Names are dotted paths: a part sees its own section only ("epoch.objective.sum"). Numbers come back
// with the same bits. What is missing or of another type makes the checkpoint unusable (exit code 5).
#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/container.hpp"

namespace lbann::train {

class StateWriter {
public:
  explicit StateWriter(checkpoint::Scalars& out, std::string prefix = {})
    : out_(out), prefix_(std::move(prefix)) {}
  void put(const std::string& name, checkpoint::Scalar value) const {
    out_[prefix_ + name] = std::move(value);
  }
  StateWriter section(const std::string& name) const { return StateWriter(out_, prefix_ + name + "."); }

private:
  checkpoint::Scalars& out_;
  std::string prefix_;
};

class StateReader {
public:
  explicit StateReader(const checkpoint::Scalars& in, std::string prefix = {})
    : in_(in), prefix_(std::move(prefix)) {}
  /// These throw base::Error (checkpoint) when there is no such value of that type.
  std::int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  bool has(const std::string& name) const { return in_.count(prefix_ + name) > 0; }
  StateReader section(const std::string& name) const { return StateReader(in_, prefix_ + name + "."); }
  /// A section with its own names, as if it were the whole.
  checkpoint::Scalars extract(const std::string& section) const;

private:
  template <typename T>
  const T& value(const std::string& name, const char* type) const;

  const checkpoint::Scalars& in_;
  std::string prefix_;
};

}  // namespace lbann::train
