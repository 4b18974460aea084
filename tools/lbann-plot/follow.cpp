// See follow.hpp. On a terminal each picture is drawn over the last one, without flicker: line by
// line, the rest of each line erased. Elsewhere the output file is replaced as a whole.
#include "lbann-plot/follow.hpp"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "base/files.hpp"
#include "lbann-plot/render.hpp"
#include "log/log_file.hpp"

namespace lbann::tools {

namespace {

struct Followed {
  std::string name;  // what the user gave
  std::unique_ptr<log::LogFile> file;
};

std::vector<Followed> open_all(const PlotOptions& o) {
  std::vector<Followed> all;
  for (const std::string& path : o.files)
    for (const std::string& file : plot::logs_of(path))
      all.push_back({path, std::make_unique<log::LogFile>(file)});
  return all;
}

// Empty: nothing has been written yet.
std::vector<plot::Run> runs_so_far(std::vector<Followed>& all, const PlotOptions& o, bool final) {
  std::vector<plot::Run> runs;
  std::vector<plot::Run> parts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (plot::Run& run : plot::make_runs(all[i].file->settle(final), all[i].name))
      parts.push_back(std::move(run));
    const bool complete = i + 1 == all.size() || (!o.stitch && all[i + 1].name != all[i].name);
    if (!complete || parts.empty()) continue;
    if (i > 0 && (o.stitch || all[i - 1].name == all[i].name))
      runs.push_back(plot::stitch(std::move(parts)));
    else
      for (plot::Run& run : parts) runs.push_back(std::move(run));
    parts.clear();
  }
  name_runs(runs, o);
  return runs;
}

void show(const std::string& text, bool on_terminal, bool first) {
  if (!on_terminal) return base::log().print(text);
  std::string drawn = first ? "\x1b[2J\x1b[H" : "\x1b[H";
  for (const char c : text) drawn += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
  base::log().print(drawn + "\x1b[J");
}

}  // namespace

void name_runs(std::vector<plot::Run>& runs, const PlotOptions& o) {
  for (std::size_t i = 0; i < runs.size() && i < o.labels.size(); ++i) runs[i].name = o.labels[i];
}

int follow_runs(const PlotOptions& o) {
  std::vector<Followed> all = open_all(o);
  const auto pause = std::chrono::duration<double>(*o.follow);
  const bool to_stdout = o.output == "-";
  const bool on_terminal = to_stdout && base::is_terminal(STDOUT_FILENO);
  bool first = true;
  for (;;) {
    bool news = first;
    bool all_closed = true;
    for (Followed& f : all) {
      if (f.file->is_open_pipe() && !f.file->wait(0)) {
        all_closed = false;
        continue;
      }
      news = f.file->update() || news;
      all_closed = all_closed && !f.file->is_open_pipe() && f.name == "-";
    }
    const std::vector<plot::Run> runs =
        news || all_closed ? runs_so_far(all, o, all_closed) : std::vector<plot::Run>();
    const bool met = !o.assertions.empty() && !runs.empty() && judge_all(runs, o, true);
    const bool done = all_closed || met;
    // A picture nobody sees until the end is not drawn in between.
    if (!runs.empty() && o.format != PlotFormat::automatic && (done || on_terminal || !to_stdout)) {
      const std::string text = render_view(runs, o);
      to_stdout ? show(text, on_terminal, first) : base::atomic_write_file(o.output, text);
      first = false;
    }
    if (done) {
      if (runs.empty())
        throw base::Error(base::ExitCode::data, "'" + o.files.front() + "' holds no values of a run");
      return static_cast<int>(judge_all(runs, o, false) ? base::ExitCode::ok : base::ExitCode::check_failed);
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace lbann::tools
