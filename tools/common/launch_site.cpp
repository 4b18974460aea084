// Folders, names and detection: see launch_site.hpp.
#include "common/launch_site.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/log.hpp"

namespace lbann::tools {

namespace {

namespace fs = std::filesystem;

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

std::vector<std::string> site_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    if (it->path().extension() == ".site") files.push_back(it->path().string());
  std::sort(files.begin(), files.end());
  return files;
}

launch::Site load(const std::string& path) {
  base::Diagnostics d;
  launch::Site site = launch::load_site(path, d);
  if (d.has_errors()) {
    base::log().talk(d.render(base::log().color()));
    throw base::Error(base::ExitCode::config, fmt::format("site file '{}' has errors", path));
  }
  return site;
}

}  // namespace

std::vector<std::string> site_folders() {
  std::vector<std::string> folders;
  if (const char* path = std::getenv("LBANN_SITE_PATH")) {
    const std::string list = path;
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(':', begin), list.size());
      if (end > begin) folders.push_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
    return folders;
  }
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config && *config)
    folders.push_back(std::string(config) + "/lbann/sites");
  else if (home && *home)
    folders.push_back(std::string(home) + "/.config/lbann/sites");
  folders.push_back("/etc/lbann/sites");
  std::error_code ignored;
  const fs::path bin = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  folders.push_back((bin / "../share/lbann/sites").lexically_normal().string());
  return folders;
}

std::optional<launch::Site> choose_site(const std::string& name) {
  if (name == "none") return std::nullopt;
  if (name != "auto") {
    std::error_code ignored;
    if (name.find('/') != std::string::npos || fs::path(name).extension() == ".site") return load(name);
    std::vector<std::string> known;
    for (const std::string& folder : site_folders()) {
      const std::string path = folder + "/" + name + ".site";
      if (fs::exists(path, ignored)) return load(path);
      for (const std::string& file : site_files(folder)) known.push_back(fs::path(file).stem().string());
    }
    throw base::Error(
        base::ExitCode::usage, fmt::format("there is no site '{}'", name),
        known.empty() ? "no site files were found" : fmt::format("known: {}", fmt::join(known, ", ")));
  }
  const std::string host = host_name();
  for (const std::string& folder : site_folders())
    for (const std::string& file : site_files(folder)) {
      launch::Site site = load(file);
      if (launch::matches(site, host, [](const char* variable) { return std::getenv(variable); }))
        return site;
    }
  return std::nullopt;
}

}  // namespace lbann::tools
