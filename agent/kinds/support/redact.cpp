#include "agent/kinds/support/redact.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view value_ends = " \t\"'&;|)`";
constexpr std::size_t user_size_max = 20;
/// The search for secrets looks back and forth: a line without an end would take its time.
constexpr std::size_t line_size_max = 2000;

std::string upper(std::string_view text) {
  std::string big(text);
  std::ranges::transform(big, big.begin(), [](unsigned char letter) {
    return static_cast<char>(std::toupper(letter));
  });
  return big;
}

bool is_name_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-' ||
         letter == '.';
}

/// The name that ends at this place.
std::string_view name_before(std::string_view line, std::size_t end) {
  auto begin = end;
  while (begin > 0 && is_name_letter(line[begin - 1])) --begin;
  return line.substr(begin, end - begin);
}

/// Where the word or quoted text that starts here ends.
std::size_t end_of_value(std::string_view line, std::size_t at) {
  if (at >= line.size()) return line.size();
  if (line[at] == '"' || line[at] == '\'') {
    const auto close = line.find(line[at], at + 1);
    return close == std::string_view::npos ? line.size() : close + 1;
  }
  auto end = at;
  while (end < line.size() && value_ends.find(line[end]) == std::string_view::npos)
    end += line[end] == '\\' ? 2U : 1U;
  return std::min(end, line.size());
}

/// "Authorization: Bearer x" goes on to the closing quote, or to the end of the line.
std::size_t end_of_header(std::string_view line, std::size_t at) {
  const auto end = line.find_first_of("\"'", at);
  return end == std::string_view::npos ? line.size() : end;
}

/// Options that take a secret in the next word. Those that name a file, or "-key" of a command's
/// own verbs (zfs load-key), are none.
bool takes_secret(std::string_view option) {
  if (!option.starts_with("--")) return false;
  const auto name = upper(option.substr(2));
  return is_secret_name(name) && !name.ends_with("FILE") && !name.ends_with("PATH");
}

/// Where the secret in the text after `at` begins and ends; npos for none.
struct Span {
  std::size_t begin = std::string_view::npos;
  std::size_t end = 0;
};

Span assignment_at(std::string_view line, std::size_t at) {
  if (!is_secret_name(name_before(line, at))) return {};
  if (line[at] == '=') return {.begin = at + 1, .end = end_of_value(line, at + 1)};
  if (line[at] == ':' && at + 1 < line.size() && line[at + 1] == ' ')
    return {.begin = at + 2, .end = end_of_header(line, at + 2)};
  return {};
}

Span url_password_at(std::string_view line, std::size_t at) {
  if (!line.substr(at).starts_with("://")) return {};
  const auto begin = at + 3;
  const auto end = std::min(line.find_first_of(" \t\"'<>", begin), line.size());
  // The last @, for a password that should have been escaped and was not.
  const auto sign = line.substr(begin, end - begin).rfind('@');
  if (sign == std::string_view::npos) return {};
  const auto colon = line.substr(begin, sign).find(':');
  if (colon != std::string_view::npos) return {.begin = begin + colon + 1, .end = begin + sign};
  // A user's name is short; what is longer is a token.
  if (sign > user_size_max) return {.begin = begin, .end = begin + sign};
  return {};
}

/// The word after an option, at the blank between them.
Span option_value_at(std::string_view line, std::size_t at) {
  const auto begin = line.find_first_not_of(blanks, at);
  if (begin == at || begin == std::string_view::npos || line[begin] == '-') return {};
  const auto option = name_before(line, at);
  if (takes_secret(option) || (option == "-p" && line.find("sshpass") < at))
    return {.begin = begin, .end = end_of_value(line, begin)};
  if (option != "-u" && option != "--user") return {};
  const auto end = end_of_value(line, begin);
  const auto colon = line.substr(begin, end - begin).find(':');
  if (colon == std::string_view::npos) return {};
  return {.begin = begin + colon + 1, .end = end};
}

/// mysql and its kin take the password without a blank.
Span glued_password_at(std::string_view line, std::size_t at) {
  const auto before = line.substr(0, at);
  if (before.find("mysql") == std::string_view::npos &&
      before.find("mariadb") == std::string_view::npos &&
      before.find("sshpass") == std::string_view::npos)
    return {};
  if (!line.substr(at).starts_with(" -p") || at + 3 >= line.size() || line[at + 3] == ' ')
    return {};
  return {.begin = at + 3, .end = end_of_value(line, at + 3)};
}

Span secret_at(std::string_view line, std::size_t at) {
  switch (line[at]) {
    case '=':
      return assignment_at(line, at);
    case ':': {
      const auto span = url_password_at(line, at);
      return span.begin == std::string_view::npos ? assignment_at(line, at) : span;
    }
    case ' ':
    case '\t': {
      const auto span = option_value_at(line, at);
      return span.begin == std::string_view::npos ? glued_password_at(line, at) : span;
    }
    default:
      return {};
  }
}

}  // namespace

bool is_secret_name(std::string_view name) {
  static constexpr std::array<std::string_view, 7> marks = {"PASS",       "TOKEN", "SECRET", "KEY",
                                                            "CREDENTIAL", "AUTH",  "PSK"};
  const auto big = upper(name);
  return std::ranges::any_of(
      marks, [&big](std::string_view mark) { return big.find(mark) != std::string::npos; });
}

std::string redact(std::string_view line) {
  if (line.size() > line_size_max) return redact(line.substr(0, line_size_max)) + " ...";
  std::string clean;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto span = secret_at(line, at);
    if (span.begin == std::string_view::npos || span.end <= span.begin || span.begin < kept)
      continue;
    clean += line.substr(kept, span.begin - kept);
    clean += redacted;
    kept = span.end;
    at = std::max(at, kept - 1);
  }
  return clean += line.substr(std::min(kept, line.size()));
}

std::string redact_all(std::string_view text) {
  std::string clean;
  for (const auto line : lines(text)) clean += (clean.empty() ? "" : "\n") + redact(line);
  return clean;
}

}  // namespace relab::agent
