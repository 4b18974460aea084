// WeightStore: conversion between logical order and kernel layouts.
#include "runtime/weight_store.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/hash.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::runtime {
namespace {

using tensor::DataType;

template <typename T>
void scatter(const WeightStore::Entry& e, std::span<const double> values) {
  T* out = reinterpret_cast<T*>(e.buffer.data());
  tensor::for_each_element(e.layout, e.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    out[offset] = static_cast<T>(values[static_cast<std::size_t>(position)]);
  });
}

template <typename T>
void gather(const WeightStore::Entry& e, std::vector<double>& values) {
  const T* in = reinterpret_cast<const T*>(e.buffer.data());
  tensor::for_each_element(e.layout, e.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    values[static_cast<std::size_t>(position)] = static_cast<double>(in[offset]);
  });
}

}  // namespace

void WeightStore::allocate(const graph::Graph& compiled) {
  for (graph::NodeId id : compiled.order) {
    const graph::Node& n = compiled.node(id);
    if (n.op != "weight") continue;
    const std::string& name = n.attrs.get_text("name");
    const graph::Value& v = compiled.value(n.outputs[0]);
    const auto found = entries_.find(name);
    if (found != entries_.end()) {
      if (!(found->second.spec == v.spec) || !(found->second.layout == v.layout)) {
        throw base::Error(base::ExitCode::internal,
                          fmt::format("two plans disagree on weight '{}': {} {} and {} {}", name,
                                      found->second.spec.to_string(), found->second.layout.tag(),
                                      v.spec.to_string(), v.layout.tag()));
      }
      continue;
    }
    const std::int64_t bytes = v.layout.storage_elements(v.spec.shape) * tensor::size_bytes(v.spec.type);
    Entry e{name, n.attrs.get_text("role"), v.spec, v.layout,
            device::Buffer(bytes, fmt::format("weights '{}'", name))};
    entries_.emplace(name, std::move(e));
  }
}

const WeightStore::Entry& WeightStore::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    throw base::Error(base::ExitCode::internal, fmt::format("no weights named '{}'", name));
  }
  return found->second;
}

void WeightStore::set_values(const std::string& name, std::span<const double> values) {
  const Entry& e = entry(name);
  const std::int64_t count = e.spec.shape.num_elements();
  if (static_cast<std::int64_t>(values.size()) != count) {
    throw base::Error(base::ExitCode::internal, fmt::format("weights '{}' have {} entries, {} values given",
                                                            name, count, values.size()));
  }
  if (e.spec.type == DataType::f64) {
    scatter<double>(e, values);
  } else {
    scatter<float>(e, values);
  }
}

std::vector<double> WeightStore::values(const std::string& name) const {
  const Entry& e = entry(name);
  std::vector<double> result(static_cast<std::size_t>(e.spec.shape.num_elements()));
  if (e.spec.type == DataType::f64) {
    gather<double>(e, result);
  } else {
    gather<float>(e, result);
  }
  return result;
}

std::map<std::string, tensor::Layout> WeightStore::layouts() const {
  std::map<std::string, tensor::Layout> result;
  for (const auto& [name, e] : entries_) result.emplace(name, e.layout);
  return result;
}

std::string WeightStore::digest(std::string_view role) const {
  base::Digester digester;
  for (const auto& [name, e] : entries_) {
    if (e.role != role) continue;
    digester.update(name);
    const std::vector<double> v = values(name);
    digester.update(std::as_bytes(std::span(v)));
  }
  return base::to_hex(digester.value());
}

std::int64_t WeightStore::total_bytes() const {
  std::int64_t total = 0;
  for (const auto& [name, e] : entries_) total += e.buffer.size_bytes();
  return total;
}

}  // namespace lbann::runtime
