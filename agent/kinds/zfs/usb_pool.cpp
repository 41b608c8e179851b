#include "agent/kinds/zfs/usb_pool.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/block.h"
#include "agent/kinds/support/external.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/pool_copy.h"
#include "agent/kinds/zfs/readers.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::UsbPool;
using Facts = schema::UsbPool::Facts;

/// A disk that wakes up, or a log that is played back.
constexpr auto import_time_max = std::chrono::minutes(15);

/// Null if there is none.
Result<const BlockDevice*> find_disk(const BlockDevices& devices, const std::string& serial) {
  const BlockDevice* found = nullptr;
  for (const auto& device : devices.all()) {
    if (device.type != "disk" || device.serial != serial) continue;
    if (found != nullptr)
      return fail(
          Fault::conflict,
          fmt::format("{} and {} both have the serial number {}", found->name, device.name, serial),
          "detach the one that is not meant");
    found = &device;
  }
  return found;
}

bool is_of_pool(const BlockDevice& device, const std::string& pool) {
  return device.file_system == "zfs_member" && device.label == pool;
}

/// Paths of what on the disk belongs to the pool.
std::vector<std::string> members_on(const std::vector<const BlockDevice*>& parts,
                                    const std::string& pool) {
  std::vector<std::string> paths;
  for (const auto* part : parts)
    if (is_of_pool(*part, pool)) paths.push_back(part->path);
  return paths;
}

std::string other_use(const std::vector<const BlockDevice*>& parts, const std::string& pool) {
  for (const auto* part : parts) {
    if (!part->mountpoints.empty())
      return fmt::format("{} is mounted on {}", part->name, part->mountpoints[0]);
    if (part->file_system == "zfs_member" && part->label != pool)
      return fmt::format("{} belongs to the pool '{}'", part->name, part->label);
    if (!part->file_system.empty() && !is_of_pool(*part, pool))
      return fmt::format("{} holds {}", part->name, part->file_system);
  }
  return {};
}

Result<void> check_disk(Params::Reader params, Facts::Reader facts) {
  const auto serial = str(params.getSerial());
  if (!facts.getAttached())
    return fail(Fault::missing, fmt::format("there is no disk with the serial number {}", serial));
  RELAB_CHECK(check_by_id(serial, str(params.getById()), facts.getAliases()));
  RELAB_CHECK(check_on_usb(serial, view(facts.getBus())));
  if (facts.getOwn().size() != 0)
    return refuse(fmt::format("the disk {} is in use: {}", serial, str(facts.getOwn())),
                  "take another disk, or free this one");
  if (facts.getDevices().size() == 0)
    return refuse(fmt::format("the disk {} holds no pool '{}'", serial, str(params.getPool())),
                  fmt::format("make one by hand: zpool create -o ashift=12 -O mountpoint=none {} "
                              "/dev/disk/by-id/... with the name of this disk",
                              str(params.getPool())));
  return {};
}

Result<void> check_pool(Params::Reader params, Facts::Reader facts) {
  const auto pool = str(params.getPool());
  if (view(facts.getSerials()) != view(params.getSerial()))
    return refuse(
        fmt::format("a pool '{}' is imported, and lies on '{}'", pool, str(facts.getSerials())),
        "export it, or name the pool that lies on the external disk alone");
  if (facts.getReadOnly())
    return refuse(fmt::format("the pool '{}' is imported read-only", pool),
                  "export it, and run this again");
  if (view(facts.getHealth()) != "ONLINE")
    return refuse(fmt::format("the pool '{}' is {}{}", pool, str(facts.getHealth()),
                              facts.getConcerns().size() == 0 ? std::string()
                                                              : ": " + str(facts.getConcerns()[0])),
                  "a copy belongs into a pool that is whole");
  return check_size(fmt::format("the pool '{}'", pool), facts.getSize(), params.getLeast());
}

Result<void> import_pool(Host& host, const std::string& serial, const std::string& pool) {
  RELAB_TRY(const auto imported, read_pools(host));
  if (std::ranges::find(imported, pool, &Imported::name) != imported.end()) return {};
  RELAB_TRY(const auto devices, BlockDevices::read(host));
  RELAB_TRY(const auto* disk, find_disk(devices, serial));
  if (disk == nullptr)
    return fail(Fault::missing, fmt::format("the disk {} is not attached any more", serial));
  RELAB_TRY(const auto parts, devices.all_on(*disk));
  // Without a cache file: it does not have to be there at the next boot.
  Command command{.argv = {"zpool", "import", "-N", "-o", "cachefile=none"},
                  .timeout = import_time_max};
  const auto without_devices = command.argv.size();
  for (const auto& path : members_on(parts, pool))
    command.argv.insert(command.argv.end(), {"-d", path});
  if (command.argv.size() == without_devices)
    return refuse(fmt::format("the disk {} holds no pool '{}' any more", serial, pool),
                  "look at it again");
  command.argv.push_back(pool);
  return must_run(host, command);
}

}  // namespace

Result<Message<Facts>> UsbPool::observe(Params::Reader params, Host& host) {
  const auto pool = str(params.getPool());
  RELAB_TRY(const auto devices, BlockDevices::read(host));
  RELAB_TRY(const auto* disk, find_disk(devices, str(params.getSerial())));
  Draft<Facts> facts;
  if (disk == nullptr) return std::move(facts).finish();
  RELAB_TRY(const auto parts, devices.all_on(*disk));
  facts->setAttached(true);
  facts->setBus(disk->transport);
  RELAB_TRY(const auto aliases, aliases_of(host, disk->name));
  auto names = facts->initAliases(size_of(aliases));
  for (unsigned i = 0; i < names.size(); ++i) names.set(i, aliases[i]);
  facts->setDiskSize(disk->size);
  facts->setOwn(other_use(parts, pool));
  const auto paths = members_on(parts, pool);
  auto list = facts->initDevices(size_of(paths));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, paths[i]);
  RELAB_TRY(const auto found, read_target_pool(host, pool));
  if (found.guid == 0) return std::move(facts).finish();
  facts->setImported(true);
  facts->setPoolGuid(found.guid);
  facts->setSerials(found.serials);
  facts->setHealth(found.health);
  facts->setReadOnly(found.read_only);
  facts->setSize(found.size);
  auto concerns = facts->initConcerns(size_of(found.concerns));
  for (unsigned i = 0; i < concerns.size(); ++i) concerns.set(i, found.concerns[i]);
  return std::move(facts).finish();
}

std::optional<Awaited> UsbPool::awaits(Params::Reader params, Facts::Reader facts) {
  if (facts.getAttached()) return {};
  return until_attached(str(params.getSerial()));
}

Result<std::vector<Change>> UsbPool::plan(Params::Reader params, Facts::Reader facts) {
  RELAB_CHECK(check_disk(params, facts));
  std::vector<Change> changes;
  if (facts.getImported()) {
    RELAB_CHECK(check_pool(params, facts));
    return changes;
  }
  const auto serial = str(params.getSerial());
  const auto pool = str(params.getPool());
  RELAB_CHECK(check_size("the disk " + serial, facts.getDiskSize(), params.getLeast()));
  changes.push_back({.what = fmt::format("+ the pool '{}' of the disk {} imported", pool, serial),
                     .how = {serial, pool}});
  return changes;
}

Result<void> UsbPool::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() == 2);
  return import_pool(host, change.how[0], change.how[1]);
}

}  // namespace relab::agent::zfs
