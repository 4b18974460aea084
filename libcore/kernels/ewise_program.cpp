// Parser of fused elementwise programs.
#include "kernels/ewise_program.hpp"

#include <charconv>
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::kernels {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view what) {
  throw base::Error(base::ExitCode::internal, fmt::format("elementwise program '{}': {}", text, what));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(trim(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// Independent of the locale, unlike strtod. std::from_chars wants hex floats without their 0x.
double parse_real(std::string_view program, std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  auto format = std::chars_format::general;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    rest.remove_prefix(2);
    format = std::chars_format::hex;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, format);
  if (error != std::errc{} || end != rest.data() + rest.size()) {
    refuse(program, fmt::format("'{}' is no number", text));
  }
  return negative ? -value : value;
}

int parse_index(std::string_view program, std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    refuse(program, fmt::format("'{}' is no operand", text));
  }
  return value;
}

class Parser {
public:
  explicit Parser(std::string_view text) : text_(text) {}

  EwiseProgram parse() {
    for (std::string_view statement : split(text_, ';')) {
      if (!statement.empty()) parse_statement(statement);
    }
    for (const auto& [index, operand] : outputs_) {
      if (index != static_cast<int>(program_.outputs.size())) refuse(text_, "outputs are not o0, o1, ...");
      program_.outputs.push_back(operand);
    }
    if (program_.outputs.empty()) refuse(text_, "no output");
    return std::move(program_);
  }

private:
  void parse_statement(std::string_view statement) {
    const std::size_t equals = statement.find('=');
    if (equals == std::string_view::npos) refuse(text_, fmt::format("no '=' in '{}'", statement));
    const std::string_view target = trim(statement.substr(0, equals));
    const EwiseOperand value = parse_expression(trim(statement.substr(equals + 1)));
    if (target.empty()) refuse(text_, "no target");
    const int index = parse_index(text_, target);
    auto* map = target.front() == 't' ? &temporaries_ : target.front() == 'o' ? &outputs_ : nullptr;
    if (map == nullptr || !map->emplace(index, value).second) {
      refuse(text_, fmt::format("'{}' cannot be assigned", target));
    }
  }

  EwiseOperand parse_expression(std::string_view text) {
    const std::size_t open = text.find('(');
    if (open == std::string_view::npos) return parse_operand(text);
    if (text.back() != ')') refuse(text_, fmt::format("no ')' in '{}'", text));
    EwiseInstruction i;
    i.fn = scalar_id(trim(text.substr(0, open)));
    i.arity = shared::scalar_names[static_cast<int>(i.fn)].arity;
    std::string_view inside = text.substr(open + 1, text.size() - open - 2);
    if (const std::size_t bar = inside.find('|'); bar != std::string_view::npos) {
      const auto parameters = split(inside.substr(bar + 1), ',');
      if (parameters.size() > 2) refuse(text_, "more than two parameters");
      i.a = parse_real(text_, parameters[0]);
      if (parameters.size() > 1) i.b = parse_real(text_, parameters[1]);
      inside = inside.substr(0, bar);
    }
    const auto operands = split(inside, ',');
    if (static_cast<int>(operands.size()) != i.arity) {
      refuse(text_, fmt::format("{} operands where {} are due in '{}'", operands.size(), i.arity, text));
    }
    for (std::size_t k = 0; k < operands.size(); ++k) i.args[k] = parse_operand(operands[k]);
    program_.instructions.push_back(i);
    return {EwiseOperand::Kind::temporary, static_cast<int>(program_.instructions.size()) - 1};
  }

  EwiseOperand parse_operand(std::string_view text) {
    if (text.size() < 2 || (text.front() != 'i' && text.front() != 't')) {
      refuse(text_, fmt::format("'{}' is no operand", text));
    }
    const int index = parse_index(text_, text);
    if (text.front() == 'i') return {EwiseOperand::Kind::input, index};
    const auto it = temporaries_.find(index);
    if (it == temporaries_.end()) refuse(text_, fmt::format("'{}' is used before it is assigned", text));
    return it->second;
  }

  std::string_view text_;
  EwiseProgram program_;
  std::map<int, EwiseOperand> temporaries_;
  std::map<int, EwiseOperand> outputs_;
};

}  // namespace

shared::ScalarId scalar_id(std::string_view name) {
  for (int i = 0; i < shared::num_scalar_functions; ++i) {
    if (name == shared::scalar_names[i].name) return static_cast<shared::ScalarId>(i);
  }
  throw base::Error(base::ExitCode::internal, fmt::format("no scalar function '{}'", name));
}

EwiseProgram parse_ewise_program(std::string_view text) { return Parser(text).parse(); }

EwiseProgram ewise_program_of(const graph::Node& node) {
  if (node.op == "fused_ewise") return parse_ewise_program(node.attrs.get_text("program"));
  EwiseInstruction i;
  i.fn = scalar_id(node.attrs.get_text("fn"));
  i.arity = shared::scalar_names[static_cast<int>(i.fn)].arity;
  for (int k = 0; k < i.arity; ++k) i.args[k] = {EwiseOperand::Kind::input, k};
  i.a = node.attrs.get_real("a", 0);
  i.b = node.attrs.get_real("b", 0);
  EwiseProgram program;
  program.instructions.push_back(i);
  program.outputs.push_back({EwiseOperand::Kind::temporary, 0});
  return program;
}

}  // namespace lbann::kernels
