#include "agent/host/sim/debian/users.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

/// https://wiki.debian.org/SystemGroups: the same numbers on every Debian.
const std::vector<User>& of_every_debian() {
  static const std::vector<User> users = {{"root", 0, 0, "/root", "/bin/bash"},
                                          {"daemon", 1, 1, "/usr/sbin"},
                                          {"bin", 2, 2, "/bin"},
                                          {"sys", 3, 3, "/dev"},
                                          {"sync", 4, 65534, "/bin", "/bin/sync"},
                                          {"games", 5, 60, "/usr/games"},
                                          {"man", 6, 12, "/var/cache/man"},
                                          {"lp", 7, 7, "/var/spool/lpd"},
                                          {"mail", 8, 8, "/var/mail"},
                                          {"news", 9, 9, "/var/spool/news"},
                                          {"uucp", 10, 10, "/var/spool/uucp"},
                                          {"proxy", 13, 13, "/bin"},
                                          {"www-data", 33, 33, "/var/www"},
                                          {"backup", 34, 34, "/var/backups"},
                                          {"list", 38, 38, "/var/list"},
                                          {"irc", 39, 39, "/run/ircd"},
                                          {"_apt", 42, 65534},
                                          {"nobody", 65534, 65534},
                                          {"systemd-network", 998, 998, "/"},
                                          {"messagebus", 100, 102},
                                          {"sshd", 101, 65534, "/run/sshd"}};
  return users;
}

/// Groups that have no user of their name.
constexpr std::string_view other_groups =
    "adm:x:4:\ntty:x:5:\ndisk:x:6:\nkmem:x:15:\ndialout:x:20:\ncdrom:x:24:\nsudo:x:27:\n"
    "shadow:x:42:\nvideo:x:44:\nsasl:x:45:\nplugdev:x:46:\nstaff:x:50:\nusers:x:100:\n"
    "systemd-journal:x:999:\nrender:x:104:\nnogroup:x:65534:\n";

constexpr std::uint32_t first_of_packages = 102;

}  // namespace

Users::Users(SimHost& host) : host_(host) {
  host_.file("/etc/passwd", "");
  host_.file("/etc/group", std::string(other_groups));
  for (const auto& user : of_every_debian()) add(user);
}

void Users::add(const User& user) {
  if (std::ranges::find(users_, user.name, &User::name) != users_.end()) return;
  users_.push_back(user);
  // Somebody may have written these files meanwhile.
  const auto passwd = host_.read_file("/etc/passwd").value_or("");
  host_.file("/etc/passwd", fmt::format("{0}{1}:x:{2}:{3}:{1}:{4}:{5}\n", passwd, user.name,
                                        user.uid, user.gid, user.home, user.shell));
  constexpr std::uint32_t nogroup = 65534;
  if (user.gid == nogroup) return;
  const auto group = host_.read_file("/etc/group").value_or("");
  host_.file("/etc/group", fmt::format("{}{}:x:{}:\n", group, user.name, user.gid));
}

std::uint32_t Users::number_of(const std::string& name) {
  // What tells of a user by its number knows no name.
  if (const auto number = parse_number<std::uint32_t>(name)) return *number;
  const auto found = std::ranges::find(users_, name, &User::name);
  if (found != users_.end()) return found->uid;
  auto number = first_of_packages;
  const auto taken = [&](std::uint32_t wanted) {
    return std::ranges::any_of(
        users_, [wanted](const User& user) { return user.uid == wanted || user.gid == wanted; });
  };
  // 104 is a group's already.
  while (taken(number) || number == 104) ++number;
  add({.name = name, .uid = number, .gid = number, .home = "/var/lib/" + name});
  return number;
}

}  // namespace relab::agent::sim
