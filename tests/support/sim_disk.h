#pragma once

/// One disk with partitions and what is on them, as lsblk and wipefs tell it.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent {

struct SimDisk {
  std::string serial = "OLD1";
  /// By the kernel's name of the device; the disk itself is "sdb".
  std::map<std::string, std::vector<std::string>> signatures = {{"sdb", {"gpt"}},
                                                                {"sdb1", {"ext4"}}};
  /// What lsblk says of the first partition: "zfs_member", say. Empty: what the signatures say.
  std::string member = {};
  std::string mountpoint = {};
  /// Of the file system on the partition.
  std::string uuid = "9593be6b";

  void install(SimHost& host) {
    host.directory("/run/udev/data");
    host.link("/dev/disk/by-id/ata-WDC_OLD1", "../../sdb");
    host.program("lsblk", [this](const Command&) { return Output{.out = lsblk()}; });
    host.program("wipefs", [this](const Command& command) { return wipefs(command.argv); });
  }

  bool blank() const { return signatures.empty(); }

 private:
  bool has_table() const { return signatures.contains("sdb") && signatures.at("sdb")[0] == "gpt"; }
  std::string lsblk() const {
    auto rows = fmt::format(
        R"({{"kname":"sdb","path":"/dev/sdb","type":"disk","size":4000,"serial":"{}","model":"WDC",
            "pttype":"{}","fstype":"{}","mountpoints":[]}})",
        serial, has_table() ? "gpt" : "",
        signatures.contains("sdb") && !has_table() ? signatures.at("sdb")[0] : "");
    // Without a table there are no partitions.
    if (has_table())
      rows += fmt::format(
          R"(,{{"kname":"sdb1","pkname":"sdb","path":"/dev/sdb1","type":"part","size":3000,
              "fstype":"{}","label":"old","uuid":"{}","mountpoints":[{}]}})",
          !member.empty()               ? member
          : signatures.contains("sdb1") ? signatures.at("sdb1")[0]
                                        : "",
          uuid, mountpoint.empty() ? "" : "\"" + mountpoint + "\"");
    return "{\"blockdevices\":[" + rows + "]}";
  }

  Output wipefs(const std::vector<std::string>& argv) {
    if (argv.at(1) == "--no-act") return look({argv.begin() + 3, argv.end()});
    if (argv != std::vector<std::string>{"wipefs", "--all", "--lock", argv.back()})
      return {.status = 1, .err = "wipefs: bad usage"};
    signatures.erase(Path(argv.back()).filename().string());
    if (!signatures.contains("sdb")) signatures.erase("sdb1");
    return {};
  }

  /// Nothing at all is printed where there is nothing: so says wipefs 2.38.
  Output look(const std::vector<std::string>& paths) const {
    std::string rows;
    for (const auto& path : paths) {
      const auto name = Path(path).filename().string();
      if (!signatures.contains(name)) continue;
      for (const auto& type : signatures.at(name))
        rows += fmt::format(
            R"({}{{"device": "{}", "offset": "0x438", "type": "{}", "uuid": {}, "label": {}}})",
            rows.empty() ? "" : ",", name, type, name == "sdb" ? "null" : "\"" + uuid + "\"",
            name == "sdb" ? "null" : "\"old\"");
    }
    return {.out = rows.empty() ? "" : "{\"signatures\": [" + rows + "]}"};
  }
};

}  // namespace relab::agent
