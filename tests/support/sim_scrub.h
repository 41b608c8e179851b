#pragma once

/// One pool that is scrubbed, as zpool of ZFS 2.1 tells of it.

#include <fmt/format.h>
#include <string>

#include "agent/host/sim/sim_host.h"

namespace relab::agent {

struct SimScrub {
  /// none, scrub, resilver; of the scan that is at work or was last.
  std::string function = "none";
  /// finished, canceled, scanning, paused.
  std::string state = "none";
  Instant ended = {};
  std::uint64_t errors = 0;
  /// How often it is looked at until a scrub that was started has ended.
  int looks_until_end = 2;
  /// What becomes of it then.
  std::string comes_to = "finished";
  bool read_only = false;
  /// What `zpool scrub` says instead of starting.
  std::string refusal = {};

  /// Keeps a pointer to the host.
  void install(SimHost& machine) {
    host = &machine;
    installed_ = machine.now();
    for (const auto* name : {"zfs", "zpool", "date"}) machine.forget_answers(name);
    machine.program("zfs", Output{.out = "zfs-2.1.11-1\nzfs-kmod-2.1.11-1\n"});
    machine.program("zpool", [this](const Command& command) { return zpool(command.argv); });
    machine.program("date", [](const Command& command) { return Output{.out = command.input}; });
  }

  SimHost* host = nullptr;

 private:
  /// When every scrub ends.
  Instant installed_ = {};

  Output zpool(const std::vector<std::string>& argv) {
    const auto& verb = argv.at(1);
    if (verb == "list") return {.out = "tank\t4711\tONLINE\n"};
    if (verb == "get")
      return {.out = fmt::format("tank\thealth\tONLINE\t-\ntank\tguid\t4711\t-\n"
                                 "tank\treadonly\t{}\t-\n",
                                 read_only ? "on" : "off")};
    if (verb == "status") return {.out = status(argv.at(2).find('g') != std::string::npos)};
    if (verb != "scrub") return {.status = 2, .err = "unrecognized command\n"};
    if (!refusal.empty()) return {.status = 1, .err = refusal + "\n"};
    function = "scrub";
    state = "scanning";
    return {};
  }
  std::string status(bool by_guid) {
    if (!by_guid && state == "scanning" && function == "scrub" && --looks_until_end < 0) {
      state = comes_to;
      ended = installed_;
    }
    return fmt::format(
        "  pool: tank\n state: ONLINE\n  scan: {}\nconfig:\n\n"
        "\tNAME            STATE     READ WRITE CKSUM\n"
        "\t{:<16}ONLINE       0     0     0\n"
        "\t  {:<14}ONLINE       0     0     0\n\n"
        "errors: No known data errors\n",
        scan(), by_guid ? "4711" : "tank", by_guid ? "4712" : "/dev/sda1");
  }
  /// Where ZFS has a date there is the number that `date` makes of it.
  std::string scan() const {
    const auto seconds = ended.time_since_epoch().count() / 1000;
    if (function == "none") return "none requested";
    if (function == "resilver") return "resilver in progress since 1795369000";
    if (state == "scanning")
      return "scrub in progress since 1795369000\n\t1.00G scanned at 1G/s, 1.00G issued at 1G/s, "
             "2.00G total\n\t0B repaired, 50.00% done, 00:00:01 to go";
    if (state == "canceled") return fmt::format("scrub canceled on {}", seconds);
    if (state == "paused") return "scrub paused since 1795369000\n\tscrub started on 1795368000";
    return fmt::format("scrub repaired 0B in 00:00:01 with {} errors on {}", errors, seconds);
  }
};

}  // namespace relab::agent
