#include "controller/lab/depth.h"

#include <algorithm>

namespace relab::lab {

namespace {

/// The end of a multi-line string that starts at `at`, behind its closing quotes.
std::size_t behind_long_string(std::string_view text, std::size_t at) {
  const auto quote = text[at];
  for (auto i = at + 3; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
      continue;
    }
    // Up to two more quotes may stand before the closing three; they end in the same place.
    if (text.substr(i, 3) != std::string_view(text.data() + at, 3)) continue;
    i += 3;
    while (i < text.size() && text[i] == quote) ++i;
    return i;
  }
  return text.size();
}

/// Likewise for a string of one line; an end of line ends it, since it is no TOML then.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const auto quote = text[at];
  for (auto i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == quote) return i + 1;
    if (quote == '"' && text[i] == '\\') ++i;
  }
  return text.size();
}

bool starts_long_string(std::string_view text, std::size_t at) {
  const auto three = text.substr(at, 3);
  return three == "\"\"\"" || three == "'''";
}

}  // namespace

std::optional<std::size_t> too_deep(std::string_view text) {
  std::size_t dots = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto letter = text[at];
    if (letter == '"' || letter == '\'') {
      at = starts_long_string(text, at) ? behind_long_string(text, at) : behind_string(text, at);
      continue;
    }
    if (letter == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (letter == '.' && ++dots > dots_max) return at;
    if (std::string_view("\n,=[]{}").find(letter) != std::string_view::npos) dots = 0;
    ++at;
  }
  return std::nullopt;
}

}  // namespace relab::lab
