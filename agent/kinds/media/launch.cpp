#include "agent/kinds/media/launch.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace relab::agent::media {

namespace {

/// The last name of a path, without an extension that tells the kind of program.
std::string_view stem_of(std::string_view path) {
  const auto slash = path.find_last_of('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  for (const std::string_view extension : {".exe", ".dll", ".py", ".js"})
    if (path.ends_with(extension)) path.remove_suffix(extension.size());
  return path;
}

bool is_interpreter(std::string_view program) {
  const auto stem = stem_of(program);
  return stem.starts_with("python") || stem == "mono" || stem == "dotnet" || stem == "node" ||
         stem == "env" || stem == "nice" || stem == "sh" || stem == "bash";
}

/// Words at white space; quotes keep them together.
std::vector<std::string> command_words(std::string_view text) {
  std::vector<std::string> all;
  bool open = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      if (!open) all.emplace_back();
      open = true;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      open = false;
    } else {
      if (!open) all.emplace_back();
      open = true;
      all.back() += c;
    }
  }
  return all;
}

/// "-@:+!" before a command change how systemd runs it.
std::string_view without_prefix(std::string_view command) {
  const auto start = command.find_first_not_of("-@:+!");
  return start == std::string_view::npos ? std::string_view() : command.substr(start);
}

}  // namespace

std::vector<std::string> parse_cmdline(std::string_view text) {
  std::vector<std::string> command;
  for (const auto part : split(text, '\0')) command.emplace_back(part);
  while (!command.empty() && command.back().empty()) command.pop_back();
  return command;
}

UnitFile parse_unit(std::string_view text) {
  UnitFile unit;
  std::string joined;
  for (const auto line : lines(text)) {
    if (line.ends_with('\\')) {
      joined += line.substr(0, line.size() - 1);
      continue;
    }
    joined += line;
    const auto whole = trim(joined);
    if (whole.starts_with("ExecStart="))
      unit.command = command_words(without_prefix(trim(whole.substr(10))));
    if (whole.starts_with("WorkingDirectory="))
      unit.working_directory = without_prefix(trim(whole.substr(17)));
    joined.clear();
  }
  return unit;
}

bool runs_app(const std::vector<std::string>& command, const App& app) {
  constexpr std::size_t looked_at_max = 4;
  for (std::size_t i = 0; i < std::min(command.size(), looked_at_max); ++i) {
    // What a shell is given to do is a text of anybody's, not a program's name.
    if (command[i] == "-c" || command[i].find_first_of(" \t\n;|&") != std::string::npos)
      return false;
    // An option is no program: "vim -data=/var/lib/sonarr" is not Sonarr.
    if (!command[i].starts_with('-') && names_app(stem_of(command[i]), app)) return true;
    if (i == 0 && !is_interpreter(command[i])) return false;
  }
  return false;
}

std::optional<std::string> option_value(const std::vector<std::string>& command,
                                        const std::vector<std::string_view>& options) {
  for (std::size_t i = 0; i < command.size(); ++i)
    for (const auto option : options) {
      const std::string_view word = command[i];
      if (word == option && i + 1 < command.size()) return command[i + 1];
      if (word.size() > option.size() && word.starts_with(option) && word[option.size()] == '=')
        return std::string(word.substr(option.size() + 1));
    }
  return {};
}

bool is_contained(std::string_view cgroup) {
  constexpr std::array marks{"/lxc/",     "/lxc.payload",    "/docker",   "libpod",
                             "/kubepods", "/machine.slice/", "containerd"};
  return std::ranges::any_of(
      marks, [&](const char* mark) { return cgroup.find(mark) != std::string_view::npos; });
}

}  // namespace relab::agent::media
