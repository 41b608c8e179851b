#include "agent/kinds/support/redact.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view value_ends = " \t&;|)`";
constexpr std::string_view quotes = "\"'";
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

bool is_one_of(char letter, std::string_view letters) {
  return letters.find(letter) != std::string_view::npos;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Behind the quoted text that starts here.
std::size_t end_of_quoted(std::string_view line, std::size_t at) {
  const auto close = line.find(line[at], at + 1);
  return close == std::string_view::npos ? line.size() : close + 1;
}

/// The quote that is open at this place, or 0.
char quote_around(std::string_view line, std::size_t at) {
  for (std::size_t begin = 0; begin < at;) {
    const auto end = is_one_of(line[begin], quotes) ? end_of_quoted(line, begin) : begin + 1;
    // At the line's end without having been closed, it is open as well.
    const bool closed = end <= at && (end < line.size() || line[end - 1] == line[begin]);
    if (end > begin + 1 && !closed) return line[begin];
    begin = end;
  }
  return '\0';
}

/// Where the word that starts here ends, as a shell sees it: a'b c'd is one word.
std::size_t end_of_value(std::string_view line, std::size_t at) {
  const auto around = quote_around(line, at);
  auto end = at;
  while (end < line.size() && line[end] != around && !is_one_of(line[end], value_ends))
    if (is_one_of(line[end], quotes))
      end = end_of_quoted(line, end);
    else
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

/// What comes after the user's name in "user:secret", or in Samba's "user%secret".
Span credentials_in(std::string_view line, std::size_t begin, std::string_view separators) {
  const auto end = end_of_value(line, begin);
  const auto word = line.substr(begin, end - begin);
  // The format of date -u +%H:%M.
  if (word.find('+') <= 1) return {};
  const auto sign = word.find_first_of(separators);
  if (sign == std::string_view::npos) return {};
  return {.begin = begin + sign + 1, .end = end};
}

Span assignment_at(std::string_view line, std::size_t at) {
  const auto name = name_before(line, at);
  if (line[at] == '=' && (name == "--user" || name == "--proxy-user"))
    return credentials_in(line, at + 1, ":%");
  if (!is_secret_name(name)) return {};
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

/// The command of the line that this place belongs to, up to it.
std::string_view command_before(std::string_view line, std::size_t at) {
  const auto before = line.substr(0, at);
  const auto begin = before.find_last_of("|;&");
  return begin == std::string_view::npos ? before : before.substr(begin + 1);
}

/// Programs that take a secret by an option whose name does not tell.
bool takes_secret_of(std::string_view option, std::string_view command) {
  struct Known {
    std::string_view program;
    std::string_view option;
  };
  static constexpr std::array<Known, 7> known = {{{"sshpass", "-p"},
                                                  {"openssl", "-k"},
                                                  {"openssl", "-K"},
                                                  {"zip ", "-P"},
                                                  {"ipmitool", "-P"},
                                                  {"ldap", "-w"},
                                                  {"redis-cli", "-a"}}};
  return std::ranges::any_of(
      known, [&](const Known& one) { return option == one.option && has(command, one.program); });
}

/// curl's -u, alone or behind options without a value: -sSfu.
bool is_short_user_option(std::string_view option) {
  if (option.size() < 2 || option.front() != '-' || option.back() != 'u') return false;
  return option.substr(1, option.size() - 2).find_first_not_of("fsSkLvgiIjNqRO046") ==
         std::string_view::npos;
}

Span user_option_value(std::string_view line, std::string_view option, std::size_t begin) {
  if (option == "-U" || option == "--user" || option == "--proxy-user")
    return credentials_in(line, begin, ":%");
  return is_short_user_option(option) ? credentials_in(line, begin, ":") : Span{};
}

/// openssl's "pass:SECRET"; its other sources (file:, env:, fd:) are no secrets.
Span openssl_password_at(std::string_view line, std::size_t at) {
  if (name_before(line, at) != "pass") return {};
  return {.begin = at + 1, .end = end_of_value(line, at + 1)};
}

/// The word after an option, at the blank between them.
Span option_value_at(std::string_view line, std::size_t at) {
  const auto begin = line.find_first_not_of(blanks, at);
  if (begin == at || begin == std::string_view::npos || line[begin] == '-') return {};
  const auto option = name_before(line, at);
  if (takes_secret(option) || takes_secret_of(option, command_before(line, at)))
    return {.begin = begin, .end = end_of_value(line, begin)};
  return user_option_value(line, option, begin);
}

/// -uuser:secret and -Uuser%secret.
Span glued_user_at(std::string_view line, std::size_t at) {
  const auto sign = line.find_first_of("uU \t", at + 1);
  if (sign == std::string_view::npos || sign + 1 >= line.size()) return {};
  const auto option = line.substr(at + 1, sign - at);
  if (option == "-U") return credentials_in(line, sign + 1, ":%");
  return is_short_user_option(option) ? credentials_in(line, sign + 1, ":") : Span{};
}

/// The words of a here-string: <<< secret.
Span here_string_at(std::string_view line, std::size_t at) {
  if (!line.substr(0, at + 1).ends_with("<<<")) return {};
  const auto begin = line.find_first_not_of(blanks, at + 1);
  if (begin == std::string_view::npos) return {};
  return {.begin = begin, .end = end_of_value(line, begin)};
}

/// Where the command that goes on here ends: at a sign that is not quoted, or at the line's end.
std::size_t end_of_command(std::string_view line, std::size_t at) {
  const auto around = quote_around(line, at);
  while (at < line.size() && line[at] != around) {
    const bool redirects = line[at] == '&' && at > 0 && line[at - 1] == '>';
    if (is_one_of(line[at], "|;&)`") && !redirects) break;
    if (is_one_of(line[at], quotes))
      at = end_of_quoted(line, at);
    else
      at += line[at] == '\\' ? 2U : 1U;
  }
  return std::min(at, line.size());
}

bool is_pipe_at(std::string_view line, std::size_t at) {
  return at < line.size() && line[at] == '|' && (at + 1 == line.size() || line[at + 1] != '|');
}

/// Whether the group of commands that this place is in, if any, is piped: (echo a; echo b) | x.
bool group_is_piped(std::string_view line, std::size_t at) {
  for (int depth = 0; at < line.size(); ++at) {
    if (is_one_of(line[at], "({")) ++depth;
    if (!is_one_of(line[at], ")}") || --depth >= 0) continue;
    return is_pipe_at(line, line.find_first_not_of(blanks, at + 1));
  }
  return false;
}

/// Past the options of echo: they are no secret.
std::size_t after_echo_options(std::string_view line, std::size_t at) {
  at = line.find_first_not_of(blanks, at);
  while (at != std::string_view::npos && line[at] == '-') {
    const auto end = line.find_first_of(blanks, at);
    const auto letters = line.substr(at + 1, end - at - 1);
    if (letters.empty() || letters.find_first_not_of("neE") != std::string_view::npos) break;
    at = line.find_first_not_of(blanks, end);
  }
  return at;
}

/// What is piped into another program is its input, and often its password.
Span piped_words_at(std::string_view line, std::size_t at) {
  const auto program = name_before(line, at);
  if (program != "echo" && program != "printf") return {};
  const auto begin = after_echo_options(line, at);
  if (begin == std::string_view::npos) return {};
  auto end = end_of_command(line, begin);
  if (!is_pipe_at(line, end) && !group_is_piped(line, end)) return {};
  while (end > begin && is_one_of(line[end - 1], blanks)) --end;
  return {.begin = begin, .end = end};
}

/// Whether "before:inner@" has another meaning than a user's name and password.
bool is_harmless(std::string_view line, std::string_view before, std::string_view inner,
                 std::string_view after) {
  if (is_one_of(inner.front(), "/:") || before.ends_with("mailto")) return true;
  if (has(inner, "://")) return true;             // its own colon comes later
  if (after.starts_with("sha256:")) return true;  // the digest of an image
  if (!has(inner, "/")) return false;
  // A path: of scp and rsync behind a host, or a snapshot on another machine.
  const bool of_proxmox = before.ends_with("@pam") || before.ends_with("@pve") ||
                          before.ends_with("@pbs") || has(before, "!");
  return (has(before, "@") && !of_proxmox) || has(line, "zfs") || has(line, "syncoid") ||
         has(line, "zsync");
}

/// "name:secret@host" without a scheme: repositories of proxmox-backup-client, shares, proxies.
Span bare_password_at(std::string_view line, std::size_t at) {
  const auto begin = at + 1;
  const auto size = std::min(line.find_first_of(" \t\"'<>", begin), line.size()) - begin;
  const auto sign = line.substr(begin, size).rfind('@');
  if (sign == std::string_view::npos || sign == 0 || sign + 1 == size) return {};
  const auto word = std::min(line.find_last_of(" \t\"'=", at) + 1, at);
  const auto before = line.substr(word, at - word);
  if (before.empty() || is_harmless(line, before, line.substr(begin, sign),
                                    line.substr(begin + sign + 1, size - sign - 1)))
    return {};
  return {.begin = begin, .end = begin + sign};
}

/// A bot of Telegram: its number and its token, in URLs behind "bot".
Span bot_token_at(std::string_view line, std::size_t at) {
  constexpr std::size_t digits_min = 6;
  constexpr std::size_t token_size_min = 30;
  auto name = name_before(line, at);
  const bool in_url = name.starts_with("bot");
  if (in_url) name.remove_prefix(3);
  if (name.empty() || name.find_first_not_of("0123456789") != std::string_view::npos) return {};
  auto end = at + 1;
  while (end < line.size() && is_name_letter(line[end])) ++end;
  if (!in_url && (name.size() < digits_min || end - at <= token_size_min)) return {};
  return {.begin = at + 1, .end = end};
}

/// Whoever knows the URL of a webhook may post.
Span webhook_at(std::string_view line, std::size_t at) {
  static constexpr std::array<std::string_view, 2> hooks = {"/api/webhooks/",
                                                            "/hooks.slack.com/services/"};
  for (const auto hook : hooks)
    if (line.substr(at).starts_with(hook))
      return {.begin = at + hook.size(), .end = end_of_value(line, at + hook.size())};
  return {};
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

using Search = Span (*)(std::string_view, std::size_t);

Span first_of(std::initializer_list<Search> searches, std::string_view line, std::size_t at) {
  for (const auto search : searches) {
    const auto span = search(line, at);
    if (span.begin < span.end) return span;
  }
  return {};
}

Span secret_at(std::string_view line, std::size_t at) {
  switch (line[at]) {
    case '=':
      return assignment_at(line, at);
    case ':':
      return first_of(
          {url_password_at, assignment_at, openssl_password_at, bare_password_at, bot_token_at},
          line, at);
    case ' ':
    case '\t':
      return first_of({option_value_at, glued_password_at, glued_user_at, piped_words_at}, line,
                      at);
    case '<':
      return here_string_at(line, at);
    case '/':
      return webhook_at(line, at);
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
