/// What zfs changes: snapshots, holds, datasets, and where they are mounted.

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>

#include "agent/host/sim/storage/mounting.h"
#include "agent/host/sim/storage/pools.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

Output failed(std::string words) { return {.status = 1, .err = std::move(words) + "\n"}; }

Output no_such_dataset(const std::string& name) {
  return failed(fmt::format("cannot open '{}': dataset does not exist", name));
}

std::uint64_t seconds(Instant time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) / 1000;
}

const Snapshot* find_snapshot(const Dataset& dataset, const std::string& name) {
  const auto found = std::ranges::find(dataset.snapshots, name, &Snapshot::name);
  return found == dataset.snapshots.end() ? nullptr : &*found;
}

/// Sizes in bytes, and one of several names for the same.
std::string kept(const std::string& key, std::string value) {
  static const std::set<std::string> sizes = {"quota", "refquota", "reservation", "refreservation",
                                              "volsize"};
  if (key == "acltype" && value == "posixacl") return "posix";
  if (!sizes.contains(key) || value.empty()) return value;
  if (value == "none") return "0";
  constexpr std::string_view units = "kmgtp";
  const auto letter = static_cast<char>(std::tolower(static_cast<unsigned char>(value.back())));
  const auto unit = units.find(letter);
  if (unit == std::string_view::npos) return value;
  value.pop_back();
  const auto number = parse_number<std::uint64_t>(value);
  constexpr unsigned bits = 10;
  return number ? std::to_string(*number << (bits * (unit + 1))) : value;
}

/// Below the root there is more than what is on its file system.
bool is_kernels(const Path& path) {
  static const std::set<std::string> folders = {"/dev", "/proc", "/run", "/sys"};
  return folders.contains(path.string());
}

}  // namespace

// ---- snapshots

Result<Output> Pools::zfs_snapshot(const Command& command) {
  const auto line = command_line_of(command.argv, "r", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  const auto& name = line->words[0];
  const auto snapshot = snapshot_of(name);
  if (snapshot.empty()) return host_.does_not_know(command);
  auto* pool = find_pool(pool_of(name));
  if (find(name) == nullptr) {
    auto refused = no_such_dataset(dataset_of(name));
    refused.status = 2;
    refused.err +=
        "usage:\n\tsnapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ...\n\n"
        "For the property list, run: zfs set|get\n\n"
        "For the delegated permission list, run: zfs allow|unallow\n";
    if (has_json())
      refused.err += "\nFor further help on a command or topic, run: zfs help [<topic>]\n";
    return refused;
  }
  if (pool->is_lost()) return failed("cannot create snapshots : pool I/O is currently suspended");
  if (pool->is_read_only()) return failed("cannot create snapshots : pool is read-only");
  std::vector<Dataset*> meant;
  for (auto& [own, dataset] : pool->datasets)
    if (own == dataset_of(name) || (line->has('r') && is_within(own, dataset_of(name))))
      meant.push_back(&dataset);
  // All or none.
  std::string there;
  for (const auto* dataset : meant)
    if (find_snapshot(*dataset, snapshot) != nullptr)
      there += fmt::format("cannot create snapshot '{}@{}': dataset already exists\n",
                           dataset->name, snapshot);
  if (!there.empty()) return failed(there + "no snapshots were created");
  pool->txg += 10;
  for (auto* dataset : meant) take_snapshot(*pool, *dataset, snapshot);
  return Output{};
}

void Pools::take_snapshot(Pool& pool, Dataset& dataset, const std::string& name) {
  // What zfs send says of a snapshot that differs in nothing from the one before it.
  constexpr std::uint64_t bytes_of_none = 624;
  Snapshot taken{.name = name, .txg = pool.txg, .created = seconds(host_.now())};
  taken.guid = made_guid(fmt::format("{}@{} {}", dataset.name, name, pool.txg));
  taken.referenced = dataset.referenced;
  taken.bytes = dataset.snapshots.empty() ? dataset.referenced : bytes_of_none;
  taken.tree = look_into(dataset);
  remember(dataset, taken);
  dataset.snapshots.push_back(std::move(taken));
}

Result<Output> Pools::zfs_hold(const Command& command) {
  const auto line = command_line_of(command.argv, "r", "");
  if (!line || line->words.size() != 2) return host_.does_not_know(command);
  const auto& tag = line->words[0];
  const auto& name = line->words[1];
  if (!exists(name) || snapshot_of(name).empty())
    return failed(fmt::format("cannot hold snapshot '{}': dataset does not exist", name));
  if (find_pool(pool_of(name))->is_read_only()) return failed("cannot hold: pool is read-only");
  std::vector<Snapshot*> meant;
  for (auto& [own, dataset] : find_pool(pool_of(name))->datasets) {
    if (own != dataset_of(name) && !(line->has('r') && is_within(own, dataset_of(name)))) continue;
    for (auto& snapshot : dataset.snapshots) {
      if (snapshot.name != snapshot_of(name)) continue;
      if (snapshot.holds.contains(tag))
        return failed(
            fmt::format("cannot hold snapshot '{}@{}': tag already exists on this dataset", own,
                        snapshot.name));
      meant.push_back(&snapshot);
    }
  }
  for (auto* snapshot : meant) snapshot->holds.emplace(tag, seconds(host_.now()));
  return Output{};
}

// ---- datasets

Result<Output> Pools::zfs_create(const Command& command) {
  const auto line = command_line_of(command.argv, "", "o");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  const auto& name = line->words[0];
  const auto slash = name.rfind('/');
  if (slash == std::string::npos) return host_.does_not_know(command);
  const auto* parent = find(name.substr(0, slash));
  if (parent == nullptr)
    return failed(fmt::format("cannot create '{}': parent does not exist", name));
  if (exists(name)) return failed(fmt::format("cannot create '{}': dataset already exists", name));
  if (find_pool(pool_of(name))->is_read_only())
    return failed(fmt::format("cannot create '{}': pool is read-only", name));
  if (parent->encrypted() && !key_is_loaded(*parent))
    return failed(
        fmt::format("cannot create '{}': encryption root's key is not loaded or provided", name));
  auto* pool = find_pool(pool_of(name));
  pool->txg += 10;
  Dataset made{.name = name,
               .guid = made_guid(fmt::format("{} {}", name, pool->txg)),
               .txg = pool->txg,
               .created = seconds(host_.now()),
               .available = parent->available,
               .encryption_root = parent->encryption_root,
               .properties = parent->properties};
  for (const auto* own : {"quota", "refquota", "reservation", "refreservation", "logicalused"})
    made.properties[own] = "0";
  made.properties["canmount"] = "on";
  made.properties["origin"] = made.properties["receive_resume_token"] = "-";
  if (made.encrypted()) made.properties["keylocation"] = "none";
  const auto above = parent->properties.find("mountpoint");
  if (above != parent->properties.end() && above->second.starts_with('/'))
    made.properties["mountpoint"] =
        (Path(above->second) / name.substr(slash + 1)).lexically_normal().string();
  for (const auto& option : line->all('o')) {
    const auto equals = option.find('=');
    if (equals == std::string::npos) return host_.does_not_know(command);
    const auto key = option.substr(0, equals);
    auto& to = key.find(':') == std::string::npos ? made.properties : made.user_properties;
    to.insert_or_assign(key, kept(key, option.substr(equals + 1)));
  }
  const auto placed = pool->datasets.emplace(name, std::move(made)).first;
  return mount_in_place(placed->second);
}

/// Of one dataset; only limits, which change nothing else.
Result<Output> Pools::zfs_set(const Command& command) {
  const auto line = command_line_of(command.argv, "", "");
  if (!line || line->words.size() != 2) return host_.does_not_know(command);
  const auto equals = line->words[0].find('=');
  const auto key = line->words[0].substr(0, equals);
  if (equals == std::string::npos || (key != "quota" && key != "refquota"))
    return host_.does_not_know(command);
  auto* dataset = find(line->words[1]);
  if (dataset == nullptr)
    return failed(fmt::format("cannot open '{}': dataset does not exist", line->words[1]));
  const int refused = has_json() ? 255 : 1;
  if (find_pool(pool_of(dataset->name))->is_read_only())
    return Output{
        .status = refused,
        .err = fmt::format("cannot set property for '{}': pool is read-only\n", dataset->name)};
  dataset->properties.insert_or_assign(key, kept(key, line->words[0].substr(equals + 1)));
  return Output{};
}

Result<Output> Pools::zfs_destroy(const Command& command) {
  const auto line = command_line_of(command.argv, "r", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  const auto& name = line->words[0];
  if (!exists(name) && find(name) != nullptr)
    return failed("could not find any snapshots to destroy; check snapshot names.");
  if (!exists(name)) return no_such_dataset(name);
  if (line->has('r') && snapshot_of(name).empty()) return destroy_all(name);
  if (line->has('r')) return host_.does_not_know(command);
  return destroy(name);
}

Output Pools::destroy(const std::string& name) {
  auto* dataset = find(name);
  const auto snapshot = snapshot_of(name);
  if (snapshot.empty()) {
    const auto& all = find_pool(pool_of(name))->datasets;
    std::string below;
    for (const auto& [other, unused] : all)
      if (other != name && is_within(other, name)) below += "\n" + other;
    for (const auto& own : dataset->snapshots) below += fmt::format("\n{}@{}", name, own.name);
    if (!below.empty())
      return failed(
          fmt::format("cannot destroy '{}': {} has children\nuse '-r' to destroy the "
                      "following datasets:{}",
                      name, dataset->is_volume ? "volume" : "filesystem", below));
    return destroy_all(name);
  }
  if (find_pool(pool_of(name))->is_read_only())
    return failed("cannot destroy snapshots: pool is read-only");
  const auto* found = find_snapshot(*dataset, snapshot);
  if (!found->holds.empty()) return failed(held(name));
  if (!mounts_of(name).empty())
    return failed(fmt::format("cannot destroy snapshot {}: dataset is busy", name));
  std::erase_if(dataset->snapshots, [&](const Snapshot& own) { return own.name == snapshot; });
  return {};
}

std::string Pools::held(const std::string& snapshot) const {
  if (!has_json()) return fmt::format("cannot destroy snapshot {}: dataset is busy", snapshot);
  return fmt::format(
      "cannot destroy snapshot {0}: it's being held. Run 'zfs holds -r {0}' to see holders.",
      snapshot);
}

Output Pools::destroy_all(const std::string& name) {
  auto& all = find_pool(pool_of(name))->datasets;
  for (const auto& [own, dataset] : all) {
    if (!is_within(own, name)) continue;
    for (const auto& snapshot : dataset.snapshots)
      if (!snapshot.holds.empty()) return failed(held(fmt::format("{}@{}", own, snapshot.name)));
  }
  // Those that lie on others go first.
  const auto mounts = std::vector<SimMount>(host_.mounts().rbegin(), host_.mounts().rend());
  for (const auto& mount : mounts)
    if (mount.type == "zfs" && is_within(dataset_of(mount.source), name)) {
      if (!unmount(mount))
        return failed(
            fmt::format("cannot unmount '{}': pool or dataset is busy", mount.point.string()));
      // Its folder goes with it.
      if (const auto left = host_.list(mount.point); left && left->empty())
        host_.remove(mount.point);
    }
  if (find_pool(pool_of(name))->is_read_only())
    return failed(fmt::format("cannot destroy '{}': pool is read-only", name));
  charge(all.at(name), -static_cast<std::int64_t>(all.at(name).used));
  for (const auto& [own, dataset] : all) {
    if (!is_within(own, name)) continue;
    host_.forget(own);
    for (const auto& snapshot : dataset.snapshots) host_.forget(own + "@" + snapshot.name);
  }
  std::erase_if(all, [&](const auto& entry) { return is_within(entry.first, name); });
  return {};
}

// ---- mounts

Result<Output> Pools::zfs_mount(const Command& command) {
  const auto line = command_line_of(command.argv, "", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  const auto* dataset = find(line->words[0]);
  if (dataset == nullptr) return no_such_dataset(line->words[0]);
  const auto point = value_of(*dataset, nullptr, "mountpoint").value_or("-");
  if (!point.starts_with('/'))
    return failed(fmt::format("cannot mount '{}': no mountpoint set", dataset->name));
  if (!mounts_of(dataset->name).empty())
    return failed(fmt::format("cannot mount '{}': filesystem already mounted", dataset->name));
  if (dataset->encrypted() && !key_is_loaded(*dataset))
    return failed(fmt::format("cannot mount '{}': encryption key not loaded", dataset->name));
  host_.directory(point);
  return mount({.point = point, .type = "zfs", .source = dataset->name, .options = "rw,zfsutil"});
}

Result<Output> Pools::zfs_unmount(const Command& command) {
  const auto line = command_line_of(command.argv, "", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  const auto& name = line->words[0];
  if (find(name) == nullptr) return no_such_dataset(name);
  const auto mounted = mounts_of(name);
  if (mounted.empty())
    return failed(fmt::format("cannot unmount '{}': not currently mounted", name));
  if (!unmount(mounted.back()))
    return failed(
        fmt::format("cannot unmount '{}': pool or dataset is busy", mounted.back().point.string()));
  return Output{};
}

Output Pools::mount_in_place(const Dataset& dataset) {
  const auto point = value_of(dataset, nullptr, "mountpoint").value_or("-");
  const auto canmount = value_of(dataset, nullptr, "canmount").value_or("on");
  const bool is_open = !dataset.encrypted() || key_is_loaded(dataset);
  if (!point.starts_with('/') || canmount != "on" || dataset.is_volume || !is_open) return {};
  if (!mounts_of(dataset.name).empty()) return {};
  host_.directory(point);
  return mount({.point = point, .type = "zfs", .source = dataset.name, .options = "rw,zfsutil"});
}

Output Pools::mount(const SimMount& wanted) {
  const auto& name = wanted.source;
  const auto* dataset = find(name);
  const auto refused = [&](std::string_view why) {
    return failed(fmt::format("filesystem '{}' {}", name, why));
  };
  if (dataset == nullptr || !exists(name) || dataset->is_volume)
    return refused("cannot be mounted, unable to open the dataset");
  if (find_pool(pool_of(name))->is_lost()) return refused("cannot be mounted: Input/output error");
  if (dataset->encrypted() && !key_is_loaded(*dataset))
    return refused("can not be mounted: Permission denied");
  const bool is_snapshot = !snapshot_of(name).empty();
  const auto words = split(wanted.options, ',');
  const bool by_zfs = std::ranges::find(words, "zfsutil") != words.end();
  if (!is_snapshot && !by_zfs && value_of(*dataset, nullptr, "mountpoint") != "legacy")
    return refused(
        fmt::format("cannot be mounted using 'mount'.\nUse 'zfs set mountpoint=legacy' "
                    "or 'zfs mount {}'.\nSee zfs(8) for more information.",
                    name));
  auto mount = wanted;
  mount.options = kernel_options(wanted.options,
                                 is_snapshot || value_of(*dataset, nullptr, "readonly") == "on" ||
                                     find_pool(pool_of(name))->is_read_only());
  if (!host_.mount(mount))
    return {.status = 2,
            .err = fmt::format("mount: {}: mount point does not exist.\n", wanted.point.string())};
  const auto* snapshot = is_snapshot ? find_snapshot(*dataset, snapshot_of(name)) : nullptr;
  put_into(wanted.point, snapshot == nullptr ? dataset->tree : snapshot->tree);
  tell_rooms();
  return {};
}

Result<void> Pools::unmount(const SimMount& mounted) {
  settle();
  RELAB_CHECK(host_.unmount(mounted.point));
  host_.mends(mounted.point);
  host_.no_file_system(mounted.point);
  tell_rooms();
  return {};
}

Tree Pools::look_into(const Dataset& dataset) {
  const auto mounted = mounts_of(dataset.name);
  if (mounted.empty()) return dataset.tree;
  const auto root = mounted.front().point;
  std::set<Path> others;
  for (const auto& mount : host_.mounts())
    if (mount.point != root) others.insert(mount.point);
  Tree tree;
  std::vector<Path> folders = {root};
  while (!folders.empty()) {
    const auto folder = std::move(folders.back());
    folders.pop_back();
    const auto names = host_.list(folder);
    if (!names || is_kernels(folder)) continue;
    for (const auto& name : *names) {
      const auto path = folder / name;
      const auto status = host_.status(path);
      if (!status) continue;
      Kept kept{.path = path.lexically_relative(root), .status = *status};
      if (status->type == FileType::symlink) kept.content = host_.read_link(path).value_or("");
      if (status->type == FileType::regular)
        kept.content = host_.read_file(path, std::string::npos).value_or("");
      if (status->type == FileType::directory && !others.contains(path)) folders.push_back(path);
      tree.push_back(std::move(kept));
    }
  }
  return tree;
}

void Pools::put_into(const Path& point, const Tree& tree) {
  for (const auto& kept : tree) {
    const auto path = point / kept.path;
    if (kept.status.type == FileType::directory)
      host_.directory(path, kept.status);
    else if (kept.status.type == FileType::symlink)
      host_.link(path, kept.content);
    else if (kept.status.type == FileType::regular)
      host_.file(path, kept.content, kept.status);
    else
      host_.device(path, kept.status);
  }
}

}  // namespace relab::agent::sim
