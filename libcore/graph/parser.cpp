// Parser of graph dumps: one cursor per line, no look-ahead beyond a character.
#include "graph/parser.hpp"

#include <bit>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace lbann::graph {
namespace {

class Line {
public:
  Line(std::string_view text, std::string_view source, int number)
    : text_(text), source_(source), number_(number) {}

  [[noreturn]] void complain(const std::string& what) const {
    throw base::Error(base::ExitCode::config, fmt::format("{}:{}:{}: {}", source_, number_, pos_ + 1, what));
  }
  int number() const { return number_; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++pos_;
  }
  bool at_end() const { return pos_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[pos_]; }
  bool take(std::string_view token) {
    if (text_.substr(pos_, token.size()) != token) return false;
    pos_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) complain(fmt::format("'{}' expected", token));
  }
  /// Up to a blank or one of `stops`.
  std::string_view word(std::string_view stops = {}) {
    const std::size_t start = pos_;
    while (!at_end() && peek() != ' ' && peek() != '\t' && stops.find(peek()) == std::string_view::npos)
      ++pos_;
    if (pos_ == start) complain("word expected");
    return text_.substr(start, pos_ - start);
  }
  template <typename T>
  T integer() {
    T value = 0;
    const auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) complain("number out of range");
    if (error != std::errc{}) complain("integer expected");
    pos_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  std::string quoted() {
    expect("\"");
    std::string result;
    while (!take("\"")) {
      if (at_end()) complain("closing '\"' missing");
      char c = text_[pos_++];
      if (c == '\\') c = escaped();
      result += c;
    }
    return result;
  }
  std::string word_or_quoted() { return peek() == '"' ? quoted() : std::string(word()); }
  template <typename T>
  std::vector<T> integers() {
    std::vector<T> list;
    expect("[");
    if (take("]")) return list;
    do {
      skip_blanks();
      list.push_back(integer<T>());
      skip_blanks();
    } while (take(","));
    expect("]");
    return list;
  }

private:
  char escaped() {
    if (at_end()) complain("closing '\"' missing");
    const char c = text_[pos_++];
    if (c != 'x') return c;
    unsigned byte = 0;
    const char* first = text_.data() + pos_;
    const char* last = first + std::min<std::size_t>(2, text_.size() - pos_);
    const auto [end, error] = std::from_chars(first, last, byte, 16);
    if (error != std::errc{} || end != first + 2) complain("two hexadecimal digits expected after '\\x'");
    pos_ += 2;
    return static_cast<char>(byte);
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t pos_ = 0;
  int number_;
};

class Parser {
public:
  Parser(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Graph parse() {
    int number = 0;
    bool headed = false;
    for (std::size_t pos = 0; pos < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', pos), text_.size());
      Line line(text_.substr(pos, end - pos), source_, ++number);
      pos = end + 1;
      line.skip_blanks();
      if (line.at_end() || line.peek() == ';') continue;
      if (!headed) {
        line.expect("graph ");
        g_.name = line.quoted();
        headed = true;
      } else {
        parse_line(line);
      }
      line.skip_blanks();
      if (!line.at_end()) line.complain("unexpected text at the end of the line");
    }
    if (!headed) Line("", source_, number + 1).complain("'graph' expected");
    check_uses();
    resolve_origins();
    return std::move(g_);
  }

private:
  void parse_line(Line& line) {
    if (line.take("origin ")) return parse_origin(line);
    if (line.take("output ")) {
      Output o;
      o.name = line.quoted();
      line.skip_blanks();
      o.value = parse_use(line);
      g_.outputs.push_back(std::move(o));
    } else if (line.take("assign ")) {
      Assignment a;
      a.target = parse_use(line);
      line.skip_blanks();
      line.expect("<-");
      line.skip_blanks();
      a.value = parse_use(line);
      g_.assignments.push_back(a);
    } else {
      parse_node(line);
    }
  }

  void parse_origin(Line& line) {
    const std::size_t index = line.integer<std::size_t>();
    if (index > g_.origins.size() || (index < g_.origins.size() && index > 0))
      line.complain("origins out of order");
    if (index == g_.origins.size()) g_.origins.emplace_back();
    Origin& o = g_.origins[index];
    o = {};
    line.skip_blanks();
    o.layer = line.quoted();
    line.skip_blanks();
    line.expect("kind=");
    o.kind = line.quoted();
    line.skip_blanks();
    if (!line.take("at=")) return;
    o.span.file = line.quoted();
    line.expect(":");
    o.span.line = line.integer<int>();
    line.expect(":");
    o.span.column = line.integer<int>();
    line.expect("-");
    o.span.end_line = line.integer<int>();
    line.expect(":");
    o.span.end_column = line.integer<int>();
  }

  ValueId parse_id(Line& line) {
    line.expect("%");
    const ValueId id = line.integer<ValueId>();
    // Holes in the numbering are left by dead nodes; a dump has no more of them than characters.
    if (id < 0 || static_cast<std::size_t>(id) >= text_.size())
      line.complain(fmt::format("value id {} out of range", id));
    return id;
  }

  ValueId parse_use(Line& line) {
    const ValueId id = parse_id(line);
    uses_.emplace(id, line.number());
    return id;
  }

  // The tensor room's readers know no lines.
  template <typename Read>
  auto parse_with(const Line& line, std::string_view text, Read read) {
    try {
      return read(text);
    } catch (const base::Error& e) {
      line.complain(e.what());
    }
  }

  ValueId parse_definition(Line& line, NodeId producer, int output) {
    const ValueId id = parse_id(line);
    if (static_cast<std::size_t>(id) >= g_.values.size()) g_.values.resize(static_cast<std::size_t>(id) + 1);
    Value& v = g_.value(id);
    if (v.producer != none) line.complain(fmt::format("value %{} is defined twice", id));
    v.producer = producer;
    v.output = output;
    line.expect(":");
    const std::string_view type = line.word("[");
    const auto parsed = tensor::try_parse_data_type(type);
    if (!parsed) line.complain(fmt::format("unknown type '{}'", type));
    v.spec.type = *parsed;
    v.spec.shape = tensor::Shape(line.integers<std::int64_t>());
    if (line.take("@")) v.spec.placement = parse_with(line, line.word(":"), tensor::parse_placement);
    line.expect(":");
    const std::string_view tag = line.word(":,");
    if (tag != "-") v.layout = parse_with(line, tag, tensor::Layout::from_tag);
    if (line.take(":")) v.name = line.quoted();
    return id;
  }

  void parse_node(Line& line) {
    const NodeId id = static_cast<NodeId>(g_.nodes.size());
    Node n;
    while (line.peek() == '%') {
      n.outputs.push_back(parse_definition(line, id, static_cast<int>(n.outputs.size())));
      if (line.take(",")) line.skip_blanks();
    }
    line.skip_blanks();
    line.expect("=");
    line.skip_blanks();
    n.op = std::string(line.word(",{"));
    line.skip_blanks();
    while (line.peek() == '%') {
      n.inputs.push_back(parse_use(line));
      if (line.take(",")) line.skip_blanks();
    }
    line.skip_blanks();
    if (line.take("{")) parse_attrs(line, n.attrs);
    line.skip_blanks();
    while (!line.at_end()) {
      parse_field(line, n);
      line.skip_blanks();
    }
    g_.nodes.push_back(std::move(n));
    g_.order.push_back(id);
  }

  void parse_attrs(Line& line, Attrs& attrs) {
    do {
      line.skip_blanks();
      const std::string name(line.word("="));
      line.expect("=");
      if (attrs.has(name)) line.complain(fmt::format("attribute '{}' stands twice", name));
      attrs.set(name, parse_attr(line));
      line.skip_blanks();
    } while (line.take(","));
    line.expect("}");
  }

  AttrValue parse_attr(Line& line) {
    if (line.peek() == '"') return line.quoted();
    if (line.peek() == '[') return line.integers<std::int64_t>();
    const std::string_view text = line.word(",}");
    const char* first = text.data();
    const char* last = first + text.size();
    if (text.find_first_not_of("-0123456789") == std::string_view::npos) {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(first, last, value);
      if (error == std::errc{} && end == last) return value;
    } else if (text.substr(0, 4) == "nan:") {
      std::uint64_t bits = 0;
      const auto [end, error] = std::from_chars(first + 4, last, bits, 16);
      if (error == std::errc{} && end == last) return std::bit_cast<double>(bits);
    } else {
      double value = 0;
      const auto [end, error] = std::from_chars(first, last, value);
      if (error == std::errc{} && end == last) return value;
    }
    line.complain(fmt::format("malformed number '{}'", text));
  }

  void parse_field(Line& line, Node& n) {
    const std::string_view name = line.word("=<");
    if (name == "scratch") {
      n.scratch_exact = !line.take("<");
      line.expect("=");
      n.scratch_bytes = line.integer<std::int64_t>();
      return;
    }
    line.expect("=");
    if (name == "phase") {
      const std::string_view phase = line.word();
      if (phase != "forward" && phase != "backward" && phase != "update") {
        line.complain(fmt::format("unknown phase '{}'", phase));
      }
      n.phase = phase == "forward" ? Phase::forward : phase == "backward" ? Phase::backward : Phase::update;
    } else if (name == "origin") {
      origin_uses_.push_back({static_cast<NodeId>(g_.nodes.size()), line, line.peek() == '#', {}});
      origin_uses_.back().name = line.word_or_quoted();
    } else if (name == "kernel") {
      n.kernel = line.word_or_quoted();
    } else if (name == "alias") {
      n.may_alias = line.integers<int>();
    } else {
      line.complain(fmt::format("unknown field '{}'", name));
    }
  }

  void check_uses() const {
    for (const auto& [id, number] : uses_) {
      const bool defined = static_cast<std::size_t>(id) < g_.values.size() && g_.value(id).producer != none;
      if (!defined) Line("", source_, number).complain(fmt::format("value %{} is not defined", id));
    }
  }

  // Nodes may stand before their origin's line.
  void resolve_origins() {
    std::map<std::string, int> index;
    for (std::size_t i = 0; i < g_.origins.size(); ++i)
      index.emplace(g_.origins[i].layer, static_cast<int>(i));
    for (const OriginUse& use : origin_uses_) {
      int& origin = g_.node(use.node).origin;
      if (use.by_index) {
        const std::string_view digits = std::string_view(use.name).substr(1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), origin);
        const bool whole = error == std::errc{} && end == digits.data() + digits.size();
        if (whole && origin >= 0 && static_cast<std::size_t>(origin) < g_.origins.size()) continue;
      } else if (const auto it = index.find(use.name); it != index.end()) {
        origin = it->second;
        continue;
      }
      use.line.complain(fmt::format("unknown origin '{}'", use.name));
    }
  }

  struct OriginUse {
    NodeId node;
    Line line;
    bool by_index;
    std::string name;
  };

  std::string_view text_;
  std::string_view source_;
  Graph g_;
  std::map<ValueId, int> uses_;  // first line that uses a value
  std::vector<OriginUse> origin_uses_;
};

}  // namespace

Graph parse_graph(std::string_view text, std::string_view source) { return Parser(text, source).parse(); }

}  // namespace lbann::graph
