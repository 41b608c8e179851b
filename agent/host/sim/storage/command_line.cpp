#include "agent/host/sim/storage/command_line.h"

#include <algorithm>

namespace relab::agent::sim {

bool CommandLine::has_only(std::string_view wanted) const {
  return flags.size() == wanted.size() &&
         std::ranges::all_of(wanted, [&](char flag) { return has(flag); });
}

std::optional<std::string> CommandLine::value(char option) const {
  std::optional<std::string> last;
  for (const auto& [name, text] : values)
    if (name == option) last = text;
  return last;
}

std::vector<std::string> CommandLine::all(char option) const {
  std::vector<std::string> texts;
  for (const auto& [name, text] : values)
    if (name == option) texts.push_back(text);
  return texts;
}

std::optional<CommandLine> command_line_of(const std::vector<std::string>& argv,
                                           std::string_view flags, std::string_view with_value) {
  constexpr std::size_t before = 2;
  CommandLine line;
  for (std::size_t i = before; i < argv.size(); ++i) {
    const auto& word = argv[i];
    if (word.size() < 2 || word[0] != '-' || !line.words.empty()) {
      line.words.push_back(word);
      continue;
    }
    for (const char letter : word.substr(1)) {
      if (flags.find(letter) != std::string_view::npos) {
        if (!line.has(letter)) line.flags += letter;
      } else if (with_value.find(letter) != std::string_view::npos && word.size() == 2 &&
                 i + 1 < argv.size()) {
        line.values.emplace_back(letter, argv[++i]);
      } else {
        return {};
      }
    }
  }
  return line;
}

}  // namespace relab::agent::sim
