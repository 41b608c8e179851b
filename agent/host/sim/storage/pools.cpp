#include "agent/host/sim/storage/pools.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "agent/host/sim/storage/mounting.h"
#include "agent/host/sim/storage/zpool_text.h"
#include "common/base/number.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

bool can_be_read(const zfs::Vdev& vdev) {
  return vdev.state == "ONLINE" || vdev.state == "DEGRADED";
}

/// How many of its children a group can do without.
std::size_t spare_children(const zfs::Vdev& group, std::size_t children) {
  if (group.kind.starts_with("raidz") || group.kind.starts_with("draid"))
    return static_cast<std::size_t>(group.kind.back() - '0');
  return group.depth == 0 ? 0 : children - 1;
}

/// What was said at the end of a scan, as it stands behind " on " or " since ".
std::string time_in(const std::string& words) {
  for (const std::string_view before : {" on ", " since "})
    if (const auto at = words.rfind(before); at != std::string::npos)
      return words.substr(at + before.size());
  return {};
}

}  // namespace

Pools::Pools(SimHost& host, World world, Disks& disks)
    : host_(host),
      disks_(disks),
      tool_version_(str(world.getZfs().getToolVersion())),
      module_version_(str(world.getZfs().getModuleVersion())),
      pools_(pools_of(world)) {
  add_pools_of_disks();
  for (auto& pool : pools_)
    if (pool.size == 0 && !pool.imported) size_up(pool);
  for (const auto& pool : pools_)
    for (const auto& [name, dataset] : pool.datasets)
      for (const auto& snapshot : dataset.snapshots) remember(dataset, snapshot);
  for (const auto& pool : pools_)
    for (const auto& scan : pool.scans)
      if (const auto words = time_in(scan.words); !words.empty())
        known_times_[words] =
            (scan.ended.unix_millis == 0 ? scan.started : scan.ended).unix_millis / 1000;
  link_leaves();
  mount_datasets(world);
  disks_.also_in_use([this](const std::string& device) { return uses(device); });
  install(world);
}

void Pools::install(World world) {
  // A machine without ZFS has neither its programs nor its module.
  const auto coverage = world.getZfs().getCoverage();
  if (coverage.getAbsent().size() != 0) return;
  host_.directory("/sys/module/zfs");
  host_.device("/dev/zfs", {.type = FileType::character, .mode = 0666, .major = 10, .minor = 249});
  host_.program("date", [this](const Command& command) { return date(command); });
  host_.program("zpool", [this](const Command& command) { return zpool(command); });
  host_.program("zfs", [this](const Command& command) { return zfs(command); });
  host_.drains("zfs", [this](const Command& command) { return drain_of(command); });
}

/// Disks that nobody had plugged in when the audit looked for pools.
void Pools::add_pools_of_disks() {
  for (const auto& device : disks_.all()) {
    const bool known = std::ranges::find(pools_, device.label, &Pool::name) != pools_.end();
    const auto disks = disks_.disks_of(device.name);
    if (device.file_system != "zfs_member" || known || device.label.empty() || disks.empty())
      continue;
    auto pool = made_pool(
        device.label, parse_number<std::uint64_t>(device.uuid).value_or(made_guid(device.label)));
    const auto& disk = *disks.front();
    const auto name = disk.aliases.empty() ? device.name : disk.aliases.front();
    pool.vdevs.push_back({.name = pool.name, .kind = "root", .state = "ONLINE", .guid = pool.guid});
    pool.vdevs.push_back({.depth = 1,
                          .parent = 0,
                          .name = name,
                          .kind = "disk",
                          .state = "ONLINE",
                          .guid = made_guid(name),
                          .path = disks_.name_of(device)});
    pool.leaves.push_back({.vdev = 1, .device = device.name});
    pools_.push_back(std::move(pool));
  }
}

void Pools::size_up(Pool& pool) {
  std::uint64_t smallest = 0;
  for (const auto& leaf : pool.leaves)
    for (const auto& device : disks_.all())
      if (device.name == leaf.device)
        smallest = smallest == 0 ? device.size : std::min(smallest, device.size);
  pool.size = smallest;
  for (const auto& vdev : pool.vdevs) {
    const auto children = static_cast<std::size_t>(std::ranges::count(
        pool.vdevs, std::optional(static_cast<std::size_t>(&vdev - pool.vdevs.data())),
        &zfs::Vdev::parent));
    if (vdev.kind.starts_with("raidz")) pool.size = smallest * children;
  }
  // ZFS keeps a thirty-second part for itself.
  const auto spare = pool.vdevs.size() > 1 ? spare_children(pool.vdevs[1], pool.leaves.size()) : 0;
  const auto usable = pool.vdevs.size() > 1 && pool.vdevs[1].kind.starts_with("raidz")
                          ? smallest * (pool.leaves.size() - spare)
                          : smallest;
  for (auto& [name, dataset] : pool.datasets) dataset.available = usable - usable / 32;
}

/// Pools name their disks by other names than the audit of the disks may have told.
void Pools::link_leaves() {
  for (const auto& pool : pools_) {
    for (const auto& leaf : pool.leaves) {
      const auto& vdev = pool.vdevs[leaf.vdev];
      const Path path = vdev.path.empty() ? Path("/dev/disk/by-id") / vdev.name : Path(vdev.path);
      if (vdev.path.empty() && host_.status(Path("/dev") / vdev.name)) continue;
      if (!host_.status(path) && host_.status("/dev/" + leaf.device))
        host_.link(path, "/dev/" + leaf.device);
    }
  }
}

void Pools::mount_datasets(World world) {
  for (const auto row : world.getZfs().getDatasets()) {
    const auto name = str(row.getName());
    const auto point = str(row.getMountpoint());
    if (!row.getMounted() || !point.starts_with('/')) continue;
    if (!mounts_of(name).empty()) continue;
    host_.directory(point);
    const bool read_only = row.getReadonly() || find_pool(pool_of(name))->is_read_only();
    static_cast<void>(host_.mount(
        {.point = point, .type = "zfs", .source = name, .options = kernel_options({}, read_only)}));
  }
  tell_rooms();
}

Pool* Pools::find_pool(const std::string& name) {
  const auto found = std::ranges::find_if(
      pools_, [&](const Pool& pool) { return pool.imported && pool.name == name; });
  return found == pools_.end() ? nullptr : &*found;
}

const Pool* Pools::pool(const std::string& name) const {
  const auto found = std::ranges::find_if(
      pools_, [&](const Pool& pool) { return pool.imported && pool.name == name; });
  return found == pools_.end() ? nullptr : &*found;
}

Dataset* Pools::find(const std::string& name) {
  auto* found = find_pool(pool_of(name));
  if (found == nullptr) return nullptr;
  const auto dataset = found->datasets.find(dataset_of(name));
  return dataset == found->datasets.end() ? nullptr : &dataset->second;
}

const Dataset* Pools::dataset(const std::string& name) const {
  const auto* found = pool(pool_of(name));
  if (found == nullptr) return nullptr;
  const auto dataset = found->datasets.find(dataset_of(name));
  return dataset == found->datasets.end() ? nullptr : &dataset->second;
}

bool Pools::uses(const std::string& device) const {
  return std::ranges::any_of(pools_, [&](const Pool& pool) {
    return pool.imported && std::ranges::any_of(pool.leaves, [&](const Leaf& leaf) {
             const auto disks = disks_.disks_of(leaf.device);
             return leaf.device == device || std::ranges::any_of(disks, [&](const Device* disk) {
                      return disk->name == device;
                    });
           });
  });
}

std::vector<SimMount> Pools::mounts_of(const std::string& name) const {
  std::vector<SimMount> mounts;
  for (const auto& mount : host_.mounts())
    if (mount.type == "zfs" && mount.source == name) mounts.push_back(mount);
  return mounts;
}

SimSpeed Pools::speed_of(const Pool& pool) const {
  SimSpeed whole;
  for (const auto& leaf : pool.leaves) {
    if (pool.vdevs[leaf.vdev].role != "data") continue;
    for (const auto* disk : disks_.disks_of(leaf.device)) {
      whole.read += disk->speed.read;
      whole.write += disk->speed.write;
    }
  }
  // What redundancy costs, both ways.
  std::uint64_t usable = 0;
  if (const auto root = pool.datasets.find(pool.name); root != pool.datasets.end())
    usable = root->second.used + root->second.available;
  if (usable == 0 || pool.size <= usable) return whole;
  const auto part = static_cast<double>(usable) / static_cast<double>(pool.size);
  return {.read = static_cast<std::uint64_t>(static_cast<double>(whole.read) * part),
          .write = static_cast<std::uint64_t>(static_cast<double>(whole.write) * part)};
}

void Pools::charge(Dataset& dataset, std::int64_t bytes) {
  auto* pool = find_pool(pool_of(dataset.name));
  RELAB_ASSERT(pool != nullptr);
  const auto root = pool->datasets.find(pool->name);
  RELAB_ASSERT(root != pool->datasets.end());
  const auto add = [](std::uint64_t& to, std::int64_t more) {
    const auto sum = static_cast<std::int64_t>(to) + more;
    to = static_cast<std::uint64_t>(std::max<std::int64_t>(sum, 0));
  };
  const auto usable = root->second.used + root->second.available;
  const double each =
      usable == 0 ? 1.0 : static_cast<double>(pool->size) / static_cast<double>(usable);
  add(pool->allocated, static_cast<std::int64_t>(static_cast<double>(bytes) * std::max(each, 1.0)));
  for (auto& [name, other] : pool->datasets) {
    if (is_within(dataset.name, name)) add(other.used, bytes);
    add(other.available, -bytes);
  }
}

void Pools::settle() {
  if (disks_.pass(host_.now())) notice_disks();
  for (const auto& [point, told] : told_) {
    const auto mount = std::ranges::find(host_.mounts().rbegin(), host_.mounts().rend(),
                                         Path(point), &SimMount::point);
    if (mount == host_.mounts().rend() || mount->type != "zfs") continue;
    auto* dataset = find(mount->source);
    const auto now = host_.file_system(Path(point));
    if (dataset == nullptr || !now || now->free == told.free) continue;
    const auto bytes = static_cast<std::int64_t>(told.free) - static_cast<std::int64_t>(now->free);
    charge(*dataset, bytes);
    if (bytes > 0) dataset->referenced += static_cast<std::uint64_t>(bytes);
  }
  tell_rooms();
}

void Pools::tell_rooms() {
  told_.clear();
  for (const auto& mount : host_.mounts()) {
    const auto* seen = mount.type == "zfs" ? dataset(mount.source) : nullptr;
    if (seen == nullptr) continue;
    const FileSystem room{.size = seen->referenced + seen->available, .free = seen->available};
    told_[mount.point.string()] = room;
    host_.file_system(mount.point, room);
    host_.speed(mount.point, speed_of(*pool(pool_of(mount.source))));
  }
}

void Pools::notice_disks() {
  for (auto& pool : pools_) {
    if (!pool.imported) continue;
    bool changed = false;
    for (const auto& leaf : pool.leaves) {
      auto& vdev = pool.vdevs[leaf.vdev];
      const auto disks = disks_.disks_of(leaf.device);
      const bool attached = std::ranges::all_of(disks, &Device::attached);
      const bool well = disks_.is_well(leaf.device);
      const bool came_back = well && vdev.state == "REMOVED";
      const bool went = !well && can_be_read(vdev);
      if (came_back) vdev.state = "ONLINE";
      if (went) {
        vdev.state = attached ? "FAULTED" : "REMOVED";
        if (attached) vdev.note = "too many errors";
        if (attached) vdev.read_errors += 12;
        if (attached) vdev.write_errors += 3;
      }
      changed = changed || came_back || went;
    }
    if (changed) judge(pool);
  }
}

void Pools::judge_groups(Pool& pool) {
  for (auto at = pool.vdevs.size(); at-- > 0;) {
    std::size_t children = 0;
    std::size_t bad = 0;
    bool all_online = true;
    for (const auto& child : pool.vdevs) {
      const bool counts = child.role != "spare" && child.role != "cache";
      if (child.parent != at || !counts) continue;
      ++children;
      if (!can_be_read(child)) ++bad;
      all_online = all_online && child.state == "ONLINE";
    }
    if (children == 0) continue;
    auto& group = pool.vdevs[at];
    const bool lost = bad > spare_children(group, children);
    group.state = lost ? "UNAVAIL" : all_online ? "ONLINE" : "DEGRADED";
  }
}

void Pools::judge(Pool& pool) {
  judge_groups(pool);
  const auto& root = pool.vdevs.front();
  const bool removed = std::ranges::any_of(
      pool.vdevs, [](const zfs::Vdev& vdev) { return vdev.state == "REMOVED"; });
  pool.state = pool.health = root.state == "UNAVAIL" ? "SUSPENDED" : root.state;
  pool.status = pool.action = pool.message = {};
  if (pool.state == "SUSPENDED") {
    pool.status = "One or more devices are faulted in response to IO failures.";
    pool.action = "Make sure the affected devices are connected, then run 'zpool clear'.";
    pool.message = "ZFS-8000-HC";
    pool.scrub_ends.reset();
    for (const auto& mount : host_.mounts())
      if (mount.type == "zfs" && pool_of(mount.source) == pool.name)
        host_.breaks(mount.point, {.fault = Fault::damaged,
                                   .what = fmt::format("{}: Input/output error", mount.source)});
  } else if (pool.state == "DEGRADED" && removed) {
    pool.status =
        "One or more devices has been removed by the administrator. Sufficient replicas exist for "
        "the pool to continue functioning in a degraded state.";
    pool.action =
        "Online the device using zpool online' or replace the device with 'zpool replace'.";
  } else if (pool.state == "DEGRADED") {
    pool.status =
        "One or more devices are faulted in response to persistent errors. Sufficient replicas "
        "exist for the pool to continue functioning in a degraded state.";
    pool.action = "Replace the faulted device, or use 'zpool clear' to mark the device repaired.";
  }
}

void Pools::remember(const Dataset& dataset, const Snapshot& snapshot) {
  sent_[snapshot.guid] = {.name = dataset.name,
                          .is_volume = dataset.is_volume,
                          .encrypted = dataset.encrypted(),
                          .encryption_root = dataset.encryption_root,
                          .properties = dataset.properties,
                          .snapshot = snapshot};
}

}  // namespace relab::agent::sim
