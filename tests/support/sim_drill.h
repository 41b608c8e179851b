#pragma once

/// Below the pool of SimZfs, what a drill does: datasets that are received, opened, mounted and
/// destroyed.

#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim_zfs.h"

namespace relab::agent {

class SimDrill {
 public:
  explicit SimDrill(SimZfs& pool) : pool_(pool) {}

  void install(SimHost& machine) {
    host_ = &machine;
    machine.secret("datapool-key", "correct horse battery");
    machine.program("zfs", [this](const Command& command) { return zfs(command); });
    machine.program("mkdir", [this](const Command& command) {
      host_->directory(command.argv.back());
      return Output{};
    });
    machine.program("rmdir", [this](const Command& command) {
      host_->remove(command.argv.back());
      return Output{};
    });
    machine.program("mount", [this](const Command& command) { return mount(command.argv); });
    machine.program("umount", [this](const Command& command) { return unmount(command.argv); });
  }

  /// Nothing of a drill is left.
  bool is_clean() const { return !made && mounted_.empty(); }

  bool made = false;
  /// Of what has the scratch's name.
  std::string mark = "yes\tlocal";
  std::uint64_t available = 1 << 20;
  /// By what has the scratch's name.
  std::uint64_t held = 0;
  std::string key = "correct horse battery";
  /// What `zfs receive` says and how it ends, instead of success.
  Output receives = {};
  /// Content of documents/letter.txt in the living snapshot, and in what was received.
  std::string letter = "dear";
  std::string received_letter = "dear";
  /// What is on a volume that was received, and how sending it ends. Nothing: all is well.
  std::optional<std::uint64_t> received_volume = {};
  Output volume_sender = {};
  /// The dataset that is lost on the way.
  std::string lost = {};
  /// It cannot be unmounted.
  bool busy = false;

 private:
  static constexpr auto place = "datapool/relab-drill";
  static constexpr auto copy = "datapool/relab-drill/copy";

  Output zfs(const Command& command) {
    const auto& argv = command.argv;
    const auto& verb = argv.at(1);
    const auto& last = argv.back();
    if (verb == "list" && argv.at(4) == "available") return {.out = fmt::format("{}\n", available)};
    if (verb == "list" && argv.at(4) == "used") return {.out = fmt::format("{}\n", held)};
    if (verb == "get" && last == place)
      return made ? Output{.out = mark + "\n"}
                  : Output{.status = 1,
                           .err = fmt::format("cannot open '{}': dataset does not exist\n", place)};
    if (verb == "create") {
      if (made) return {.status = 1, .err = "dataset already exists\n"};
      made = true;
      return {};
    }
    if (verb == "receive") {
      received_ = true;
      return receives;
    }
    if (verb == "destroy") {
      if (last != place || !mounted_.empty()) return {.status = 1, .err = "dataset is busy\n"};
      made = received_ = open_ = false;
      for (const auto& node : pool_.nodes())
        if (node.scratch) pool_.destroy(node.name);
      return {};
    }
    if (verb == "load-key") {
      if (command.input != key)
        return {.status = 255, .err = "Key load error: Incorrect key provided for 'x'.\n"};
      open_ = true;
      return {};
    }
    if (verb == "list" && last == copy) return list(argv);
    if (verb == "send" && last.starts_with(copy)) return send(last);
    return pool_.answer(command);
  }

  Output send(const std::string& name) const {
    const auto living = "datapool" + name.substr(std::string(copy).size());
    const auto content =
        received_volume.value_or(pool_.volumes.at(living.substr(0, living.find('@'))));
    return {.status = volume_sender.status,
            .out = volume_stream(name, content) + volume_sender.out,
            .err = volume_sender.err};
  }

  Output list(const std::vector<std::string>& argv) const {
    const bool members = std::ranges::find(argv, "filesystem,volume") != argv.end();
    std::string out;
    for (const auto& node : pool_.nodes()) {
      if (node.scratch) continue;
      if (node.dataset() == lost) continue;
      const auto name = copy + node.name.substr(std::string("datapool").size());
      if (members && !node.is_snapshot())
        out += fmt::format("{}\t{}\t{}\t{}\tyes\n", name,
                           pool_.volumes.contains(node.name) ? "volume" : "filesystem", copy,
                           open_ ? "available" : "unavailable");
      if (!members)
        out += fmt::format("{}\t{}\t{}\t{}\taes-256-gcm\tyes\n", name,
                           node.is_snapshot() ? node.guid : node.guid + 1000, node.create_txg,
                           node.created);
    }
    return {.out = out};
  }

  Output mount(const std::vector<std::string>& argv) {
    const auto& name = argv.at(argv.size() - 2);
    const auto& point = argv.back();
    mounted_.push_back(point);
    tell_mounts();
    if (name.find("documents") != std::string::npos) {
      host_->file(Path(point) / "letter.txt", name.starts_with(copy) ? received_letter : letter);
      host_->file(Path(point) / "photo.raw", "pixels");
    }
    return {};
  }
  Output unmount(const std::vector<std::string>& argv) {
    if (busy) return {.status = 32, .err = "umount: target is busy.\n"};
    std::erase(mounted_, argv.back());
    host_->remove(Path(argv.back()) / "letter.txt");
    host_->remove(Path(argv.back()) / "photo.raw");
    tell_mounts();
    return {};
  }
  void tell_mounts() const {
    std::string text =
        "22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw\n"
        "40 22 8:81 / /mnt/usb rw,relatime shared:9 - ext4 /dev/sdf1 rw\n";
    for (const auto& point : mounted_)
      text += fmt::format("50 22 0:60 / {} ro shared:9 - zfs something ro\n", point);
    host_->file("/proc/self/mountinfo", text);
  }

  SimZfs& pool_;
  SimHost* host_ = nullptr;
  bool received_ = false;
  bool open_ = false;
  std::vector<std::string> mounted_;
};

}  // namespace relab::agent
