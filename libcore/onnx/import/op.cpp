// See op.hpp.
#include "onnx/import/op.hpp"

#include <fmt/format.h>

namespace lbann::onnx {

using A = ::onnx::AttributeProto;

void refuse(const std::string& reason) { throw ImportError(reason); }

const Value& Op::in(std::size_t i) const {
  if (!has(i)) refuse(fmt::format("input {} is missing", i));
  return inputs_[i];
}

bool Op::all_constant() const {
  for (const Value& v : inputs_) {
    if (v.present() && v.constant == nullptr) return false;
  }
  return true;
}

const ConstantPtr& Op::constant(std::size_t i, std::string_view what) const {
  const Value& v = in(i);
  if (v.constant == nullptr)
    refuse(fmt::format("{} must be known when the model is imported, here the network computes it", what));
  return v.constant;
}

const std::vector<std::int64_t>& Op::ints(std::size_t i, std::string_view what) const {
  return constant(i, what)->integers();
}

const std::vector<double>& Op::reals(std::size_t i, std::string_view what) const {
  return constant(i, what)->reals();
}

double Op::scalar(std::size_t i, std::string_view what) const {
  const std::vector<double>& list = reals(i, what);
  if (list.size() != 1) refuse(fmt::format("{}: {} numbers where one is needed", what, list.size()));
  return list[0];
}

const A* Op::find(std::string_view name) const {
  for (const A& a : node_.attribute()) {
    if (a.name() == name) return &a;
  }
  return nullptr;
}

const A* Op::find(std::string_view name, ::onnx::AttributeProto_AttributeType type) const {
  const A* a = find(name);
  if (a != nullptr && a->type() != type) {
    throw Malformed(fmt::format("attribute '{}' is {}, must be {}", name,
                                ::onnx::AttributeProto_AttributeType_Name(a->type()),
                                ::onnx::AttributeProto_AttributeType_Name(type)));
  }
  return a;
}

std::int64_t Op::attr(std::string_view name, std::int64_t fallback) const {
  const A* a = find(name, ::onnx::AttributeProto_AttributeType_INT);
  return a == nullptr ? fallback : a->i();
}

double Op::attr_real(std::string_view name, double fallback) const {
  const A* a = find(name, ::onnx::AttributeProto_AttributeType_FLOAT);
  return a == nullptr ? fallback : static_cast<double>(a->f());
}

std::vector<std::int64_t> Op::attr_ints(std::string_view name) const {
  const A* a = find(name, ::onnx::AttributeProto_AttributeType_INTS);
  return a == nullptr ? std::vector<std::int64_t>{}
                      : std::vector<std::int64_t>(a->ints().begin(), a->ints().end());
}

std::vector<double> Op::attr_reals(std::string_view name) const {
  const A* a = find(name, ::onnx::AttributeProto_AttributeType_FLOATS);
  return a == nullptr ? std::vector<double>{} : std::vector<double>(a->floats().begin(), a->floats().end());
}

std::string Op::attr_text(std::string_view name, std::string_view fallback) const {
  const A* a = find(name, ::onnx::AttributeProto_AttributeType_STRING);
  return a == nullptr ? std::string(fallback) : a->s();
}

const ::onnx::TensorProto* Op::attr_tensor(std::string_view name) const {
  const A* a = find(name, ::onnx::AttributeProto_AttributeType_TENSOR);
  return a == nullptr ? nullptr : &a->t();
}

int Op::axis(std::string_view name, std::int64_t fallback, int rank) const {
  return Network::wrap(attr(name, fallback), rank);
}

std::vector<std::int64_t> Op::axes(std::string_view name, std::size_t i) const {
  if (has_attr(name)) return attr_ints(name);
  return has(i) ? ints(i, "the axes") : std::vector<std::int64_t>{};
}

void Op::out(std::size_t i, Value v) {
  if (i < outputs_.size()) outputs_[i] = std::move(v);
}

}  // namespace lbann::onnx
