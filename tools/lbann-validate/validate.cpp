// lbann-validate's work: would this experiment train? Makes the very plan the trainer would run,
// without MPI, GPU or data.
#include "lbann-validate/validate.hpp"

#include "base/diagnostic_formats.hpp"
#include "base/files.hpp"
#include "common/version.hpp"
#include "lbann-validate/calibration.hpp"
#include "lbann-validate/explain.hpp"
#include "lbann-validate/fix.hpp"
#include "lbann-validate/report.hpp"

namespace lbann::tools {
namespace {

void write_output(const ValidateOptions& o, const std::string& text) {
  if (o.output == "-")
    base::log().print(text);
  else
    base::atomic_write_file(o.output, text);
}

int exit_code_of(const ValidateOptions& o, const base::Diagnostics& d) {
  if (d.has_errors()) return static_cast<int>(d.exit_code());
  return static_cast<int>(o.strict && d.num_warnings() > 0 ? base::ExitCode::check_failed
                                                           : base::ExitCode::ok);
}

std::string report(const ValidateOptions& options, const Checked* checked, const base::Diagnostics& d,
                   int code) {
  base::ReportedTool tool{"lbann-validate", version(), {}, options.strict};
  for (const std::string& file : options.experiment.merge_order())
    tool.files.push_back(file == "-" ? "<stdin>" : file);
  switch (options.format) {
    case ValidateFormat::sarif:
      return base::render_sarif(d, tool);
    case ValidateFormat::junit:
      return base::render_junit(d, tool);
    case ValidateFormat::github:
      return base::render_github(d);
    default:
      return report_json(options, checked, d, code);
  }
}

/// One whole report whatever happens, so that a program need not guess.
int validate_for_programs(const ValidateOptions& options) {
  base::Diagnostics d;
  try {
    const Checked checked = check_experiment(options, d);
    base::log().count_errors(d.num_errors());
    const int code = exit_code_of(options, d);
    write_output(options, report(options, &checked, d, code));
    return code;
  } catch (const base::Error& e) {
    base::Diagnostic reason;
    reason.severity = base::Severity::error;
    reason.id = "not-readable";
    reason.message = e.what();
    reason.help = e.help();
    reason.code = e.code();
    base::Diagnostics failure;
    failure.add(std::move(reason));
    write_output(options, report(options, nullptr, failure, static_cast<int>(e.code())));
    throw;
  }
}

}  // namespace

int validate_main(const ValidateOptions& options) {
  if (!options.explain.empty()) {
    write_output(options, explain(options.explain));
    return 0;
  }
  if (options.calibrate) return calibrate(options);
  if (options.fix) return fix_files(options);
  if (options.format != ValidateFormat::text) return validate_for_programs(options);
  base::Diagnostics d;
  const Checked checked = check_experiment(options, d);
  if (!d.all().empty()) report_diagnostics(d, options.common);
  if (d.has_errors()) return exit_code_of(options, d);

  std::string text;
  if (options.print_config) text += model::print_resolved(checked.experiment);
  if (options.dump == DumpKind::layers) text += model::describe(checked.graph);
  if (checked.lowered) {
    if (options.trace) text += trace_text(*checked.lowered);
    text += plan_text(options, checked);
  }
  if (!text.empty())
    write_output(options, text);
  else
    base::log().data(summary_text(checked));
  return exit_code_of(options, d);
}

}  // namespace lbann::tools
