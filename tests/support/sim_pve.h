#pragma once

/// One Proxmox host with containers, as pct, pvesh, pveam and pvesm of it behave: what they do may
/// be otherwise than what they say.

#include <fmt/format.h>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"
#include "common/base/text.h"

namespace relab::agent {

struct SimPve {
  struct Container {
    std::map<std::string, std::string> settings = {};
    std::map<std::string, std::string> pending = {};
    std::string description = {};
    bool running = false;
    /// What `systemctl is-system-running` says in it; each look goes on to the next, and stays at
    /// the last.
    std::vector<std::string> says = {"running"};
  };
  std::map<unsigned, Container> containers;
  /// Files of templates on the storage 'local', and what the index offers with which digest.
  std::map<std::string, std::string> templates;
  std::map<std::string, std::string> offered;

  // Treacheries.
  bool download_does_nothing = false;
  bool set_stays_pending = false;
  bool set_does_nothing = false;
  bool ends_after_start = false;
  bool resize_does_nothing = false;
  std::string warning = {};  ///< what pct says besides, with success
  bool update_fails = false;
  int locked_for = 0;        ///< calls that find a lock
  std::string refusal = {};  ///< what pct says instead of doing anything

  /// What a shell in a running container does with these arguments of `sh`; null: there is none.
  std::function<Output(unsigned vmid, const std::vector<std::string>& argv)> shell;
  /// What becomes of a file that is pushed: from, to.
  std::function<void(unsigned vmid, const std::string& from, const std::string& to)> push;

  /// Keeps a pointer to the host.
  void install(SimHost& machine) {
    host = &machine;
    for (const auto* name : {"pct", "pvesh", "pveam", "pvesm", "sha512sum", "journalctl"})
      machine.forget_answers(name);
    machine.link("/etc/pve/local", "nodes/pve");
    machine.directory("/etc/pve/nodes/pve/lxc");
    machine.directory("/etc/pve/nodes/pve/qemu-server");
    machine.program("pct", [this](const Command& command) { return pct(command.argv); });
    machine.program("pvesh", [this](const Command& command) { return pvesh(command.argv); });
    machine.program("pveam", [this](const Command& command) { return pveam(command.argv); });
    machine.program("pvesm", [](const Command& command) {
      return Output{.out = "/var/lib/vz/" + command.argv.at(2).substr(6) + "\n"};
    });
    machine.program("sha512sum", [this](const Command& command) {
      const auto file = Path(command.argv.at(3)).filename().string();
      return Output{.out = templates.at(file) + " *" + command.argv.at(3) + "\n"};
    });
    machine.program("journalctl", Output{.out = "init died\n"});
    write_index();
    write();
  }
  /// Writes every configuration down.
  void write() {
    for (const auto& [vmid, container] : containers) {
      std::string text;
      for (const auto line : split(container.description, '\n'))
        if (!container.description.empty()) text += fmt::format("#{}\n", encoded(line));
      for (const auto& [key, value] : container.settings)
        text += fmt::format("{}: {}\n", key, value);
      if (!container.pending.empty()) text += "\n[pve:pending]\n";
      for (const auto& [key, value] : container.pending)
        text += fmt::format("{}: {}\n", key, value);
      host->file(fmt::format("/etc/pve/nodes/pve/lxc/{}.conf", vmid), text);
    }
  }
  void write_index() {
    std::string text;
    for (const auto& [file, digest] : offered)
      text += fmt::format(
          "Package: {}\nSection: system\nLocation: system/{}\nsha512sum: {}\n"
          "Description: a system\n more: of it\n\n",
          file.substr(0, file.find('_')), file, digest);
    host->file("/var/lib/pve-manager/apl-info/index", text);
  }

  SimHost* host = nullptr;

 private:
  using Arguments = std::vector<std::string>;

  static std::string encoded(std::string_view line) {
    std::string text;
    for (const char c : line) text += c == ':' ? "%3A" : c == '%' ? "%25" : std::string(1, c);
    return text;
  }

  Output pct(const Arguments& argv) {
    const auto& verb = argv.at(1);
    const auto vmid = static_cast<unsigned>(std::stoul(argv.at(2)));
    if (verb == "exec") return exec(vmid, {argv.begin() + 6, argv.end()});
    if (!refusal.empty()) return {.status = 255, .err = refusal + "\n"};
    if (locked_for-- > 0) return {.status = 255, .err = "CT is locked (backup)\n"};
    if (verb == "create") return create(vmid, argv);
    if (!containers.contains(vmid))
      return {
          .status = 2,
          .err = fmt::format("Configuration file 'nodes/pve/lxc/{}.conf' does not exist\n", vmid)};
    auto output = change(containers[vmid], verb, argv);
    write();
    if (!warning.empty() && output.status == 0)
      output.err += fmt::format("WARN: {}\nTask finished with 1 warning(s)!\n", warning);
    return output;
  }

  Output create(unsigned vmid, const Arguments& argv) {
    if (containers.contains(vmid))
      return {.status = 255, .err = fmt::format("CT {} already exists on node 'pve'\n", vmid)};
    Container container;
    for (std::size_t i = 4; i + 1 < argv.size(); i += 2) {
      const auto key = argv[i].substr(2);
      auto value = argv[i + 1];
      if (key == "description") {
        container.description = value;
        continue;
      }
      // "local-zfs:16" is a new volume of 16 GiB.
      if (key == "rootfs")
        value = fmt::format("local-zfs:subvol-{}-disk-0,size={}G", vmid,
                            value.substr(value.find(':') + 1));
      if (key == "net0") value += ",hwaddr=BC:24:11:00:00:01,type=veth";
      if (key == "unprivileged" && value == "0") continue;
      container.settings[key] = value;
    }
    containers[vmid] = container;
    write();
    return {};
  }

  Output change(Container& container, const std::string& verb, const Arguments& argv) {
    if (verb == "set") return set(container, argv);
    if (verb == "push") {
      if (push) push(static_cast<unsigned>(std::stoul(argv.at(2))), argv.at(3), argv.at(4));
      return {};
    }
    if (verb == "resize") {
      if (resize_does_nothing) return {};
      auto& root = container.settings["rootfs"];
      root = root.substr(0, root.find(",size=")) + ",size=" + argv.at(4);
      return {};
    }
    if (verb == "start") {
      container.running = !ends_after_start;
      apply_pending(container);
      return {};
    }
    if (verb == "shutdown") {
      container.running = false;
      apply_pending(container);
      return {};
    }
    return {.status = 255, .err = "unknown command\n"};
  }
  static void apply_pending(Container& container) {
    for (const auto& [key, value] : container.pending) container.settings[key] = value;
    container.pending.clear();
  }

  Output set(Container& container, const Arguments& argv) {
    if (set_does_nothing) return {};
    const auto key = argv.at(3).substr(2);
    if (key == "delete")
      container.settings.erase(argv.at(4));
    else if (key == "description")
      container.description = argv.at(4);
    else if (set_stays_pending && container.running)
      container.pending[key] = argv.at(4);
    else
      container.settings[key] = argv.at(4);
    return {};
  }

  Output exec(unsigned vmid, const Arguments& argv) {
    if (!containers.contains(vmid) || !containers[vmid].running)
      return {.status = 255, .err = fmt::format("container '{}' not running!\n", vmid)};
    if (argv.at(0) == "sh" && shell) return shell(vmid, argv);
    auto& says = containers[vmid].says;
    if (says.empty()) return {.status = 127, .err = "systemctl: not found\n"};
    if (argv.at(1) == "list-units")
      return {.out = "sys-kernel-debug.mount loaded failed failed x\n"};
    const auto word = says.front();
    if (says.size() > 1) says.erase(says.begin());
    return {.status = word == "running" ? 0 : 1, .out = word + "\n"};
  }

  Output pvesh(const Arguments& argv) {
    const auto& path = argv.at(2);
    std::string list;
    if (path == "/nodes/localhost/lxc")
      for (const auto& [vmid, container] : containers)
        list +=
            fmt::format(R"({}{{"vmid": {}, "name": "x", "status": "{}"}})",
                        list.empty() ? "" : ", ", vmid, container.running ? "running" : "stopped");
    if (path == "/nodes/localhost/storage/local/content")
      for (const auto& [file, digest] : templates)
        list += fmt::format(R"({}{{"volid": "local:vztmpl/{}", "size": "1000"}})",
                            list.empty() ? "" : ", ", file);
    return {.out = "[" + list + "]\n"};
  }

  Output pveam(const Arguments& argv) {
    if (argv.at(1) == "update" && update_fails)
      return {.err = "update failed - see /var/log/pveam.log for details\n"};
    if (argv.at(1) == "update") return {.out = "update successful\n"};
    if (download_does_nothing) return {.err = "download failed: 404\n"};
    templates[argv.at(3)] = offered.at(argv.at(3));
    return {};
  }
};

}  // namespace relab::agent
