// The option table of lbann-plot: see plot_options.hpp.
#include "common/plot_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>

namespace lbann::tools {

namespace {

const std::map<std::string, PlotFormat> format_of_extension = {
    {".csv", PlotFormat::csv},         {".tsv", PlotFormat::tsv},   {".md", PlotFormat::md},
    {".tex", PlotFormat::tex},         {".json", PlotFormat::json}, {".svg", PlotFormat::svg},
    {".png", PlotFormat::png},         {".pdf", PlotFormat::pdf},   {".eps", PlotFormat::eps},
    {".html", PlotFormat::html},       {".htm", PlotFormat::html},  {".txt", PlotFormat::text},
    {".gnuplot", PlotFormat::gnuplot}, {".gp", PlotFormat::gnuplot}};

bool is_binary(PlotFormat format) { return format == PlotFormat::png || format == PlotFormat::pdf; }

void resolve_format(PlotOptions& options, std::vector<UsageProblem>& problems) {
  if (options.format == PlotFormat::automatic) {
    if (options.output != "-") {
      const auto found = format_of_extension.find(std::filesystem::path(options.output).extension().string());
      if (found != format_of_extension.end())
        options.format = found->second;
      else
        problems.push_back(
            {fmt::format("the ending of '{}' names no format", options.output),
             "end it in .png, .svg, .pdf, .eps, .html, .csv, .tsv, .json, .md, .tex, .txt or .gnuplot, "
             "or add --format"});
    } else if (options.assertions.empty() || options.follow) {
      options.format = base::is_terminal(STDOUT_FILENO) ? PlotFormat::text : PlotFormat::md;
    }
  }
  if (is_binary(options.format) && options.output == "-" && base::is_terminal(STDOUT_FILENO))
    problems.push_back({"a picture on a terminal is unreadable", "add -o FILE"});
}

bool read_number(const std::string& text, double& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

void read_size(const std::string& text, plot::FigureOptions& figure, std::vector<UsageProblem>& problems) {
  const std::size_t x = text.find('x');
  const auto width = try_parse_integer(text.substr(0, x));
  const auto height = x == std::string::npos ? std::nullopt : try_parse_integer(text.substr(x + 1));
  if (!width || !height || *width < 200 || *height < 150 || *width > 20000 || *height > 20000) {
    problems.push_back({fmt::format("option '--size': '{}' is no size from 200x150 to 20000x20000", text),
                        "for example --size=1200x800"});
    return;
  }
  figure.width = static_cast<int>(*width);
  figure.height = static_cast<int>(*height);
}

// The values that are numbers or small languages of their own.
struct RawValues {
  std::string smooth;
  std::string size;
  std::optional<std::string> follow;
  std::vector<std::string> assertions;
  std::vector<std::string> targets;
};

void interpret(const RawValues& raw, PlotOptions& options, std::vector<UsageProblem>& problems) {
  std::string why;
  for (const std::string& text : raw.assertions)
    if (const auto assertion = plot::try_parse_assertion(text, why))
      options.assertions.push_back(*assertion);
    else
      problems.push_back({fmt::format("assertion '{}': {}", text, why),
                          "for example 'validation accuracy >= 97% by epoch 10'"});
  for (const std::string& text : raw.targets)
    if (const auto target = plot::try_parse_target(text, why))
      options.targets.push_back(*target);
    else
      problems.push_back(
          {fmt::format("target '{}': {}", text, why), "for example 'validation accuracy=97%'"});
  if (!raw.smooth.empty() && (!read_number(raw.smooth, options.figure.smooth) ||
                              !(options.figure.smooth >= 0) || !(options.figure.smooth < 1)))
    problems.push_back({fmt::format("option '--smooth': '{}' is no number from 0 to below 1", raw.smooth),
                        "for example --smooth=0.9"});
  if (!raw.size.empty()) read_size(raw.size, options.figure, problems);
  if (raw.follow) {
    double seconds = 0;
    if (!read_number(*raw.follow, seconds) || !(seconds >= 0.05) || !(seconds <= 86400))
      problems.push_back({fmt::format("option '--follow': '{}' is no number of seconds", *raw.follow),
                          "for example --follow=5"});
    options.follow = seconds;
  }
}

// One-letter names are short options in the table; `--x` is what users type.
std::vector<const char*> with_long_x(int argc, const char* const* argv, std::vector<std::string>& store) {
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool is_x = i > 0 && (word == "--x" || word.rfind("--x=", 0) == 0);
    store.push_back(is_x ? "--x-axis" + word.substr(3) : word);
  }
  std::vector<const char*> words;
  for (const std::string& word : store) words.push_back(word.c_str());
  return words;
}

void add_options(OptionTable& table, PlotOptions& options, RawValues& raw) {
  table.set_positional(options.files);
  table.section(
      "Runs (FILE: log.jsonl, a run directory, console text of LBANN of any version, CSV, TensorBoard event "
      "files, any of them gzipped; - is standard input)");
  table.add_list(
      "metric", "NAME", options.metrics,
      "Only this metric, or all that match a pattern such as 'top-*'; 'objective' is the objective "
      "function. Repeatable.");
  table.add_list("label", "TEXT", options.labels,
                 "Name of a run in legends and tables, in the order of the files. Repeatable.");
  table.add_flag("stitch", options.stitch, "All files are parts of one run, in this order.");
  table.add_optional_value(
      "follow", "SECONDS", raw.follow, "2",
      "Go on while the run is alive and draw again when it has written something. Ends with "
      "the run's pipe, when all assertions are met, or by Ctrl-C.");

  table.section("Figure");
  table.add_choice<AxisChoice>(
      "x-axis,x", options.axis,
      {{"auto", AxisChoice::automatic},
       {"epoch", AxisChoice::epoch},
       {"step", AxisChoice::step},
       {"time", AxisChoice::time}},
      "Horizontal axis: epochs, training steps or time since the run began. auto: the first "
      "of them that all runs tell. --x is the same.");
  table.add_flag("log-y", options.figure.log_y, "Logarithmic values.");
  table.add_flag("log-x", options.figure.log_x, "Logarithmic horizontal axis.");
  table.add_value(
      "smooth", "WEIGHT", raw.smooth,
      "Moving average of weight 0 to 0.99 for what came before; the raw curve stays as a faint line.");
  table.add_choice<plot::Group>(
      "group", options.figure.group,
      {{"none", plot::Group::none}, {"trainers", plot::Group::trainers}, {"runs", plot::Group::runs}},
      "Draw the trainers of each run, or all runs (seeds), as their mean with a band from smallest to "
      "largest.");
  table.add_value("title", "TEXT", options.figure.title, "Heading of the picture or page.");
  table.add_value("size", "WxH", raw.size, "Size of the picture in pixels (96 are an inch).");

  table.section("Output");
  table.add_value("output,o", "FILE", options.output,
                  "Where it goes; the ending chooses the format; - is standard output.");
  table.add_choice<PlotFormat>(
      "format", options.format,
      {{"auto", PlotFormat::automatic},
       {"text", PlotFormat::text},
       {"png", PlotFormat::png},
       {"svg", PlotFormat::svg},
       {"pdf", PlotFormat::pdf},
       {"eps", PlotFormat::eps},
       {"html", PlotFormat::html},
       {"csv", PlotFormat::csv},
       {"tsv", PlotFormat::tsv},
       {"json", PlotFormat::json},
       {"md", PlotFormat::md},
       {"tex", PlotFormat::tex},
       {"gnuplot", PlotFormat::gnuplot}},
      "Form of the output. auto: by the ending; without FILE curves on a terminal, "
      "md elsewhere. png, svg, pdf and eps need gnuplot; html is one page that needs nothing.");
  table.section("Check");
  table.add_list("target", "METRIC=VALUE", raw.targets,
                 "Tell when each series gets there: 'validation accuracy=97%'. Repeatable.");
  table.add_list(
      "assert", "TEXT", raw.assertions,
      "Fail (exit code 1) unless every run meets it: 'validation accuracy >= 97% by epoch 10'; "
      "'at epoch N', 'by step N', 'within 30 min', or nothing for the last value; 'training objective is "
      "finite'. Repeatable.");
  table.add_value("junit", "FILE", options.junit, "Write the assertions and how they went as JUnit XML.");
  add_common_options(table, options.common, false);
  table.set_epilogue(
      "Exit codes: 0 done, 1 an assertion is not met, 2 wrong command line, 4 a file cannot be read or holds "
      "no run, 8 the output cannot be written, 10 gnuplot is missing or failed.\n"
      "Epochs are numbered from 0, as the logs do.");
}

}  // namespace

std::optional<int> parse_plot_options(int argc, const char* const* argv, PlotOptions& options) {
  RawValues raw;
  OptionTable table("lbann-plot", "Draws, tabulates and judges the metrics of training runs.",
                    "[OPTION]... FILE...");
  add_options(table, options, raw);
  std::vector<std::string> store;
  const std::vector<const char*> words = with_long_x(argc, argv, store);
  return parse_command_line(
      table, options.common, argc, words.data(), [&](std::vector<UsageProblem>& problems) {
        if (options.files.empty())
          problems.push_back({"no file is given", "name a log.jsonl, a run directory or a console log"});
        interpret(raw, options, problems);
        if (!options.junit.empty() && options.assertions.empty())
          problems.push_back({"--junit writes how assertions went, but there is no --assert"});
        resolve_format(options, problems);
      });
}

}  // namespace lbann::tools
