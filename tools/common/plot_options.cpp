// The option table of lbann-plot: see plot_options.hpp.
#include "common/plot_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>

namespace lbann::tools {

namespace {

const std::map<std::string, PlotFormat> format_of_extension = {
    {".csv", PlotFormat::csv}, {".md", PlotFormat::md},   {".json", PlotFormat::json},
    {".svg", PlotFormat::svg}, {".png", PlotFormat::png}, {".txt", PlotFormat::text}};

void resolve_format(PlotOptions& options, std::vector<UsageProblem>& problems) {
  if (options.format != PlotFormat::automatic) return;
  if (options.output != "-") {
    const auto found = format_of_extension.find(std::filesystem::path(options.output).extension().string());
    if (found != format_of_extension.end())
      options.format = found->second;
    else
      problems.push_back({fmt::format("the ending of '{}' names no format", options.output),
                          "end it in .csv, .md, .json, .svg, .png or .txt, or add --format"});
  } else if (options.assertions.empty()) {
    options.format = base::is_terminal(STDOUT_FILENO) ? PlotFormat::text : PlotFormat::md;
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

}  // namespace

std::optional<int> parse_plot_options(int argc, const char* const* argv, PlotOptions& options) {
  std::vector<std::string> assertions;
  OptionTable table("lbann-plot", "Draws, tabulates and judges the metrics of training runs.",
                    "[OPTION]... FILE...");
  table.set_positional(options.files);
  table.section(
      "Runs (FILE: log.jsonl, a run directory, or LBANN's console text of any version; - is standard input)");
  table.add_list("metric", "NAME", options.metrics,
                 "Only this metric; 'objective' is the objective function. Repeatable.");
  table.add_choice<plot::Axis>(
      "x-axis,x", options.axis,
      {{"epoch", plot::Axis::epoch}, {"step", plot::Axis::step}, {"time", plot::Axis::time}},
      "Horizontal axis: epochs, training steps or seconds.");
  table.section("Output");
  table.add_value("output,o", "FILE", options.output,
                  "Where it goes; the ending chooses the format; - is standard output.");
  table.add_choice<PlotFormat>("format", options.format,
                               {{"auto", PlotFormat::automatic},
                                {"csv", PlotFormat::csv},
                                {"md", PlotFormat::md},
                                {"json", PlotFormat::json},
                                {"svg", PlotFormat::svg},
                                {"png", PlotFormat::png},
                                {"text", PlotFormat::text}},
                               "Form of the output. auto: by the ending; without FILE text on a terminal, "
                               "md elsewhere. svg and png need gnuplot.");
  table.section("Check");
  table.add_list("assert", "TEXT", assertions,
                 "Fail (exit code 1) unless every run meets it: 'validation accuracy >= 97% by epoch 10'; "
                 "'at epoch N', or nothing for the last epoch. Repeatable.");
  add_common_options(table, options.common, false);
  table.set_epilogue(
      "Exit codes: 0 done, 1 an assertion is not met, 2 wrong command line, 4 a file cannot be read or holds "
      "no run, 8 the output cannot be written, 10 gnuplot is missing or failed.\n"
      "Epochs are numbered from 0, as the logs do.");

  std::vector<std::string> store;
  const std::vector<const char*> words = with_long_x(argc, argv, store);
  return parse_command_line(
      table, options.common, argc, words.data(), [&](std::vector<UsageProblem>& problems) {
        if (options.files.empty())
          problems.push_back({"no file is given", "name a log.jsonl or a console log"});
        for (const std::string& text : assertions) {
          std::string why;
          if (const auto assertion = plot::try_parse_assertion(text, why))
            options.assertions.push_back(*assertion);
          else
            problems.push_back({fmt::format("assertion '{}': {}", text, why),
                                "for example 'validation accuracy >= 97% by epoch 10'"});
        }
        resolve_format(options, problems);
      });
}

}  // namespace lbann::tools
