// Reports on a compiled graph for people: what runs in which order, and where memory goes.
#pragma once

#include <string>

#include "passes/compilation.hpp"

namespace lbann::passes {

/// One line per step: kernel, layer, result with layout, place in the arena, work.
std::string describe_plan(const Compilation& c);
/// Weights, state, arena, data pipeline, each with its label exact or bound; the largest buffers at the peak.
std::string describe_memory(const Compilation& c, const PipelineMemory& pipeline);
/// The same figures as one JSON object.
std::string describe_memory_json(const Compilation& c, const PipelineMemory& pipeline);
/// Name, time and node counts of every pass that ran.
std::string describe_passes(const Compilation& c);
/// Floating-point operations of one step.
double total_flops(const Compilation& c);

}  // namespace lbann::passes
