#include "controller/adopt/adopt.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "common/reflect/union.h"
#include "controller/adopt/address_plan.h"
#include "controller/adopt/guests.h"
#include "controller/adopt/lab_text.h"
#include "controller/adopt/storage.h"

namespace relab::controller {

namespace {

using Network = schema::AuditNetwork::Facts::Reader;

/// The machine's own address: on a bridge, or on a VLAN of one, the one with the way out first.
Result<Seat> host_seat(Network network, const std::string& host) {
  const auto find_interface =
      [&](std::string_view name) -> std::optional<schema::AuditNetwork::Interface::Reader> {
    for (const auto known : network.getInterfaces())
      if (view(known.getName()) == name) return known;
    return std::nullopt;
  };
  std::optional<Seat> best;
  for (const auto row : network.getAddresses()) {
    const auto address = lab::parse_ipv4(view(row.getAddress()));
    if (!address || view(row.getScope()) != "global") continue;
    const auto card = find_interface(view(row.getInterface()));
    if (!card || card->getGuest()) continue;
    Seat seat{.machine = host,
              .tag = card->getVlan(),
              .address = address,
              .prefix = row.getPrefix(),
              .how = {}};
    for (const auto route : network.getRoutes())
      if (view(route.getDestination()) == "default" &&
          view(route.getInterface()) == view(row.getInterface()))
        seat.gateway = lab::parse_ipv4(view(route.getGateway()));
    if (!best || (!best->gateway && seat.gateway)) best = seat;
  }
  if (best) return *best;
  return fail(Fault::missing, fmt::format("the audit found no IPv4 address of {}", host),
              "relab needs one to reach its agent");
}

std::string bridge_of(Network network) {
  for (const auto card : network.getInterfaces())
    if (view(card.getKind()) == "bridge" && !card.getGuest()) return str(card.getName());
  return "vmbr0";
}

void write_network(const AddressPlan& plan, LabText& out) {
  out.section("network",
              {"A VLAN's number is the third octet of its subnet: an address tells where "
               "it belongs."});
  out.table("[network]");
  out.text("supernet", plan.supernet.text());
  for (const auto& vlan : plan.vlans) {
    out.table("[[network.vlans]]");
    out.text("name", vlan.name);
    out.number("id", vlan.id, vlan.remark);
    out.text("subnet", vlan.subnet.text());
    out.text("gateway", vlan.gateway.text());
  }
}

void write_host(const Adopting& adopting, const AdoptedAudit& audit, const AddressPlan& plan,
                LabText& out) {
  const auto& seat = plan.machines.at(adopting.host);
  out.section("host");
  out.table("[[hosts]]");
  out.text("name", adopting.host);
  if (audit.packages) {
    const auto hardware = audit.packages->getHardware();
    const auto model =
        fmt::format("{} {}", view(hardware.getVendor()), view(hardware.getProduct()));
    out.text("model", trim(model));
    out.text("cpu", view(hardware.getCpu()));
    // What the system may use is a little less than what is there.
    constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
    if (hardware.getMemory() >= gib)
      out.size("memory", (hardware.getMemory() + gib - 1) / gib * gib, "rounded up");
    out.flag("ecc", hardware.getErrorCorrection().size() != 0 &&
                        view(hardware.getErrorCorrection()) != "none");
  }
  out.text("vlan", seat.vlan);
  out.text("ip", seat.address.text(), seat.remark);
  out.text("bridge", bridge_of(*audit.network));
  out.text("agent", adopting.endpoint);
  out.remark("What the audit found, and has to find again before anything may proceed.");
  out.texts("expect", audit.present);
}

void write_apps_of_host(const AdoptedAudit& audit, LabText& out) {
  if (audit.arr)
    for (const auto app : audit.arr->getApps())
      if (app.getVmid() == 0)
        out.remark(fmt::format("On the host itself: {}, port {}, data in {}", str(app.getApp()),
                               app.getPort(), str(app.getDataPath())));
  if (audit.jellyfin)
    for (const auto server : audit.jellyfin->getServers())
      if (server.getVmid() == 0)
        out.remark(fmt::format("On the host itself: jellyfin, port {}, data in {}",
                               server.getPort(), str(server.getDataPath())));
  if (audit.pbs)
    for (const auto server : audit.pbs->getServers())
      if (server.getVmid() == 0 && server.getInstalled())
        out.remark("On the host itself: Proxmox Backup Server");
  for (const auto tunnel : audit.network->getWireguard())
    out.remark(fmt::format("On the host itself: WireGuard, {}, port {}, {} peer(s)",
                           str(tunnel.getInterface()), tunnel.getPort(), tunnel.getPeers()));
  if (audit.services)
    for (const auto container : audit.services->getContainers())
      out.remark(fmt::format("On the host itself: {} in Docker, {}, {}", str(container.getName()),
                             str(container.getImage()), str(container.getState())));
}

/// Every section, so that the next audit sees as much as this one, and more.
void write_plan(const std::string& host, LabText& out) {
  out.section("plan", {"The first phase only looks. `relab kinds` tells what else a step can be; "
                       "examples/z640 has a whole plan."});
  out.raw(
      fmt::format("\n[[plan.phases]]\nname = \"0a\"\ntitle = \"Audit of everything\"\n"
                  "proves = [{{ name = \"audit.complete\", absolute = true }}]\n"
                  "tracks = [\n  {{ name = \"audit\", agent = {}, steps = [\n",
                  toml_text(host)));
  for (const auto& section : reflect::audit_sections())
    out.raw(fmt::format(
        "    {{ name = \"{0}\", task = {{ audit_{0} = {{}} }}, deadline = \"15m\" }},\n", section));
  out.raw("  ] },\n]\n");
}

}  // namespace

AdoptedAudit audit_of(const State& state, const std::string& host,
                      const std::optional<RunId>& run) {
  AdoptedAudit audit;
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>())) {
    const auto section = reflect::notes_of(field).audit;
    if (section.empty()) continue;
    const TaskRecord* newest = nullptr;
    for (const auto& [id, task] : state.tasks()) {
      if (run && task.run != *run) continue;
      if (task.agent != host || task.arm != field.getProto().getName().cStr() || !task.evidence ||
          task.evidence->report.reader().getOutcome() != schema::Outcome::SUCCEEDED)
        continue;
      if (newest == nullptr || newest->evidence->number < task.evidence->number) newest = &task;
    }
    if (newest == nullptr) {
      audit.unread.push_back(section);
      continue;
    }
    const auto facts = newest->evidence->report.reader().getFacts();
    if (facts.isAuditZfs()) audit.zfs = facts.getAuditZfs();
    if (facts.isAuditDisks()) audit.disks = facts.getAuditDisks();
    if (facts.isAuditGuests()) audit.guests = facts.getAuditGuests();
    if (facts.isAuditArr()) audit.arr = facts.getAuditArr();
    if (facts.isAuditJellyfin()) audit.jellyfin = facts.getAuditJellyfin();
    if (facts.isAuditPbs()) audit.pbs = facts.getAuditPbs();
    if (facts.isAuditNetwork()) audit.network = facts.getAuditNetwork();
    if (facts.isAuditSchedules()) audit.schedules = facts.getAuditSchedules();
    if (facts.isAuditServices()) audit.services = facts.getAuditServices();
    if (facts.isAuditPci()) audit.pci = facts.getAuditPci();
    if (facts.isAuditPackages()) audit.packages = facts.getAuditPackages();
    const auto coverage = capnp::toDynamic(facts)
                              .get(field.getProto().getName())
                              .as<capnp::DynamicStruct>()
                              .get("coverage")
                              .as<schema::Coverage>();
    if (coverage.getAbsent().size() == 0) audit.present.push_back(section);
  }
  return audit;
}

Result<std::string> adopt(const Adopting& adopting, const AdoptedAudit& audit) {
  if (!audit.disks || !audit.guests || !audit.network)
    return fail(Fault::missing,
                fmt::format("disks, guests and network of {} were not read yet", adopting.host),
                "run a phase with audit_disks, audit_guests and audit_network first");
  RELAB_TRY(auto own, host_seat(*audit.network, adopting.host));
  const auto names = guest_names(audit, adopting.host);
  auto seats = guest_seats(audit, names);
  seats.insert(seats.begin(), std::move(own));
  const auto addresses = plan_addresses(seats);
  const auto storage = adopt_storage(audit);
  const auto cards = adopt_cards(audit);

  LabText out;
  out.remark(
      fmt::format("The lab as the audit of {} found it: a place to start from.", adopting.host));
  out.remark(
      "Read every line of it. What it calls `today` is otherwise than a lab file can have it; "
      "what the audit cannot know (what a guest is for, what may be lost) is yours to add. "
      "`relab check` tells of every mistake, `relab kinds` of every task.");
  for (const auto& section : audit.unread)
    out.remark(
        fmt::format("NOT READ: the section '{}' of the audit. What it would have found is "
                    "missing here.",
                    section));
  out.raw("\n");
  out.text("name", adopting.lab);
  write_network(addresses, out);
  write_host(adopting, audit, addresses, out);
  write_apps_of_host(audit, out);
  write(storage, out);
  write(cards, out);
  write_guests(
      {.audit = audit, .names = names, .addresses = addresses, .storage = storage, .cards = cards},
      out);
  write_plan(adopting.host, out);
  return out.str();
}

}  // namespace relab::controller
