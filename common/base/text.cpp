#include "common/base/text.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

namespace relab {

namespace {

/// The length of the sequence that a lead byte announces, and the least code point it may encode.
struct Lead {
  unsigned length;
  std::uint32_t bits;
  std::uint32_t least;
};

constexpr Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1, byte, 1};
  if ((byte & 0xE0U) == 0xC0) return {2, byte & 0x1FU, 0x80};
  if ((byte & 0xF0U) == 0xE0) return {3, byte & 0x0FU, 0x800};
  if ((byte & 0xF8U) == 0xF0) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

/// The length of the clean sequence at the start of the text, or 0 if there is none.
std::size_t clean_prefix(std::string_view text) {
  const auto lead = lead_of(static_cast<std::uint8_t>(text[0]));
  if (lead.length == 0 || text.size() < lead.length) return 0;
  auto code = lead.bits;
  for (unsigned i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xC0U) != 0x80) return 0;
    code = (code << 6U) | (byte & 0x3FU);
  }
  if (code < lead.least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  return lead.length;
}

/// Levenshtein's distance, one row at a time, with a swap of neighbours as one edit: the commonest
/// slip of all.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> above;
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto twice_above = std::exchange(above, row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({above[j] + (a[i] == b[j] ? 0 : 1), row[j] + 1, above[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
        row[j + 1] = std::min(row[j + 1], twice_above[j - 1] + 1);
    }
  }
  return row.back();
}

}  // namespace

bool is_clean_text(std::string_view text) {
  while (!text.empty()) {
    const auto length = clean_prefix(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto length = clean_prefix(text);
    if (length == 0) {
      clean += "\xEF\xBF\xBD";
    } else {
      clean += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n\v\f");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n\v\f") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> lines(std::string_view text) {
  auto parts = split(text, '\n');
  if (parts.back().empty()) parts.pop_back();
  return parts;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return parts;
    text.remove_prefix(first);
    const auto end = text.find_first_of(" \t");
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end);
  }
}

std::string_view nearest(std::string_view text, const std::vector<std::string>& candidates) {
  std::string_view best;
  auto least = std::max<std::size_t>(text.size() / 3, 1) + 1;
  for (const auto& candidate : candidates) {
    const auto edits = distance(text, candidate);
    if (edits >= least) continue;
    least = edits;
    best = candidate;
  }
  return best;
}

}  // namespace relab
