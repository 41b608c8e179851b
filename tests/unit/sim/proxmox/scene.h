#pragma once

/// A simulated machine with Proxmox on it, made of one section's facts.

#include <fmt/format.h>
#include <functional>
#include <optional>
#include <string>

#include "agent/host/sim/network/sockets.h"
#include "agent/host/sim/proxmox/proxmox.h"
#include "agent/host/sim/sim_host.h"
#include "agent/kinds/guests/audit_guests.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/sim_guest.h"

namespace relab::agent::sim {

/// A machine with nothing but mounts.
inline void set_up(SimHost& host) {
  host.directory("/rpool/data");
  host.directory("/tank");
  must(host.mount({.point = "/", .type = "zfs", .source = "rpool/ROOT/pve-1"}));
  must(host.mount({.point = "/tank", .type = "zfs", .source = "tank"}));
}

/// Guests as in samples of real files: the containers 112 (stopped), 120 and 130, and the VM 200.
inline Message<schema::AuditGuests::Facts> sample_guests() {
  SimHost host;
  host.link("/etc/pve/local", "nodes/pve");
  for (const auto* vmid : {"112", "120", "130"})
    host.file(fmt::format("/etc/pve/nodes/pve/lxc/{}.conf", vmid),
              sample(fmt::format("pve/{}.conf", vmid)));
  host.file("/etc/pve/storage.cfg", sample("pve/storage.cfg"));
  host.file("/etc/pve/nodes/pve/qemu-server/200.conf",
            "#a VM, 100%25 of it\nboot: order=scsi0;net0\ncores: 2\n"
            "efidisk0: local-zfs:vm-200-disk-0,efitype=4m,size=1M\n"
            "hostpci0: mapping=card,pcie=1\nipconfig0: ip=10.42.20.7/24,gw=10.42.20.1\n"
            "ide2: none,media=cdrom\nmemory: 4096\nname: homeassistant\n"
            "net0: virtio=BC:24:11:AA:00:01,bridge=vmbr0,firewall=1,tag=20\n"
            "scsi0: local-zfs:vm-200-disk-1,size=32G,ssd=1\n"
            "scsi1: /dev/disk/by-id/ata-X,backup=0,size=1536M\nunused0: tank-guests:vm-200-disk-9\n"
            "usb0: host=1a86:7523\nvga: virtio\n\n[PENDING]\ncores: 4\n\n"
            "[before]\n#as it was\nsnaptime: 1791230400\nvmstate: local-zfs:vm-200-state-before\n");
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 112, "status": "stopped"}, {"vmid": 120, "status": "running"},
                          {"vmid": 130, "status": "running"}])"});
  host.answer("pvesh get /nodes/localhost/qemu --output-format json",
              {.out = R"([{"vmid": 200, "status": "running"}])"});
  host.file("/var/lib/lxc/112/rootfs/etc/hostname", "trillian\n");
  SimHost empty;
  empty.file("/proc/1/cgroup", "0::/init.scope\n");
  empty.file("/proc/net/tcp", socket_table_head());
  host.program("pct", containers({{"120", &empty}, {"130", &empty}}));
  return must(guests::AuditGuests::observe({}, host));
}

inline Message<schema::World> sample_world(
    const std::function<void(schema::World::Builder)>& more = {}) {
  Draft<schema::World> world;
  world->setHost("pve");
  world->setMachineId("0123456789abcdef0123456789abcdef");
  world->setGuests(sample_guests().reader());
  auto templates = world->initTemplates(2);
  templates.set(0, "debian-12-standard_12.12-1_amd64.tar.zst");
  templates.set(1, "debian-13-standard_13.6-1_amd64.tar.zst");
  if (more) more(*world);
  return std::move(world).finish();
}

struct Scene {
  explicit Scene(Message<schema::World> given = sample_world(), Hooks hooks = {})
      : world(std::move(given)) {
    set_up(host);
    host.strict({"docker", "sqlite3"});
    proxmox.emplace(host, world.reader(), std::move(hooks));
  }

  SimHost host;
  Message<schema::World> world;
  std::optional<Proxmox> proxmox;
};

/// Whether it means the same as if it were not there.
inline bool is_nothing(const Json& json) {
  return json.empty() || json == "" || json == "0" || json == 0 || json == false;
}
inline Json without_empty(const Json& json) {
  if (json.is_object()) {
    auto kept = Json::object();
    for (const auto& [key, value] : json.items())
      if (auto pruned = without_empty(value); !is_nothing(pruned)) kept[key] = pruned;
    return kept;
  }
  if (!json.is_array()) return json;
  auto kept = Json::array();
  for (const auto& value : json) kept.push_back(without_empty(value));
  return kept;
}

/// Facts in JSON, without what no inverse can bring back.
template <typename Facts>
std::string json_of(typename Facts::Reader facts) {
  Draft<Facts> copy(facts);
  copy->disownCoverage();
  const auto text = std::move(copy).finish().to_json();
  return without_empty(must(parse_json(text, "facts"))).dump(1);
}

/// What the audit finds there, without problems.
template <typename Kind>
std::string audit(SimHost& host) {
  const auto message = must(Kind::observe({}, host));
  for (const auto gap : message.reader().getCoverage().getProblems())
    FAIL(str(gap.getPart()) << ": " << str(gap.getWhy()));
  CHECK(host.unknown().empty());
  return json_of<typename Kind::Facts>(message.reader());
}

}  // namespace relab::agent::sim
