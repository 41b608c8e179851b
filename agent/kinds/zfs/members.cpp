#include "agent/kinds/zfs/members.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/ask.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

Result<std::vector<Member>> parse_members(std::string_view text) {
  std::vector<Member> members;
  for (const auto line : lines(text)) {
    const auto row = split(line, '\t');
    if (row.size() != 5 || row[0].empty() || (row[1] != "filesystem" && row[1] != "volume"))
      return fail(Fault::damaged, fmt::format("zfs list printed '{}'", line));
    members.push_back({.name = std::string(row[0]),
                       .is_volume = row[1] == "volume",
                       .encryption_root = row[2] == "-" ? "" : std::string(row[2]),
                       .key_loaded = row[3] == "available",
                       .scratch = row[4] == "yes"});
  }
  if (members.empty()) return fail(Fault::damaged, "zfs list printed no dataset");
  return members;
}

Result<std::vector<Member>> members_of(Host& host, const std::string& dataset) {
  RELAB_TRY(
      const auto text,
      output_of(host, {.argv = {"zfs", "list", "-Hp", "-r", "-t", "filesystem,volume", "-o",
                                fmt::format("name,type,encryptionroot,keystatus,{}", drill_mark),
                                dataset}}));
  RELAB_TRY(auto members, parse_members(text));
  // What was asked for by name is meant.
  if (!members.front().scratch)
    std::erase_if(members, [](const Member& member) { return member.scratch; });
  return members;
}

}  // namespace relab::agent::zfs
