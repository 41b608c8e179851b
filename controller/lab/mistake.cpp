#include "controller/lab/mistake.h"

#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/text.h"

namespace relab::lab {

namespace {

constexpr std::size_t shown_max = 60;
constexpr std::size_t listed_max = 80;

std::string lower(std::string_view text) {
  std::string made;
  for (const auto letter : text)
    made += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return made;
}

}  // namespace

std::string to_string(const Mistake& mistake) {
  auto text = mistake.file;
  if (mistake.line != 0) text += fmt::format(":{}:{}", mistake.line, mistake.column);
  if (!mistake.key.empty()) text += ": " + mistake.key;
  text += ": " + mistake.what;
  if (!mistake.hint.empty()) text += "; " + mistake.hint;
  return text;
}

std::string suggestion(std::string_view text, const std::vector<std::string>& candidates) {
  // The distance costs the product of both lengths; no name is that long.
  if (text.size() > shown_max) return {};
  auto near = nearest(text, candidates);
  if (near.empty()) near = nearest(lower(text), candidates);
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  if (candidates.empty() || candidates.size() > listed_max) return {};
  return fmt::format("there {} {}", candidates.size() == 1 ? "is only" : "are",
                     fmt::join(candidates, ", "));
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= shown_max) return fmt::format("'{}'", text);
  // Not in the middle of a character: the text is UTF-8.
  auto end = shown_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return fmt::format("'{}...'", text.substr(0, end));
}

}  // namespace relab::lab
