#include "agent/kinds/guests/rows.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/support/redact.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

constexpr std::string_view not_shown = "(not shown)";

template <typename Stems>
bool is_one_of(std::string_view key, const Stems& stems) {
  const auto [stem, number] = split_key(key);
  return number && std::ranges::find(stems, stem) != stems.end();
}

template <typename Number>
Number number_or_zero(std::string_view text) {
  const auto number = parse_number<Number>(text);
  return number ? *number : Number{0};
}

/// "local-zfs:vm-200-disk-0" has a storage; "/dev/disk/by-id/x", "none" and "cdrom" have not.
void set_volume(std::string_view source, DiskRow& row) {
  const auto colon = source.find(':');
  const bool stored = !source.starts_with('/') && colon != std::string_view::npos;
  row.storage = stored ? source.substr(0, colon) : std::string_view();
  row.volume = stored ? source.substr(colon + 1) : source;
}

std::string rest_of(const Properties& properties, std::initializer_list<std::string_view> known) {
  std::string rest;
  for (const auto& [key, value] : properties.all())
    if (std::ranges::find(known, key) == known.end())
      rest += fmt::format("{}{}={}", rest.empty() ? "" : ",", key, value);
  return rest;
}

DiskRow container_disk(const GuestMount& mount) {
  DiskRow row{.key = mount.key, .guest_path = mount.path, .options = mount.options};
  set_volume(mount.source, row);
  row.size = mount.size.value_or(0);
  row.backup = mount.backup;
  row.read_only = mount.read_only;
  return row;
}

DiskRow vm_disk(const std::string& key, std::string_view text) {
  const Properties properties(text, "file");
  DiskRow row{.key = key};
  set_volume(properties.value("file"), row);
  row.size = parse_pve_size(properties.value("size")).value_or(0);
  row.cdrom = properties.value("media") == "cdrom";
  row.read_only = properties.truth("ro") || row.cdrom;
  const auto backup = properties.value("backup");
  row.backup = !row.cdrom && (backup.empty() || properties.truth("backup"));
  row.options = rest_of(properties, {"file", "size", "media", "ro", "backup"});
  return row;
}

DiskRow unused_disk(const std::string& key, std::string_view text) {
  DiskRow row{.key = key, .unused = true};
  set_volume(text, row);
  return row;
}

/// A mount of a host's directory is a bind; one of a host's block device counts as a disk.
bool is_bind(const GuestMount& mount) {
  return mount.of_host() && (mount.key == "lxc.mount.entry" || !mount.of_device());
}

/// VMs write the model and the address as "virtio=BC:24:...".
void set_model(const Properties& properties, NetworkRow& row) {
  constexpr std::array models{"virtio",  "e1000",    "e1000e",   "rtl8139",  "vmxnet3", "i82551",
                              "i82557b", "i82559er", "ne2k_isa", "ne2k_pci", "pcnet"};
  for (const auto& [key, value] : properties.all()) {
    const bool known = std::ranges::find(models, key) != models.end() || key.starts_with("e1000-");
    if (known) row.mac = value;
    if (known) row.model = key;
  }
  if (row.model.empty()) row.model = properties.value("model");
}

NetworkRow network_of(const std::string& key, const Properties& properties, GuestType type) {
  NetworkRow row{.key = key};
  row.bridge = properties.value("bridge");
  row.tag = number_or_zero<std::uint16_t>(properties.value("tag"));
  row.trunks = properties.value("trunks");
  row.mtu = number_or_zero<std::uint32_t>(properties.value("mtu"));
  row.rate = properties.value("rate");
  row.firewall = properties.truth("firewall");
  row.link_down = properties.truth("link_down");
  row.mac = properties.value(type == GuestType::lxc ? "hwaddr" : "macaddr");
  row.name = properties.value("name");
  row.model = properties.value("type");
  if (type == GuestType::qemu) set_model(properties, row);
  return row;
}

void set_addresses(const Properties& properties, NetworkRow& row) {
  row.ip = properties.value("ip");
  row.gateway = properties.value("gw");
  row.ip6 = properties.value("ip6");
  row.gateway6 = properties.value("gw6");
}

/// A line's value as it may be shown.
std::string shown(std::string_view key, const std::string& value) {
  constexpr std::array secret{"cipassword", "env", "sshkeys", "smbios1"};
  if (key.starts_with("lxc.environment") || std::ranges::find(secret, key) != secret.end())
    return std::string(not_shown);
  return redact_all(value);
}

/// Whether another list or field of the facts tells what this line says.
bool is_told(std::string_view key, const PveSection& section) {
  constexpr std::array fields{
      "agent",      "arch",     "bios",   "boot",       "cores",    "cpu",         "features",
      "hookscript", "hostname", "lock",   "machine",    "memory",   "name",        "nameserver",
      "onboot",     "ostype",   "parent", "protection", "rootfs",   "scsihw",      "searchdomain",
      "sockets",    "startup",  "swap",   "tags",       "template", "unprivileged"};
  constexpr std::array<std::string_view, 15> rows{
      "dev",  "efidisk", "hostpci",  "ide",    "mp",  "net",    "parallel", "sata",
      "scsi", "serial",  "tpmstate", "unused", "usb", "virtio", "virtiofs"};
  if (std::ranges::find(fields, key) != fields.end() || is_one_of(key, rows)) return true;
  const auto [stem, number] = split_key(key);
  return stem == "ipconfig" && number && !section.value(fmt::format("net{}", *number)).empty();
}

}  // namespace

std::vector<DiskRow> disks_of(const PveSection& section, GuestType type) {
  constexpr std::array<std::string_view, 6> buses{"scsi", "virtio",  "sata",
                                                  "ide",  "efidisk", "tpmstate"};
  constexpr std::array<std::string_view, 1> unused{"unused"};
  std::vector<DiskRow> rows;
  if (type == GuestType::lxc)
    for (const auto& mount : container_mounts(section))
      if (!is_bind(mount)) rows.push_back(container_disk(mount));
  for (const auto& [key, value] : section.values) {
    if (type == GuestType::qemu && is_one_of(key, buses)) rows.push_back(vm_disk(key, value));
    if (is_one_of(key, unused)) rows.push_back(unused_disk(key, value));
  }
  return rows;
}

std::vector<GuestMount> binds_of(const PveSection& section, GuestType type) {
  auto mounts = type == GuestType::lxc ? container_mounts(section) : std::vector<GuestMount>();
  std::erase_if(mounts, [](const auto& mount) { return !is_bind(mount); });
  return mounts;
}

std::vector<NetworkRow> networks_of(const PveSection& section, GuestType type) {
  constexpr std::array<std::string_view, 1> nets{"net"};
  std::vector<NetworkRow> rows;
  for (const auto& [key, value] : section.values) {
    if (!is_one_of(key, nets)) continue;
    const Properties properties(value, "model");
    rows.push_back(network_of(key, properties, type));
    const auto cloud_init = section.value("ipconfig" + key.substr(3));
    set_addresses(type == GuestType::lxc ? properties : Properties(cloud_init, ""), rows.back());
  }
  return rows;
}

std::vector<DeviceRow> devices_of(const PveSection& section) {
  struct Stem {
    std::string_view stem;
    std::string_view default_key;
  };
  constexpr std::array stems{Stem{"dev", "path"},      Stem{"hostpci", "host"},
                             Stem{"usb", "host"},      Stem{"serial", "path"},
                             Stem{"parallel", "path"}, Stem{"virtiofs", "dirid"}};
  std::vector<DeviceRow> rows;
  for (const auto& [key, value] : section.values) {
    const auto [stem, number] = split_key(key);
    const auto known = std::ranges::find(stems, stem, &Stem::stem);
    if (!number || known == stems.end()) continue;
    const Properties properties(value, known->default_key);
    auto what = properties.value(known->default_key);
    if (what.empty()) what = properties.value("mapping");
    rows.push_back({key, std::move(what), rest_of(properties, {known->default_key, "mapping"})});
  }
  return rows;
}

std::vector<std::pair<std::string, std::string>> raw_lines_of(const PveSection& section) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& [key, value] : section.values)
    if (!is_told(key, section)) rows.emplace_back(key, shown(key, value));
  return rows;
}

std::vector<PendingRow> pending_of(const PveSection& section) {
  std::vector<PendingRow> rows;
  for (const auto& [key, value] : section.values) {
    if (key != "delete") {
      rows.push_back({key, shown(key, value), false});
      continue;
    }
    // "delete: !net1,swap": the mark asks for force.
    for (auto name : split(value, ',')) {
      name = trim(name);
      if (name.starts_with('!')) name.remove_prefix(1);
      if (!name.empty()) rows.push_back({std::string(name), {}, true});
    }
  }
  return rows;
}

}  // namespace relab::agent::guests
