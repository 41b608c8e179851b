#include "agent/kinds/guests/audit_guests.h"

#include "agent/kinds/guests/programs.h"
#include "agent/kinds/guests/rows.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/pve_guests.h"
#include "agent/kinds/support/redact.h"
#include "agent/kinds/support/section_config.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

using Schema = schema::AuditGuests;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t mebibytes_max = UINT64_MAX / mebibyte;
constexpr std::uint64_t seconds_max = UINT64_MAX / 1000;

/// One row of a list, with the guest it belongs to.
template <typename Row>
struct Of {
  const PveGuest* guest;
  Row row;
};

/// The rows of all guests, one after another.
template <typename Rows>
auto gather(const std::vector<PveGuest>& guests, const Rows& rows_of) {
  std::vector<Of<typename decltype(rows_of(guests.front()))::value_type>> all;
  for (const auto& guest : guests)
    for (auto& row : rows_of(guest)) all.push_back({&guest, row});
  return all;
}

std::uint64_t number_in(const PveSection& section, std::string_view key,
                        std::string_view default_key = {}) {
  const auto text = section.value(key);
  const auto number = parse_number<std::uint64_t>(
      default_key.empty() ? text : Properties(text, default_key).value(default_key));
  return number ? *number : 0;
}

std::uint64_t bytes_in(const PveSection& section, std::string_view key) {
  const auto number = number_in(section, key, "current");
  return number > mebibytes_max ? 0 : number * mebibyte;
}

std::uint32_t count_in(const PveSection& section, std::string_view key) {
  const auto number = number_in(section, key);
  return number > UINT32_MAX ? 0 : static_cast<std::uint32_t>(number);
}

/// Proxmox writes semicolons, but takes commas and spaces as well.
std::vector<std::string> tags_of(std::string_view text) {
  std::string even(text);
  for (auto& c : even)
    if (c == ';' || c == ',') c = ' ';
  std::vector<std::string> tags;
  for (const auto tag : words(even)) tags.emplace_back(tag);
  return tags;
}

void set_machine(Schema::Guest::Builder row, const PveSection& config, GuestType type) {
  row.setCores(count_in(config, "cores"));
  row.setMemory(bytes_in(config, "memory"));
  row.setOstype(config.value("ostype"));
  row.setArch(config.value("arch"));
  if (type == GuestType::lxc) {
    row.setUnprivileged(config.truth("unprivileged"));
    row.setSwap(bytes_in(config, "swap"));
    row.setSwapSet(!config.value("swap").empty());
    row.setFeatures(config.value("features"));
    row.setIdmap(!config.value("lxc.idmap").empty());
    return;
  }
  row.setSockets(count_in(config, "sockets"));
  row.setFirmware(config.value("bios"));
  row.setMachine(config.value("machine"));
  row.setCpu(config.value("cpu"));
  row.setBoot(config.value("boot"));
  row.setAgent(config.value("agent"));
  row.setScsiController(config.value("scsihw"));
}

void set_guest(Schema::Guest::Builder row, const PveGuest& guest) {
  const auto& config = guest.config.current;
  row.setVmid(guest.vmid);
  row.setName(guest.name);
  row.setType(guest.type == GuestType::lxc ? Schema::Type::LXC : Schema::Type::QEMU);
  row.setState(guest.status);
  row.setLock(config.value("lock"));
  row.setTemplate(config.truth("template"));
  row.setOnboot(config.truth("onboot"));
  row.setStartupOrder(config.value("startup"));
  row.setDescription(redact_all(config.description));
  row.setProtection(config.truth("protection"));
  row.setParent(config.value("parent"));
  row.setNameserver(config.value("nameserver"));
  row.setSearchdomain(config.value("searchdomain"));
  row.setHookscript(config.value("hookscript"));
  const auto tags = tags_of(config.value("tags"));
  auto list = row.initTags(size_of(tags));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, tags[i]);
  set_machine(row, config, guest.type);
}

void set_disks(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows = gather(
      guests, [](const PveGuest& guest) { return disks_of(guest.config.current, guest.type); });
  fill(facts.initDisks(size_of(rows)), rows, [](auto disk, const auto& of) {
    disk.setVmid(of.guest->vmid);
    disk.setKey(of.row.key);
    disk.setStorage(of.row.storage);
    disk.setVolume(of.row.volume);
    disk.setSize(of.row.size);
    disk.setGuestPath(of.row.guest_path);
    disk.setBackup(of.row.backup);
    disk.setReadOnly(of.row.read_only);
    disk.setCdrom(of.row.cdrom);
    disk.setUnused(of.row.unused);
    disk.setOptions(of.row.options);
  });
}

void set_mounts(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows = gather(
      guests, [](const PveGuest& guest) { return binds_of(guest.config.current, guest.type); });
  fill(facts.initMounts(size_of(rows)), rows, [](auto mount, const auto& of) {
    mount.setVmid(of.guest->vmid);
    mount.setKey(of.row.key);
    mount.setHostPath(of.row.source);
    mount.setGuestPath(of.row.path);
    mount.setReadOnly(of.row.read_only);
    mount.setOptions(of.row.options);
  });
}

void set_networks(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows = gather(
      guests, [](const PveGuest& guest) { return networks_of(guest.config.current, guest.type); });
  fill(facts.initNetworks(size_of(rows)), rows, [](auto network, const auto& of) {
    network.setVmid(of.guest->vmid);
    network.setKey(of.row.key);
    network.setName(of.row.name);
    network.setModel(of.row.model);
    network.setBridge(of.row.bridge);
    network.setTag(of.row.tag);
    network.setTrunks(of.row.trunks);
    network.setMac(of.row.mac);
    network.setIp(of.row.ip);
    network.setGateway(of.row.gateway);
    network.setIp6(of.row.ip6);
    network.setGateway6(of.row.gateway6);
    network.setFirewall(of.row.firewall);
    network.setMtu(of.row.mtu);
    network.setLinkDown(of.row.link_down);
    network.setRate(of.row.rate);
  });
}

void set_devices(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows =
      gather(guests, [](const PveGuest& guest) { return devices_of(guest.config.current); });
  fill(facts.initDevices(size_of(rows)), rows, [](auto device, const auto& of) {
    device.setVmid(of.guest->vmid);
    device.setKey(of.row.key);
    device.setWhat(of.row.what);
    device.setOptions(of.row.options);
  });
}

void set_raw_lines(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows =
      gather(guests, [](const PveGuest& guest) { return raw_lines_of(guest.config.current); });
  fill(facts.initRawLines(size_of(rows)), rows, [](auto line, const auto& of) {
    line.setVmid(of.guest->vmid);
    line.setKey(of.row.first);
    line.setValue(of.row.second);
  });
}

void set_snapshots(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows = gather(guests, [](const PveGuest& guest) { return guest.config.snapshots; });
  fill(facts.initSnapshots(size_of(rows)), rows, [](auto snapshot, const auto& of) {
    const auto seconds = number_in(of.row, "snaptime");
    snapshot.setVmid(of.guest->vmid);
    snapshot.setName(of.row.name);
    snapshot.setTime(seconds > seconds_max ? 0 : seconds * 1000);
    snapshot.setParent(of.row.value("parent"));
    snapshot.setDescription(redact_all(of.row.description));
    snapshot.setBroken(of.row.value("snapstate"));
    snapshot.setWithMemory(!of.row.value("vmstate").empty());
  });
}

void set_pending(Schema::Facts::Builder facts, const std::vector<PveGuest>& guests) {
  const auto rows =
      gather(guests, [](const PveGuest& guest) { return pending_of(guest.config.pending); });
  fill(facts.initPending(size_of(rows)), rows, [](auto change, const auto& of) {
    change.setVmid(of.guest->vmid);
    change.setKey(of.row.key);
    change.setValue(of.row.value);
    change.setDeleted(of.row.deleted);
  });
}

/// Which dataset or folder has the volumes of a storage.
void set_storages(Schema::Facts::Builder facts, Host& host, Gaps& gaps) {
  const auto text = host.read_file("/etc/pve/storage.cfg");
  // Proxmox makes it with its first entry.
  if (!text && text.error().fault == Fault::missing) return;
  const auto sections = text ? parse_section_config(*text, "storage.cfg")
                             : Result<std::vector<ConfigSection>>(fail(text.error()));
  if (!sections) {
    gaps.problem("storages", sections.error());
    return;
  }
  fill(facts.initStorages(size_of(*sections)), *sections, [](auto storage, const auto& section) {
    storage.setId(section.id);
    storage.setType(section.type);
    storage.setPool(section.value("pool"));
    storage.setPath(section.value("path"));
  });
}

}  // namespace

Result<Message<AuditGuests::Facts>> AuditGuests::observe(Params::Reader, Host& host) {
  Gaps gaps;
  RELAB_TRY(const auto found, read_pve_guests(host, States::all, gaps));
  if (!found.absent.empty()) gaps.all_absent(found.absent);
  Draft<Facts> facts;
  facts->setNode(found.node);
  fill(facts->initGuests(size_of(found.guests)), found.guests, set_guest);
  set_disks(*facts, found.guests);
  set_mounts(*facts, found.guests);
  set_networks(*facts, found.guests);
  set_devices(*facts, found.guests);
  set_raw_lines(*facts, found.guests);
  set_snapshots(*facts, found.guests);
  set_pending(*facts, found.guests);
  if (found.absent.empty()) set_storages(*facts, host, gaps);
  set_programs(*facts, host, found.guests, gaps);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::guests
