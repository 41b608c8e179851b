#include "controller/lab/guest_tasks.h"

#include <fmt/format.h>
#include <optional>

#include "common/wire/message.h"
#include "controller/lab/hosts.h"

namespace relab::lab {

namespace {

using schema::Lab;
using HostMounts = capnp::List<schema::Guest::HostMount>::Builder;

template <typename List>
auto named(const List& list, std::string_view name)
    -> std::optional<std::decay_t<decltype(list[0])>> {
  for (const auto element : list)
    if (view(element.getName()) == name) return element;
  return {};
}

/// The pool of this lab that is mounted at the first folder of the path.
std::string pool_of(std::string_view path, Lab::Reader lab) {
  const auto first = path.substr(1, path.find('/', 1) - 1);
  return named(lab.getPools(), first) ? std::string(first) : std::string();
}

void fill_mounts(HostMounts mounts, Lab::Guest::Reader guest, Lab::Reader lab) {
  for (unsigned i = 0; i < mounts.size(); ++i) {
    const auto mount = guest.getMounts()[i];
    mounts[i].setSource(mount.getSource());
    mounts[i].setTarget(mount.getTarget());
    mounts[i].setReadOnly(mount.getReadOnly());
    mounts[i].setPool(pool_of(view(mount.getSource()), lab));
  }
}

void fill_card(schema::Guest::Builder task, Lab::Guest::Reader guest, Lab::Reader lab) {
  if (const auto host = named(lab.getHosts(), host_of(guest, lab));
      host && task.getBridge().size() == 0)
    task.setBridge(host->getBridge());
  const auto vlan = named(lab.getNetwork().getVlans(), view(guest.getVlan()));
  if (!vlan) return;
  const auto subnet = view(vlan->getSubnet());
  if (task.getTag() == 0) task.setTag(vlan->getId());
  if (task.getGateway().size() == 0) task.setGateway(vlan->getGateway());
  if (task.getAddress().size() == 0)
    task.setAddress(fmt::format("{}{}", view(guest.getIp()), subnet.substr(subnet.find('/'))));
}

void fill(schema::Guest::Builder task, Lab::Guest::Reader guest, Lab::Reader lab) {
  if (task.getVmid() == 0) task.setVmid(guest.getVmid());
  if (task.getTemplate().size() == 0) task.setTemplate(guest.getTemplate());
  if (task.getStorage().size() == 0) task.setStorage(guest.getStorage());
  if (task.getDisk() == 0) task.setDisk(guest.getDisk());
  if (task.getCores() == 0) task.setCores(guest.getCores());
  if (task.getMemory() == 0) task.setMemory(guest.getMemory());
  if (task.getOrder() == 0) task.setOrder(guest.getOrder());
  if (task.getPurpose().size() == 0) task.setPurpose(guest.getPurpose());
  task.setPrivileged(task.getPrivileged() || guest.getPrivileged());
  task.setNesting(task.getNesting() || guest.getNesting());
  task.setOnboot(task.getOnboot() || guest.getOnboot());
  if (task.getMounts().size() == 0)
    fill_mounts(task.initMounts(guest.getMounts().size()), guest, lab);
  fill_card(task, guest, lab);
}

void fill(schema::GuestPower::Builder task, Lab::Guest::Reader guest, Lab::Reader lab) {
  if (task.getVmid() == 0) task.setVmid(guest.getVmid());
  if (task.getMounts().size() == 0)
    fill_mounts(task.initMounts(guest.getMounts().size()), guest, lab);
}

}  // namespace

std::string_view guest_of(schema::Task::Reader task) {
  if (task.isGuest()) return view(task.getGuest().getName());
  if (task.isGuestPower()) return view(task.getGuestPower().getName());
  if (task.isAgentInstall()) return view(task.getAgentInstall().getName());
  return {};
}

std::uint32_t vmid_of(schema::Task::Reader task) {
  if (task.isGuest()) return task.getGuest().getVmid();
  if (task.isGuestPower()) return task.getGuestPower().getVmid();
  if (task.isAgentInstall()) return task.getAgentInstall().getVmid();
  return 0;
}

void fill_guest_task(schema::Task::Builder task, Lab::Reader lab) {
  const auto guest = named(lab.getGuests(), guest_of(task.asReader()));
  if (!guest || guest->getType() != Lab::Guest::Type::LXC) return;
  if (task.isGuest()) fill(task.getGuest(), *guest, lab);
  if (task.isGuestPower()) fill(task.getGuestPower(), *guest, lab);
  if (task.isAgentInstall() && task.getAgentInstall().getVmid() == 0)
    task.getAgentInstall().setVmid(guest->getVmid());
}

}  // namespace relab::lab
