// The `csv` reader: a text table of numbers, one row per sample.
//
// Rows end in \n or \r\n; empty rows are skipped. Cells may stand in double quotes, a quote inside is
// doubled; blanks around a number are ignored. Every row has as many cells as the first one. The cells of
// label_column and response_column, and the first skip_columns, are not part of the sample. Errors name
// file:line:column (column: code points from 1) and end with exit 4.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/dataset.hpp"

namespace lbann::data {

struct CsvOptions {
  std::string directory, file;
  char separator = ',';
  bool has_header = false;
  std::int64_t skip_rows = 0;  // at the beginning, before the header
  std::int64_t skip_columns = 0;
  std::optional<std::int64_t> label_column;     // counted from 0 over the whole row; negative: the last
  std::optional<std::int64_t> response_column;  // likewise
  std::int64_t num_labels = 0;                  // 0: the largest class number + 1
  float scale = 1;
};

/// Throws base::Error (data, config).
std::shared_ptr<const Dataset> make_csv_dataset(const CsvOptions& options);

}  // namespace lbann::data
