#pragma once

/// One external disk, as lsblk, mkfs and mount tell of it and change it.

#include <fmt/format.h>
#include <string>

#include "agent/host/sim/sim_host.h"

namespace relab::agent {

struct SimUsb {
  std::string serial = "USB1";
  std::string bus = "usb";
  bool attached = true;
  /// Of the whole disk; "gpt" has a partition with `file_system`.
  std::string table = {};
  std::string file_system = {};
  std::string mounted_on = {};
  bool read_only = false;
  /// Another file system on /mnt/usb.
  bool covered = false;
  std::uint64_t size = 4'000'000'000'000;
  /// What wipefs tells of the disk, and whether its beginning and its end are empty.
  std::string signatures = {};
  bool zeroes_first = true;
  bool zeroes_last = true;

  /// Keeps a pointer to the host.
  void install(SimHost& machine) {
    host = &machine;
    machine.directory("/run/udev/data");
    machine.link("/dev/disk/by-id/usb-Seagate_USB1", "../../sdf");
    machine.program("lsblk", [this](const Command&) { return Output{.out = lsblk()}; });
    machine.program("wipefs", [this](const Command&) { return Output{.out = signatures}; });
    machine.program("cmp", [this](const Command& command) {
      const bool first = command.argv.at(3) == "--ignore-initial=0:0";
      return Output{.status = (first ? zeroes_first : zeroes_last) ? 0 : 1};
    });
    machine.program("mkfs.ext4", [this](const Command&) {
      file_system = "ext4";
      return Output{};
    });
    machine.program("mkdir", [this](const Command& command) {
      host->directory(command.argv.back());
      return Output{};
    });
    machine.program("mount", [this](const Command& command) {
      mounted_on = command.argv.back();
      tell_mounts();
      return Output{};
    });
    tell_mounts();
  }
  void tell_mounts() const {
    std::string text = "22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw\n";
    if (covered) text += "39 22 0:44 / /mnt/usb rw shared:8 - tmpfs tmpfs rw\n";
    if (!mounted_on.empty())
      text += fmt::format("40 22 8:81 / {} {},nosuid shared:9 - {} {} rw\n", mounted_on,
                          read_only ? "ro" : "rw", file_system, device());
    host->file("/proc/self/mountinfo", text);
    if (!mounted_on.empty()) host->directory(mounted_on);
    if (!mounted_on.empty()) host->file_system(mounted_on, {.size = size, .free = size});
  }
  std::string device() const { return table.empty() ? "/dev/sdf" : "/dev/sdf1"; }

  SimHost* host = nullptr;

 private:
  std::string content() const {
    return fmt::format(R"("fstype":"{}","uuid":"{}","mountpoints":[{}])", file_system,
                       file_system.empty() ? "" : "u-1",
                       mounted_on.empty() ? "" : "\"" + mounted_on + "\"");
  }
  std::string lsblk() const {
    if (!attached) return R"({"blockdevices":[]})";
    auto rows = fmt::format(
        R"({{"kname":"sdf","path":"/dev/sdf","type":"disk","size":{},"serial":"{}","tran":"{}",
            "pttype":"{}",{}}})",
        size, serial, bus, table, table.empty() ? content() : R"("mountpoints":[])");
    if (!table.empty())
      rows += fmt::format(
          R"(,{{"kname":"sdf1","pkname":"sdf","path":"/dev/sdf1","type":"part","size":{},{}}})",
          size - 1, content());
    return "{\"blockdevices\":[" + rows + "]}";
  }
};

}  // namespace relab::agent
