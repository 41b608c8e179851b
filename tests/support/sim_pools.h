#pragma once

/// A second pool beside that of SimZfs, on a USB disk: what is sent into it is there, by its GUIDs,
/// and it is exported, imported, scrubbed, opened and closed.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/kinds/zfs/send_stream.h"
#include "tests/support/sim_zfs.h"

namespace relab::agent {

class SimPools {
 public:
  explicit SimPools(SimZfs& living) : living_(living) { make("usbpool", false); }

  /// After SimZfs: most of its programs are asked through this.
  void install(SimHost& host) {
    host_ = &host;
    host.secret("datapool-key", "correct horse battery");
    host.program("zfs", [this](const Command& command) { return zfs(command); });
    host.program("zpool", [this](const Command& command) { return zpool(command.argv); });
    host.program("date", [](const Command& command) { return Output{.out = command.input}; });
    host.program("mkdir", [this](const Command& command) {
      host_->directory(command.argv.back());
      return Output{};
    });
    host.program("rmdir", [this](const Command& command) {
      host_->remove(command.argv.back());
      return Output{};
    });
    host.program("mount", [this](const Command& command) { return mount(command.argv); });
    host.program("umount", [this](const Command& command) { return unmount(command.argv.back()); });
    host.program("lsblk", [this](const Command&) { return Output{.out = lsblk()}; });
    host.device("/dev/sdf1", {.type = FileType::block});
    host.directory("/run/udev/data");
    tell_mounts();
  }

  void make(const std::string& dataset, bool encrypted) {
    nodes_.push_back(
        {.name = dataset, .guid = ++guids_, .create_txg = ++txg_, .encrypted = encrypted});
  }
  void snapshot(const std::string& name, std::uint64_t known_by, bool encrypted = true) {
    nodes_.push_back(
        {.name = name, .guid = known_by, .create_txg = ++txg_, .encrypted = encrypted});
  }
  void destroy(const std::string& name) {
    std::erase_if(nodes_, [&](const auto& node) { return node.name == name; });
  }
  std::vector<zfs::Node>& nodes() { return nodes_; }
  /// Nothing of a drill is left, and the pool is there.
  bool is_clean() const { return mounted_.empty() && open_.empty() && imported && !scrubbing_; }

  /// How the disk is connected, and what lsblk says of the partition on it.
  std::string bus = "usb";
  std::string serial = "USB1";
  std::string content = R"("fstype": "zfs_member", "label": "usbpool")";
  bool attached = true;
  std::uint64_t guid = 8001;
  std::string health = "ONLINE";
  std::string readonly = "off";
  std::uint64_t available = 1 << 20;
  std::string device = "/dev/sdf1";
  bool imported = true;
  /// Its own file system is mounted at its place.
  bool root_mounted = true;
  std::set<std::string> volumes = {};
  std::string key = "correct horse battery";
  /// So many bytes of the next stream come; the receive can go on if there are more than 1000.
  std::optional<std::size_t> cut = {};
  /// How `zfs send` and `zfs receive` end although all was well.
  Output sender = {};
  Output receiver = {};
  /// Streams are decrypted.
  bool decrypts = false;
  /// Found by the scrub.
  unsigned errors = 0;
  /// So many looks see a scrub going on.
  int scrub_looks = 2;
  /// `zpool export` and `zpool import` fail with these words.
  std::string cannot_export = {};
  std::string cannot_import = {};
  /// What comes back under its name.
  std::uint64_t comes_back = 8001;
  std::string letter = "dear";
  std::string copied_letter = "dear";
  bool busy = false;
  /// By the dataset of the copy: the snapshot that was interrupted.
  std::map<std::string, std::uint64_t> tokens = {};

 private:
  using Argv = std::vector<std::string>;

  std::string lsblk() const {
    if (!attached) return R"({"blockdevices": []})";
    return fmt::format(
        R"({{"blockdevices": [
          {{"kname": "sdf", "path": "/dev/sdf", "type": "disk", "serial": "{}", "tran": "{}",
            "size": 4000}},
          {{"kname": "sdf1", "path": "{}", "type": "part", "pkname": "sdf", {}}}]}})",
        serial, bus, device, content);
  }
  static bool is_mine(const std::string& name) { return name.starts_with("usbpool"); }
  static bool has(const Argv& argv, std::string_view word) {
    return std::ranges::find(argv, word) != argv.end();
  }
  static Output unknown(const std::string& name) {
    return {.status = 1, .err = fmt::format("cannot open '{}': dataset does not exist\n", name)};
  }
  static bool is_below(const std::string& name, const std::string& above) {
    return name == above || name.starts_with(above + "/");
  }

  // ---- zfs

  Output zfs(const Command& command) {
    const auto& argv = command.argv;
    const auto& verb = argv.at(1);
    if (verb == "send") return send(argv);
    if (verb == "receive") return receive(argv.back(), command.input);
    if (verb == "get" && argv.back() != "usbpool" && has(argv, "type"))
      return {.out = volumes.contains(argv.back()) ? "volume\n" : "filesystem\n"};
    if (!is_mine(argv.back())) return living_.answer(command);
    if (!imported) return unknown(argv.back());
    if (verb == "list") return list(argv);
    if (verb == "get") return get_tokens(argv.back());
    if (verb == "load-key") return load(argv.back(), command.input);
    if (verb == "unload-key") return unload(argv.back());
    if (verb == "mount") {
      root_mounted = true;
      return {};
    }
    return {.status = 2, .err = fmt::format("unrecognized command '{}'\n", verb)};
  }
  Output list(const Argv& argv) const {
    const auto& above = argv.back();
    if (std::ranges::find(nodes_, above, &zfs::Node::name) == nodes_.end()) return unknown(above);
    if (has(argv, "available")) return {.out = fmt::format("{}\n", available)};
    std::string out;
    for (const auto& node : nodes_) {
      if (!is_below(node.dataset(), above)) continue;
      if (has(argv, "filesystem,volume,snapshot"))
        out += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", node.name, node.guid, node.create_txg,
                           node.created, node.encrypted ? "aes-256-gcm" : "off",
                           node.scratch ? "yes" : "-");
      else if (!node.is_snapshot() && has(argv, "name,mounted,encryptionroot,keystatus"))
        out += fmt::format("{}\t{}\t{}\t{}\n", node.name,
                           root_mounted && node.name == "usbpool" ? "yes" : "no", root(node),
                           key_of(node));
      else if (!node.is_snapshot())
        out += fmt::format("{}\tfilesystem\t{}\t{}\t-\n", node.name, root(node), key_of(node));
    }
    return {.out = out};
  }
  static std::string root(const zfs::Node& node) { return node.encrypted ? node.name : "-"; }
  std::string key_of(const zfs::Node& node) const {
    if (!node.encrypted) return "-";
    return open_.contains(node.name) ? "available" : "unavailable";
  }
  Output get_tokens(const std::string& above) const {
    std::string out;
    for (const auto& node : nodes_) {
      if (node.is_snapshot() || !is_below(node.name, above)) continue;
      const auto token = tokens.find(node.name);
      out += fmt::format("{}\t{}\n", node.name,
                         token == tokens.end() ? "-" : fmt::format("1-{}", token->second));
    }
    return {.out = out};
  }
  Output load(const std::string& name, const std::string& given) {
    if (given != key)
      return {.status = 255,
              .err = fmt::format("Key load error: Incorrect key provided for '{}'.\n", name)};
    open_.insert(name);
    return {};
  }
  Output unload(const std::string& name) {
    if (!mounted_.empty()) return {.status = 1, .err = "Key unload error: 'x' is busy.\n"};
    return {.status = open_.erase(name) == 1 ? 0 : 255};
  }

  // ---- streams

  const zfs::Node* living_by_guid(std::uint64_t guid_of) const {
    known_ = living_.nodes();
    const auto found = std::ranges::find(known_, guid_of, &zfs::Node::guid);
    return found == known_.end() ? nullptr : &*found;
  }
  std::uint64_t guid_before(const zfs::Node& wanted) const {
    std::uint64_t before = 0;
    for (const auto& node : living_.nodes()) {
      if (!node.is_snapshot() || node.dataset() != wanted.dataset()) continue;
      if (node.guid == wanted.guid) return before;
      before = node.guid;
    }
    return 0;
  }
  Output send(const Argv& argv) {
    const bool estimates = argv.at(2) == "-nvP";
    const bool resumes = has(argv, "-t");
    if (!resumes && !has(argv, "-w")) return {.status = 1, .err = "it is encrypted\n"};
    const zfs::Node* node = nullptr;
    if (resumes) {
      node = living_by_guid(std::stoull(argv.back().substr(2)));
    } else {
      known_ = living_.nodes();
      const auto found = std::ranges::find(known_, argv.back(), &zfs::Node::name);
      node = found == known_.end() ? nullptr : &*found;
    }
    if (estimates) {
      const auto token = resumes ? fmt::format("\ttoguid = 0x{:x}\n", node ? node->guid : 1) : "";
      if (node == nullptr) return {.status = 255, .out = token, .err = "no longer exists\n"};
      return {.out = token + "size\t9000\n"};
    }
    if (node == nullptr) return unknown(argv.back());
    const auto wanted = *node;
    const auto from = resumes || has(argv, "-i") ? guid_before(wanted) : 0;
    auto out = stream(wanted, from, resumes);
    if (cut) out.resize(std::min(out.size(), *cut));
    cut.reset();
    return {.status = sender.status, .out = out, .err = sender.err};
  }
  std::string stream(const zfs::Node& node, std::uint64_t from, bool resumes) const {
    constexpr std::uint64_t resuming = 1U << 20U;
    const std::uint64_t features =
        (decrypts ? SendStreamBuilder::compressed : SendStreamBuilder::raw) |
        (resumes ? resuming : 0);
    SendStreamBuilder builder;
    if (!resumes) builder.package(node.name, 316);
    builder.begin(
        {.to_name = node.name, .to_guid = node.guid, .from_guid = from, .features = features});
    builder.write(4096).end();
    if (!resumes) builder.end_package();
    return builder.bytes();
  }
  Output receive(const std::string& target, const std::string& input) {
    zfs::SendStreamReader reader(zfs::Scrutiny::checksums);
    const bool fed = reader.feed(std::as_bytes(std::span(input))).has_value();
    const auto begun = reader.so_far().substreams;
    const auto whole = fed && std::move(reader).finish();
    if (begun.empty()) return {.status = 1, .err = "cannot receive: failed to read from stream\n"};
    const auto& part = begun[0];
    const auto fits = check_fit(target, part);
    if (!fits.empty()) return {.status = 1, .err = fits};
    if (!whole) {
      if (input.size() > 1000) {
        if (part.from_guid == 0 && !tokens.contains(target)) make(target, true);
        tokens[target] = part.to_guid;
      }
      return {.status = 1, .err = "cannot receive: checksum mismatch or incomplete stream.\n"};
    }
    if (part.from_guid == 0 && !tokens.contains(target)) make(target, !decrypts);
    tokens.erase(target);
    snapshot(target + part.to_name.substr(part.to_name.find('@')), part.to_guid, !decrypts);
    return receiver;
  }
  /// Why ZFS does not take it.
  std::string check_fit(const std::string& target, const zfs::Substream& part) const {
    const auto above = target.substr(0, target.rfind('/'));
    if (std::ranges::find(nodes_, above, &zfs::Node::name) == nodes_.end())
      return fmt::format("cannot open '{}': dataset does not exist\n", above);
    const auto token = tokens.find(target);
    if (token != tokens.end())
      return token->second == part.to_guid ? "" : "contains partially-complete state\n";
    std::uint64_t newest = 0;
    bool there = false;
    for (const auto& node : nodes_) {
      there = there || node.name == target;
      if (node.is_snapshot() && node.dataset() == target) newest = node.guid;
    }
    if (part.from_guid == 0)
      return there
                 ? fmt::format("destination '{}' exists\nmust specify -F to overwrite it\n", target)
                 : "";
    return newest == part.from_guid ? "" : "most recent snapshot does not match\n";
  }

  // ---- zpool

  Output zpool(const Argv& argv) {
    const auto& verb = argv.at(1);
    if (verb == "list") {
      auto out = fmt::format("datapool\t{}\tONLINE\n", living_.pool_guid);
      if (imported) out += fmt::format("usbpool\t{}\t{}\n", guid, health);
      return {.out = out};
    }
    if (verb == "import") return import(argv);
    if (!imported) return {.status = 1, .err = "cannot open 'usbpool': no such pool\n"};
    if (verb == "status") return {.out = status(has(argv, "-gp"))};
    if (verb == "get") return {.out = properties()};
    if (verb == "export") return leave();
    if (verb == "scrub") return scrub(has(argv, "-s"));
    return {.status = 2, .err = "unrecognized command\n"};
  }
  Output leave() {
    if (!cannot_export.empty()) return {.status = 1, .err = cannot_export};
    if (!mounted_.empty()) return {.status = 1, .err = "cannot unmount: pool is busy\n"};
    imported = root_mounted = false;
    open_.clear();
    return {};
  }
  Output import(const Argv& argv) {
    if (!cannot_import.empty()) return {.status = 1, .err = cannot_import};
    if (imported || (argv.back() != std::to_string(guid) && argv.back() != "usbpool"))
      return {.status = 1, .err = "cannot import: no such pool available\n"};
    if (has(argv, "-d") && !has(argv, device)) return {.status = 1, .err = "no such device\n"};
    imported = true;
    guid = comes_back;
    return {};
  }
  Output scrub(bool stops) {
    if (stops == !scrubbing_)
      return {.status = 1, .err = stops ? "there is no active scrub\n" : "currently scrubbing\n"};
    scrubbing_ = !stops;
    looks_ = 0;
    if (stops) scan_ = fmt::format("scrub canceled on {}", seconds());
    return {};
  }
  std::string seconds() const {
    return std::to_string(host_->now().time_since_epoch().count() / 1000);
  }
  std::string status(bool guids) {
    if (scrubbing_ && ++looks_ > scrub_looks) {
      scrubbing_ = false;
      found_ = errors;
      scan_ = fmt::format("scrub repaired 0B in 00:00:01 with {} errors on {}", errors, seconds());
    }
    const auto scan = scrubbing_ ? fmt::format("scrub in progress since {}", seconds()) : scan_;
    const auto row = [&](const std::string& name, unsigned checksums) {
      return fmt::format("\t{:<20} {:<9} 0 0 {}\n", name, health, checksums);
    };
    return fmt::format(
        "  pool: usbpool\n state: {}\n  scan: {}\nconfig:\n\n\t{:<20} STATE READ WRITE CKSUM\n"
        "{}{}\nerrors: {}\n",
        health, scan, "NAME", row("usbpool", 0), row(guids ? "  55" : "  " + device, found_),
        found_ == 0 ? "No known data errors" : fmt::format("{} data errors, use '-v'", found_));
  }
  std::string properties() const {
    std::string out;
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"size", "4000"},
                                            {"allocated", "1000"},
                                            {"free", "3000"},
                                            {"capacity", "25"},
                                            {"fragmentation", "0"},
                                            {"ashift", "12"},
                                            {"readonly", readonly},
                                            {"checkpoint", "-"},
                                            {"leaked", "0"},
                                            {"altroot", "-"},
                                            {"cachefile", "-"},
                                            {"dedupratio", "1.00"},
                                            {"guid", std::to_string(guid)}})
      out += fmt::format("usbpool\t{}\t{}\tdefault\n", name, value);
    return out;
  }

  // ---- mounts of a drill

  Output mount(const Argv& argv) {
    const auto& name = argv.at(argv.size() - 2);
    const auto& point = argv.back();
    if (is_mine(name) && !open_.contains(name.substr(0, name.find('@'))))
      return {.status = 32, .err = "encryption key not loaded\n"};
    mounted_.push_back(point);
    tell_mounts();
    if (name.find("documents") != std::string::npos) {
      host_->file(Path(point) / "letter.txt", is_mine(name) ? copied_letter : letter);
      host_->file(Path(point) / "photo.raw", "pixels");
    }
    return {};
  }
  Output unmount(const std::string& point) {
    if (busy) return {.status = 32, .err = "umount: target is busy.\n"};
    std::erase(mounted_, point);
    for (const auto* name : {"letter.txt", "photo.raw"}) host_->remove(Path(point) / name);
    tell_mounts();
    return {};
  }
  void tell_mounts() const {
    std::string text = "22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw\n";
    for (const auto& point : mounted_)
      text += fmt::format("50 22 0:60 / {} ro shared:9 - zfs something ro\n", point);
    host_->file("/proc/self/mountinfo", text);
  }

  SimZfs& living_;
  SimHost* host_ = nullptr;
  std::vector<zfs::Node> nodes_;
  mutable std::vector<zfs::Node> known_;
  std::uint64_t guids_ = 9000;
  std::uint64_t txg_ = 10;
  std::set<std::string> open_;
  std::vector<std::string> mounted_;
  bool scrubbing_ = false;
  int looks_ = 0;
  unsigned found_ = 0;
  std::string scan_ = "none requested";
};

}  // namespace relab::agent
