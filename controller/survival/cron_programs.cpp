#include "controller/survival/cron_programs.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

namespace relab::controller {

namespace {

constexpr std::array own_folders = {"/usr/local/", "/opt/", "/root/", "/home/", "/srv/"};
/// Whose argument is what really runs.
const std::set<std::string_view> runners = {
    "sh",    "bash",   "dash", "zsh",  "python", "python3", "perl",  "ruby",
    "node",  "php",    "env",  "nice", "ionice", "timeout", "flock", "chronic",
    "nohup", "setsid", "sudo", "time", "exec",   "test",    "[",     "systemd-cat"};

bool is_own(std::string_view word) {
  return std::ranges::any_of(own_folders, [&](std::string_view folder) {
    return word.starts_with(folder) && word.size() > folder.size();
  });
}

/// Words, and the signs between commands as words of their own. Quotes are taken away.
std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : command) {
    const bool parts = c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '`';
    if (parts || std::isspace(static_cast<unsigned char>(c)) != 0) {
      end_word();
      if (parts) words.emplace_back(1, ';');
    } else if (c != '"' && c != '\'') {
      // A sign of redirection, too: a word that has one is a file, or says that the next one is.
      word += c;
    }
  }
  end_word();
  return words;
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::vector<std::string> own_programs_of(std::string_view command) {
  std::vector<std::string> programs;
  // Whether a word would be what runs.
  bool may_run = true;
  bool is_file = false;
  for (const auto& word : words_of(command)) {
    if (word == ";") {
      may_run = true;
      is_file = false;
      continue;
    }
    if (word.find_first_of("<>") != std::string::npos) {
      is_file = word.ends_with('>') || word.ends_with('<');
      continue;
    }
    if (std::exchange(is_file, false) || !may_run) continue;
    const bool is_setting = word.find('=') != std::string::npos && word[0] != '/';
    const bool is_other = word[0] == '-' || std::isdigit(static_cast<unsigned char>(word[0])) != 0;
    if (is_setting || is_other || runners.contains(name_of(word))) continue;
    if (is_own(word)) programs.push_back(word);
    may_run = word == "!";
  }
  return programs;
}

}  // namespace relab::controller
