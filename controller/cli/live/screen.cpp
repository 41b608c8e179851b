#include "controller/cli/live/screen.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/report/escape.h"

namespace relab::controller {

namespace {

constexpr std::string_view reset = "\033[0m";

/// Of an escape sequence that begins here: "\033[31m".
std::size_t escape_size(std::string_view text) {
  if (text.size() < 2 || text[0] != '\033' || text[1] != '[') return 0;
  const auto end = std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= '@'; });
  return end == text.end() ? text.size() : static_cast<std::size_t>(end - text.begin()) + 1;
}

/// Of the character that begins here, in UTF-8.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
  return size;
}

std::size_t columns_of(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (const auto escape = escape_size(text); escape != 0) {
      text.remove_prefix(escape);
      continue;
    }
    plain += text[0];
    text.remove_prefix(1);
  }
  return width_of(plain);
}

}  // namespace

std::string cut_to(std::string_view text, std::size_t columns) {
  std::string cut;
  std::size_t used = 0;
  bool escaped = false;
  while (!text.empty()) {
    if (const auto escape = escape_size(text); escape != 0) {
      cut += text.substr(0, escape);
      escaped = true;
      text.remove_prefix(escape);
      continue;
    }
    const auto size = character_size(text);
    const auto width = width_of(text.substr(0, size));
    if (used + width > columns) break;
    cut += text.substr(0, size);
    used += width;
    text.remove_prefix(size);
  }
  if (!text.empty() && escaped) cut += reset;
  return cut;
}

/// From the end of the last line to the beginning of the first one, and away with all below. What
/// was drawn on a wider terminal takes more rows on this one.
std::string Screen::erasure() const {
  if (drawn_.empty()) return {};
  const auto columns = std::max<std::size_t>(size().columns, 1);
  std::size_t rows = 0;
  for (const auto width : drawn_) rows += width == 0 ? 1 : (width + columns - 1) / columns;
  return rows > 1 ? fmt::format("\r\033[{}A\033[J", rows - 1) : "\r\033[J";
}

void Screen::paint() {
  const auto room = size();
  // Never into the last column: some terminals go on to the next line there.
  const auto columns = std::max<std::size_t>(room.columns, 2) - 1;
  auto shown = lines_;
  if (shown.size() >= room.rows && room.rows > 1) shown.resize(room.rows - 1);
  auto out = erasure();
  drawn_.clear();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto line = cut_to(shown[i], columns);
    if (i != 0) out += "\r\n";
    out += line;
    drawn_.push_back(columns_of(line));
  }
  if (!out.empty()) write_(out);
}

void Screen::draw(std::vector<std::string> lines) {
  lines_ = std::move(lines);
  paint();
}

void Screen::hide() {
  const auto out = erasure();
  drawn_.clear();
  if (!out.empty()) write_(out);
}

void Screen::show() {
  if (!lines_.empty()) paint();
}

void Screen::clear() {
  hide();
  lines_.clear();
}

}  // namespace relab::controller
