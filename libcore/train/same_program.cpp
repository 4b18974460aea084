// Before a plan is used, all ranks compare the global program it was made from: ranks that run different
// programs would wait for each other's messages forever, or add up what does not belong together. The
// programs differ where binaries, files or environments do; the refusal shows the lines that differ. Plans
// differ from rank to rank, but not in how what they add up lies in memory.
#include <algorithm>
#include <cstring>
#include <sstream>

#include <fmt/format.h>

#include "base/hash.hpp"
#include "train/trainer.hpp"

namespace lbann::train {
namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The first lines in which two programs differ, of rank 0 with '-', of the other with '+'.
std::string show_difference(const std::string& first, const std::string& other) {
  const std::vector<std::string> a = split_lines(first), b = split_lines(other);
  constexpr int most = 5;
  std::string text;
  int shown = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) && shown < most; ++i) {
    const std::string* left = i < a.size() ? &a[i] : nullptr;
    const std::string* right = i < b.size() ? &b[i] : nullptr;
    if (left != nullptr && right != nullptr && *left == *right) continue;
    if (left != nullptr) text += fmt::format("\n- {}", *left);
    if (right != nullptr) text += fmt::format("\n+ {}", *right);
    ++shown;
  }
  return text;
}

/// How the sums of a rank's plan lie: what a rank adds up must lie alike on all.
std::string list_sums(const graph::Graph& g) {
  std::string text;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op != "all_reduce") continue;
    text += fmt::format("; message {}:", n.attrs.get_int("sequence"));
    for (graph::ValueId v : n.inputs)
      text += fmt::format(" {}:{}", g.value(v).spec.to_string(), g.value(v).layout.tag());
    text += "\n";
  }
  return text;
}

/// A text that all ranks know in the end: the root's.
std::string share(comm::Communicator& ranks, std::string text, int root) {
  auto length = static_cast<std::int64_t>(text.size());
  ranks.broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  text.resize(static_cast<std::size_t>(length));
  ranks.broadcast(std::as_writable_bytes(std::span(text)), root);
  return text;
}

}  // namespace

std::map<std::string, tensor::Layout> Trainer::agree_on_layouts(const graph::Graph& compiled) {
  std::string text;
  for (graph::NodeId id : compiled.order) {
    const graph::Node& n = compiled.node(id);
    if (n.op != "weight") continue;
    text += fmt::format("{}\n{}\n", n.attrs.get_text("name"), compiled.value(n.outputs[0]).layout.tag());
  }
  // Pieces are balanced; the last is never smaller than another.
  const std::vector<std::string> lines = split_lines(share(*world_, std::move(text), world_->size() - 1));
  std::map<std::string, tensor::Layout> layouts;
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2)
    layouts.emplace(lines[i], tensor::Layout::from_tag(lines[i + 1]));
  return layouts;
}

void Trainer::check_same_program(const passes::Compilation& c) {
  const int size = world_->size();
  const std::string program = c.program + list_sums(c.graph);
  const base::Digest128 mine = base::digest128(program);
  std::vector<base::Digest128> all(static_cast<std::size_t>(size));
  world_->all_gather(&mine, all.data(), std::vector<std::int64_t>(all.size(), sizeof mine));
  const auto other = std::find_if(all.begin(), all.end(), [&](const base::Digest128& d) {
    return std::memcmp(&d, &all[0], sizeof d) != 0;
  });
  if (other == all.end()) return;
  const int culprit = static_cast<int>(other - all.begin());
  const std::string first = share(*world_, program, 0), theirs = share(*world_, program, culprit);
  throw base::Error(base::ExitCode::communication,
                    fmt::format("ranks 0 and {} have made different programs of the model:{}", culprit,
                                show_difference(first, theirs)),
                    "start the same binary with the same files and environment on every rank");
}

}  // namespace lbann::train
