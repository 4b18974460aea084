// Site files: what a machine is and which options suit it, as text.
//
//   # comment
//   host = quartz*             the machine is recognised by a host name (globs; repeatable)
//   variable = NERSC_HOST=cgpu or by an environment variable, with or without a value
//   include = llnl.inc         lines of another file, relative to this one
//   scheduler = slurm          any option of lbann-launch that has a value
//   env = NAME=VALUE           set unless the user's environment or --env has it
//
// The file's name without .site is the site's name. Options from a site file lose against the
// environment and the command line. Values are checked by the option table that reads the command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"

namespace lbann::launch {

struct SiteEntry {
  std::string key{};
  std::string value{};
  base::SourceSpan span{};
};

struct Site {
  std::string name{};
  std::string file{};
  std::vector<std::string> hosts{};
  std::vector<std::string> variables{};
  std::vector<SiteEntry> entries{};  // in the order of the lines, included ones in their place
};

/// Reads a file with what it includes; syntax errors go to `d`. Throws Error(data) if it is unreadable.
Site load_site(const std::string& path, base::Diagnostics& d);

using Environment = std::function<const char*(const char*)>;
/// Any host or variable rule fits; a file without rules fits nowhere and must be named.
bool matches(const Site& site, const std::string& host, const Environment& environment);

/// Shell globs: `*`, `?`; case does not matter.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace lbann::launch
