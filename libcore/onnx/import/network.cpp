// The network's bookkeeping, and values that come from constants. See network.hpp.
#include "onnx/import/network.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"

namespace lbann::onnx {

int Value::batch_axis() const {
  if (!batched) return -1;
  return static_cast<int>(std::find(dims.begin(), dims.end(), batch_extent) - dims.begin());
}

Dims Value::sample() const {
  Dims d = dims;
  if (batched) std::erase(d, batch_extent);
  if (d.empty()) d.push_back(1);
  return d;
}

Dims broadcast(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      throw ImportError(fmt::format("{} and {} cannot be broadcast", to_text(a), to_text(b)));
    }
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

int Network::wrap(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    throw ImportError(fmt::format("axis {} of a tensor with {} dims", axis, rank));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

int Network::sample_axis(const Value& x, int axis, const char* what) const {
  const int batch = x.batch_axis();
  if (batch < 0) return axis;
  if (axis == batch) throw NeedsWholeBatch(fmt::format("{} acts along the mini-batch", what));
  return axis > batch ? axis - 1 : axis;
}

Value Network::batch_to_front(const Value& x) {
  Value v = x;
  if (!v.batched) return v;
  std::erase(v.dims, batch_extent);
  v.dims.insert(v.dims.begin(), batch_extent);
  return v;
}

Value Network::back_from_front(const Value& x, int batch_axis) {
  Value v = x;
  if (!v.batched) return v;
  std::erase(v.dims, batch_extent);
  v.dims.insert(v.dims.begin() + batch_axis, batch_extent);
  return v;
}

std::string Network::unique_name(const std::string& wanted) {
  std::string name;
  for (const char c : wanted) name += static_cast<unsigned char>(c) <= ' ' || c == '"' ? '_' : c;
  if (name.empty()) name = "layer";
  const auto [found, is_new] = names_.emplace(name, 2);
  if (is_new) return name;
  for (;;) {
    std::string next = fmt::format("{}_{}", name, found->second++);
    if (names_.emplace(next, 2).second) return next;
  }
}

void Network::rename(int layer, const std::string& name) { at(layer).name = unique_name(name); }

Value Network::add(const std::string& what, const std::vector<Value>& parents, Dims dims, bool batched,
                   int type) {
  std::vector<int> edges;
  for (const Value& p : parents) {
    int edge = p.layer;
    if (edge < 0) throw std::logic_error("a parent that is no layer");
    if (std::find(edges.begin(), edges.end(), edge) != edges.end()) {
      const Value again = add("again", {p}, p.dims, p.batched, p.type);
      message(again).mutable_identity();
      edge = again.layer;
    }
    edges.push_back(edge);
  }
  for (const int edge : edges) ++at(edge).uses;
  layers_.push_back(
      {unique_name(prefix_.empty() ? what : prefix_ + "/" + what), {}, std::move(edges), {}, 0});
  Value v;
  v.dims = std::move(dims);
  v.batched = batched;
  v.type = type;
  v.layer = num_layers() - 1;
  return v;
}

void Network::add_weight(const Value& v, const ConstantPtr& values, Dims dims, const std::string& what,
                         bool trained) {
  if (count_elements(dims) != values->size()) {
    throw ImportError(
        fmt::format("{} of dims {} where {} are needed", what, to_text(values->dims()), to_text(dims)));
  }
  const auto key = std::make_pair(values.get(), dims);
  auto found = shared_.find(key);
  if (found == shared_.end()) {
    const std::string wanted = values->name().empty() ? at(v.layer).name + "/" + what : values->name();
    std::string name;
    for (const char c : wanted) name += static_cast<unsigned char>(c) <= ' ' || c == '"' ? '_' : c;
    const int number = weight_names_[name]++;
    if (number > 0) name += fmt::format("_{}", number + 1);
    weights_.push_back({name, values, std::move(dims), trained});
    found = shared_.emplace(key, static_cast<int>(weights_.size()) - 1).first;
  }
  at(v.layer).weights.push_back(found->second);
}

Value Network::known(Dims dims, std::vector<double> values, int type) {
  Value v;
  v.dims = dims;
  v.type = type;
  v.constant = std::make_shared<Constant>(type, std::move(dims), std::move(values));
  return v;
}

Value Network::known(Dims dims, std::vector<std::int64_t> values) {
  Value v;
  v.dims = dims;
  v.type = ::onnx::TensorProto::INT64;
  v.constant = std::make_shared<Constant>(v.type, std::move(dims), std::move(values));
  return v;
}

Value Network::of(ConstantPtr c) {
  Value v;
  v.dims = c->dims();
  v.type = c->type();
  v.constant = std::move(c);
  return v;
}

Value Network::iota(std::int64_t n, int axis, int rank) {
  Dims dims(static_cast<std::size_t>(rank), 1);
  dims[static_cast<std::size_t>(axis)] = n;
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < n; ++i) numbers.push_back(static_cast<double>(i));
  return known(dims, numbers, ::onnx::TensorProto::INT64);
}

Value Network::fill(double value, Dims dims, int type, bool batched) {
  const Value v = add("constant", {}, std::move(dims), batched, type);
  auto& p = *message(v).mutable_constant();
  p.set_value(value);
  for (const std::int64_t d : v.sample()) p.add_num_neurons(d);
  return v;
}

Value Network::materialize(const Value& v, bool trained) {
  if (v.layer >= 0) return v;
  if (v.constant == nullptr) throw ImportError("an input is missing");
  const auto found = materialized_.find(v.constant);
  if (found != materialized_.end()) return found->second;
  const bool trains = trained && is_real(v.type) && v.constant->size() > 1 && !v.constant->name().empty();
  double value = 0;
  Value made;
  for (const std::int64_t d : v.dims) {
    if (d == batch_extent) throw NeedsWholeBatch("the mini-batch's extent is part of a tensor");
    if (d == 0) throw ImportError("a tensor without elements, " + to_text(v.dims));
  }
  const bool uniform = !trains && v.constant->is_uniform(value);
  if (uniform && is_integer(v.type) && is_symbolic(v.constant->integers()[0])) {
    throw NeedsWholeBatch("the mini-batch's extent is computed with");
  }
  if (uniform) {
    made = fill(value, v.dims, v.type);
  } else {
    if (is_integer(v.type)) {
      for (const std::int64_t i : v.constant->integers()) {
        if (is_symbolic(i)) throw NeedsWholeBatch("the mini-batch's extent is computed with");
      }
    }
    made = add("weights", {}, v.dims, false, v.type);
    for (const std::int64_t d : made.sample()) message(made).mutable_weights_layer()->add_dims(d);
    add_weight(made, v.constant, made.sample(), "weights", trains);
  }
  materialized_.emplace(v.constant, made);
  return made;
}

}  // namespace lbann::onnx
