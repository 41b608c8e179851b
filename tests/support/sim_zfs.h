#pragma once

/// One encrypted pool with datasets and snapshots, as zfs and zpool tell of it and change it; its
/// streams are well-formed.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/zfs/ask.h"
#include "tests/support/send_stream_builder.h"

namespace relab::agent {

class SimZfs {
 public:
  SimZfs() {
    for (const auto* name : {"datapool", "datapool/documents", "datapool/media"}) make(name);
    snapshot_all("daily");
  }

  void install(SimHost& host) {
    host.program("zfs", [this](const Command& command) { return answer(command); });
    host.program("zpool", [this](const Command& command) { return zpool(command.argv); });
    host.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  }

  Output answer(const Command& command) { return zfs(command.argv); }

  void make(const std::string& dataset) {
    nodes_.push_back({.name = dataset,
                      .guid = ++guids_,
                      .create_txg = ++txg_,
                      .created = 1789990000 + txg_,
                      .encrypted = true});
  }
  /// As a drill that was killed leaves it, with the snapshot that it received.
  void leave_scratch(const std::string& snapshot) {
    for (const auto* name : {"datapool/relab-drill", "datapool/relab-drill/copy"}) make(name);
    nodes_.push_back({.name = "datapool/relab-drill/copy@" + snapshot, .guid = ++guids_});
    for (auto& node : nodes_)
      if (node.name.starts_with("datapool/relab-drill")) node.scratch = true;
  }
  /// Somebody's own dataset with what marks those of drills.
  void mark(const std::string& dataset) {
    for (auto& node : nodes_)
      if (node.dataset() == dataset) node.scratch = true;
  }
  /// As `zfs snapshot -r` does.
  void snapshot_all(const std::string& name) {
    ++txg_;
    std::vector<zfs::Node> taken;
    for (const auto& node : nodes_)
      if (!node.is_snapshot())
        taken.push_back({.name = node.name + "@" + name,
                         .guid = ++guids_,
                         .create_txg = txg_,
                         .created = 1789990000 + txg_,
                         .encrypted = true});
    nodes_.insert(nodes_.end(), taken.begin(), taken.end());
  }
  void destroy(const std::string& name) {
    std::erase_if(nodes_, [&](const auto& node) { return node.name == name; });
  }

  std::vector<zfs::Node> nodes() const { return nodes_; }
  std::set<std::string> held = {};
  /// Those of the datasets that are volumes, with what is on them.
  std::map<std::string, std::uint64_t> volumes = {};
  std::uint64_t pool_guid = 7001;
  bool key_loaded = true;
  /// What `zfs send` really has, instead of what it should: null if it is honest.
  std::function<Output(std::string stream)> sends = {};

  /// Every snapshot, in the order in which ZFS sends them.
  std::string stream(std::uint64_t features = SendStreamBuilder::raw) const {
    SendStreamBuilder builder;
    builder.package("datapool@pre-rebuild", 1028);
    for (const auto& dataset : nodes_) {
      if (dataset.is_snapshot()) continue;
      std::uint64_t from = 0;
      for (const auto& node : nodes_) {
        if (!node.is_snapshot() || node.dataset() != dataset.name) continue;
        builder.begin(
            {.to_name = node.name, .to_guid = node.guid, .from_guid = from, .features = features});
        builder.write(4096).end();
        from = node.guid;
      }
    }
    builder.end_package();
    return builder.bytes();
  }

 private:
  Output zpool(const std::vector<std::string>& argv) const {
    if (argv.size() > 1 && argv[1] == "list")
      return {.out = fmt::format("datapool\t{}\tONLINE\n", pool_guid)};
    if (argv == std::vector<std::string>{"zpool", "wait", "-t", "free", "datapool"}) return {};
    return {.status = 2, .err = "unrecognized command\n"};
  }
  Output zfs(const std::vector<std::string>& argv) {
    const auto& verb = argv.at(1);
    if (is_about_members(argv)) return members(argv.back());
    if (verb == "version") return {.out = "zfs-2.1.11-1\nzfs-kmod-2.1.11-1\n"};
    if (verb == "list") return list(argv.back());
    if (verb == "holds") return holds(argv);
    if (verb == "snapshot") return take(argv.back());
    if (verb == "hold") return hold(argv);
    if (verb == "send") return send(argv);
    return {.status = 2, .err = fmt::format("unrecognized command '{}'\n", verb)};
  }
  static bool is_about_members(const std::vector<std::string>& argv) {
    return std::ranges::find(argv, "name,type,encryptionroot,keystatus,relab:drill") != argv.end();
  }
  Output members(const std::string& below) const {
    std::string out;
    for (const auto& node : nodes_)
      if (!node.is_snapshot() && node.name.starts_with(below))
        out += fmt::format("{}\t{}\tdatapool\t{}\t{}\n", node.name,
                           volumes.contains(node.name) ? "volume" : "filesystem",
                           key_loaded ? "available" : "unavailable", node.scratch ? "yes" : "-");
    return {.out = out};
  }
  Output list(const std::string& below) const {
    std::string out;
    for (const auto& node : nodes_)
      if (node.dataset() == below || node.dataset().starts_with(below + "/"))
        out += fmt::format("{}\t{}\t{}\t{}\taes-256-gcm\t{}\n", node.name, node.guid,
                           node.create_txg, node.created, node.scratch ? "yes" : "-");
    if (!out.empty()) return {.out = out};
    return {.status = 1, .err = fmt::format("cannot open '{}': dataset does not exist\n", below)};
  }
  Output holds(const std::vector<std::string>& argv) const {
    std::string out;
    for (std::size_t i = 3; i < argv.size(); ++i)
      if (held.contains(argv[i])) out += fmt::format("{}\trelab\tSun Nov 22 17:47 2026\n", argv[i]);
    return {.out = out};
  }
  Output take(const std::string& name) {
    const auto snapshot = name.substr(name.find('@') + 1);
    for (const auto& node : nodes_)
      if (node.snapshot() == snapshot)
        return {
            .status = 1,
            .err = fmt::format("cannot create snapshot '{}': dataset already exists\n", node.name)};
    snapshot_all(snapshot);
    return {};
  }
  Output hold(const std::vector<std::string>& argv) {
    const bool all = argv.at(2) == "-r";
    const auto snapshot = argv.back().substr(argv.back().find('@') + 1);
    for (const auto& node : nodes_) {
      if (!node.is_snapshot() || (all ? node.snapshot() != snapshot : node.name != argv.back()))
        continue;
      if (!held.insert(node.name).second)
        return {.status = 1, .err = "cannot hold snapshot: tag already exists on this dataset\n"};
    }
    return {};
  }
  Output send(const std::vector<std::string>& argv) const {
    if (argv.at(2) == "-nvP")
      return {.out = fmt::format("full\t{}\t4096\nsize\t{}\n", argv.back(), stream().size())};
    const auto name = argv.back().substr(0, argv.back().find('@'));
    if (const auto volume = volumes.find(name); argv.size() == 3 && volume != volumes.end())
      return {.out = volume_stream(argv.back(), volume->second)};
    if (std::ranges::find(argv, "-w") == argv.end())
      return {.status = 1, .err = "encrypted dataset may not be sent without the raw flag\n"};
    if (sends) return sends(stream());
    return {.out = stream()};
  }

  std::vector<zfs::Node> nodes_;
  std::uint64_t guids_ = 100;
  std::uint64_t txg_ = 10;
};

/// An external disk with a file system that is mounted on /mnt/usb.
inline void add_usb_disk(SimHost& host) {
  host.file("/proc/self/mountinfo",
            "22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw\n"
            "40 22 8:81 / /mnt/usb rw,relatime shared:9 - ext4 /dev/sdf1 rw\n"
            "41 22 0:50 / /datapool rw shared:10 - zfs datapool rw\n");
  host.device("/dev/sdf1", {.type = FileType::block});
  host.directory("/mnt/usb");
  host.directory("/datapool");
  host.directory("/run/udev/data");
  host.program("lsblk", Output{.out = R"({"blockdevices": [
    {"kname": "sdf", "type": "disk", "serial": "USB1", "size": 4000},
    {"kname": "sdf1", "type": "part", "pkname": "sdf", "fstype": "ext4"}]})"});
  host.file_system("/mnt/usb", {.size = 1 << 20, .free = 1 << 20});
}

}  // namespace relab::agent
