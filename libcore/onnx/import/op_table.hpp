// Every ONNX operator that can be imported: one row each, from which --list-ops is printed.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "onnx/import/op.hpp"

namespace lbann::onnx {

struct OpRow {
  std::string_view name;
  std::string_view form;  // what it becomes: "convolution"
  void (*import)(Op& op);
  std::string_view limits = "";  // what is refused
};

// The families, one file each.
std::vector<OpRow> constant_ops();
std::vector<OpRow> entrywise_ops();
std::vector<OpRow> shape_ops();
std::vector<OpRow> index_ops();
std::vector<OpRow> reduction_ops();
std::vector<OpRow> matrix_ops();
std::vector<OpRow> window_ops();
std::vector<OpRow> normalization_ops();
std::vector<OpRow> loss_ops();
std::vector<OpRow> resize_ops();
std::vector<OpRow> recurrent_ops();

/// In alphabetic order.
const std::vector<OpRow>& all_ops();
const OpRow* try_op(std::string_view name);

}  // namespace lbann::onnx
