// What both have at the beginning and at the end is left out, and what is left is aligned by the
// longest sequence of lines that both have, unless it is so long that this would take its time.

#include "agent/kinds/system/difference.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/support/redact.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

using Lines = std::vector<std::string_view>;
using Words = std::vector<std::string>;

constexpr std::size_t shown_max = 40;
constexpr std::size_t line_max = 160;
constexpr std::size_t cells_max = std::size_t{1} << 20U;

/// What may be a key: a long word of nothing but letters and digits.
bool is_blob(std::string_view line) {
  constexpr std::size_t shortest = 40;
  return line.size() >= shortest && std::ranges::all_of(line, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/' ||
                  c == '=';
         });
}

/// "password = x", "apiKey: x", "<ApiKey>x</ApiKey>" without the value.
std::string without_secrets(std::string_view line) {
  if (is_blob(trim(line))) return std::string(redacted);
  const auto end = line.find_first_of("=:>");
  if (end != std::string_view::npos && is_secret_name(line.substr(0, end)))
    return fmt::format("{} {}", line.substr(0, end + 1), redacted);
  return redact(line);
}

std::string shown(std::string_view sign, std::string_view line) {
  return clean_text(fmt::format("{} {}", sign, without_secrets(line).substr(0, line_max)));
}

/// Lines between a common beginning and a common end.
struct Middle {
  Lines from;
  Lines to;
  std::string_view before = {};
  std::string_view after = {};
  bool has_before = false;
  bool has_after = false;
};

Middle middle_of(Lines from, Lines to) {
  const auto at = std::ranges::mismatch(from, to);
  const auto common = static_cast<std::size_t>(at.in1 - from.begin());
  std::size_t tail = 0;
  while (common + tail < std::min(from.size(), to.size()) &&
         from[from.size() - 1 - tail] == to[to.size() - 1 - tail])
    ++tail;
  Middle middle;
  middle.has_before = common > 0;
  middle.has_after = tail > 0;
  if (common > 0) middle.before = from[common - 1];
  if (tail > 0) middle.after = from[from.size() - tail];
  const auto cut = [&](Lines& all) {
    return Lines(all.begin() + static_cast<std::ptrdiff_t>(common),
                 all.end() - static_cast<std::ptrdiff_t>(tail));
  };
  middle.from = cut(from);
  middle.to = cut(to);
  return middle;
}

/// Lengths of the longest common sequences of what is left from each pair of lines on.
class Table {
 public:
  Table(const Lines& from, const Lines& to) : width_(to.size() + 1) {
    cells_.resize((from.size() + 1) * width_);
    for (std::size_t i = from.size(); i-- > 0;)
      for (std::size_t j = to.size(); j-- > 0;)
        cell(i, j) =
            from[i] == to[j] ? cell(i + 1, j + 1) + 1 : std::max(cell(i + 1, j), cell(i, j + 1));
  }
  std::uint32_t& cell(std::size_t i, std::size_t j) { return cells_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> cells_;
};

void align(const Lines& from, const Lines& to, Words& out) {
  Table table(from, to);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < from.size() || j < to.size()) {
    if (i < from.size() && j < to.size() && from[i] == to[j]) {
      out.push_back(shown(" ", from[i++]));
      ++j;
    } else if (j == to.size() ||
               (i < from.size() && table.cell(i + 1, j) >= table.cell(i, j + 1))) {
      out.push_back(shown("-", from[i++]));
    } else {
      out.push_back(shown("+", to[j++]));
    }
  }
}

}  // namespace

std::vector<std::string> difference(std::string_view from, std::string_view to) {
  Words out;
  if (from == to) return out;
  const auto middle = middle_of(lines(from), lines(to));
  if (middle.has_before) out.push_back(shown(" ", middle.before));
  if (middle.from.size() * middle.to.size() <= cells_max) {
    align(middle.from, middle.to, out);
  } else {
    for (const auto line : middle.from) out.push_back(shown("-", line));
    for (const auto line : middle.to) out.push_back(shown("+", line));
  }
  if (middle.has_after) out.push_back(shown(" ", middle.after));
  if (middle.from.empty() && middle.to.empty())
    out.emplace_back("  (they differ in the ends of lines)");
  if (out.size() <= shown_max) return out;
  const auto more = out.size() - shown_max;
  out.resize(shown_max);
  out.push_back(fmt::format("  ({} more lines)", more));
  return out;
}

}  // namespace relab::agent::system
