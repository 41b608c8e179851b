#include "controller/adopt/guests.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <set>

#include "common/base/number.h"
#include "common/base/text.h"
#include "common/wire/message.h"
#include "controller/adopt/services.h"

namespace relab::controller {

namespace {

using Guests = schema::AuditGuests::Facts::Reader;
using Guest = schema::AuditGuests::Guest::Reader;

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t usual_memory = 512 * mib;
constexpr std::uint64_t usual_disk = std::uint64_t{8} << 30U;
constexpr std::uint64_t least_disk = 128 * mib;
constexpr std::size_t name_max = 60;

/// Of a name that a lab file takes; empty: nothing of it can be kept.
std::string plain(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, text.find('.'))) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool fits = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (fits)
      name += lower;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  name = name.substr(0, name_max);
  while (name.ends_with('-')) name.pop_back();
  return name;
}

std::string vendor_name(std::string_view vendor) {
  for (const auto* known : {"intel", "nvidia", "amd"}) {
    const auto words_of_it = plain(vendor);
    if (words_of_it.starts_with(known) ||
        (std::string_view(known) == "amd" && words_of_it.starts_with("advanced-micro")))
      return known;
  }
  return {};
}

/// The template that such a container would be made from today.
std::string template_of(Guest guest) {
  static constexpr std::array known = {
      std::pair<std::string_view, std::string_view>{"debian", "debian-12-standard"},
      std::pair<std::string_view, std::string_view>{"ubuntu", "ubuntu-24.04-standard"},
      std::pair<std::string_view, std::string_view>{"alpine", "alpine-3.20-default"},
      std::pair<std::string_view, std::string_view>{"archlinux", "archlinux-base"},
      std::pair<std::string_view, std::string_view>{"fedora", "fedora-40-default"}};
  for (const auto& [type, name] : known)
    if (view(guest.getOstype()) == type) return std::string(name);
  return "debian-12-standard";
}

/// Of "order=1,up=30".
std::uint64_t start_order(std::string_view text) {
  for (const auto part : split(text, ',')) {
    const auto value = part.starts_with("order=") ? part.substr(6) : part;
    if (const auto number = parse_number<std::uint64_t>(value); number && part.find('=') == 5)
      return *number;
  }
  return 0;
}

bool has_nesting(std::string_view features) {
  return std::ranges::any_of(split(features, ','), [](auto part) { return part == "nesting=1"; });
}

class Writer {
 public:
  Writer(const GuestGround& ground, LabText& out)
      : ground_(ground), guests_(*ground.audit.guests), out_(out) {}

  void write(Guest guest) {
    const auto vmid = guest.getVmid();
    const auto& name = ground_.names.at(vmid);
    const auto& seat = ground_.addresses.machines.at(name);
    const bool container = guest.getType() == schema::AuditGuests::Type::LXC;
    out_.table("[[guests]]");
    out_.text("name", name, view(guest.getName()) == name ? "" : "today " + str(guest.getName()));
    out_.number("vmid", vmid);
    out_.text("type", container ? "lxc" : "vm");
    if (container) {
      out_.flag("privileged", !guest.getUnprivileged());
      out_.text("template", template_of(guest),
                guest.getOstype().size() == 0 ? "its system is not known"
                                              : "it is " + str(guest.getOstype()) + " today");
    }
    out_.text("vlan", seat.vlan);
    out_.text("ip", seat.address.text(), seat.remark);
    write_sizes(guest);
    write_disk(vmid);
    if (container) out_.flag("nesting", has_nesting(view(guest.getFeatures())));
    out_.flag("onboot", guest.getOnboot());
    write_order(start_order(view(guest.getStartupOrder())));
    out_.text("purpose", first_line(view(guest.getDescription())));
    out_.texts("gpus", cards_of(vmid));
    write_remarks(guest);
    if (container) write_mounts(vmid);
    adopt_services(ground_.audit, vmid, out_);
  }

 private:
  static std::string first_line(std::string_view text) {
    constexpr std::size_t length_max = 120;
    return std::string(trim(text.substr(0, std::min(text.find('\n'), length_max))));
  }

  void write_sizes(Guest guest) {
    const auto sockets = std::max(1U, guest.getSockets());
    out_.number("cores", guest.getCores() == 0 ? 1 : std::uint64_t{guest.getCores()} * sockets,
                guest.getCores() == 0 ? "no limit is set today" : "");
    out_.size("memory", guest.getMemory() == 0 ? usual_memory : guest.getMemory(),
              guest.getMemory() == 0 ? "not set today: Proxmox takes this" : "");
  }

  void write_order(std::uint64_t order) {
    constexpr std::uint64_t greatest = 9999;
    if (order <= greatest) return out_.number("order", order);
    out_.remark(
        fmt::format("its start order is {} today, and a lab file has at most {}", order, greatest));
  }

  void write_disk(std::uint32_t vmid) {
    for (const auto disk : guests_.getDisks()) {
      if (disk.getVmid() != vmid || disk.getCdrom() || disk.getUnused() || disk.getSize() == 0)
        continue;
      if (disk.getSize() < least_disk) continue;  // firmware settings and the like
      out_.text("storage", view(disk.getStorage()));
      out_.size("disk", disk.getSize());
      return;
    }
    out_.size("disk", usual_disk, "its size is not known");
  }

  std::vector<std::string> cards_of(std::uint32_t vmid) const {
    std::set<std::string> names;
    for (const auto device : guests_.getDevices()) {
      if (device.getVmid() != vmid) continue;
      for (const auto& card : ground_.cards) {
        const auto what = str(device.getWhat());
        const bool by_node = !card.render.empty() && what.ends_with("/" + card.render);
        // With or without the domain, and of all functions where it names none.
        const auto slot = card.address.substr(0, card.address.find('.'));
        const bool by_bus = !slot.empty() && (what.starts_with(slot) ||
                                              what.starts_with(slot.substr(slot.find(':') + 1)));
        const bool by_driver = card.vendor == "nvidia" && what.starts_with("/dev/nvidia");
        if (by_node || by_bus || by_driver) names.insert(card.name);
      }
    }
    return {names.begin(), names.end()};
  }

  void write_remarks(Guest guest) {
    const auto vmid = guest.getVmid();
    for (const auto device : guests_.getDevices())
      if (device.getVmid() == vmid)
        out_.remark(fmt::format("{}: {} {}", str(device.getKey()), str(device.getWhat()),
                                str(device.getOptions())));
    for (const auto line : guests_.getRawLines())
      if (line.getVmid() == vmid)
        out_.remark(fmt::format("{}: {}", str(line.getKey()), str(line.getValue())));
    bool first = true;
    for (const auto network : guests_.getNetworks()) {
      if (network.getVmid() != vmid) continue;
      if (!first)
        out_.remark(fmt::format(
            "another card, {}: {} on {}{}", str(network.getKey()), str(network.getIp()),
            str(network.getBridge()),
            network.getTag() == 0 ? std::string() : fmt::format(", tag {}", network.getTag())));
      first = false;
    }
  }

  void write_mounts(std::uint32_t vmid) {
    for (const auto mount : guests_.getMounts()) {
      if (mount.getVmid() != vmid) continue;
      const auto source = str(mount.getHostPath());
      const auto target = str(mount.getGuestPath());
      if (!ground_.storage.has(source) || !is_path(source) || !is_path(target)) {
        out_.remark(fmt::format("{}: {} at {} is in no pool of this file", str(mount.getKey()),
                                source, target));
        continue;
      }
      out_.table("[[guests.mounts]]");
      out_.text("source", source);
      out_.text("target", target);
      out_.flag("read_only", mount.getReadOnly());
    }
  }

  const GuestGround& ground_;
  Guests guests_;
  LabText& out_;
};

}  // namespace

std::vector<AdoptedCard> adopt_cards(const AdoptedAudit& audit) {
  std::vector<AdoptedCard> cards;
  if (!audit.pci) return cards;
  std::map<std::string, unsigned> counts;
  for (const auto gpu : audit.pci->getGpus()) {
    const auto vendor = vendor_name(view(gpu.getVendor()));
    if (vendor.empty()) continue;  // of a board's management, mostly
    AdoptedCard card{.name = {},
                     .vendor = vendor,
                     .model = str(gpu.getName()),
                     .pci_id = {},
                     .address = str(gpu.getAddress()),
                     .render = str(gpu.getRender())};
    for (const auto device : audit.pci->getDevices())
      if (view(device.getAddress()) == card.address)
        card.pci_id = fmt::format("{}:{}", str(device.getVendorId()), str(device.getDeviceId()));
    if (card.model.empty()) card.model = card.pci_id;
    card.name = fmt::format("{}{}", vendor, ++counts[vendor]);
    cards.push_back(std::move(card));
  }
  return cards;
}

void write(const std::vector<AdoptedCard>& cards, LabText& out) {
  if (cards.empty()) return;
  out.section("graphics cards");
  for (const auto& card : cards) {
    out.table("[[gpus]]");
    out.text("name", card.name);
    out.text("vendor", card.vendor);
    out.text("model", card.model);
    out.text("pci_id", card.pci_id);
  }
}

std::map<std::uint32_t, std::string> guest_names(const AdoptedAudit& audit,
                                                 const std::string& host) {
  std::map<std::uint32_t, std::string> names;
  std::set<std::string> used = {host};
  for (const auto guest : audit.guests->getGuests()) {
    if (guest.getTemplate()) continue;
    auto name = plain(view(guest.getName()));
    if (name.empty() || used.contains(name))
      name += fmt::format("{}{}", name.empty() ? "guest" : "-", guest.getVmid());
    used.insert(name);
    names.emplace(guest.getVmid(), name);
  }
  return names;
}

std::vector<Seat> guest_seats(const AdoptedAudit& audit,
                              const std::map<std::uint32_t, std::string>& names) {
  std::vector<Seat> seats;
  for (const auto& [vmid, name] : names) {
    Seat seat{.machine = name, .how = "no address is configured"};
    for (const auto network : audit.guests->getNetworks()) {
      if (network.getVmid() != vmid) continue;
      seat.tag = network.getTag();
      const auto ip = view(network.getIp());
      const auto slash = ip.find('/');
      seat.address = lab::parse_ipv4(ip.substr(0, slash));
      if (const auto prefix = slash == std::string_view::npos
                                  ? Result<unsigned>(24U)
                                  : parse_number<unsigned>(ip.substr(slash + 1));
          prefix && *prefix <= 32)
        seat.prefix = *prefix;
      seat.gateway = lab::parse_ipv4(view(network.getGateway()));
      if (ip == "dhcp") seat.how = "by DHCP";
      break;
    }
    seats.push_back(std::move(seat));
  }
  return seats;
}

void write_guests(const GuestGround& ground, LabText& out) {
  out.section("guests", {"As they are today, with what an address plan would change."});
  Writer writer(ground, out);
  for (const auto guest : ground.audit.guests->getGuests())
    if (ground.names.contains(guest.getVmid())) writer.write(guest);
}

}  // namespace relab::controller
