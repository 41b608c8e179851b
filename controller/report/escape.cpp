#include "controller/report/escape.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/text.h"

namespace relab::controller {

namespace {

struct Span {
  std::uint32_t first;
  std::uint32_t last;
};

// Controls of ASCII and Latin-1, the soft hyphen, letters without width or with a direction, line
// and paragraph separators, the byte order mark, annotations and tags.
constexpr std::array hidden = {Span{0x00, 0x1F},     Span{0x7F, 0x9F},      Span{0xAD, 0xAD},
                               Span{0x61C, 0x61C},   Span{0x180E, 0x180E},  Span{0x200B, 0x200F},
                               Span{0x2028, 0x202E}, Span{0x2060, 0x206F},  Span{0xFEFF, 0xFEFF},
                               Span{0xFFF9, 0xFFFB}, Span{0xE0000, 0xE0FFF}};

bool is_hidden(std::uint32_t code) {
  return std::ranges::any_of(
      hidden, [code](const Span& span) { return span.first <= code && code <= span.last; });
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

/// The bytes of the first code point of clean text.
std::string_view first_of(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && continues(text[length])) ++length;
  return text.substr(0, length);
}

std::uint32_t code_of(std::string_view letter) {
  const auto lead = static_cast<unsigned char>(letter[0]);
  if (letter.size() == 1) return lead;
  std::uint32_t code = lead & (0x7FU >> letter.size());
  for (const auto byte : letter.substr(1))
    code = (code << 6U) | (static_cast<unsigned char>(byte) & 0x3FU);
  return code;
}

std::string spelled(std::uint32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code < 0x80 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{{{:x}}}", code);
  }
}

bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '/' ||
         (static_cast<unsigned char>(letter) & 0x80U) != 0;
}

/// An underscore within a word is no emphasis; escaping it would only make the source hard to read.
bool within_word(std::string_view text, std::size_t at) {
  return at > 0 && at + 1 < text.size() && is_word(text[at - 1]) && is_word(text[at + 1]);
}

std::string markdown_letter(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '&':
      return "&amp;";
    case '_':
      return within_word(text, at) ? "_" : "\\_";
    case '\\':
    case '`':
    case '*':
    case '[':
    case ']':
    case '|':
    case '~':
    case '$':
    case '#':
    case '@':
      return {'\\', text[at]};
    default:
      return {text[at]};
  }
}

}  // namespace

std::string visible(std::string_view text) {
  const auto clean = clean_text(text);
  std::string shown;
  shown.reserve(clean.size());
  for (std::string_view rest = clean; !rest.empty();) {
    const auto letter = first_of(rest);
    const auto code = code_of(letter);
    shown += is_hidden(code) ? spelled(code) : std::string(letter);
    rest.remove_prefix(letter.size());
  }
  return shown;
}

std::string markdown_text(std::string_view text) {
  std::vector<std::string> parts;
  for (const auto line : lines(text)) {
    const auto safe = visible(line);
    auto& part = parts.emplace_back();
    for (std::size_t at = 0; at < safe.size(); ++at) part += markdown_letter(safe, at);
  }
  return fmt::format("{}", fmt::join(parts, "<br>"));
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !continues(byte); }));
}

std::string cut(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  std::string kept;
  for (std::size_t letters = 1; letters < width; ++letters) {
    const auto letter = first_of(text);
    kept += letter;
    text.remove_prefix(letter.size());
  }
  return kept + "…";
}

}  // namespace relab::controller
