// Diagnostics for machines that show them beside the code: SARIF 2.1.0, JUnit XML, GitHub annotations.
//
//   SARIF    one run; columns count code points (columnKind), the end is exclusive as ours is; rules
//            are the ids of diagnostics, notes with a place are relatedLocations (OASIS SARIF 2.1.0)
//   JUnit    a suite with one test case per finding, and one per file that has none
//   GitHub   ::error file=F,line=L,col=C,endLine=..,endColumn=..,title=ID::message, one line each
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"

namespace lbann::base {

struct ReportedTool {
  std::string name{};
  std::string version{};
  std::vector<std::string> files{};  // what was checked
  bool strict = false;               // warnings are failures
};

std::string render_sarif(const Diagnostics& diagnostics, const ReportedTool& tool);
std::string render_junit(const Diagnostics& diagnostics, const ReportedTool& tool);
std::string render_github(const Diagnostics& diagnostics);

}  // namespace lbann::base
