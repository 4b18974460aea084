// Mutations of a prototext that keep it a prototext: for fuzz_experiment, so that inputs get past the parser
// into graph and shape inference.
#pragma once

#include <random>
#include <string>

namespace lbann::fuzz {

/// One random change: a field removed, doubled, given another value, added where the schema has one; a
/// name pointed at a layer that exists; a layer of a random kind added. The text itself where it holds
/// no field.
std::string mutate_experiment(const std::string& text, std::mt19937& random);

}  // namespace lbann::fuzz
