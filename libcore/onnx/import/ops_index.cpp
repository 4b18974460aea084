// ONNX operators about positions: Gather and its kin, OneHot, ArgMax, TopK, CumSum.
#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

using Ints = std::vector<std::int64_t>;

std::size_t at_index(int i) { return static_cast<std::size_t>(i); }

/// Negative indices count from the end.
Value wrapped(Network& n, const Value& index, std::int64_t extent) {
  const Value below = n.with_constant("LessConstant", index, 0);
  return n.binary("Add", index, n.with_constant("Scale", below, static_cast<double>(extent)));
}

/// Rows of a parameter table by computed indices: an embedding.
void import_embedding(Op& op) {
  Network& n = op.net();
  const Value& index = op.in(1);
  const std::int64_t rows = op.in(0).dims[0], width = op.in(0).dims[1];
  Dims dims = index.dims;
  dims.push_back(width);
  const Value y = n.add("embedding", {index}, dims, index.batched, op.in(0).type);
  n.message(y).mutable_embedding()->set_num_embeddings(rows);
  n.message(y).mutable_embedding()->set_embedding_dim(width);
  n.add_weight(y, op.in(0).constant, {rows, width}, "table", is_real(op.in(0).type));
  // [1] for a single index without dims: the layer's own dims have one more.
  Dims made = index.sample();
  made.push_back(width);
  if (made == y.sample()) return op.out(y);
  Value exact = y;
  exact.dims = index.batched ? Dims{batch_extent} : Dims{};
  exact.dims.insert(exact.dims.end(), made.begin(), made.end());
  op.out(n.reshape(exact, dims));
}

void gather_known(Op& op, int axis) {
  Network& n = op.net();
  const Value& x = op.in(0);
  const std::int64_t extent = x.dims[at_index(axis)];
  Ints list = op.in(1).constant->integers();
  if (extent == batch_extent) throw NeedsWholeBatch("entries are chosen along the mini-batch");
  for (std::int64_t& i : list) i = i < 0 ? i + extent : i;
  const Value y = n.take(x, axis, list);
  Dims dims(x.dims.begin(), x.dims.begin() + axis);
  dims.insert(dims.end(), op.in(1).dims.begin(), op.in(1).dims.end());
  dims.insert(dims.end(), x.dims.begin() + axis + 1, x.dims.end());
  op.out(n.reshape(y, dims));
}

void import_gather(Op& op) {
  Network& n = op.net();
  const int axis = op.axis("axis", 0, op.in(0).rank());
  const Value& index = op.in(1);
  if (index.constant != nullptr && index.constant->size() > 0) return gather_known(op, axis);
  if (op.in(0).constant != nullptr && op.in(0).rank() == 2 && axis == 0) return import_embedding(op);
  const Value x = n.materialize(op.in(0));
  if (index.batched && !x.batched && axis == 0) {
    refuse("indices with a mini-batch into a table that is no parameter");
  }
  if (index.batched || x.batched) throw NeedsWholeBatch("entries are chosen across the mini-batch");
  // [axis, rest] gathered at [count] along its first dim.
  std::vector<int> perm(x.dims.size());
  std::iota(perm.begin(), perm.end(), 0);
  std::rotate(perm.begin(), perm.begin() + axis, perm.begin() + axis + 1);
  const Value turned = n.transpose(x, perm);
  const std::int64_t extent = turned.dims[0], rest = count_elements(turned.dims) / extent,
                     count = count_elements(index.dims);
  const Value rows = n.reshape(turned, {extent, rest});
  const Value places = n.reshape(wrapped(n, index, extent), {count});
  const Value taken = n.add("gather", {rows, places}, {count, rest}, false, x.type);
  n.message(taken).mutable_gather()->mutable_axis()->set_value(0);
  Dims dims = index.dims;
  dims.insert(dims.end(), turned.dims.begin() + 1, turned.dims.end());
  const Value back = n.reshape(taken, dims);
  // The index dims stand first; they belong where the axis was.
  std::vector<int> order;
  const int k = index.rank();
  for (int d = 0; d < axis; ++d) order.push_back(k + d);
  for (int d = 0; d < k; ++d) order.push_back(d);
  for (int d = axis + 1; d < x.rank(); ++d) order.push_back(k + d - 1);
  op.out(n.transpose(back, order));
}

/// Entry by entry along one axis: sum over positions of x where the index says so.
void import_gather_elements(Op& op) {
  Network& n = op.net();
  const int axis = op.axis("axis", 0, op.in(0).rank());
  const Value &x = op.in(0), &given = op.in(1);
  const std::int64_t extent = x.dims[at_index(axis)];
  if (extent == batch_extent) throw NeedsWholeBatch("entries are chosen along the mini-batch");
  Value index = wrapped(n, given, extent);
  // x[.., 1, extent] against index[.., count, 1], then the sum over the last dim.
  std::vector<int> last(x.dims.size());
  std::iota(last.begin(), last.end(), 0);
  std::rotate(last.begin() + axis, last.begin() + axis + 1, last.end());
  Value values = n.transpose(x, last);
  index = n.transpose(index, last);
  for (std::size_t d = 0; d + 1 < values.dims.size(); ++d) {
    if (index.dims[d] > values.dims[d]) refuse("more indices than entries");
    if (index.dims[d] < values.dims[d]) values = n.slice(values, static_cast<int>(d), 0, index.dims[d]);
  }
  Dims vd = values.dims, id = index.dims;
  vd.insert(vd.end() - 1, 1);
  id.push_back(1);
  const Value here =
      n.binary("Equal", n.reshape(index, id), Network::iota(extent, index.rank(), index.rank() + 1));
  const Value chosen = n.select(here, n.reshape(values, vd), Network::known({}, std::vector<double>{0}));
  const Value y = n.reduce("sum", chosen, {index.rank()}, false);
  std::vector<int> back(last.size());
  for (std::size_t i = 0; i < last.size(); ++i) back[at_index(last[i])] = static_cast<int>(i);
  op.out(n.transpose(y, back));
}

/// Known indices only: every tuple names a block of x.
void import_gather_nd(Op& op) {
  Network& n = op.net();
  const Value& x = op.in(0);
  const std::int64_t batch_dims = op.attr("batch_dims", 0);
  const Ints& index = op.ints(1, "the indices");
  const Dims& id = op.in(1).dims;
  if (batch_dims != 0) refuse("batch_dims");
  if (x.batched) throw NeedsWholeBatch("entries are chosen along the mini-batch");
  const auto depth = static_cast<std::size_t>(id.back());
  const Dims strides = strides_of(x.dims);
  std::int64_t rows = 1;
  for (std::size_t d = 0; d < depth; ++d) rows *= x.dims.at(d);
  const std::int64_t rest = count_elements(x.dims) / rows;
  Ints list;
  for (std::size_t i = 0; i < index.size(); i += depth) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::int64_t v = index[i + d] < 0 ? index[i + d] + x.dims[d] : index[i + d];
      at += v * strides[d] / rest;
    }
    list.push_back(at);
  }
  const Value y = n.take(n.reshape(x, {rows, rest}), 0, list);
  Dims dims(id.begin(), id.end() - 1);
  dims.insert(dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(depth), x.dims.end());
  op.out(n.reshape(y, dims));
}

/// A list of flat positions that are written, and where each value of `updates` goes; later ones win.
void scatter_flat(Op& op, const Ints& places) {
  Network& n = op.net();
  const Value &x = op.in(0), &updates = op.in(2);
  if (x.batched || updates.batched) throw NeedsWholeBatch("entries are written along the mini-batch");
  const std::string how = op.attr_text("reduction", "none");
  if (how != "none" && how != "add") refuse("reduction '" + how + "'");
  const std::int64_t size = count_elements(x.dims), count = static_cast<std::int64_t>(places.size());
  if (size > max_folded) refuse(fmt::format("a tensor of {} entries is written to", size));
  const Value flat = n.reshape(x, {size});
  const Value values = n.reshape(updates, {count});
  if (how == "add") {
    const Value where = n.materialize(Network::known({count}, places), false);
    const Value sum = n.add("scatter", {n.materialize(values), where}, {size}, false, x.type);
    n.message(sum).mutable_scatter()->add_dims(size);
    return op.out(n.reshape(n.binary("Add", flat, sum), x.dims));
  }
  // What stands at every position: itself, or an update.
  Ints source(static_cast<std::size_t>(size));
  std::iota(source.begin(), source.end(), 0);
  for (std::int64_t i = 0; i < count; ++i)
    source[static_cast<std::size_t>(places[static_cast<std::size_t>(i)])] = size + i;
  op.out(n.reshape(n.take(n.concat({flat, values}, 0), 0, source), x.dims));
}

void import_scatter_elements(Op& op) {
  const Value& x = op.in(0);
  const int axis = op.axis("axis", 0, x.rank());
  const Ints& index = op.ints(1, "the indices");
  const Dims& id = op.in(1).dims;
  if (x.batched) throw NeedsWholeBatch("entries are written along the mini-batch");
  const Dims strides = strides_of(x.dims), steps = strides_of(id);
  Ints places;
  for (std::size_t i = 0; i < index.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0;
    for (std::size_t d = 0; d < id.size(); ++d) {
      std::int64_t v = rest / steps[d];
      rest %= steps[d];
      if (static_cast<int>(d) == axis) v = index[i] < 0 ? index[i] + x.dims[d] : index[i];
      if (v < 0 || v >= x.dims[d]) refuse(fmt::format("index {} into an axis of {}", v, x.dims[d]));
      at += v * strides[d];
    }
    places.push_back(at);
  }
  scatter_flat(op, places);
}

void import_scatter_nd(Op& op) {
  const Value& x = op.in(0);
  const Ints& index = op.ints(1, "the indices");
  const Dims& id = op.in(1).dims;
  if (x.batched) throw NeedsWholeBatch("entries are written along the mini-batch");
  const auto depth = static_cast<std::size_t>(id.back());
  const Dims strides = strides_of(x.dims);
  const std::int64_t block =
      count_elements(Dims(x.dims.begin() + static_cast<std::ptrdiff_t>(depth), x.dims.end()));
  Ints places;
  for (std::size_t i = 0; i < index.size(); i += depth) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::int64_t v = index[i + d] < 0 ? index[i + d] + x.dims[d] : index[i + d];
      if (v < 0 || v >= x.dims[d]) refuse(fmt::format("index {} into an axis of {}", v, x.dims[d]));
      at += v * strides[d];
    }
    for (std::int64_t k = 0; k < block; ++k) places.push_back(at + k);
  }
  scatter_flat(op, places);
}

void import_one_hot(Op& op) {
  Network& n = op.net();
  const auto depth = static_cast<std::int64_t>(op.scalar(1, "the depth"));
  if (depth < 1 || depth > (1 << 24)) refuse(fmt::format("depth {}", depth));
  const int rank = op.in(0).rank() + 1, axis = op.axis("axis", -1, rank);
  Dims dims = op.in(0).dims;
  dims.insert(dims.begin() + axis, 1);
  const Value index = wrapped(n, n.reshape(op.in(0), dims), depth);
  const Value hit = n.binary("Equal", index, Network::iota(depth, axis, rank));
  if (op.in(2).constant != nullptr) {
    const std::vector<double>& pair = op.reals(2, "the values");
    const Value scaled = n.with_constant("Scale", hit, pair.at(1) - pair.at(0));
    Value y = pair[0] == 0 ? scaled : n.with_constant("AddConstant", scaled, pair[0]);
    y.type = op.in(2).type;
    return op.out(y);
  }
  const Value off = n.reshape(n.slice(op.in(2), 0, 0, 1), {}), on = n.reshape(n.slice(op.in(2), 0, 1, 2), {});
  op.out(n.select(hit, on, off));
}

void import_arg(Op& op) {
  const int axis = op.axis("axis", 0, op.in(0).rank());
  const bool last = op.attr("select_last_index", 0) != 0;
  Value y = op.net().arg(op.type() == "ArgMax", last, op.in(0), axis);
  if (op.attr("keepdims", 1) == 0) {
    Dims dims = y.dims;
    dims.erase(dims.begin() + axis);
    y = op.net().reshape(y, dims);
  }
  op.out(y);
}

/// Like an ArgMax of value 1: 1 at the first largest entry, 0 elsewhere.
void import_hardmax(Op& op) {
  Network& n = op.net();
  const Value& x = op.in(0);
  if (op.opset() >= 13) {
    const int axis = op.axis("axis", -1, x.rank());
    Value y =
        n.binary("Equal", n.arg(true, false, x, axis), Network::iota(x.dims[at_index(axis)], axis, x.rank()));
    y.type = x.type;
    return op.out(y);
  }
  const int axis = op.axis("axis", 1, x.rank());
  Dims flat(x.dims.begin(), x.dims.begin() + axis);
  const std::int64_t rest = count_elements(Dims(x.dims.begin() + axis, x.dims.end()));
  flat.push_back(rest);
  const Value y = n.reshape(x, flat);
  Value hit = n.binary("Equal", n.arg(true, false, y, axis), Network::iota(rest, axis, axis + 1));
  hit.type = x.type;
  op.out(n.reshape(hit, x.dims));
}

/// The k largest one after the other: each is found, noted and taken out.
void import_top_k(Op& op) {
  Network& n = op.net();
  const std::int64_t k = op.opset() >= 10 ? op.ints(1, "k").at(0) : op.attr("k", 1);
  const int axis = op.axis("axis", -1, op.in(0).rank());
  const bool largest = op.attr("largest", 1) != 0;
  const std::int64_t extent = op.in(0).dims[at_index(axis)];
  if (k < 1 || k > extent) refuse(fmt::format("the {} largest of {}", k, extent));
  if (k > 64) refuse(fmt::format("k = {}, above 64", k));
  std::vector<Value> values, places;
  Value rest = n.materialize(op.in(0));
  for (std::int64_t i = 0; i < k; ++i) {
    places.push_back(n.arg(largest, false, rest, axis));
    values.push_back(n.reduce(largest ? "max" : "min", rest, {axis}, true));
    if (i + 1 == k) break;
    const Value hit = n.binary("Equal", places.back(), Network::iota(extent, axis, rest.rank()));
    const double out =
        largest ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    rest = n.select(hit, Network::known({}, std::vector<double>{out}), rest);
  }
  if (op.wants(0)) op.out(0, n.concat(values, axis));
  if (op.wants(1)) op.out(1, n.concat(places, axis));
}

void import_cumsum(Op& op) {
  Network& n = op.net();
  const int axis = Network::wrap(static_cast<std::int64_t>(op.scalar(1, "the axis")), op.in(0).rank());
  const std::int64_t extent = op.in(0).dims[at_index(axis)];
  if (extent > 4096) refuse(fmt::format("a running sum over {} entries, above 4096", extent));
  const bool exclusive = op.attr("exclusive", 0) != 0, reverse = op.attr("reverse", 0) != 0;
  std::vector<double> matrix;
  for (std::int64_t i = 0; i < extent; ++i) {
    for (std::int64_t j = 0; j < extent; ++j) {
      const std::int64_t a = reverse ? j : i, b = reverse ? i : j;  // b counts up to a
      matrix.push_back(b < a || (b == a && !exclusive) ? 1 : 0);
    }
  }
  op.out(n.linear_map(op.in(0), axis, extent, matrix));
}

void import_trilu(Op& op) {
  Network& n = op.net();
  const Dims& d = op.in(0).dims;
  if (d.size() < 2 || is_symbolic(d[d.size() - 1]) || is_symbolic(d[d.size() - 2])) {
    throw NeedsWholeBatch("the mini-batch is a dim of the matrix");
  }
  const std::int64_t rows = d[d.size() - 2], columns = d.back();
  const auto k = op.has(1) ? static_cast<std::int64_t>(op.scalar(1, "k")) : 0;
  const bool upper = op.attr("upper", 1) != 0;
  std::vector<double> mask;
  if (count_elements({rows, columns}) > max_folded) refuse("a matrix of " + to_text({rows, columns}));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) mask.push_back(upper ? j - i >= k : j - i <= k);
  }
  Value zero = Network::known({}, std::vector<double>{0}, op.in(0).type);
  op.out(n.select(Network::known({rows, columns}, mask), op.in(0), zero));
}

void import_reverse_sequence(Op& op) {
  Network& n = op.net();
  const Ints& lengths = op.ints(1, "the lengths");
  const int time = op.axis("time_axis", 0, op.in(0).rank()),
            batch = op.axis("batch_axis", 1, op.in(0).rank());
  const Value x = n.materialize(op.in(0));
  if (x.batched) throw NeedsWholeBatch("every sample has a length of its own");
  std::vector<Value> parts;
  for (std::int64_t i = 0; i < x.dims[at_index(batch)]; ++i) {
    Ints list;
    for (std::int64_t t = 0; t < x.dims[at_index(time)]; ++t) {
      const std::int64_t length = lengths.at(static_cast<std::size_t>(i));
      list.push_back(t < length ? length - 1 - t : t);
    }
    parts.push_back(n.take(n.slice(x, batch, i, i + 1), time, list));
  }
  op.out(n.concat(parts, batch));
}

}  // namespace

std::vector<OpRow> index_ops() {
  return {{"Gather", "slice, gather or embedding", import_gather,
           "indices with a mini-batch into a computed tensor"},
          {"GatherElements", "operators Equal, Select; multidim_reduction", import_gather_elements},
          {"GatherND", "gather", import_gather_nd, "indices that are computed, batch_dims"},
          {"ScatterElements", "concatenation, gather", import_scatter_elements, "indices that are computed"},
          {"Scatter", "concatenation, gather", import_scatter_elements, "indices that are computed"},
          {"ScatterND", "concatenation, gather", import_scatter_nd, "indices that are computed"},
          {"OneHot", "operator Equal", import_one_hot, "a depth that is computed"},
          {"ArgMax", "argmax, or reductions", import_arg},
          {"ArgMin", "argmin, or reductions", import_arg},
          {"Hardmax", "argmax, operator Equal", import_hardmax},
          {"TopK", "reductions, k times", import_top_k, "k above 64"},
          {"CumSum", "channelwise_fully_connected", import_cumsum, "more than 4096 entries"},
          {"Trilu", "operator Select", import_trilu, "a diagonal that is computed"},
          {"ReverseSequence", "gather", import_reverse_sequence, "lengths that are computed"}};
}

}  // namespace lbann::onnx
