#pragma once

/// Texts of other programs made harmless: for terminals and for Markdown, with their width.

#include <string>
#include <string_view>

namespace relab::controller {

/// One line in which every letter can be seen: control characters, and those that turn or hide
/// text, become "\n", "\x1b" or "\u{202e}"; what is no UTF-8 becomes U+FFFD.
std::string visible(std::string_view text);

/// The same for Markdown, with line breaks as "<br>"; nothing in it is markup, a table's pipe or
/// HTML.
std::string markdown_text(std::string_view text);

/// Code points of a text that is UTF-8.
std::size_t width_of(std::string_view text);

/// The text, or its first `width` - 1 code points and an ellipsis. The width is at least 1.
std::string cut(std::string_view text, std::size_t width);

}  // namespace relab::controller
