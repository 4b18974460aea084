// See graph_writer.hpp. Numbers are stored as raw little-endian bytes, the form all readers take fastest.
#include "onnx/graph_writer.hpp"

#include <bit>

namespace lbann::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "ONNX's raw data is little-endian");

template <class T>
void append_raw(std::string& bytes, T value) {
  const char* p = reinterpret_cast<const char*>(&value);
  bytes.append(p, sizeof value);
}

}  // namespace

std::string GraphWriter::unique_name(const std::string& wanted) {
  std::string name = wanted;
  while (!names_.insert(name).second) name += '_';
  return name;
}

std::string GraphWriter::add_floats(const std::string& wanted, const std::vector<std::int64_t>& dims,
                                    const std::vector<double>& values) {
  ::onnx::TensorProto& t = *graph_.add_initializer();
  t.set_name(unique_name(wanted));
  t.set_data_type(::onnx::TensorProto::FLOAT);
  for (const std::int64_t d : dims) t.add_dims(d);
  std::string& bytes = *t.mutable_raw_data();
  bytes.reserve(values.size() * sizeof(float));
  for (const double v : values) append_raw(bytes, static_cast<float>(v));
  weight_bytes_ += bytes.size();
  return t.name();
}

std::string GraphWriter::add_integers(const std::string& wanted, const std::vector<std::int64_t>& values) {
  ::onnx::TensorProto& t = *graph_.add_initializer();
  t.set_name(unique_name(wanted));
  t.set_data_type(::onnx::TensorProto::INT64);
  t.add_dims(static_cast<std::int64_t>(values.size()));
  for (const std::int64_t v : values) append_raw(*t.mutable_raw_data(), v);
  return t.name();
}

::onnx::NodeProto& GraphWriter::add_node(std::string_view op, const std::vector<std::string>& inputs,
                                         const std::string& output) {
  ::onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(std::string(op));
  node.set_name(output);
  for (const std::string& x : inputs) node.add_input(x);
  node.add_output(output);
  return node;
}

void set_attribute(::onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  ::onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(::onnx::AttributeProto::INT);
  a.set_i(value);
}

void set_attribute(::onnx::NodeProto& node, const std::string& name, double value) {
  ::onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(::onnx::AttributeProto::FLOAT);
  a.set_f(static_cast<float>(value));
}

void set_attribute(::onnx::NodeProto& node, const std::string& name,
                   const std::vector<std::int64_t>& values) {
  ::onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(::onnx::AttributeProto::INTS);
  for (const std::int64_t v : values) a.add_ints(v);
}

}  // namespace lbann::onnx
