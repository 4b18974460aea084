// UTF-8 text as users see it: code points, columns and safe output.
//
// Input files may hold any bytes. A byte that is no valid UTF-8 counts as one code point, so
// that columns stay defined; for output it becomes U+FFFD, and control characters become '?',
// so that a hostile file can neither break JSON nor move a terminal's cursor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbann::base {

/// Bytes of the code point that begins at `pos` (1 to 4; 1 for a byte that is not valid).
/// `valid` tells which. Overlong forms and surrogates are not valid.
std::size_t utf8_length(std::string_view text, std::size_t pos, bool* valid = nullptr);

/// Number of code points.
int count_code_points(std::string_view text);

/// Text for a terminal: tabs kept, other control characters '?', invalid bytes U+FFFD.
std::string printable(std::string_view text);

/// `text` as a JSON string with its quotes.
std::string json_quote(std::string_view text);

}  // namespace lbann::base
