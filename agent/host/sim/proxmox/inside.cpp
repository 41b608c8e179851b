#include "agent/host/sim/proxmox/inside.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "agent/host/sim/network/sockets.h"
#include "agent/host/sim/proxmox/guest_programs.h"
#include "agent/host/sim/proxmox/tunnel_units.h"
#include "agent/kinds/support/mounts.h"
#include "common/base/bytes.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"

namespace relab::agent::sim {

namespace {

/// Of a directory of the machine no more is taken over into the container.
constexpr unsigned taken_over_max = 5000;
constexpr std::size_t machine_id_size = 32;

DebianStart system_of(SimHost& host, const Inside::Start& start) {
  host.directory("/etc");
  if (start.suite.empty()) return Debian::container("bookworm", start.hostname);
  return Debian::container(start.suite, start.hostname);
}

/// Of the machine, that has the path.
SimMount holder_of(const SimHost& machine, const std::string& path) {
  SimMount best{.point = "/", .type = "ext4", .source = "/dev/mapper/pve-root"};
  for (const auto& mount : machine.mounts())
    if (is_at_or_below(path, mount.point.string()) &&
        mount.point.string().size() >= best.point.string().size())
      best = mount;
  return best;
}

std::string root_in(const SimMount& holder, const std::string& path) {
  const auto rest = Path(path).lexically_relative(holder.point);
  return rest == "." ? holder.root : (Path(holder.root) / rest).string();
}

SimMount mount_of(const GuestMount& mount, const SimHost& machine, const Storages& storages) {
  SimMount made{.point = mount.path, .type = "ext4", .source = mount.source};
  if (mount.read_only) made.options = "ro,relatime";
  auto path = mount.source;
  if (!mount.of_host()) {
    const auto colon = mount.source.find(':');
    const auto volume =
        storages.volume(mount.source.substr(0, colon), mount.source.substr(colon + 1), 0);
    if (!volume) return made;
    made.type = volume->dataset.empty() ? "ext4" : "zfs";
    made.source = volume->dataset.empty() ? volume->path : volume->dataset;
    return made;
  }
  const auto holder = holder_of(machine, path);
  made.type = holder.type;
  made.source = holder.source;
  made.root = root_in(holder, path);
  return made;
}

}  // namespace

Inside::Inside(SimHost& machine, const Start& start)
    : machine_(machine),
      debian_(host_, system_of(host_, start)),
      wireguard_(host_, wiring_),
      agent_(host_, debian_, start.seed),
      scripts_(host_),
      docker_(host_, start.vmid, start.docker) {
  host_.at(machine.now());
  host_.file("/etc/machine-id",
             crypto::sha256(bytes_of(start.seed)).substr(0, machine_id_size) + "\n");
  host_.file("/run/systemd/container", "lxc\n");
  std::copy_if(start.files.begin(), start.files.end(), std::back_inserter(files_),
               [&](const Placed& placed) { return placed.vmid == start.vmid; });
  host_.file("/proc/1/cgroup", "0::/init.scope\n");
  host_.file("/proc/net/tcp", socket_table_head());
  for (const auto& placed : files_) put(host_, placed.path, placed);
  follow_units();
  sim::follow_units(debian_.units(), wireguard_);
  wireguard_.install();
  if (std::ranges::any_of(start.docker,
                          [&](const auto& piece) { return piece.vmid == start.vmid; }))
    debian_.units().install("docker.service", "[Service]\nExecStart=/usr/bin/dockerd\n", true);
  host_.program("sh", [this](const Command& command) { return scripts_.run(command); });
  install_backup_manager(host_);
  if (host_.status("/usr/bin/sqlite3")) install_sqlite(host_);
  host_.strict({"docker", "sqlite3", "zpool", "zfs", "pvesh", "pct", "nvidia-smi", "smartctl"});
}

void Inside::follow_units() {
  constexpr std::string_view slice = "0::/system.slice/";
  constexpr std::string_view ending = "/cgroup";
  for (const auto& placed : files_) {
    if (!placed.path.ends_with(ending) || !placed.content.starts_with(slice)) continue;
    const std::string unit(trim(std::string_view(placed.content).substr(slice.size())));
    const auto process = placed.path.substr(0, placed.path.size() - ending.size());
    debian_.units().on(unit, [this, process](const std::string& /*unit*/, UnitAct act) {
      for (const auto& file : files_) {
        if (!file.path.starts_with(process + "/")) continue;
        if (act == UnitAct::stop) host_.remove(file.path);
        if (act == UnitAct::start) put(host_, file.path, file);
      }
      if (act == UnitAct::stop) host_.remove(process);
      return std::string();
    });
  }
}

void Inside::mount(const PveConfig& config, const Storages& storages) {
  auto wanted = container_mounts(config.current);
  std::erase_if(wanted, [](const GuestMount& mount) { return mount.of_device(); });
  std::stable_sort(wanted.begin(), wanted.end(), [](const auto& one, const auto& other) {
    return one.path.size() < other.path.size();
  });
  for (const auto& [key, text] : config.current.values)
    if (split_key(key).first == "dev") show_device(Properties(text, "path"));
  const auto there = host_.mounts();
  for (const auto& mount : wanted) {
    const auto made = mount_of(mount, machine_, storages);
    if (std::ranges::find(there, made) != there.end()) continue;
    host_.directory(mount.path);
    if (!host_.mount(made)) continue;
    // What was there the last time is there again.
    if (const auto names = host_.list(mount.path); names && !names->empty()) continue;
    unsigned budget = taken_over_max;
    if (mount.of_host()) take_over(mount.source, mount.path, budget);
    for (const auto& placed : files_)
      if (is_at_or_below(placed.path, mount.path)) put(host_, placed.path, placed);
  }
  for (const auto& old : there) {
    const bool stays = std::ranges::any_of(
        wanted, [&](const GuestMount& mount) { return Path(mount.path) == old.point; });
    if (!stays && old.point != "/") static_cast<void>(host_.unmount(old.point).has_value());
  }
}

void Inside::show_device(const Properties& properties) {
  constexpr int octal = 8;
  const auto path = properties.value("path");
  auto status = machine_.status(machine_.canonical(path).value_or(path));
  if (!status) return;
  status->uid = parse_number<std::uint32_t>(properties.value("uid")).value_or(0);
  status->gid = parse_number<std::uint32_t>(properties.value("gid")).value_or(0);
  constexpr std::uint32_t usual_mode = 0660;
  status->mode = parse_number<std::uint32_t>(properties.value("mode"), octal).value_or(usual_mode);
  host_.device(path, *status);
}

void Inside::take_over(const Path& from, const Path& to, unsigned& budget) {
  const auto names = machine_.list(from);
  if (!names) return;
  for (const auto& name : *names) {
    if (budget == 0) return;
    --budget;
    const auto status = machine_.status(from / name);
    if (!status) continue;
    if (status->type == FileType::directory) {
      host_.directory(to / name);
      static_cast<void>(
          host_
              .put_directory(to / name,
                             {.uid = status->uid, .gid = status->gid, .mode = status->mode})
              .has_value());
      take_over(from / name, to / name, budget);
    } else if (status->type == FileType::symlink) {
      host_.link(to / name, machine_.read_link(from / name).value_or(""));
    } else if (const auto text = machine_.read_file(from / name); text) {
      host_.file(to / name, *text, *status);
    }
  }
}

void Inside::boot(Instant now, Millis takes) {
  host_.at(now);
  debian_.units().boot(takes);
}

void Inside::find_running(const std::map<std::string, bool>& units) {
  for (const auto& [name, runs] : units) {
    const bool is_active = debian_.units().is_active(name);
    if (runs && !is_active) static_cast<void>(debian_.units().start(name));
    // What only sets up an interface has no process, and was found not to run.
    if (!runs && is_active && !name.starts_with("wg-quick@"))
      static_cast<void>(debian_.units().stop(name));
  }
}

void Inside::shut_down(Instant now) {
  host_.at(now);
  debian_.units().shut_down();
}

Result<Output> Inside::exec(const Command& command) {
  auto output = host_.run(command);
  if (output || output.error().fault != Fault::missing) return output;
  return Output{
      .status = 127,
      .err = fmt::format("lxc-attach: No such file or directory - Failed to exec \"{}\"\n",
                         command.argv[0])};
}

}  // namespace relab::agent::sim
