#include "controller/rehearsal/set.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "controller/rehearsal/parcels.h"

namespace relab::rehearsal {

namespace {

/// From when a person is asked for something until it is done.
constexpr auto person_takes = Millis(std::chrono::minutes(5));

std::string first_of_disks(const std::set<std::string>& serials) {
  return serials.empty() ? std::string() : *serials.begin();
}

}  // namespace

agent::Host& SetMachine::host_at(Instant now) {
  host_.at(now);
  return host_;
}

void SetMachine::hand(const agent::Job& job) {
  for (const auto& [name, value] : job.secrets)
    host_.secret(name, std::string(text_of(value.view())));
  if (!job.ledger_head.empty()) host_.show_head(job.ledger_head);
  for (const auto& [name, argv] : job.commands) host_.command(name, argv);
  if (job.delivery) host_.deliver(*job.delivery, parcel_contents());
}

/// Where the whole is told as short as it is, so is what is done.
agent::Advance SetMachine::in_real_bytes(const agent::Advance& advance) const {
  if (host_.advances().empty()) return advance;
  const auto& real = host_.advances().back();
  return real.total != 0 && real.done > real.total ? advance : real;
}

std::string SetMachine::machine_id() const {
  const auto id = host_.read_file("/etc/machine-id");
  return id ? std::string(trim(*id)) : "rehearsal";
}

Result<std::unique_ptr<Set>> Set::make(schema::Lab::Reader lab,
                                       const std::vector<Message<schema::World>>& worlds) {
  std::unique_ptr<Set> set(new Set(lab));
  for (const auto& world : worlds) set->add(world.reader());
  for (const auto host : lab.getHosts())
    if (!set->machines_.contains(str(host.getName())))
      return fail(Fault::missing,
                  fmt::format("nothing is known of the host '{}'", str(host.getName())),
                  "give its world, too");
  set->look_at_addresses();
  return set;
}

void Set::add(schema::World::Reader world) {
  const auto host = str(world.getHost());
  agent::sim::Hooks hooks;
  hooks.on_agent = [this](const agent::sim::StartedAgent& agent) {
    if (!on_agent_) return;
    if (auto taken = on_agent_(agent); !taken && !trouble_) trouble_ = taken.error();
  };
  // What it starts meanwhile listens, too.
  hooks.on_power = [this, host](std::uint32_t /*vmid*/, bool runs) {
    const auto there = machines_.find(host);
    if (runs && there != machines_.end()) join_network(host, *there->second);
  };
  for (const auto disk : world.getDisks().getDisks())
    if (disk.getSerial().size() != 0) serials_.insert(str(disk.getSerial()));
  for (const auto speed : world.getSpeeds()) measured_.insert(str(speed.getSerial()));
  auto& found = found_[host];
  for (const auto guest : world.getGuests().getGuests()) found[guest.getVmid()];
  for (const auto port : world.getGuests().getPorts())
    found[port.getVmid()].ports.insert(port.getPort());
  for (const auto unit : world.getGuests().getUnits())
    found[unit.getVmid()].units.push_back(str(unit.getName()));
  for (const auto container : world.getGuests().getDocker()) {
    auto& runs = found[container.getVmid()].images[str(container.getImage())];
    runs = runs || view(container.getState()) == "running";
  }
  auto& machine =
      *machines_.emplace(host, std::make_unique<agent::sim::Machine>(world, std::move(hooks)))
           .first->second;
  join_network(host, machine);
  actors_.emplace(host, std::make_unique<SetMachine>(
                            machine.host(),
                            [this, host](const agent::Waiting& waiting) { ask(host, waiting); }));
}

SetMachine& Set::inside(const std::string& name, agent::SimHost& host) {
  auto& machine = insides_[name];
  machine = std::make_unique<SetMachine>(host, [](const agent::Waiting&) {});
  return *machine;
}

SetMachine& Set::inside(const agent::sim::StartedAgent& agent) {
  return inside(agent.name, agent.host);
}

SetMachine* Set::inside(const std::string& guest) {
  const auto [machine, vmid] = with_guest(guest);
  auto* host = machine == nullptr ? nullptr : machine->proxmox().inside(vmid);
  return host == nullptr ? nullptr : &inside(guest, *host);
}

/// People plug in the disk whose serial number they are told, and wait for nothing else.
void Set::ask(const std::string& host, const agent::Waiting& waiting) {
  auto& machine = *machines_.at(host);
  for (const auto& serial : machine.unplugged()) {
    if (waiting.what.find(serial) == std::string::npos &&
        waiting.for_person.find(serial) == std::string::npos)
      continue;
    machine.host().spend(person_takes);
    auto plugged = machine.storage().plug(serial);
    if (plugged && dead_on_arrival_.erase(serial) != 0)
      plugged = machine.storage().fail_disk(serial);
    if (!plugged && !trouble_) trouble_ = plugged.error();
  }
}

agent::sim::Machine* Set::system(const std::string& host) const {
  const auto machine = machines_.find(host);
  return machine == machines_.end() ? nullptr : machine->second.get();
}

agent::sim::Machine* Set::with_disk(const std::string& serial) const {
  for (const auto& [name, machine] : machines_)
    if (machine->storage().disks().by_serial(serial) != nullptr) return machine.get();
  return nullptr;
}

std::pair<agent::sim::Machine*, std::uint32_t> Set::with_guest(const std::string& name) const {
  for (const auto guest : lab_.getGuests()) {
    if (view(guest.getName()) != name) continue;
    const auto host =
        guest.getHost().size() == 0 ? str(lab_.getHosts()[0].getName()) : str(guest.getHost());
    const auto machine = machines_.find(host);
    if (machine != machines_.end()) return {machine->second.get(), guest.getVmid()};
  }
  return {nullptr, 0};
}

/// Empty: it may become full.
std::string Set::why_never_full(const FaultWish& wish) const {
  for (const auto& [name, machine] : machines_) {
    const auto serial = wish.who.empty() ? first_of_disks(machine->unplugged()) : wish.who;
    const auto* disk = machine->storage().disks().by_serial(serial);
    if (disk != nullptr && disk->size <= wish.bytes)
      return fmt::format("the disk {} has {}", serial, human_bytes(disk->size));
  }
  for (const auto disk : lab_.getDisks())
    if (view(disk.getSerial()) == wish.who)
      for (const auto pool : lab_.getPools())
        if (any_in(pool.getDisks(), [&](auto name) { return view(name) == view(disk.getName()); }))
          return fmt::format("{} is a member of the pool {}: files are written on others", wish.who,
                             view(pool.getName()));
  return {};
}

Result<void> Set::check(const FaultWish& wish) const {
  const auto no_such = [&](std::string_view what) {
    return fail(Fault::invalid, fmt::format("fault '{}': there is no {} '{}'", wish.text, what,
                                            clean_text(wish.who)));
  };
  switch (wish.kind) {
    case FaultKind::disk_fails:
    case FaultKind::disk_pulled:
      if (with_disk(wish.who) == nullptr) return no_such("disk with the serial number");
      break;
    case FaultKind::disk_full:
      if (!wish.who.empty() && with_disk(wish.who) == nullptr)
        return no_such("disk with the serial number");
      if (auto why = why_never_full(wish); !why.empty())
        return fail(Fault::invalid, fmt::format("fault '{}': {}", wish.text, why));
      if (wish.who.empty() && std::ranges::all_of(machines_, [](const auto& pair) {
            return pair.second->unplugged().empty();
          }))
        return no_such("external disk");
      break;
    case FaultKind::agent_dies: {
      const auto named = [&](auto part) { return view(part.getName()) == wish.who; };
      if (!any_in(lab_.getHosts(), named) && !any_in(lab_.getGuests(), named))
        return no_such("host or guest");
      break;
    }
    case FaultKind::guest_does_not_start:
    case FaultKind::guest_ends:
    case FaultKind::guest_locked:
      if (with_guest(wish.who).first == nullptr) return no_such("guest");
      break;
    case FaultKind::storage_full:
      if (std::ranges::none_of(machines_, [&](const auto& pair) {
            return pair.second->proxmox().storages().knows(wish.who);
          }))
        return no_such("storage");
      break;
    case FaultKind::download_fails:
      break;
  }
  return {};
}

bool Set::strike(const FaultWish& wish) {
  const auto [machine, vmid] = with_guest(wish.who);
  const auto note = [&](const Result<void>& done) {
    if (!done && !trouble_) trouble_ = done.error();
    return done.has_value();
  };
  switch (wish.kind) {
    case FaultKind::disk_fails:
    case FaultKind::disk_pulled: {
      auto& storage = with_disk(wish.who)->storage();
      // What nobody has plugged in yet cannot be pulled out; it may be broken all the same.
      if (!storage.disks().by_serial(wish.who)->attached) {
        if (wish.kind == FaultKind::disk_fails) dead_on_arrival_.insert(wish.who);
        return wish.kind == FaultKind::disk_fails;
      }
      if (wish.kind == FaultKind::disk_pulled) pulled_.insert(wish.who);
      return note(wish.kind == FaultKind::disk_fails ? storage.fail_disk(wish.who)
                                                     : storage.pull(wish.who));
    }
    case FaultKind::disk_full:
      for (const auto& [name, system] : machines_) {
        const auto serial = wish.who.empty() ? first_of_disks(system->unplugged()) : wish.who;
        if (system->storage().disks().by_serial(serial) == nullptr) continue;
        filled_.insert(serial);
        note(system->storage().fill(serial, wish.bytes));
      }
      break;
    case FaultKind::guest_does_not_start:
      machine->proxmox().faults().does_not_start.insert(vmid);
      break;
    case FaultKind::guest_ends:
      machine->proxmox().faults().ends_after_start.insert(vmid);
      break;
    case FaultKind::guest_locked:
      machine->proxmox().faults().locked[vmid] = "backup";
      break;
    case FaultKind::storage_full:
      for (const auto& [name, system] : machines_) system->proxmox().storages().fill(wish.who);
      break;
    case FaultKind::download_fails:
      for (const auto& [name, system] : machines_)
        system->proxmox().faults().download_fails = "500 Can't connect to download.proxmox.com:80";
      break;
    case FaultKind::agent_dies:
      break;
  }
  return true;
}

bool Set::met(const FaultWish& wish) const {
  const auto any = [&](const auto& is) {
    return std::ranges::any_of(machines_, [&](const auto& pair) { return is(*pair.second); });
  };
  const auto [machine, vmid] = with_guest(wish.who);
  switch (wish.kind) {
    case FaultKind::guest_does_not_start:
    case FaultKind::guest_ends:
      return machine->proxmox().faults().met_at_start.contains(
          {vmid, wish.kind == FaultKind::guest_ends});
    case FaultKind::guest_locked:
      return machine->proxmox().faults().met_lock.contains(vmid);
    case FaultKind::storage_full:
      return any([&](auto& system) { return system.proxmox().storages().met_full(wish.who); });
    case FaultKind::download_fails:
      return any([](auto& system) { return system.proxmox().faults().met_by_download; });
    case FaultKind::disk_fails:
      return !dead_on_arrival_.contains(wish.who);
    case FaultKind::disk_full:
      return wish.who.empty() ? !met_full_.empty() : met_full_.contains(wish.who);
    case FaultKind::disk_pulled:
    case FaultKind::agent_dies:
      break;
  }
  return true;
}

/// Whoever looks for room first says how much there is, and fails if it is too little.
void Set::step_failed(const std::string& what) {
  for (const auto& serial : filled_)
    if (with_disk(serial)->storage().disks().is_short_of_room(serial, what))
      met_full_.insert(serial);
}

std::vector<std::string> Set::usual_speeds() const {
  std::map<std::string, std::vector<std::string>> alike;
  for (const auto& serial : serials_) {
    const auto* machine = with_disk(serial);
    if (measured_.contains(serial) || machine == nullptr) continue;
    const auto& speed = machine->storage().disks().by_serial(serial)->speed;
    constexpr std::uint64_t mega = 1'000'000;
    alike[fmt::format("read at {} and written at {} MB/s", speed.read / mega, speed.write / mega)]
        .push_back(serial);
  }
  std::vector<std::string> told;
  for (const auto& [words, disks] : alike)
    told.push_back(fmt::format("nobody has measured {}: as is usual for such disks, {}",
                               fmt::join(disks, ", "), words));
  return told;
}

std::set<std::string> Set::failed_disks() const {
  std::set<std::string> failed;
  for (const auto& serial : serials_) {
    const auto* machine = with_disk(serial);
    if (machine != nullptr && machine->storage().disks().by_serial(serial)->failed)
      failed.insert(serial);
  }
  return failed;
}

std::set<std::string> Set::pulled_disks() const {
  std::set<std::string> away;
  for (const auto& serial : pulled_)
    if (!with_disk(serial)->storage().disks().by_serial(serial)->attached) away.insert(serial);
  return away;
}

std::set<std::string> Set::unknown() const {
  std::set<std::string> all;
  for (const auto& [name, machine] : machines_) all.merge(machine->unknown());
  return all;
}

Result<void> Set::trouble() const {
  if (trouble_) return fail(*trouble_);
  return {};
}

}  // namespace relab::rehearsal
