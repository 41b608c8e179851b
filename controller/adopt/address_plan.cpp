#include "controller/adopt/address_plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "common/base/result.h"

namespace relab::controller {

namespace {

using lab::Ipv4;
using lab::Subnet;

constexpr unsigned usual_prefix = 24;
constexpr unsigned supernet_prefix = 16;
constexpr std::uint32_t first_free = 50;
constexpr unsigned id_max = 254;

Subnet subnet_of(Ipv4 address, unsigned prefix) {
  Subnet subnet{.base = address, .prefix = prefix};
  subnet.base.bits &= subnet.mask();
  return subnet;
}

unsigned third_octet(const Subnet& subnet) { return subnet.base.bits >> 8U & 0xFFU; }

/// Cards in one network.
struct Group {
  unsigned tag = 0;
  std::optional<Subnet> subnet;
  std::vector<const Seat*> seats;
};

/// By tag; those without one also by subnet, the ones without an address in the host's.
std::vector<Group> group(const std::vector<Seat>& seats) {
  std::vector<Group> groups;
  for (const auto& seat : seats) {
    std::optional<Subnet> subnet;
    if (seat.address) subnet = subnet_of(*seat.address, seat.prefix);
    const auto fits = [&](const Group& known) {
      if (known.tag != seat.tag) return false;
      return seat.tag != 0 || !subnet || (known.subnet && known.subnet->overlaps(*subnet));
    };
    auto found = std::ranges::find_if(groups, fits);
    if (found == groups.end())
      found = groups.insert(groups.end(), {.tag = seat.tag, .subnet = subnet, .seats = {}});
    if (!found->subnet) found->subnet = subnet;
    found->seats.push_back(&seat);
  }
  return groups;
}

class Planner {
 public:
  explicit Planner(const std::vector<Seat>& seats) {
    RELAB_ASSERT(!seats.empty() && seats[0].address);
    plan_.supernet = subnet_of(*seats[0].address, supernet_prefix);
    const auto groups = group(seats);
    // What can stay stays: it has the first choice.
    for (const auto& candidate : groups)
      if (stays(candidate)) take_id(third_octet(*candidate.subnet));
    for (const auto& candidate : groups) add(candidate);
  }
  AddressPlan take() { return std::move(plan_); }

 private:
  bool stays(const Group& candidate) const {
    if (!candidate.subnet || candidate.subnet->prefix < usual_prefix) return false;
    const auto id = third_octet(*candidate.subnet);
    return id != 0 && (candidate.tag == 0 || candidate.tag == id) && !ids_.contains(id) &&
           plan_.supernet.contains(*candidate.subnet);
  }

  void take_id(unsigned id) { ids_.insert(id); }

  unsigned free_id(const Group& candidate) const {
    if (candidate.tag != 0 && candidate.tag <= id_max && !ids_.contains(candidate.tag))
      return candidate.tag;
    unsigned id = 1;
    while (ids_.contains(id)) ++id;
    return id;
  }

  void add(const Group& candidate) {
    // Of two that could stay in one place the first one does.
    const bool kept = candidate.subnet && candidate.subnet->prefix >= usual_prefix &&
                      (candidate.tag == 0 || candidate.tag == third_octet(*candidate.subnet)) &&
                      ids_.contains(third_octet(*candidate.subnet)) &&
                      plan_.supernet.contains(*candidate.subnet) && !is_taken(*candidate.subnet);
    PlannedVlan vlan;
    if (kept) {
      vlan.id = third_octet(*candidate.subnet);
      vlan.subnet = *candidate.subnet;
      if (candidate.tag == 0) vlan.remark = "untagged today";
    } else {
      vlan.id = free_id(candidate);
      take_id(vlan.id);
      vlan.subnet = subnet_of({plan_.supernet.base.bits | vlan.id << 8U}, usual_prefix);
      vlan.remark = told(candidate);
    }
    vlan.name = fmt::format("{}{}", candidate.tag == 0 ? "lan" : "vlan", vlan.id);
    vlan.gateway = gateway_of(candidate, vlan.subnet);
    seat_all(candidate, vlan);
    plan_.vlans.push_back(std::move(vlan));
  }

  bool is_taken(const Subnet& subnet) const {
    return std::ranges::any_of(plan_.vlans,
                               [&](const auto& vlan) { return vlan.subnet.overlaps(subnet); });
  }

  static std::string told(const Group& candidate) {
    const auto tag = candidate.tag == 0 ? std::string("untagged")
                                        : fmt::format("with the tag {}", candidate.tag);
    if (!candidate.subnet) return fmt::format("today {}, and its subnet is not known", tag);
    return fmt::format("today {} {}", candidate.subnet->text(), tag);
  }

  static Ipv4 gateway_of(const Group& candidate, const Subnet& subnet) {
    for (const auto* seat : candidate.seats)
      if (seat->gateway && subnet.contains(*seat->gateway)) return *seat->gateway;
    Ipv4 gateway{subnet.base.bits + 1};
    const auto is_used = [&](Ipv4 address) {
      return std::ranges::any_of(candidate.seats,
                                 [&](const auto* seat) { return seat->address == address; });
    };
    if (is_used(gateway)) gateway = {subnet.broadcast().bits - 1};
    while (is_used(gateway)) --gateway.bits;
    return gateway;
  }

  void seat_all(const Group& candidate, const PlannedVlan& vlan) {
    std::set<Ipv4> used = {vlan.gateway};
    const auto fixed = [&](const Seat* seat) {
      return seat->address && vlan.subnet.contains(*seat->address) &&
             !used.contains(*seat->address);
    };
    for (const auto* seat : candidate.seats)
      if (fixed(seat)) {
        used.insert(*seat->address);
        plan_.machines[seat->machine] = {.vlan = vlan.name, .address = *seat->address};
      }
    for (const auto* seat : candidate.seats) {
      if (plan_.machines.contains(seat->machine)) continue;
      auto address = like(seat, vlan.subnet);
      while (used.contains(address) || address == vlan.subnet.base) ++address.bits;
      used.insert(address);
      plan_.machines[seat->machine] = {
          .vlan = vlan.name,
          .address = address,
          .remark = seat->address ? fmt::format("today {}", seat->address->text())
                                  : fmt::format("today {}", seat->how)};
    }
  }

  /// With the same last octet, if it has one.
  static Ipv4 like(const Seat* seat, const Subnet& subnet) {
    const auto own = ~subnet.mask();
    if (seat->address && (seat->address->bits & own) != 0 && ((seat->address->bits & own) != own))
      return {subnet.base.bits | (seat->address->bits & own)};
    return {subnet.base.bits | (first_free & own)};
  }

  AddressPlan plan_;
  std::set<unsigned> ids_;
};

}  // namespace

AddressPlan plan_addresses(const std::vector<Seat>& seats) { return Planner(seats).take(); }

}  // namespace relab::controller
