#include "controller/rehearsal/contradictions.h"

#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

#include "common/base/text.h"
#include "common/base/time.h"
#include "controller/gates/data_pools.h"
#include "controller/lab/external_disks.h"
#include "controller/lab/hosts.h"
#include "controller/lab/lab.h"
#include "controller/plan/plan.h"
#include "controller/rehearsal/world/layout.h"
#include "controller/survival/members.h"

namespace relab::rehearsal {

namespace {

using Lab = schema::Lab;
using World = schema::World::Reader;

class Comparison {
 public:
  Comparison(Lab::Reader lab, Lab::Host::Reader host, World world)
      : lab_(lab), host_(host), world_(world) {}

  std::vector<Trouble> all() && {
    look_at_endpoint();
    for (const auto guest : lab_.getGuests()) {
      if (guest.getHost().size() != 0 && view(guest.getHost()) != view(host_.getName())) continue;
      look_at_number(guest);
      look_at_address(guest);
      look_at_room(guest);
      look_at_storage(guest);
      look_at_mounts(guest);
    }
    look_at_room_of_all();
    for (const auto pool : lab_.getPools()) look_at_layout(pool);
    for (const auto pool : controller::data_pools(lab_)) look_at_members(pool);
    look_at_health();
    for (const auto disk : lab_.getDisks()) look_at_size(disk);
    return std::move(troubles_);
  }

 private:
  void add(std::string where, std::string what) {
    troubles_.push_back({Trouble::Kind::clashes, std::move(where), std::move(what)});
  }
  static std::string_view without_prefix(std::string_view address) {
    return address.substr(0, address.find('/'));
  }
  bool has_address(std::string_view address) const {
    return any_in(world_.getNetwork().getAddresses(),
                  [&](auto row) { return view(row.getAddress()) == address; });
  }

  void look_at_endpoint() {
    const auto endpoint = lab::agent_endpoint(lab_, view(host_.getName()));
    constexpr std::string_view scheme = "tcp://";
    if (!endpoint || !endpoint->starts_with(scheme)) return;
    const auto address = endpoint->substr(scheme.size(), endpoint->rfind(':') - scheme.size());
    const bool is_number = address.find_first_not_of("0123456789.") == std::string::npos;
    if (is_number && !address.starts_with("127.") && !has_address(address))
      add(str(host_.getName()),
          fmt::format("its agent is asked at {}, and the machine has no such address", *endpoint));
  }

  void look_at_address(Lab::Guest::Reader guest) {
    const auto where = fmt::format("guest {}", view(guest.getName()));
    const auto wanted = view(guest.getIp());
    bool has_it = false;
    std::string other;
    for (const auto row : world_.getGuests().getNetworks()) {
      const auto address = without_prefix(view(row.getIp()));
      if (row.getVmid() != guest.getVmid() && address == wanted)
        add(where, fmt::format("its address {} is that of guest {}", wanted, row.getVmid()));
      if (row.getVmid() != guest.getVmid()) continue;
      has_it = has_it || address == wanted;
      other = std::string(address);
    }
    if (has_address(wanted))
      add(where, fmt::format("its address {} is that of {} itself", wanted, view(host_.getName())));
    if (!guest.getPlanned() && !has_it && !other.empty())
      add(where, fmt::format("it has the address {}, and lab.toml says {}", other, wanted));
  }

  void look_at_room(Lab::Guest::Reader guest) {
    if (!guest.getPlanned()) return;
    const auto where = fmt::format("guest {}", view(guest.getName()));
    const auto memory = world_.getPackages().getHardware().getMemory();
    if (memory != 0 && guest.getMemory() > memory)
      add(where,
          fmt::format("{} of memory are more than the {} that {} has",
                      human_bytes(guest.getMemory()), human_bytes(memory), view(host_.getName())));
    for (const auto storage : world_.getGuests().getStorages()) {
      if (view(storage.getId()) != view(guest.getStorage())) continue;
      const auto* pool = pool_of(view(storage.getPool()));
      if (pool != nullptr && guest.getDisk() > pool->getSize())
        add(where, fmt::format("a disk of {} does not fit on {}, which has {}",
                               human_bytes(guest.getDisk()), view(pool->getName()),
                               human_bytes(pool->getSize())));
    }
  }

  /// What it takes beyond what it has today.
  std::uint64_t growth_of(Lab::Guest::Reader guest) const {
    if (guest.getPlanned()) return guest.getDisk();
    for (const auto disk : world_.getGuests().getDisks())
      if (disk.getVmid() == guest.getVmid() && view(disk.getKey()) == "rootfs" &&
          disk.getSize() != 0)
        return guest.getDisk() - std::min(guest.getDisk(), disk.getSize());
    return 0;
  }

  /// Each may fit, and not all of them.
  void look_at_room_of_all() {
    std::uint64_t memory = 0;
    std::map<std::string, std::uint64_t> disks;
    for (const auto guest : lab_.getGuests()) {
      if (lab::host_of(guest, lab_) != view(host_.getName())) continue;
      memory += guest.getMemory();
      disks[str(guest.getStorage())] += growth_of(guest);
    }
    const auto has = world_.getPackages().getHardware().getMemory();
    if (has != 0 && memory > has)
      add(fmt::format("guests of {}", view(host_.getName())),
          fmt::format("they are given {} of memory together, and the machine has {}",
                      human_bytes(memory), human_bytes(has)));
    for (const auto storage : world_.getGuests().getStorages()) {
      const auto wanted = disks.find(str(storage.getId()));
      const auto* pool = wanted == disks.end() ? nullptr : pool_of(view(storage.getPool()));
      if (pool != nullptr && wanted->second > pool->getFree())
        add(fmt::format("storage {}", wanted->first),
            fmt::format("the planned guests' disks, and what others grow by, have {} together, and "
                        "{} has {} free",
                        human_bytes(wanted->second), view(pool->getName()),
                        human_bytes(pool->getFree())));
    }
  }

  void look_at_mounts(Lab::Guest::Reader guest) {
    for (const auto mount : guest.getMounts())
      if (!any_in(world_.getZfs().getDatasets(),
                  [&](auto row) { return view(row.getMountpoint()) == view(mount.getSource()); }))
        add(fmt::format("guest {}", view(guest.getName())),
            fmt::format("it gets {}, and {} has no dataset with that mount point",
                        view(mount.getSource()), view(host_.getName())));
  }

  const schema::AuditZfs::Pool::Reader* pool_of(std::string_view dataset) {
    const auto name = dataset.substr(0, dataset.find('/'));
    for (const auto pool : world_.getZfs().getPools())
      if (view(pool.getName()) == name) return &pool_.emplace(pool);
    return nullptr;
  }

  void look_at_layout(Lab::Pool::Reader pool) {
    const auto wanted = layout_name(pool.getLayout());
    if (wanted.empty()) return;
    for (const auto vdev : world_.getZfs().getVdevs())
      if (view(vdev.getPool()) == view(pool.getName()) && vdev.getDepth() == 1 &&
          view(vdev.getRole()) == "data" && view(vdev.getKind()) != wanted)
        add(fmt::format("pool {}", view(pool.getName())),
            fmt::format("lab.toml says {}, and it is {}", wanted, view(vdev.getKind())));
  }

  /// A pool on other disks than its own is what an installation would destroy.
  void look_at_members(Lab::Pool::Reader pool) {
    const auto vdevs = world_.getZfs().getVdevs();
    if (!any_in(vdevs, [&](auto vdev) { return view(vdev.getPool()) == view(pool.getName()); }))
      return;
    if (auto concern = controller::member_concern(lab_, pool, vdevs); !concern.empty())
      add(fmt::format("pool {}", view(pool.getName())), std::move(concern));
  }

  /// Makers and kernels count alike but for a few percent.
  void look_at_size(Lab::Disk::Reader disk) {
    constexpr std::uint64_t percent = 5;
    for (const auto row : world_.getDisks().getDisks()) {
      if (view(row.getSerial()) != view(disk.getSerial())) continue;
      const auto said = disk.getSize();
      const auto has = row.getSize();
      if (said == 0 || has == 0) continue;
      if (std::max(said, has) - std::min(said, has) > said / 100 * percent)
        add(fmt::format("disk {}", view(disk.getName())),
            fmt::format("lab.toml says {}, and {} has {}", human_bytes(said),
                        view(disk.getSerial()), human_bytes(has)));
    }
  }

  void look_at_storage(Lab::Guest::Reader guest) {
    const auto storages = world_.getGuests().getStorages();
    if (storages.size() == 0 || guest.getStorage().size() == 0) return;
    if (!any_in(storages, [&](auto row) { return view(row.getId()) == view(guest.getStorage()); }))
      add(fmt::format("guest {}", view(guest.getName())),
          fmt::format("{} has no storage '{}'", view(host_.getName()), view(guest.getStorage())));
  }

  void look_at_health() {
    for (const auto row : world_.getDisks().getSmart()) {
      if (row.getHealth() != schema::AuditDisks::Health::FAILED) continue;
      auto name = view(row.getSerial());
      for (const auto disk : lab_.getDisks())
        if (view(disk.getSerial()) == view(row.getSerial())) name = view(disk.getName());
      add(fmt::format("disk {}", name),
          fmt::format("SMART says that {} is failing", view(row.getSerial())));
    }
  }

  /// A guest that is to be made gets a number that nobody has.
  void look_at_number(Lab::Guest::Reader guest) {
    if (!guest.getPlanned()) return;
    for (const auto row : world_.getGuests().getGuests())
      if (row.getVmid() == guest.getVmid() && view(row.getName()) != view(guest.getName()))
        add(fmt::format("guest {}", view(guest.getName())),
            fmt::format("its number {} is that of {}, which is there", guest.getVmid(),
                        row.getName().size() == 0 ? "another one" : view(row.getName())));
  }

  Lab::Reader lab_;
  Lab::Host::Reader host_;
  World world_;
  std::vector<Trouble> troubles_;
  std::optional<schema::AuditZfs::Pool::Reader> pool_;
};

/// The serial number of the disk that a task is about; empty: it is about none.
std::string disk_of(schema::Task::Reader task) {
  if (task.isDiskAttached()) return str(task.getDiskAttached().getSerial());
  if (task.isWipeDisk()) return str(task.getWipeDisk().getSerial());
  return std::string(lab::external_disk_of(task).second);
}

/// A disk that a step waits for, and that nobody has.
void look_for_disks(Lab::Reader lab, const std::vector<Message<schema::World>>& worlds,
                    std::vector<Trouble>& troubles) {
  std::set<std::string> serials;
  for (const auto& world : worlds)
    for (const auto disk : world.reader().getDisks().getDisks())
      if (disk.getSerial().size() != 0) serials.insert(str(disk.getSerial()));
  for (const auto& name : controller::phase_names(lab)) {
    const auto plan = controller::compile_phase(lab, name);
    if (!plan) continue;
    for (const auto& track : plan->tracks)
      for (const auto& step : track) {
        const auto wanted = disk_of(step.task->reader());
        if (wanted.empty() || serials.contains(wanted)) continue;
        troubles.push_back(
            {Trouble::Kind::clashes, step.path,
             fmt::format(
                 "no machine has a disk with the serial number {}: there {} {}", wanted,
                 serials.size() == 1 ? "is" : "are",
                 serials.empty() ? "none with any" : fmt::format("{}", fmt::join(serials, ", ")))});
      }
  }
}

}  // namespace

std::vector<Trouble> contradictions(Lab::Reader lab,
                                    const std::vector<Message<schema::World>>& worlds) {
  std::vector<Trouble> all;
  for (const auto& world : worlds)
    for (const auto host : lab.getHosts())
      if (view(host.getName()) == view(world.reader().getHost()))
        for (auto& trouble : Comparison(lab, host, world.reader()).all())
          all.push_back(std::move(trouble));
  look_for_disks(lab, worlds, all);
  return all;
}

}  // namespace relab::rehearsal
