#include "agent/host/sim/proxmox/guest_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Schema = schema::AuditGuests;
using Facts = Schema::Facts::Reader;
using Guests = std::map<std::uint32_t, AuditedGuest>;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

/// A property string, put together part by part; what is empty is left out.
class Parts {
 public:
  Parts& bare(std::string_view value) {
    if (!value.empty()) add(std::string(value));
    return *this;
  }
  Parts& set(std::string_view key, std::string_view value) {
    if (!value.empty()) add(fmt::format("{}={}", key, value));
    return *this;
  }
  Parts& flag(std::string_view key, bool value) { return set(key, value ? "1" : ""); }
  const std::string& text() const { return text_; }

 private:
  void add(const std::string& part) {
    if (!text_.empty()) text_ += ',';
    text_ += part;
  }
  std::string text_;
};

std::string number_text(std::uint64_t number) {
  return number == 0 ? std::string() : std::to_string(number);
}

void add(PveSection& section, std::string key, std::string value) {
  section.values.emplace_back(std::move(key), std::move(value));
}

void add_if_any(PveSection& section, const char* key, std::string value) {
  if (!value.empty()) add(section, key, std::move(value));
}

void add_flag(PveSection& section, const char* key, bool value) {
  if (value) add(section, key, "1");
}

void add_container(Schema::Guest::Reader row, PveSection& section) {
  add_if_any(section, "features", str(row.getFeatures()));
  if (row.getSwapSet()) add(section, "swap", std::to_string(row.getSwap() / mebibyte));
  add_flag(section, "unprivileged", row.getUnprivileged());
}

void add_machine(Schema::Guest::Reader row, PveSection& section) {
  add_if_any(section, "sockets", number_text(row.getSockets()));
  add_if_any(section, "bios", str(row.getFirmware()));
  add_if_any(section, "machine", str(row.getMachine()));
  add_if_any(section, "cpu", str(row.getCpu()));
  add_if_any(section, "boot", str(row.getBoot()));
  add_if_any(section, "agent", str(row.getAgent()));
  add_if_any(section, "scsihw", str(row.getScsiController()));
}

/// What Proxmox shows where there is no name.
std::string usual_name(Schema::Guest::Reader row) {
  return fmt::format("{}{}", row.getType() == Schema::Type::LXC ? "CT" : "VM ", row.getVmid());
}

AuditedGuest guest_of(Schema::Guest::Reader row) {
  AuditedGuest guest{.type = row.getType() == Schema::Type::LXC ? GuestType::lxc : GuestType::qemu,
                     .running = view(row.getState()) == "running"};
  const bool is_container = guest.type == GuestType::lxc;
  auto& section = guest.config.current;
  section.description = str(row.getDescription());
  add_if_any(section, "arch", str(row.getArch()));
  add_if_any(section, "cores", number_text(row.getCores()));
  if (view(row.getName()) != usual_name(row))
    add(section, is_container ? "hostname" : "name", str(row.getName()));
  add_if_any(section, "hookscript", str(row.getHookscript()));
  add_if_any(section, "lock", str(row.getLock()));
  add_if_any(section, "memory", number_text(row.getMemory() / mebibyte));
  add_if_any(section, "nameserver", str(row.getNameserver()));
  add_flag(section, "onboot", row.getOnboot());
  add_if_any(section, "ostype", str(row.getOstype()));
  add_if_any(section, "parent", str(row.getParent()));
  add_flag(section, "protection", row.getProtection());
  add_if_any(section, "searchdomain", str(row.getSearchdomain()));
  add_if_any(section, "startup", str(row.getStartupOrder()));
  std::string tags;
  for (const auto tag : row.getTags()) tags += (tags.empty() ? "" : ";") + str(tag);
  add_if_any(section, "tags", std::move(tags));
  add_flag(section, "template", row.getTemplate());
  if (is_container)
    add_container(row, section);
  else
    add_machine(row, section);
  return guest;
}

std::string disk_text(Schema::Disk::Reader disk, GuestType type) {
  auto volume = disk.getStorage().size() == 0
                    ? str(disk.getVolume())
                    : str(disk.getStorage()) + ":" + str(disk.getVolume());
  if (disk.getUnused()) return volume;
  Parts parts;
  parts.bare(volume).bare(view(disk.getOptions()));
  const bool is_root = view(disk.getKey()) == "rootfs";
  if (type == GuestType::lxc) {
    if (!is_root) parts.flag("backup", disk.getBackup()).set("mp", view(disk.getGuestPath()));
    parts.flag("ro", disk.getReadOnly());
  } else {
    if (!disk.getCdrom() && !disk.getBackup()) parts.set("backup", "0");
    if (disk.getCdrom()) parts.set("media", "cdrom");
    parts.flag("ro", disk.getReadOnly() && !disk.getCdrom());
  }
  if (disk.getSize() != 0) parts.set("size", size_text(disk.getSize()));
  return parts.text();
}

void add_network(Schema::Network::Reader network, GuestType type, PveSection& section) {
  Parts parts;
  const auto model = str(network.getModel());
  const auto mac = str(network.getMac());
  if (type == GuestType::qemu) {
    if (model.empty()) parts.set("macaddr", mac);
    parts.bare(mac.empty() || model.empty() ? model : model + "=" + mac);
  }
  parts.set("name", view(network.getName())).set("bridge", view(network.getBridge()));
  parts.flag("firewall", network.getFirewall());
  Parts addresses;
  auto& where = type == GuestType::lxc ? parts : addresses;
  where.set("gw", view(network.getGateway())).set("gw6", view(network.getGateway6()));
  if (type == GuestType::lxc) parts.set("hwaddr", mac);
  where.set("ip", view(network.getIp())).set("ip6", view(network.getIp6()));
  parts.flag("link_down", network.getLinkDown());
  if (network.getMtu() != 0) parts.set("mtu", std::to_string(network.getMtu()));
  parts.set("rate", view(network.getRate()));
  if (network.getTag() != 0) parts.set("tag", std::to_string(network.getTag()));
  parts.set("trunks", view(network.getTrunks()));
  if (type == GuestType::lxc) parts.set("type", model);
  const auto key = str(network.getKey());
  add(section, key, parts.text());
  if (!addresses.text().empty())
    add(section, "ipconfig" + key.substr(std::string_view("net").size()), addresses.text());
}

/// Cards and USB devices may be named by what the cluster calls them.
bool is_mapping(Schema::Device::Reader device) {
  const auto key = view(device.getKey());
  const auto what = view(device.getWhat());
  if (!key.starts_with("hostpci") && !key.starts_with("usb")) return false;
  return what != "spice" &&
         what.find_first_not_of("0123456789abcdefABCDEF:.;-") != std::string_view::npos;
}

void add_rows(Facts facts, Guests& guests) {
  const auto of = [&](std::uint32_t vmid) -> AuditedGuest* {
    const auto found = guests.find(vmid);
    return found == guests.end() ? nullptr : &found->second;
  };
  for (const auto disk : facts.getDisks())
    if (auto* guest = of(disk.getVmid()))
      add(guest->config.current, str(disk.getKey()), disk_text(disk, guest->type));
  for (const auto mount : facts.getMounts()) {
    auto* guest = of(mount.getVmid());
    // Raw lines are told whole in a list of their own.
    if (guest == nullptr || view(mount.getKey()).starts_with("lxc.")) continue;
    add(guest->config.current, str(mount.getKey()),
        Parts()
            .bare(view(mount.getHostPath()))
            .bare(view(mount.getOptions()))
            .set("mp", view(mount.getGuestPath()))
            .flag("ro", mount.getReadOnly())
            .text());
  }
  for (const auto network : facts.getNetworks())
    if (auto* guest = of(network.getVmid()))
      add_network(network, guest->type, guest->config.current);
  for (const auto device : facts.getDevices()) {
    auto* guest = of(device.getVmid());
    if (guest == nullptr) continue;
    Parts parts;
    if (is_mapping(device))
      parts.set("mapping", view(device.getWhat()));
    else
      parts.bare(view(device.getWhat()));
    add(guest->config.current, str(device.getKey()), parts.bare(view(device.getOptions())).text());
  }
  for (const auto line : facts.getRawLines())
    if (auto* guest = of(line.getVmid()))
      add(guest->config.current, str(line.getKey()), str(line.getValue()));
}

void add_snapshots(Facts facts, Guests& guests) {
  constexpr std::uint64_t second = 1000;
  for (const auto row : facts.getSnapshots()) {
    const auto guest = guests.find(row.getVmid());
    if (guest == guests.end()) continue;
    PveSection snapshot{
        .name = str(row.getName()), .description = str(row.getDescription()), .values = {}};
    add_if_any(snapshot, "parent", str(row.getParent()));
    add_if_any(snapshot, "snapstate", str(row.getBroken()));
    add_if_any(snapshot, "snaptime", number_text(row.getTime() / second));
    if (row.getWithMemory())
      add(snapshot, "vmstate",
          fmt::format("local-zfs:vm-{}-state-{}", row.getVmid(), snapshot.name));
    guest->second.config.snapshots.push_back(std::move(snapshot));
  }
}

void add_pending(Facts facts, Guests& guests) {
  for (const auto row : facts.getPending()) {
    const auto guest = guests.find(row.getVmid());
    if (guest == guests.end()) continue;
    auto& values = guest->second.config.pending.values;
    if (!row.getDeleted())
      values.emplace_back(str(row.getKey()), str(row.getValue()));
    else if (values.empty() || values.back().first != "delete")
      values.emplace_back("delete", str(row.getKey()));
    else
      values.back().second += "," + str(row.getKey());
  }
}

std::string section_text(const PveSection& section) {
  std::string text;
  if (!section.description.empty())
    for (const auto line : split(section.description, '\n'))
      text += fmt::format("#{}\n", encoded(line));
  for (const auto& [key, value] : section.values) text += fmt::format("{}: {}\n", key, value);
  return text;
}

bool is_raw(std::string_view key) { return key.starts_with("lxc."); }

}  // namespace

std::string encoded(std::string_view text) {
  std::string all;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= ' ' && byte < 0x7f && c != ':' && c != '%';
    all += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return all;
}

std::map<std::uint32_t, AuditedGuest> guests_of(schema::AuditGuests::Facts::Reader facts) {
  Guests guests;
  for (const auto row : facts.getGuests()) guests.emplace(row.getVmid(), guest_of(row));
  add_rows(facts, guests);
  add_snapshots(facts, guests);
  add_pending(facts, guests);
  return guests;
}

std::string config_text(const PveConfig& config, GuestType type) {
  auto text = section_text(config.current);
  if (!config.pending.values.empty())
    text += (type == GuestType::lxc ? "\n[pve:pending]\n" : "\n[PENDING]\n") +
            section_text(config.pending);
  for (const auto& snapshot : config.snapshots)
    text += fmt::format("\n[{}]\n", snapshot.name) + section_text(snapshot);
  return text;
}

void sort_keys(PveSection& section) {
  using Value = std::pair<std::string, std::string>;
  std::stable_sort(section.values.begin(), section.values.end(),
                   [](const Value& one, const Value& other) {
                     if (is_raw(one.first) || is_raw(other.first))
                       return !is_raw(one.first) && is_raw(other.first);
                     return one.first < other.first;
                   });
}

void set_value(PveSection& section, std::string_view key, std::string value) {
  for (auto& [known, old] : section.values)
    if (known == key) {
      old = std::move(value);
      return;
    }
  section.values.emplace_back(std::string(key), std::move(value));
}

void remove_value(PveSection& section, std::string_view key) {
  std::erase_if(section.values, [&](const auto& value) { return value.first == key; });
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::pair<unsigned, char>, 4> units{
      {{40, 'T'}, {30, 'G'}, {20, 'M'}, {10, 'K'}}};
  for (const auto& [bits, unit] : units)
    if (bytes != 0 && (bytes >> bits) << bits == bytes)
      return fmt::format("{}{}", bytes >> bits, unit);
  return std::to_string(bytes);
}

}  // namespace relab::agent::sim
