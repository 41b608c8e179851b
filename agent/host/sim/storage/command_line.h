#pragma once

/// The options of a program that is asked for something.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relab::agent::sim {

struct CommandLine {
  /// Letters, each once.
  std::string flags = {};
  /// In the order in which they came: 'o', "mountpoint=none".
  std::vector<std::pair<char, std::string>> values = {};
  std::vector<std::string> words = {};

  bool has(char flag) const { return flags.find(flag) != std::string::npos; }
  /// That and no other flag.
  bool has_only(std::string_view wanted) const;
  /// Of the last of these; nothing: it was not given.
  std::optional<std::string> value(char option) const;
  std::vector<std::string> all(char option) const;
};

/// The arguments behind the first two; nothing for any option that is not among these.
std::optional<CommandLine> command_line_of(const std::vector<std::string>& argv,
                                           std::string_view flags, std::string_view with_value);

}  // namespace relab::agent::sim
