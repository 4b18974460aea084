// See op_table.hpp.
#include "onnx/import/op_table.hpp"

#include <algorithm>

namespace lbann::onnx {

const std::vector<OpRow>& all_ops() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> rows;
    for (const auto& family :
         {constant_ops(), entrywise_ops(), shape_ops(), index_ops(), reduction_ops(), matrix_ops(),
          window_ops(), normalization_ops(), loss_ops(), resize_ops(), recurrent_ops()}) {
      rows.insert(rows.end(), family.begin(), family.end());
    }
    std::sort(rows.begin(), rows.end(), [](const OpRow& a, const OpRow& b) { return a.name < b.name; });
    return rows;
  }();
  return table;
}

const OpRow* try_op(std::string_view name) {
  const auto& table = all_ops();
  const auto found = std::lower_bound(table.begin(), table.end(), name,
                                      [](const OpRow& r, std::string_view n) { return r.name < n; });
  return found != table.end() && found->name == name ? &*found : nullptr;
}

}  // namespace lbann::onnx
