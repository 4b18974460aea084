// See importer.hpp. Inputs, outputs and initializers are in importer_boundary.cpp.
#include "onnx/import/importer.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lbann::onnx {
namespace {

constexpr int max_depth = 32;  // of functions in functions and branches in branches

bool is_default(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

}  // namespace

bool try_add_bias(Op& op);

void Importer::report(const ::onnx::NodeProto& node, const std::string& reason, base::ExitCode code,
                      bool whole_batch) {
  std::string where = node.name().empty() ? "" : fmt::format(" '{}'", node.name());
  if (node.output_size() > 0) where += fmt::format(" -> '{}'", node.output(0));
  const std::string op = is_default(node.domain()) ? node.op_type() : node.domain() + "." + node.op_type();
  findings_.push_back({fmt::format("node{} ({}): {}", where, op, reason), code, whole_batch});
  for (const std::string& output : node.output()) broken_.insert(output);
}

std::int64_t Importer::opset_of(const std::string& domain) const {
  for (const auto& set : model_.opset_import()) {
    if (set.domain() == domain || (is_default(set.domain()) && is_default(domain))) return set.version();
  }
  return is_default(domain) ? 1 : 0;
}

Importer::Nodes Importer::order_nodes(const google::protobuf::RepeatedPtrField<::onnx::NodeProto>& nodes,
                                      const std::set<std::string>& wanted, const Scope& scope) {
  std::map<std::string, int> producer;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].output()) {
      if (output.empty()) continue;
      if (!producer.emplace(output, i).second || scope.count(output) > 0) {
        report(nodes[i], fmt::format("'{}' is produced twice", output), base::ExitCode::data);
      }
    }
  }
  // Depth first without recursion; 1: entered, 2: done.
  std::vector<char> state(static_cast<std::size_t>(nodes.size()), 0);
  std::vector<std::pair<int, int>> stack;  // node, next input
  Nodes order;
  const auto names_of = [&](int i) {
    std::vector<std::string> names(nodes[i].input().begin(), nodes[i].input().end());
    for (const auto& a : nodes[i].attribute()) {  // what subgraphs read from outside
      for (const auto& inner : a.g().node())
        names.insert(names.end(), inner.input().begin(), inner.input().end());
      for (const auto& output : a.g().output()) names.push_back(output.name());
    }
    return names;
  };
  for (const std::string& name : wanted) {
    const auto found = producer.find(name);
    if (found != producer.end()) stack.emplace_back(found->second, 0);
    while (!stack.empty()) {
      const auto [i, next] = stack.back();
      char& own = state[static_cast<std::size_t>(i)];
      if (own == 2) {
        stack.pop_back();
        continue;
      }
      own = 1;
      const std::vector<std::string> names = names_of(i);
      if (next == static_cast<int>(names.size())) {
        own = 2;
        order.push_back(&nodes[i]);
        stack.pop_back();
        continue;
      }
      ++stack.back().second;
      const auto from = producer.find(names[static_cast<std::size_t>(next)]);
      if (from == producer.end()) continue;
      if (state[static_cast<std::size_t>(from->second)] == 1) {
        report(nodes[i], fmt::format("its input '{}' depends on its own result: a cycle", from->first),
               base::ExitCode::data);
        continue;
      }
      if (state[static_cast<std::size_t>(from->second)] == 0) stack.emplace_back(from->second, 0);
    }
  }
  return order;
}

std::vector<Value> Importer::gather_inputs(const ::onnx::NodeProto& node, const Scope& scope, bool& broken) {
  std::vector<Value> values;
  for (const std::string& name : node.input()) {
    if (name.empty()) {
      values.emplace_back();
      continue;
    }
    const auto found = scope.find(name);
    if (found != scope.end()) {
      values.push_back(found->second);
      broken = broken || (!found->second.present() && broken_.count(name) > 0);
      if (!found->second.present() && broken_.count(name) == 0) {
        report(node, fmt::format("its input '{}' is an output that cannot be imported", name),
               base::ExitCode::check_failed);
        broken = true;
      }
      continue;
    }
    if (broken_.count(name) == 0) {
      report(node, fmt::format("its input '{}' is produced by no node, input or initializer", name),
             base::ExitCode::data);
    }
    broken = true;
  }
  return values;
}

void Importer::store_outputs(const ::onnx::NodeProto& node, const std::vector<Value>& values, int first_layer,
                             Scope& scope) {
  for (int i = 0; i < node.output_size(); ++i) {
    const std::string& name = node.output(i);
    if (name.empty()) continue;
    const Value& v = values[static_cast<std::size_t>(i)];
    if (v.layer >= 0) {
      NetworkLayer& layer = network_.at(v.layer);
      if (v.layer >= first_layer && !layer.final_name) {
        network_.rename(v.layer, name);
        layer.final_name = true;
      } else {
        layer.shared = true;
      }
    }
    scope[name] = v;
  }
}

void Importer::import_node(const ::onnx::NodeProto& node, Scope& scope, int depth) {
  bool broken = false;
  std::vector<Value> inputs = gather_inputs(node, scope, broken);
  if (broken) {
    for (const std::string& output : node.output()) broken_.insert(output);
    return;
  }
  ++num_nodes_;
  if (import_function(node, scope, depth)) return;
  if (is_default(node.domain()) && node.op_type() == "If") return import_if(node, scope, depth);
  const OpRow* row = is_default(node.domain()) ? try_op(node.op_type()) : nullptr;
  if (row == nullptr) {
    return report(node, "there is no layer or operator for it", base::ExitCode::check_failed);
  }
  const int first_layer = network_.num_layers();
  network_.set_prefix(!node.name().empty()     ? node.name()
                      : node.output_size() > 0 ? node.output(0)
                                               : node.op_type());
  Op op(node, opset_of(node.domain()), std::move(inputs), network_, folder_);
  bool done = false;
  if (node.op_type() == "Add" && op.num_inputs() == 2) {
    const bool sole = consumers_[node.input(0)] == 1 && consumers_[node.input(1)] == 1;
    done = sole && op.has(0) && op.has(1) && try_add_bias(op);
  }
  if (!done) row->import(op);
  for (std::size_t i = 0; i < op.num_outputs(); ++i) {
    if (op.wants(i) && !op.outputs()[i].present() && i == 0) refuse("its result is not known");
  }
  store_outputs(node, op.outputs(), done ? 0 : first_layer, scope);
}

void Importer::import_nodes(const Nodes& nodes, Scope& scope, int depth) {
  for (const ::onnx::NodeProto* node : nodes) {
    try {
      import_node(*node, scope, depth);
    } catch (const NeedsWholeBatch& e) {
      report(*node, e.what(), base::ExitCode::check_failed, true);
    } catch (const Malformed& e) {
      report(*node, e.what(), base::ExitCode::data);
    } catch (const ImportError& e) {
      report(*node, e.what(), base::ExitCode::check_failed);
    } catch (const base::Error& e) {
      report(*node, e.what(), e.code());
    } catch (const std::out_of_range&) {
      report(*node, "an axis or a list does not fit its input", base::ExitCode::data);
    }
  }
}

/// A branch that is known takes the place of the node.
void Importer::import_if(const ::onnx::NodeProto& node, Scope& scope, int depth) {
  if (depth >= max_depth) throw Malformed("branches nested too deeply");
  const Value& condition = scope.at(node.input(0));
  if (condition.constant == nullptr) refuse("a branch that the network chooses; a known condition is needed");
  const std::string wanted = condition.constant->reals().at(0) != 0 ? "then_branch" : "else_branch";
  for (const auto& a : node.attribute()) {
    if (a.name() != wanted) continue;
    Scope inner = scope;
    read_initializers(a.g(), inner);
    std::set<std::string> names;
    for (const auto& output : a.g().output()) names.insert(output.name());
    import_nodes(order_nodes(a.g().node(), names, scope), inner, depth + 1);
    for (int i = 0; i < node.output_size() && i < a.g().output_size(); ++i) {
      const auto found = inner.find(a.g().output(i).name());
      if (found == inner.end())
        return report(node, "its branch cannot be imported", base::ExitCode::check_failed);
      scope[node.output(i)] = found->second;
    }
    return;
  }
  throw Malformed("it has no " + wanted);
}

/// A function of the model itself: its nodes take the place of the call.
bool Importer::import_function(const ::onnx::NodeProto& node, Scope& scope, int depth) {
  const ::onnx::FunctionProto* function = nullptr;
  for (const auto& f : model_.functions()) {
    if (f.name() == node.op_type() && f.domain() == node.domain()) function = &f;
  }
  if (function == nullptr) return false;
  if (depth >= max_depth) throw Malformed("functions nested too deeply, or one that calls itself");
  Scope inner;
  for (int i = 0; i < function->input_size() && i < node.input_size(); ++i) {
    if (!node.input(i).empty()) inner[function->input(i)] = scope.at(node.input(i));
  }
  google::protobuf::RepeatedPtrField<::onnx::NodeProto> body = function->node();
  for (auto& n : body) {
    n.set_name(fmt::format("{}/{}", node.name().empty() ? node.op_type() : node.name(), n.name()));
    google::protobuf::RepeatedPtrField<::onnx::AttributeProto> kept;
    for (const auto& a : n.attribute()) {
      if (a.ref_attr_name().empty()) {
        *kept.Add() = a;
        continue;
      }
      for (const auto& given : node.attribute()) {
        if (given.name() != a.ref_attr_name()) continue;
        *kept.Add() = given;
        kept.rbegin()->set_name(a.name());
      }
    }
    n.mutable_attribute()->Swap(&kept);
  }
  const std::set<std::string> names(function->output().begin(), function->output().end());
  // Inlined nodes outlive the call: constants of theirs are read later.
  auto holder = std::make_unique<google::protobuf::RepeatedPtrField<::onnx::NodeProto>>();
  holder->Swap(&body);
  bodies_.push_back(std::move(holder));
  const std::set<std::string> broken_outside = std::move(broken_);
  broken_.clear();
  import_nodes(order_nodes(*bodies_.back(), names, inner), inner, depth + 1);
  const bool failed = !broken_.empty();
  broken_ = broken_outside;
  for (int i = 0; i < node.output_size() && i < function->output_size(); ++i) {
    const auto found = inner.find(function->output(i));
    if (failed || found == inner.end()) {
      broken_.insert(node.output(i));
    } else {
      scope[node.output(i)] = found->second;
    }
  }
  return true;
}

}  // namespace lbann::onnx
