#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/rehearsal/world/described.h"

namespace relab::rehearsal {

namespace {

using Guest = schema::Lab::Guest::Reader;
using Guests = schema::AuditGuests;

constexpr std::uint64_t default_swap = std::uint64_t{512} << 20U;

void write_guest(Guest lab, Guests::Guest::Builder guest) {
  const bool container = Described::is_container(lab);
  guest.setVmid(lab.getVmid());
  guest.setName(lab.getName());
  guest.setType(container ? Guests::Type::LXC : Guests::Type::QEMU);
  guest.setState("running");
  guest.setOnboot(lab.getOnboot());
  if (lab.getOrder() != 0) guest.setStartupOrder(fmt::format("order={}", lab.getOrder()));
  guest.setCores(lab.getCores());
  guest.setMemory(lab.getMemory());
  guest.setOstype(container ? "debian" : "l26");
  if (lab.getPurpose().size() != 0) guest.setDescription(lab.getPurpose());
  if (!container) {
    guest.setSockets(1);
    guest.setScsiController("virtio-scsi-single");
    guest.setBoot("order=scsi0");
    return;
  }
  guest.setUnprivileged(!lab.getPrivileged());
  guest.setSwap(default_swap);
  guest.setSwapSet(true);
  guest.setArch("amd64");
  if (lab.getNesting()) guest.setFeatures("nesting=1");
}

void write_disks(const Described& described, Guests::Facts::Builder facts) {
  auto list = facts.initDisks(static_cast<unsigned>(described.guests.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto guest = described.guests[i];
    const bool container = Described::is_container(guest);
    list[i].setVmid(guest.getVmid());
    list[i].setKey(container ? "rootfs" : "scsi0");
    list[i].setStorage("local-zfs");
    list[i].setVolume(container ? fmt::format("subvol-{}-disk-0", guest.getVmid())
                                : fmt::format("vm-{}-disk-0", guest.getVmid()));
    list[i].setSize(guest.getDisk());
    list[i].setGuestPath(container ? "/" : "");
    list[i].setBackup(true);
  }
}

void write_mounts(const Described& described, Guests::Facts::Builder facts) {
  std::vector<std::pair<Guest, unsigned>> all;
  for (const auto guest : described.guests)
    for (unsigned i = 0; i < guest.getMounts().size(); ++i) all.emplace_back(guest, i);
  auto list = facts.initMounts(static_cast<unsigned>(all.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& [guest, number] = all[i];
    const auto mount = guest.getMounts()[number];
    list[i].setVmid(guest.getVmid());
    list[i].setKey(fmt::format("mp{}", number));
    list[i].setHostPath(mount.getSource());
    list[i].setGuestPath(mount.getTarget());
    list[i].setReadOnly(mount.getReadOnly());
  }
}

void write_networks(const Described& described, Guests::Facts::Builder facts) {
  auto list = facts.initNetworks(static_cast<unsigned>(described.guests.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto guest = described.guests[i];
    const bool container = Described::is_container(guest);
    const auto vlan = described.vlan(view(guest.getVlan()));
    auto network = list[i];
    network.setVmid(guest.getVmid());
    network.setKey("net0");
    network.setName(container ? "eth0" : "");
    network.setModel(container ? "veth" : "virtio");
    network.setBridge(described.host.getBridge());
    network.setTag(vlan.getId());
    network.setMac(mac_of("guest " + str(guest.getName())));
    network.setFirewall(false);
    if (!container) continue;
    network.setIp(fmt::format("{}/{}", str(guest.getIp()), Described::prefix(vlan)));
    network.setGateway(vlan.getGateway());
  }
}

void write_devices(const Described& described, Guests::Facts::Builder facts) {
  std::vector<std::pair<std::uint32_t, GuestDevice>> rows;
  for (const auto guest : described.guests)
    for (auto& device : devices_of(described, guest))
      rows.emplace_back(guest.getVmid(), std::move(device));
  auto list = facts.initDevices(static_cast<unsigned>(rows.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setVmid(rows[i].first);
    list[i].setKey(rows[i].second.key);
    list[i].setWhat(rows[i].second.what);
  }
}

void write_storages(const Described& described, Guests::Facts::Builder facts) {
  const auto* system = described.pool_of_system();
  auto list = facts.initStorages(system == nullptr ? 1 : 2);
  list[0].setId("local");
  list[0].setType("dir");
  list[0].setPath("/var/lib/vz");
  if (system == nullptr) return;
  list[1].setId("local-zfs");
  list[1].setType("zfspool");
  list[1].setPool(str(system->getName()) + "/data");
}

}  // namespace

std::vector<GuestDevice> devices_of(const Described& described, Guest guest) {
  constexpr unsigned first_node = 128;
  std::vector<GuestDevice> devices;
  for (const auto wanted : guest.getGpus()) {
    unsigned node = first_node;
    for (const auto gpu : described.lab.getGpus()) {
      if (gpu.getPlanned()) continue;
      if (view(gpu.getName()) == view(wanted))
        devices.push_back({.key = fmt::format("dev{}", devices.size()),
                           .what = gpu.getVendor() == schema::Lab::Gpu::Vendor::NVIDIA
                                       ? std::string("/dev/nvidia0")
                                       : fmt::format("/dev/dri/renderD{}", node)});
      ++node;
    }
  }
  return devices;
}

void describe_guests(const Described& described, schema::World::Builder world) {
  auto facts = world.initGuests();
  facts.setNode(described.host.getName());
  auto list = facts.initGuests(static_cast<unsigned>(described.guests.size()));
  for (unsigned i = 0; i < list.size(); ++i) write_guest(described.guests[i], list[i]);
  write_disks(described, facts);
  write_mounts(described, facts);
  write_networks(described, facts);
  write_devices(described, facts);
  write_storages(described, facts);
  describe_programs(described, facts);
}

}  // namespace relab::rehearsal
