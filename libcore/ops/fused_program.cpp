// Reader and writer of fused programs.
#include "ops/fused_program.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "ops/rules.hpp"
#include "ops/scalar_functions.hpp"

namespace lbann::ops {
namespace {

// A cursor over the text; every failure quotes the program.
class Reader {
public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return pos_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[pos_]; }
  bool take(char c) {
    if (peek() != c) return false;
    ++pos_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) complain(fmt::format("'{}' expected", c));
  }
  std::string word() {
    const std::size_t start = pos_;
    while (!at_end() && (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_')) ++pos_;
    if (pos_ == start) complain("name expected");
    return std::string(text_.substr(start, pos_ - start));
  }
  bool at_call() const {
    const std::size_t end = text_.find_first_of("(;", pos_);
    return end != std::string_view::npos && text_[end] == '(';
  }
  int number() {
    int value = 0;
    const auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), value);
    if (error != std::errc{} || value < 0) complain("index expected");
    pos_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  double real() {
    const bool negative = take('-');
    auto format = std::chars_format::general;
    if (text_.substr(pos_, 2) == "0x") {
      pos_ += 2;
      format = std::chars_format::hex;
    }
    double value = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + pos_, text_.data() + text_.size(), value, format);
    if (error != std::errc{}) complain("parameter expected");
    pos_ = static_cast<std::size_t>(end - text_.data());
    return negative ? -value : value;
  }
  [[noreturn]] void complain(const std::string& what) const {
    fail(fmt::format("fused program: {} at column {} of '{}'", what, pos_ + 1, text_));
  }

private:
  std::string_view text_;
  std::size_t pos_ = 0;
};

FusedOperand read_operand(Reader& r, FusedProgram& program) {
  FusedOperand operand;
  if (r.take('i')) {
    operand.index = r.number();
    program.num_inputs = std::max(program.num_inputs, operand.index + 1);
  } else {
    r.expect('t');
    operand.kind = FusedOperand::Kind::temporary;
    operand.index = r.number();
    if (operand.index >= static_cast<int>(program.instructions.size())) {
      r.complain(fmt::format("t{} used before it is defined", operand.index));
    }
  }
  return operand;
}

// What follows a function's name.
FusedInstruction read_call(Reader& r, FusedProgram& program, std::string fn) {
  FusedInstruction instruction;
  instruction.fn = std::move(fn);
  r.expect('(');
  do {
    instruction.operands.push_back(read_operand(r, program));
  } while (r.take(','));
  if (r.take('|')) {
    instruction.a = r.real();
    r.expect(',');
    instruction.b = r.real();
  }
  r.expect(')');
  const int arity = scalar_function(instruction.fn).arity;
  if (static_cast<int>(instruction.operands.size()) != arity) {
    r.complain(fmt::format("{} takes {} operands", instruction.fn, arity));
  }
  return instruction;
}

// The right side of an output: an operand, or a call, which then is the next temporary.
FusedOperand read_result(Reader& r, FusedProgram& program) {
  if (!r.at_call()) return read_operand(r, program);
  program.instructions.push_back(read_call(r, program, r.word()));
  return {FusedOperand::Kind::temporary, static_cast<int>(program.instructions.size()) - 1};
}

std::string to_text(const FusedOperand& operand) {
  return fmt::format("{}{}", operand.kind == FusedOperand::Kind::input ? 'i' : 't', operand.index);
}

bool is_positive_zero(double v) { return v == 0 && !std::signbit(v); }

}  // namespace

FusedProgram parse_fused_program(std::string_view text) {
  FusedProgram program;
  Reader r(text);
  do {
    if (r.take('o')) {
      if (r.number() != static_cast<int>(program.outputs.size())) r.complain("outputs out of order");
      r.expect('=');
      program.outputs.push_back(read_result(r, program));
      continue;
    }
    r.expect('t');
    if (r.number() != static_cast<int>(program.instructions.size())) r.complain("temporaries out of order");
    r.expect('=');
    program.instructions.push_back(read_call(r, program, r.word()));
  } while (r.take(';'));
  if (!r.at_end()) r.complain("';' expected");
  if (program.outputs.empty()) r.complain("no output");
  return program;
}

std::string print_fused_program(const FusedProgram& program) {
  std::string text;
  for (std::size_t k = 0; k < program.instructions.size(); ++k) {
    const FusedInstruction& instruction = program.instructions[k];
    text += fmt::format("t{}={}(", k, instruction.fn);
    for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
      if (i > 0) text += ',';
      text += to_text(instruction.operands[i]);
    }
    if (!is_positive_zero(instruction.a) || !is_positive_zero(instruction.b)) {
      text += fmt::format("|{},{}", instruction.a, instruction.b);  // shortest decimals that read back
    }
    text += ");";
  }
  for (std::size_t k = 0; k < program.outputs.size(); ++k) {
    if (k > 0) text += ';';
    text += fmt::format("o{}={}", k, to_text(program.outputs[k]));
  }
  return text;
}

}  // namespace lbann::ops
