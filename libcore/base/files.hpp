// Whole files in and out.
//
// Reading never trusts a size: the text grows as bytes arrive, up to a limit. Writing leaves
// either the old file or the complete new one, even when the machine loses power:
// temporary file in the same folder, write, fsync, rename, fsync of the folder.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lbann::base {

/// The file's bytes; "-" is standard input. Throws Error(data) when it is missing, a folder,
/// not readable or longer than `max_bytes`.
std::string read_file(const std::string& path, std::size_t max_bytes = std::size_t{1} << 30);

/// Replaces or creates `path`. Throws Error(storage); then the old file is as before and no
/// temporary file is left.
void atomic_write_file(const std::string& path, std::string_view content);
/// The same for a file that is put together of several pieces, which need not be copied into one.
void atomic_write_file(const std::string& path, std::span<const std::string_view> pieces);

/// Makes names made, renamed or removed in a folder survive a power loss. Throws Error(storage).
void sync_folder(const std::string& path);
/// The folder a path is in: "a/b" -> "a", "b" -> ".", "/b" -> "/".
std::string folder_of(const std::string& path);

}  // namespace lbann::base
