#pragma once

/// Running containers in memory: `pct exec` on one simulated machine runs on another.

#include <map>
#include <sodium.h>
#include <string>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/support/look_inside.h"
#include "agent/kinds/support/tree.h"

namespace relab::agent {

inline std::string base64(const std::string& bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

/// The machine's table of mounts, with file systems at these points.
inline void mount(SimHost& host, const std::vector<std::string>& points) {
  std::string table;
  for (const auto& point : points) table += "30 1 0:27 / " + point + " rw - zfs tank rw\n";
  host.file("/proc/self/mountinfo", table);
}

/// What the script of `look_inside` answers.
inline std::string look(SimHost& guest, const std::vector<std::string>& arguments) {
  Wanted wanted;
  auto* list = &wanted.contents;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--literal") {
      wanted.literal = true;
    } else if (arguments[i] == "--contents") {
      list = &wanted.contents;
    } else if (arguments[i] == "--names") {
      list = &wanted.names;
    } else {
      list->push_back(arguments[i]);
    }
  }
  const auto gathered = Tree(guest, {{.path = "/", .source = "/"}}).gather(wanted);
  std::string answer;
  for (const auto& [path, text] : gathered.contents)
    answer += "file " + path + "\n" + base64(text) + "\n.\n";
  for (const auto& name : gathered.names) answer += "name " + name + "\n";
  for (const auto& [path, unused] : gathered.unreadable) answer += "lost " + path + "\n";
  return answer + "end\n";
}

/// The program `pct` of a machine that has these containers running.
inline SimHost::Program containers(std::map<std::string, SimHost*> guests) {
  return [guests = std::move(guests)](const Command& command) -> Result<Output> {
    constexpr std::size_t own = 6;
    const auto guest = command.argv.size() > own ? guests.find(command.argv[2]) : guests.end();
    if (guest == guests.end()) return Output{.status = 255, .err = "container not running!\n"};
    const std::vector<std::string> argv(command.argv.begin() + own, command.argv.end());
    if (argv[0] == "sh") return Output{.out = look(*guest->second, {argv.begin() + 4, argv.end()})};
    auto output = guest->second->run({.argv = argv});
    if (output) return output;
    return Output{.status = 127, .err = "lxc-attach: No such file or directory\n"};
  };
}

}  // namespace relab::agent
