// What the terminal behind a file descriptor can do: colour, width, block characters.
//
// The rules are the ones users know from other tools: an explicit --color wins; then NO_COLOR
// (any non-empty value), then CLICOLOR_FORCE (non-empty and not "0"), then TERM=dumb and whether
// there is a terminal at all.
#pragma once

namespace lbann::base {

enum class When { automatic, always, never };

bool is_terminal(int fd);
/// Columns of the terminal behind `fd`; COLUMNS, if set to a number, wins; `fallback` without a terminal.
int terminal_columns(int fd, int fallback);
bool use_color(When when, int fd);
/// The locale's character set is UTF-8 (LC_ALL, LC_CTYPE, LANG in this order).
bool locale_is_utf8();

}  // namespace lbann::base
