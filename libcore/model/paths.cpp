// Looks beside the prototext first, so that an experiment can be started from any folder.
#include "model/paths.hpp"

#include <filesystem>

namespace lbann::model {

std::string resolve_path(const SpanTable& spans, const std::string& field, const std::string& name) {
  namespace fs = std::filesystem;
  if (name.empty() || fs::path(name).is_absolute()) return name;
  const base::SourceSpan span = spans.span(field);
  if (span.file.empty() || span.file == "-") return name;
  const fs::path beside = fs::path(span.file).parent_path() / name;
  std::error_code ignored;
  return fs::exists(beside, ignored) ? beside.string() : name;
}

}  // namespace lbann::model
