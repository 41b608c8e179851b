#include "controller/gates/declared.h"

#include <algorithm>
#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "controller/survival/members.h"

namespace relab::controller {

namespace {

using Lab = schema::Lab;
using Host = Lab::Host::Reader;
using Kind = Lab::Service::Kind;

/// A thing without a host belongs to the lab's only one.
bool belongs(capnp::Text::Reader owner, Host host) {
  return owner.size() == 0 || view(owner) == view(host.getName());
}

/// The section of the audit that finds such a service, and the name that it has there. Empty:
/// no section looks for it.
struct Sought {
  std::string_view section;
  std::string_view name;
};

Sought sought(Kind kind) {
  switch (kind) {
    case Kind::JELLYFIN:
      return {"jellyfin", "jellyfin"};
    case Kind::SONARR:
      return {"arr", "sonarr"};
    case Kind::RADARR:
      return {"arr", "radarr"};
    case Kind::PROWLARR:
      return {"arr", "prowlarr"};
    case Kind::QBITTORRENT:
      return {"arr", "qbittorrent"};
    case Kind::SABNZBD:
      return {"arr", "sabnzbd"};
    case Kind::PBS:
      return {"pbs", "pbs"};
    case Kind::UNSET:
    case Kind::WIREGUARD:
    case Kind::PROMETHEUS:
    case Kind::GRAFANA:
    case Kind::PVE_EXPORTER:
    case Kind::NODE_EXPORTER:
    case Kind::DOCKER:
    case Kind::OLLAMA:
    case Kind::OPEN_WEBUI:
    case Kind::CADDY:
    case Kind::VAULT:
      break;
  }
  return {};
}

/// A pool whose disks an installation overwrites is made by it: it need not be there yet.
bool holds_data(Lab::Reader lab, Lab::Pool::Reader pool) {
  for (const auto name : pool.getDisks())
    for (const auto disk : lab.getDisks())
      if (view(disk.getName()) == view(name) && disk.getRole() == Lab::Disk::Role::DATA)
        return true;
  return false;
}

/// Walks what this host has now by the lab file: `visit(thing)` for each.
template <typename List, typename Visit>
void each_present(const List& list, Host host, Visit visit) {
  for (const auto thing : list)
    if (belongs(thing.getHost(), host) && !thing.getPlanned()) visit(thing);
}

/// `visit(guest, sought)` for each service that a section of the audit must find.
template <typename Visit>
void each_service(Lab::Reader lab, Host host, Visit visit) {
  each_present(lab.getGuests(), host, [&](Lab::Guest::Reader guest) {
    if (guest.getType() == Lab::Guest::Type::VM) return;
    for (const auto service : guest.getServices())
      if (const auto found = sought(service.getKind());
          !found.section.empty() && !service.getPlanned())
        visit(guest, found);
  });
}

}  // namespace

std::map<std::string, std::string> declared_sections(Lab::Reader lab, Host host) {
  std::map<std::string, std::string> declared;
  for (const auto section : host.getExpect())
    declared.try_emplace(str(section), "`expect` of the host");
  for (const auto pool : lab.getPools())
    if (belongs(pool.getHost(), host) && holds_data(lab, pool))
      declared.try_emplace("zfs", fmt::format("the pool '{}'", str(pool.getName())));
  for (const auto disk : lab.getDisks())
    if (belongs(disk.getHost(), host))
      declared.try_emplace("disks", fmt::format("the disk '{}'", str(disk.getName())));
  each_present(lab.getGpus(), host, [&](Lab::Gpu::Reader gpu) {
    declared.try_emplace("pci", fmt::format("the card '{}'", str(gpu.getName())));
  });
  each_present(lab.getGuests(), host, [&](Lab::Guest::Reader guest) {
    declared.try_emplace("guests", fmt::format("the guest '{}'", str(guest.getName())));
  });
  each_service(lab, host, [&](Lab::Guest::Reader guest, Sought found) {
    declared.try_emplace(std::string(found.section),
                         fmt::format("{} in the guest '{}'", found.name, str(guest.getName())));
  });
  return declared;
}

namespace {

template <typename List, typename Get>
std::set<std::string> collect(const List& list, Get get) {
  std::set<std::string> found;
  for (const auto element : list) found.insert(str(get(element)));
  return found;
}

using Sentences = std::vector<std::string>;

void unseen_pools(Lab::Reader lab, Host host, schema::AuditZfs::Facts::Reader facts,
                  Sentences& missing) {
  const auto pools = collect(facts.getPools(), [](auto pool) { return pool.getName(); });
  for (const auto pool : lab.getPools())
    if (belongs(pool.getHost(), host) && holds_data(lab, pool) &&
        !pools.contains(str(pool.getName())))
      missing.push_back(
          fmt::format("the pool '{}' is declared, and is not imported here", str(pool.getName())));
}

/// Whether the disk's pool is imported without one of its members.
bool may_be_away(Lab::Reader lab, Lab::Disk::Reader disk, const AuditedPools& pools) {
  if (!pools || disk.getRole() != Lab::Disk::Role::DATA) return false;
  return any_in(lab.getPools(), [&](auto pool) {
    return any_in(pool.getDisks(), [&](auto name) { return view(name) == view(disk.getName()); }) &&
           std::ranges::any_of(leaves_of(view(pool.getName()), pools->getVdevs()), is_absent);
  });
}

void unseen_disks(Lab::Reader lab, Host host, schema::AuditDisks::Facts::Reader facts,
                  const AuditedPools& pools, Sentences& missing) {
  const auto serials = collect(facts.getDisks(), [](auto disk) { return disk.getSerial(); });
  for (const auto disk : lab.getDisks())
    if (belongs(disk.getHost(), host) && disk.getRole() != Lab::Disk::Role::BACKUP &&
        !serials.contains(str(disk.getSerial())) && !may_be_away(lab, disk, pools))
      missing.push_back(
          fmt::format("the disk '{}' with the serial {} is declared, and was not seen",
                      str(disk.getName()), str(disk.getSerial())));
}

std::string_view pci_vendor(Lab::Gpu::Vendor vendor) {
  switch (vendor) {
    case Lab::Gpu::Vendor::INTEL:
      return "8086";
    case Lab::Gpu::Vendor::NVIDIA:
      return "10de";
    case Lab::Gpu::Vendor::AMD:
      return "1002";
    case Lab::Gpu::Vendor::UNSET:
      break;
  }
  return {};
}

/// A card is known by its PCI id, or else by its maker among the display controllers.
bool is_card(schema::AuditPci::Device::Reader device, Lab::Gpu::Reader gpu) {
  if (gpu.getPciId().size() != 0)
    return fmt::format("{}:{}", str(device.getVendorId()), str(device.getDeviceId())) ==
           view(gpu.getPciId());
  constexpr std::string_view display_controller = "03";
  return view(device.getClassId()).starts_with(display_controller) &&
         view(device.getVendorId()) == pci_vendor(gpu.getVendor());
}

/// Two cards that are declared alike need two devices.
void unseen_cards(Lab::Reader lab, Host host, schema::AuditPci::Facts::Reader facts,
                  Sentences& missing) {
  std::set<std::string> taken;
  each_present(lab.getGpus(), host, [&](Lab::Gpu::Reader gpu) {
    for (const auto device : facts.getDevices())
      if (is_card(device, gpu) && taken.insert(str(device.getAddress())).second) return;
    missing.push_back(fmt::format(
        "the card '{}' ({}{}{}) is declared, and was not seen", str(gpu.getName()),
        str(gpu.getModel()), gpu.getPciId().size() == 0 ? "" : ", PCI id ", str(gpu.getPciId())));
  });
}

/// A guest is known by its number or its name: a rebuild may give it another of one of them.
void unseen_guests(Lab::Reader lab, Host host, schema::AuditGuests::Facts::Reader facts,
                   Sentences& missing) {
  each_present(lab.getGuests(), host, [&](Lab::Guest::Reader guest) {
    if (!any_in(facts.getGuests(), [&](auto found) {
          return found.getVmid() == guest.getVmid() ||
                 view(found.getName()) == view(guest.getName());
        }))
      missing.push_back(
          fmt::format("the guest '{}' ({}) is declared, and was not seen; if it does not "
                      "exist yet, say `planned = true`",
                      str(guest.getName()), guest.getVmid()));
  });
}

/// Whether any list of the section has a row: tools that are there and find nothing make none.
bool has_rows(schema::Facts::Reader facts) {
  const auto root = capnp::toDynamic(facts);
  KJ_IF_MAYBE (member, root.which()) {
    const auto section = root.get(*member).as<capnp::DynamicStruct>();
    for (const auto field : section.getSchema().getNonUnionFields())
      if (field.getType().isList() && section.get(field).as<capnp::DynamicList>().size() != 0)
        return true;
  }
  return false;
}

void unseen_section(Host host, std::string_view section, schema::Facts::Reader facts,
                    Sentences& missing) {
  if (any_in(host.getExpect(), [&](auto expected) { return view(expected) == section; }) &&
      !has_rows(facts))
    missing.push_back("`expect` of the host names this section, and nothing of it was found");
}

/// Each application with the machines that have it; 0 is the host itself.
using Places = std::map<std::string, std::set<std::uint32_t>, std::less<>>;

Places places_in(schema::Facts::Reader facts) {
  Places places;
  if (facts.isAuditArr())
    for (const auto app : facts.getAuditArr().getApps())
      places[str(app.getApp())].insert(app.getVmid());
  if (facts.isAuditJellyfin())
    for (const auto server : facts.getAuditJellyfin().getServers())
      places["jellyfin"].insert(server.getVmid());
  if (facts.isAuditPbs())
    for (const auto server : facts.getAuditPbs().getServers())
      if (server.getInstalled()) places["pbs"].insert(server.getVmid());
  return places;
}

/// The numbers that a declared guest has now: of those with its name, or else its own, unless
/// another declared guest has that now.
std::set<std::uint32_t> numbers_of(Lab::Reader lab, Lab::Guest::Reader guest,
                                   const AuditedGuests& guests) {
  std::set<std::uint32_t> numbers;
  if (!guests) return {guest.getVmid()};
  for (const auto found : guests->getGuests())
    if (view(found.getName()) == view(guest.getName())) numbers.insert(found.getVmid());
  if (!numbers.empty()) return numbers;
  const bool is_taken = any_in(guests->getGuests(), [&](auto found) {
    return found.getVmid() == guest.getVmid() && any_in(lab.getGuests(), [&](auto other) {
             return view(other.getName()) == view(found.getName());
           });
  });
  if (!is_taken) numbers.insert(guest.getVmid());
  return numbers;
}

std::string places_in_words(const std::set<std::uint32_t>& places) {
  std::vector<std::string> words;
  for (const auto vmid : places)
    words.push_back(vmid == 0 ? "on the host itself" : fmt::format("in guest {}", vmid));
  return fmt::format("{}", fmt::join(words, ", "));
}

void unseen_services(Lab::Reader lab, Host host, std::string_view section, const Places& places,
                     const AuditedGuests& guests, Sentences& missing) {
  each_service(lab, host, [&](Lab::Guest::Reader guest, Sought wanted) {
    if (wanted.section != section) return;
    const auto found = places.find(wanted.name);
    const auto numbers = numbers_of(lab, guest, guests);
    const auto is_there = [&](std::uint32_t vmid) { return found->second.contains(vmid); };
    if (found == places.end())
      missing.push_back(fmt::format("{} is declared in the guest '{}', and was found nowhere",
                                    wanted.name, str(guest.getName())));
    else if (std::ranges::none_of(numbers, is_there))
      missing.push_back(
          fmt::format("{} is declared in the guest '{}', and was found only {}; if it is "
                      "not in there yet, say `planned = true`",
                      wanted.name, str(guest.getName()), places_in_words(found->second)));
  });
}

}  // namespace

std::vector<std::string> unseen(Lab::Reader lab, Host host, std::string_view section,
                                schema::Facts::Reader facts, const AuditedGuests& guests,
                                const AuditedPools& pools) {
  Sentences missing;
  unseen_section(host, section, facts, missing);
  if (facts.isAuditGuests()) unseen_guests(lab, host, facts.getAuditGuests(), missing);
  if (facts.isAuditZfs()) unseen_pools(lab, host, facts.getAuditZfs(), missing);
  if (facts.isAuditDisks()) unseen_disks(lab, host, facts.getAuditDisks(), pools, missing);
  if (facts.isAuditPci()) unseen_cards(lab, host, facts.getAuditPci(), missing);
  unseen_services(lab, host, section, places_in(facts), guests, missing);
  return missing;
}

}  // namespace relab::controller
