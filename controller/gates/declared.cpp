#include "controller/gates/declared.h"

#include <fmt/format.h>

namespace relab::controller {

namespace {

using Host = schema::Lab::Host::Reader;
using Service = schema::Lab::Service;

/// A thing without a host belongs to the lab's only one.
bool belongs(capnp::Text::Reader owner, Host host) {
  return owner.size() == 0 || view(owner) == view(host.getName());
}

std::string section_of(Service::Kind kind) {
  switch (kind) {
    case Service::Kind::JELLYFIN:
      return "jellyfin";
    case Service::Kind::SONARR:
    case Service::Kind::RADARR:
    case Service::Kind::PROWLARR:
    case Service::Kind::QBITTORRENT:
    case Service::Kind::SABNZBD:
      return "arr";
    case Service::Kind::PBS:
      return "pbs";
    default:
      return {};
  }
}

/// A pool whose disks an installation overwrites is made by it: it need not be there yet.
bool holds_data(schema::Lab::Reader lab, schema::Lab::Pool::Reader pool) {
  for (const auto name : pool.getDisks())
    for (const auto disk : lab.getDisks())
      if (view(disk.getName()) == view(name) && disk.getRole() == schema::Lab::Disk::Role::DATA)
        return true;
  return false;
}

void declare_guests(schema::Lab::Reader lab, Host host,
                    std::map<std::string, std::string>& declared) {
  for (const auto guest : lab.getGuests()) {
    if (!belongs(guest.getHost(), host)) continue;
    declared.try_emplace("guests", fmt::format("the guest '{}'", str(guest.getName())));
    for (const auto service : guest.getServices())
      if (const auto section = section_of(service.getKind()); !section.empty())
        declared.try_emplace(section, fmt::format("the guest '{}'", str(guest.getName())));
  }
}

}  // namespace

std::map<std::string, std::string> declared_sections(schema::Lab::Reader lab, Host host) {
  std::map<std::string, std::string> declared;
  for (const auto section : host.getExpect())
    declared.try_emplace(str(section), "`expect` of the host");
  for (const auto pool : lab.getPools())
    if (belongs(pool.getHost(), host) && holds_data(lab, pool))
      declared.try_emplace("zfs", fmt::format("the pool '{}'", str(pool.getName())));
  for (const auto disk : lab.getDisks())
    if (belongs(disk.getHost(), host))
      declared.try_emplace("disks", fmt::format("the disk '{}'", str(disk.getName())));
  for (const auto gpu : lab.getGpus())
    if (belongs(gpu.getHost(), host))
      declared.try_emplace("pci", fmt::format("the card '{}'", str(gpu.getName())));
  if (host.getExpect().size() == 0) declare_guests(lab, host, declared);
  return declared;
}

namespace {

template <typename List, typename Get>
std::set<std::string> collect(const List& list, Get get) {
  std::set<std::string> found;
  for (const auto element : list) found.insert(str(get(element)));
  return found;
}

}  // namespace

std::vector<std::string> unseen(schema::Lab::Reader lab, Host host, schema::Facts::Reader facts) {
  std::vector<std::string> missing;
  if (facts.isAuditZfs()) {
    const auto pools =
        collect(facts.getAuditZfs().getPools(), [](auto pool) { return pool.getName(); });
    for (const auto pool : lab.getPools())
      if (belongs(pool.getHost(), host) && holds_data(lab, pool) &&
          !pools.contains(str(pool.getName())))
        missing.push_back(fmt::format("the pool '{}' is declared, and is not imported here",
                                      str(pool.getName())));
  }
  if (facts.isAuditDisks()) {
    const auto serials =
        collect(facts.getAuditDisks().getDisks(), [](auto disk) { return disk.getSerial(); });
    for (const auto disk : lab.getDisks())
      if (belongs(disk.getHost(), host) && disk.getRole() != schema::Lab::Disk::Role::BACKUP &&
          !serials.contains(str(disk.getSerial())))
        missing.push_back(
            fmt::format("the disk '{}' with the serial {} is declared, and was not seen",
                        str(disk.getName()), str(disk.getSerial())));
  }
  return missing;
}

}  // namespace relab::controller
