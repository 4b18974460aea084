// See fold.hpp.
#include "onnx/import/fold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "onnx/import/network.hpp"

namespace lbann::onnx {
namespace {

using T = ::onnx::TensorProto;
using Reals = std::vector<double>;
using Ints = std::vector<std::int64_t>;

std::string name_of(const Constant& a, const Constant& b) { return a.name().empty() ? b.name() : a.name(); }

ConstantPtr make(int type, Dims dims, Reals values, std::string name) {
  if (type == T::FLOAT) {
    for (double& v : values) v = static_cast<double>(static_cast<float>(v));
  }
  auto c = std::make_shared<Constant>(type, std::move(dims), std::move(values));
  c->set_name(std::move(name));
  return c;
}

ConstantPtr make(int type, Dims dims, Ints values, std::string name) {
  auto c = std::make_shared<Constant>(type, std::move(dims), std::move(values));
  c->set_name(std::move(name));
  return c;
}

struct UnaryRow {
  std::string_view name;
  double (*real)(double);
  std::int64_t (*integer)(std::int64_t) = nullptr;
};

const UnaryRow unary_rows[] = {
    {"Abs", [](double v) { return std::abs(v); }, [](std::int64_t v) { return v < 0 ? -v : v; }},
    {"Negative", [](double v) { return -v; }, [](std::int64_t v) { return -v; }},
    {"Floor", [](double v) { return std::floor(v); }, [](std::int64_t v) { return v; }},
    {"Ceil", [](double v) { return std::ceil(v); }, [](std::int64_t v) { return v; }},
    {"Round", [](double v) { return std::round(v); }, [](std::int64_t v) { return v; }},
    {"Sign", [](double v) { return static_cast<double>((v > 0) - (v < 0)); },
     [](std::int64_t v) { return std::int64_t{v > 0} - std::int64_t{v < 0}; }},
    {"LogicalNot", [](double v) { return v == 0 ? 1.0 : 0.0; },
     [](std::int64_t v) { return std::int64_t{v == 0}; }},
    {"Square", [](double v) { return v * v; }},
    {"Sqrt", [](double v) { return std::sqrt(v); }},
    {"Exp", [](double v) { return std::exp(v); }},
    {"Log", [](double v) { return std::log(v); }},
    {"Reciprocal", [](double v) { return 1 / v; }},
    {"Sin", [](double v) { return std::sin(v); }},
    {"Cos", [](double v) { return std::cos(v); }},
    {"Tanh", [](double v) { return std::tanh(v); }},
    {"Erf", [](double v) { return std::erf(v); }},
};

bool is_comparison(std::string_view op) {
  return op.starts_with("Less") || op.starts_with("Greater") || op == "Equal" || op == "NotEqual" ||
         op.starts_with("Logical");
}

template <class N>
bool compute(std::string_view op, N a, N b, N& out) {
  if (op == "Add") {
    out = a + b;
  } else if (op == "Subtract") {
    out = a - b;
  } else if (op == "Multiply") {
    out = a * b;
  } else if (op == "Max") {
    out = a > b ? a : b;
  } else if (op == "Min") {
    out = a < b ? a : b;
  } else if (op == "Equal") {
    out = a == b;
  } else if (op == "NotEqual") {
    out = a != b;
  } else if (op == "Less") {
    out = a < b;
  } else if (op == "LessEqual") {
    out = a <= b;
  } else if (op == "Greater") {
    out = a > b;
  } else if (op == "GreaterEqual") {
    out = a >= b;
  } else if (op == "LogicalAnd") {
    out = a != 0 && b != 0;
  } else if (op == "LogicalOr") {
    out = a != 0 || b != 0;
  } else if (op == "LogicalXor") {
    out = (a != 0) != (b != 0);
  } else {
    return false;
  }
  return true;
}

bool compute_one(std::string_view op, double a, double b, double& out) {
  if (op == "Divide") {
    out = a / b;
  } else if (op == "Pow") {
    out = std::pow(a, b);
  } else if (op == "Mod") {
    out = std::fmod(a, b);
  } else {
    return compute(op, a, b, out);
  }
  return true;
}

bool compute_one(std::string_view op, std::int64_t a, std::int64_t b, std::int64_t& out) {
  std::int64_t check = 0;
  if (op == "Divide" || op == "Mod") {
    if (b == 0 || (b == -1 && a == std::numeric_limits<std::int64_t>::min()))
      throw ImportError("a division by 0");
    if (op == "Divide" && is_symbolic(a) && !is_symbolic(b) && a % b != 0) {
      throw NeedsWholeBatch("the mini-batch's extent is divided");
    }
    out = op == "Divide" ? a / b : a % b;
    return true;
  }
  const bool overflows = (op == "Add" && __builtin_add_overflow(a, b, &check)) ||
                         (op == "Subtract" && __builtin_sub_overflow(a, b, &check)) ||
                         (op == "Multiply" && __builtin_mul_overflow(a, b, &check));
  if (overflows) throw NeedsWholeBatch("numbers beyond 64 bits, or a square of the mini-batch's extent");
  if (op == "Pow") return false;
  return compute(op, a, b, out);
}

/// Walks the indices of `dims` in C order.
template <class Visit>
void for_each_index(const Dims& dims, Visit visit) {
  const std::int64_t n = count_elements(dims);
  Dims index(dims.size(), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    visit(i, index);
    for (std::size_t d = dims.size(); d-- > 0;) {
      if (++index[d] < dims[d]) break;
      index[d] = 0;
    }
  }
}

/// Position of a broadcast operand's entry.
std::int64_t position(const Dims& index, const Dims& dims, const Dims& strides) {
  std::int64_t at = 0;
  const std::size_t skip = index.size() - dims.size();
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (dims[d] != 1) at += index[d + skip] * strides[d];
  }
  return at;
}

template <class N>
bool combine(std::string_view op, const Constant& a, const Constant& b, const std::vector<N>& x,
             const std::vector<N>& y, const Dims& dims, std::vector<N>& out) {
  const Dims sa = strides_of(a.dims()), sb = strides_of(b.dims());
  out.resize(static_cast<std::size_t>(count_elements(dims)));
  bool known = true;
  for_each_index(dims, [&](std::int64_t i, const Dims& index) {
    if (!known) return;
    const auto p = static_cast<std::size_t>(position(index, a.dims(), sa)),
               q = static_cast<std::size_t>(position(index, b.dims(), sb));
    known = compute_one(op, x[p], y[q], out[static_cast<std::size_t>(i)]);
  });
  return known;
}

}  // namespace

Dims strides_of(const Dims& dims) {
  Dims s(dims.size(), 1);
  for (std::size_t d = dims.size(); d-- > 1;) s[d - 1] = s[d] * std::max<std::int64_t>(1, dims[d]);
  return s;
}

ConstantPtr fold_unary(std::string_view op, const Constant& x) {
  if (x.size() > max_folded) return nullptr;
  for (const UnaryRow& row : unary_rows) {
    if (row.name != op) continue;
    if (is_integer(x.type()) && row.integer != nullptr) {
      Ints out = x.integers();
      for (std::int64_t& v : out) v = row.integer(v);
      return make(x.type(), x.dims(), std::move(out), x.name());
    }
    Reals out = x.reals();
    for (double& v : out) v = row.real(v);
    return make(x.type(), x.dims(), std::move(out), x.name());
  }
  return nullptr;
}

ConstantPtr fold_binary(std::string_view op, const Constant& a, const Constant& b) {
  const Dims dims = broadcast(a.dims(), b.dims());
  if (count_elements(dims) > max_folded) return nullptr;
  const bool truth = is_comparison(op);
  const std::string name = name_of(a, b);
  if (is_integer(a.type()) && is_integer(b.type())) {
    Ints out;
    if (combine(op, a, b, a.integers(), b.integers(), dims, out)) {
      return make(truth ? int{T::BOOL} : a.type(), dims, std::move(out), truth ? "" : name);
    }
  }
  Reals out;
  if (!combine(op, a, b, a.reals(), b.reals(), dims, out)) return nullptr;
  if (truth) return make(T::BOOL, dims, std::move(out), "");
  return make(a.type(), dims, std::move(out), name);
}

ConstantPtr fold_select(const Constant& condition, const Constant& a, const Constant& b) {
  const Dims dims = broadcast(broadcast(condition.dims(), a.dims()), b.dims());
  if (count_elements(dims) > max_folded) return nullptr;
  const Dims sc = strides_of(condition.dims()), sa = strides_of(a.dims()), sb = strides_of(b.dims());
  const auto choose = [&](const auto& x, const auto& y) {
    auto out = x;
    out.resize(static_cast<std::size_t>(count_elements(dims)));
    for_each_index(dims, [&](std::int64_t i, const Dims& index) {
      const bool yes =
          condition.reals()[static_cast<std::size_t>(position(index, condition.dims(), sc))] != 0;
      out[static_cast<std::size_t>(i)] = yes ? x[static_cast<std::size_t>(position(index, a.dims(), sa))]
                                             : y[static_cast<std::size_t>(position(index, b.dims(), sb))];
    });
    return out;
  };
  if (is_integer(a.type())) return make(a.type(), dims, choose(a.integers(), b.integers()), "");
  return make(a.type(), dims, choose(a.reals(), b.reals()), "");
}

ConstantPtr fold_reduce(std::string_view mode, const Constant& x, const std::vector<int>& axes) {
  if (x.size() > max_folded || x.size() == 0) return nullptr;
  Dims dims = x.dims();
  for (const int a : axes) dims[static_cast<std::size_t>(a)] = 1;
  const Dims strides = strides_of(dims);
  const auto run = [&](const auto& in) {
    auto out = in;
    out.assign(static_cast<std::size_t>(count_elements(dims)), 0);
    std::vector<char> seen(out.size(), 0);
    for_each_index(x.dims(), [&](std::int64_t i, const Dims& index) {
      const auto at = static_cast<std::size_t>(position(index, dims, strides));
      const auto v = in[static_cast<std::size_t>(i)];
      auto& y = out[at];
      if (!seen[at]) {
        y = v;
      } else if (mode == "sum" || mode == "mean") {
        y += v;
      } else if (mode == "product") {
        y *= v;
      } else {
        y = mode == "max" ? std::max(y, v) : std::min(y, v);
      }
      seen[at] = 1;
    });
    return out;
  };
  if (is_integer(x.type()) && mode != "mean") {
    if (mode == "product") {
      // A product with the mini-batch's extent may leave 64 bits.
      double size = 1;
      for (const double v : x.reals()) size *= std::max(1.0, std::abs(v));
      if (size > 4e18) throw NeedsWholeBatch("a product with the mini-batch's extent");
    }
    return make(x.type(), dims, run(x.integers()), x.name());
  }
  Reals out = run(x.reals());
  if (mode == "mean") {
    for (double& v : out) v *= static_cast<double>(out.size()) / static_cast<double>(x.size());
  }
  return make(x.type(), dims, std::move(out), x.name());
}

ConstantPtr fold_cast(const Constant& x, int type) {
  if (x.size() > max_folded) return nullptr;
  if (type == T::BOOL) {
    Ints out;
    for (const double v : x.reals()) out.push_back(v != 0);
    return make(type, x.dims(), std::move(out), "");
  }
  if (is_integer(type)) {
    if (is_integer(x.type())) return make(type, x.dims(), x.integers(), "");
    Ints out;
    for (const double v : x.reals()) {
      if (!(std::abs(v) < 9e18)) throw ImportError(fmt::format("{} as an integer", v));
      out.push_back(static_cast<std::int64_t>(v));
    }
    return make(type, x.dims(), std::move(out), "");
  }
  return make(type, x.dims(), x.reals(), x.name());
}

ConstantPtr fold_move(const Constant& x, Dims dims,
                      const std::function<std::int64_t(const Dims& index)>& source) {
  const std::int64_t n = count_elements(dims);
  if (x.size() > max_folded || n > max_folded) return nullptr;
  const auto run = [&](const auto& in) {
    auto out = in;
    out.resize(static_cast<std::size_t>(n));
    for_each_index(dims, [&](std::int64_t i, const Dims& index) {
      out[static_cast<std::size_t>(i)] = in[static_cast<std::size_t>(source(index))];
    });
    return out;
  };
  if (is_integer(x.type())) return make(x.type(), dims, run(x.integers()), x.name());
  return make(x.type(), dims, run(x.reals()), x.name());
}

ConstantPtr fold_concat(const std::vector<ConstantPtr>& parts, int axis) {
  const auto at = static_cast<std::size_t>(axis);
  Dims dims = parts[0]->dims();
  dims.at(at) = 0;
  for (const ConstantPtr& p : parts) {
    Dims rest = p->dims();
    if (rest.size() != dims.size()) throw ImportError("tensors with different numbers of dims are joined");
    dims[at] += rest[at];
  }
  if (count_elements(dims) > max_folded) return nullptr;
  Reals reals;
  Ints ints;
  const std::int64_t before = count_elements(Dims(dims.begin(), dims.begin() + axis));
  const bool integer = is_integer(parts[0]->type());
  for (std::int64_t i = 0; i < before; ++i) {
    for (const ConstantPtr& p : parts) {
      Dims same = p->dims();
      same[at] = dims[at];
      if (same != dims)
        throw ImportError(fmt::format("{} and {} are joined", to_text(p->dims()), to_text(dims)));
      const std::int64_t piece = p->size() / before;
      if (integer) {
        ints.insert(ints.end(), p->integers().begin() + i * piece, p->integers().begin() + (i + 1) * piece);
      } else {
        reals.insert(reals.end(), p->reals().begin() + i * piece, p->reals().begin() + (i + 1) * piece);
      }
    }
  }
  if (integer) return make(parts[0]->type(), dims, std::move(ints), "");
  return make(parts[0]->type(), dims, std::move(reals), parts[0]->name());
}

ConstantPtr fold_reshape(const ConstantPtr& x, Dims dims) {
  if (count_elements(dims) != x->size()) {
    throw ImportError(fmt::format("{} cannot become {}", to_text(x->dims()), to_text(dims)));
  }
  return x->reshaped(std::move(dims));
}

}  // namespace lbann::onnx
