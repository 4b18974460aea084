// See csv.hpp.
#include "data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "data/array_dataset.hpp"

namespace lbann::data {
namespace {

using base::Error;
using base::ExitCode;

constexpr std::size_t max_file_bytes = std::size_t{1} << 36;

/// Which cells of a row go where.
struct Columns {
  std::int64_t total = 0;
  std::int64_t label = -1, response = -1;  // -1: none
  std::vector<bool> in_sample;
  std::int64_t num_in_sample = 0;
};

class Table {
public:
  Table(std::string path, const CsvOptions& options)
    : path_(std::move(path)), o_(options), text_(base::read_file(path_, max_file_bytes)) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    for (std::int64_t i = 0; i < o_.skip_rows && at_ < text_.size(); ++i) skip_line();
    if (o_.has_header) {
      while (at_line_end()) skip_line();
      if (at_ < text_.size()) {
        std::int64_t cells = 1;
        while (next_cell()) ++cells;
        header_cells_ = cells;
        skip_line();
      }
    }
  }

  /// Reads all rows.
  void read(std::vector<float>& samples, std::vector<double>& labels, std::vector<float>& responses,
            std::vector<std::int64_t>& lines) {
    while (begin_row()) {
      if (columns_.total == 0) find_columns();
      read_row(samples, labels, responses);
      lines.push_back(line_);
      skip_line();
    }
    if (columns_.total == 0) throw Error(ExitCode::data, path_ + ": there are no samples");
  }
  const Columns& columns() const { return columns_; }
  const std::string& path() const { return path_; }

private:
  [[noreturn]] void fail(std::size_t at, const std::string& what, std::string help = {}) const {
    const auto code_points = std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(line_begin_),
                                           text_.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
                                             return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                                           });
    throw Error(ExitCode::data, fmt::format("{}:{}:{}: {}", path_, line_, code_points + 1, what),
                std::move(help));
  }
  bool at_end() const { return at_ >= text_.size(); }
  bool at_line_end() const {
    return !at_end() &&
           (text_[at_] == '\n' || (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n'));
  }
  void skip_line() {
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string::npos ? text_.size() : end + 1;
    ++line_;
    line_begin_ = at_;
  }
  /// At the first cell of the next row that is not empty.
  bool begin_row() {
    while (at_line_end()) skip_line();
    return !at_end();
  }
  /// Past the present cell; true when another one follows in this line.
  bool next_cell() {
    if (!at_end() && text_[at_] == '"') {
      const std::size_t begin = at_++;
      for (;; ++at_) {
        const std::size_t quote = text_.find('"', at_);
        if (quote == std::string::npos) fail(begin, "a quoted cell does not end");
        at_ = quote + 1;
        if (at_ >= text_.size() || text_[at_] != '"') break;
      }
    }
    while (!at_end() && text_[at_] != o_.separator && text_[at_] != '\n') ++at_;
    if (at_end() || text_[at_] == '\n') {
      if (at_ > line_begin_ && text_[at_ - 1] == '\r') --at_;
      return false;
    }
    ++at_;
    return true;
  }

  std::int64_t place(const char* field, std::int64_t column) const {
    const std::int64_t index = column < 0 ? columns_.total - 1 : column;
    if (index >= columns_.total)
      throw Error(
          ExitCode::config,
          fmt::format("{}: {} = {}, but its rows have {} columns", path_, field, column, columns_.total),
          "columns are counted from 0");
    return index;
  }

  void find_columns() {
    const std::size_t begin = at_;
    columns_.total = 1;
    while (next_cell()) ++columns_.total;
    at_ = begin;
    if (header_cells_ > 0 && header_cells_ != columns_.total)
      fail(at_, fmt::format("{} cells under a header of {}", columns_.total, header_cells_),
           o_.separator == ',' ? "is the separator ','?" : "");
    if (o_.label_column) columns_.label = place("label_col", *o_.label_column);
    if (o_.response_column) columns_.response = place("response_col", *o_.response_column);
    if (columns_.label >= 0 && columns_.label == columns_.response)
      throw Error(ExitCode::config,
                  fmt::format("{}: column {} cannot be label and response at once", path_, columns_.label));
    columns_.in_sample.assign(static_cast<std::size_t>(columns_.total), true);
    for (std::int64_t i = 0; i < columns_.total; ++i)
      columns_.in_sample[static_cast<std::size_t>(i)] =
          i >= o_.skip_columns && i != columns_.label && i != columns_.response;
    columns_.num_in_sample = std::count(columns_.in_sample.begin(), columns_.in_sample.end(), true);
    if (columns_.num_in_sample == 0)
      throw Error(ExitCode::config,
                  fmt::format("{}: no column is left for the samples: {} columns, skip_cols = {}", path_,
                              columns_.total, o_.skip_columns));
  }

  double number(std::size_t begin, std::size_t end) const {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (begin < end && text_[begin] == '"' && text_[end - 1] == '"' && end - begin > 1) ++begin, --end;
    while (begin < end && blank(text_[begin])) ++begin;
    while (begin < end && blank(text_[end - 1])) --end;
    if (begin == end) fail(begin, "an empty cell, a number was expected");
    const std::size_t first =
        text_[begin] == '+' && begin + 1 < end && text_[begin + 1] != '-' ? begin + 1 : begin;
    double value = 0;
    const auto result = std::from_chars(text_.data() + first, text_.data() + end, value);
    if (result.ptr != text_.data() + end || result.ec == std::errc::invalid_argument) {
      const std::string cell = text_.substr(begin, std::min<std::size_t>(end - begin, 40));
      fail(begin, fmt::format("'{}' is no number", cell),
           line_ == 1 && !o_.has_header ? "has_header: true skips the names of the columns" : "");
    }
    if (result.ec == std::errc::result_out_of_range) fail(begin, "the number does not fit a double");
    return value;
  }

  void read_row(std::vector<float>& samples, std::vector<double>& labels, std::vector<float>& responses) {
    bool more = true;
    for (std::int64_t i = 0; i < columns_.total; ++i) {
      if (!more) fail(at_, fmt::format("{} cells, the rows before have {}", i, columns_.total));
      const std::size_t begin = at_;
      more = next_cell();
      const std::size_t end = more ? at_ - 1 : at_;
      if (columns_.in_sample[static_cast<std::size_t>(i)]) {
        samples.push_back(static_cast<float>(number(begin, end)));
      } else if (i == columns_.label) {
        labels.push_back(number(begin, end));
      } else if (i == columns_.response) {
        responses.push_back(static_cast<float>(number(begin, end)));
      }
    }
    if (more) fail(at_, fmt::format("more than the {} cells of the rows before", columns_.total));
  }

  const std::string path_;
  const CsvOptions& o_;
  const std::string text_;
  std::size_t at_ = 0, line_begin_ = 0;
  std::int64_t line_ = 1;
  std::int64_t header_cells_ = 0;
  Columns columns_;
};

}  // namespace

std::shared_ptr<const Dataset> make_csv_dataset(const CsvOptions& o) {
  if (o.skip_rows < 0 || o.skip_columns < 0)
    throw Error(ExitCode::config,
                fmt::format("csv reader: skip_rows = {} and skip_cols = {} must not be negative", o.skip_rows,
                            o.skip_columns));
  const auto values = std::make_shared<std::vector<float>>();
  std::vector<double> labels;
  std::vector<std::int64_t> lines;
  ArrayParts parts;
  parts.name = join_path(o.directory, o.file);
  {
    Table table(parts.name, o);
    table.read(*values, labels, parts.responses, lines);
    parts.row_elements = table.columns().num_in_sample;
    if (table.columns().response >= 0) parts.response_dims = {1};
  }
  values->shrink_to_fit();
  parts.num_samples = static_cast<std::int64_t>(lines.size());
  parts.dims = {parts.row_elements};
  parts.scale = o.scale;
  parts.values = reinterpret_cast<const unsigned char*>(values->data());
  parts.owner = values;
  if (o.label_column) {
    parts.num_labels = o.num_labels;
    parts.labels = make_labels(labels, parts.num_labels,
                               [&](std::size_t i) { return fmt::format("{}:{}", parts.name, lines[i]); });
  }
  return make_array_dataset(std::move(parts));
}

}  // namespace lbann::data
