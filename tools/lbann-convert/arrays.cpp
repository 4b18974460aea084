// See arrays.hpp: from one form of saved weights to another, and checking that they are whole.
#include "lbann-convert/arrays.hpp"

#include <fmt/format.h>

#include "checkpoint/source.hpp"

namespace lbann::tools {
namespace {

using checkpoint::ArrayMap;
using checkpoint::Source;

/// Optimizer states stay behind unless they were asked for.
ArrayMap selected(const Source& source, bool with_states) {
  ArrayMap chosen;
  for (const auto& [name, array] : source.arrays) {
    if (with_states || !checkpoint::is_state(source.arrays, name)) chosen.emplace(name, array);
  }
  return chosen;
}

void save_folder(const std::string& dir, const ArrayMap& arrays, const Source& source) {
  std::vector<checkpoint::NamedArray> list;
  for (const auto& [name, a] : arrays) list.push_back({name, a.type, a.shape, a.bytes});
  checkpoint::Scalars scalars;
  if (const auto model = source.scalars.find("model"); model != source.scalars.end()) scalars.insert(*model);
  checkpoint::save_checkpoint(dir, std::move(list), scalars);
}

}  // namespace

int convert_arrays(const ConvertOptions& o) {
  const std::vector<std::string>& files = o.experiment.files;
  if (files.size() > 1)
    throw base::Error(base::ExitCode::usage,
                      fmt::format("saved weights are converted one by one, {} given", files.size()));
  if (!o.output_given) {
    throw base::Error(base::ExitCode::usage,
                      fmt::format("'{}' holds saved weights: they need --output", files.front()),
                      "a name in .npz, .safetensors or .h5, or of a new folder");
  }
  const Source source = checkpoint::load_source(files.front());
  for (const std::string& note : source.notes) base::log().warning(note);
  const ArrayMap arrays = selected(source, o.states);
  if (arrays.empty())
    throw base::Error(base::ExitCode::data, fmt::format("{}: holds no arrays", source.place));
  if (const auto format = checkpoint::try_format_of_name(o.output)) {
    const std::vector<std::string> widened = checkpoint::save_arrays(o.output, *format, arrays);
    if (!widened.empty()) {
      base::log().warning(
          fmt::format("{} has no 16-bit floats that everybody reads: '{}'{} became float32",
                      checkpoint::to_string(*format), widened.front(),
                      widened.size() > 1 ? fmt::format(" and {} more", widened.size() - 1) : ""));
    }
  } else {
    save_folder(o.output, arrays, source);
  }
  const std::size_t left = source.arrays.size() - arrays.size();
  base::log().info(fmt::format("wrote {} ({} arrays of {}{})", o.output, arrays.size(), source.place,
                               left > 0 ? fmt::format("; {} optimizer states left out", left) : ""));
  return 0;
}

int verify_arrays(const ConvertOptions& o) {
  for (const std::string& file : o.experiment.files) {
    if (!checkpoint::is_source(file)) checkpoint::load_source(file);  // says what is wrong
    for (const std::string& place : checkpoint::list_sources(file)) {
      if (checkpoint::try_format_of_content(place)) {
        checkpoint::load_source(place);
      } else {
        checkpoint::check_checkpoint(place);
      }
      base::log().print(fmt::format("{}: ok\n", place));
    }
  }
  return 0;
}

}  // namespace lbann::tools
