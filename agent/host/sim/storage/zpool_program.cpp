/// What zpool is asked for.

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/host/sim/storage/pools.h"
#include "agent/host/sim/storage/zpool_text.h"
#include "agent/kinds/zfs/tables.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

Output no_such_pool(const std::string& name) {
  return {.status = 1, .err = fmt::format("cannot open '{}': no such pool\n", name)};
}

Output there_already(const std::string& name) {
  return {.status = 1,
          .err = fmt::format("cannot import '{}': a pool with that name already exists\n"
                             "use the form 'zpool import <pool | id> <newpool>' to give it a new "
                             "name\n",
                             name)};
}

bool is_scrub(const zfs::Scan& scan) {
  return scan.function != "errorscrub" && scan.function != "rebuild";
}

zfs::Scan* main_scan(Pool& pool) {
  const auto found = std::ranges::find_if(pool.scans, is_scrub);
  return found == pool.scans.end() ? nullptr : &*found;
}

std::uint64_t seconds(Instant time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) / 1000;
}

std::string size_or_none(std::uint64_t bytes) { return bytes == 0 ? "-" : std::to_string(bytes); }

}  // namespace

Result<Output> Pools::zpool(const Command& command) {
  const auto& argv = command.argv;
  settle();
  for (auto& pool : pools_) look_at_scrub(pool);
  const auto verb = argv.size() < 2 ? std::string() : argv[1];
  if (verb == "version" && argv.size() == 2) {
    std::string out = fmt::format("zfs-{}\n", tool_version_);
    if (!module_version_.empty()) out += fmt::format("zfs-kmod-{}\n", module_version_);
    return Output{.out = out};
  }
  if (verb == "list") return zpool_list(command);
  if (verb == "status") return zpool_status(command);
  if (verb == "get") return zpool_get(command);
  if (verb == "import") return zpool_import(command);
  if (verb == "export") return zpool_export(command);
  if (verb == "scrub") return zpool_scrub(command);
  if (verb == "wait") return zpool_wait(command);
  return host_.does_not_know(command);
}

Result<Output> Pools::date(const Command& command) {
  if (command.argv != Argv{"date", "--file=-", "+%s"}) return host_.does_not_know(command);
  Output output;
  for (const auto line : lines(command.input)) {
    const auto known = known_times_.find(std::string(line));
    const auto told =
        known == known_times_.end() ? seconds_of(std::string(line)) : std::optional(known->second);
    if (!told) {
      output.status = 1;
      output.err += fmt::format("date: invalid date '{}'\n", line);
    } else {
      output.out += fmt::format("{}\n", *told);
    }
  }
  return output;
}

Result<Output> Pools::zpool_wait(const Command& command) {
  const auto line = command_line_of(command.argv, "", "t");
  if (!line || line->value('t') != "free" || line->words.size() != 1)
    return host_.does_not_know(command);
  const auto* waited = pool(line->words[0]);
  if (waited == nullptr) return no_such_pool(line->words[0]);
  constexpr int refused = 30;
  if (waited->is_read_only())
    return Output{
        .status = refused,
        .err = fmt::format("error waiting in pool '{}': pool is read-only\n", waited->name)};
  // What is destroyed is free at once.
  return Output{};
}

Result<Output> Pools::zpool_list(const Command& command) {
  const auto line = command_line_of(command.argv, "Hp", "o");
  if (!line || !line->has_only("Hp") || line->values.size() != 1)
    return host_.does_not_know(command);
  Output output;
  for (const auto& pool : pools_) {
    if (!pool.imported) continue;
    if (!line->words.empty() && std::ranges::count(line->words, pool.name) == 0) continue;
    std::vector<std::string> row;
    for (const auto column : split(line->values[0].second, ',')) {
      const auto value = pool_value(pool, column);
      if (!value) return host_.does_not_know(command);
      row.push_back(*value);
    }
    output.out += fmt::format("{}\n", fmt::join(row, "\t"));
  }
  for (const auto& name : line->words)
    if (pool(name) == nullptr) return no_such_pool(name);
  return output;
}

std::optional<std::string> Pools::pool_value(const Pool& pool, std::string_view property) {
  // What of one that may only be read is in use, ZFS has not looked at.
  static const std::set<std::string_view> looked_at = {"allocated", "alloc", "capacity", "cap",
                                                       "fragmentation"};
  if (pool.is_read_only() && looked_at.contains(property)) return "0";
  if (property == "name") return pool.name;
  if (property == "health") return pool.health;
  if (property == "size") return size_or_none(pool.size);
  if (property == "allocated" || property == "alloc") return size_or_none(pool.allocated);
  if (property == "free" && pool.is_read_only()) return size_or_none(pool.size);
  if (property == "free") return size_or_none(pool.size - std::min(pool.size, pool.allocated));
  if (property == "capacity" || property == "cap")
    return pool.size == 0 ? "-" : std::to_string(pool.allocated * 100 / pool.size);
  for (const auto& [name, value] : pool.properties)
    if (name == property) return value;
  return {};
}

bool Pools::has_json() const {
  return zfs::Versions{.tool = tool_version_, .module = {}}.has_json();
}

Result<Output> Pools::zpool_status(const Command& command) {
  const auto& argv = command.argv;
  std::vector<const Pool*> imported;
  for (const auto& pool : pools_)
    if (pool.imported) imported.push_back(&pool);
  if (argv == Argv{"zpool", "status", "-j", "--json-int", "-v"}) {
    if (has_json()) return Output{.out = status_json(imported)};
    return Output{.status = 2, .err = "invalid option 'j'\nusage:\n\tstatus ...\n"};
  }
  const auto now = host_.now();
  if (argv == Argv{"zpool", "status", "-vPp"})
    return Output{.out = status_text(imported, Names::paths, now)};
  if (argv == Argv{"zpool", "status", "-gp"})
    return Output{.out = status_text(imported, Names::guids, now)};
  return host_.does_not_know(command);
}

Result<Output> Pools::zpool_get(const Command& command) {
  const auto line = command_line_of(command.argv, "Hp", "");
  if (!line || !line->has_only("Hp") || line->words.empty() || line->words[0] != "all")
    return host_.does_not_know(command);
  const std::vector<std::string> names(line->words.begin() + 1, line->words.end());
  for (const auto& name : names)
    if (pool(name) == nullptr)
      return has_json() ? Output{.status = 1,
                                 .err = fmt::format("Cannot get properties of {}: no such pool "
                                                    "available.\n",
                                                    name)}
                        : no_such_pool(name);
  Output output;
  for (const auto& pool : pools_) {
    if (!pool.imported || (!names.empty() && std::ranges::count(names, pool.name) == 0)) continue;
    for (const auto* property : {"size", "capacity", "health", "free", "allocated"})
      output.out +=
          fmt::format("{}\t{}\t{}\t-\n", pool.name, property, *pool_value(pool, property));
    for (const auto& [property, value] : pool.properties)
      output.out += fmt::format("{}\t{}\t{}\tlocal\n", pool.name, property,
                                pool_value(pool, property).value_or(value));
  }
  return output;
}

Result<Output> Pools::zpool_import(const Command& command) {
  const auto line = command_line_of(command.argv, "Nf", "od");
  if (!line) return host_.does_not_know(command);
  if (command.argv.size() == 2) {
    std::vector<const Pool*> found;
    for (const auto& pool : pools_)
      if (!pool.imported && on_devices(pool, {})) found.push_back(&pool);
    if (found.empty()) return Output{.err = "no pools available to import\n"};
    return Output{.out = importable_text(found)};
  }
  if (line->words.size() != 1) return host_.does_not_know(command);
  const auto& wanted = line->words[0];
  for (auto& pool : pools_) {
    if (pool.imported || (pool.name != wanted && std::to_string(pool.guid) != wanted)) continue;
    if (!on_devices(pool, line->all('d'))) continue;
    // What ZFS says to disks that nothing can be written to is not known here.
    const auto options = line->all('o');
    if (on_read_only_disks(pool) && std::ranges::count(options, "readonly=on") == 0)
      return host_.does_not_know(command);
    return import_one(pool, *line);
  }
  // By its number: its disks say that they are those of a pool which is there.
  for (const auto& pool : pools_)
    if (pool.imported && std::to_string(pool.guid) == wanted && on_devices(pool, line->all('d')))
      return there_already(wanted);
  return Output{.status = 1,
                .err = fmt::format("cannot import '{}': no such pool available\n", wanted)};
}

/// That its disks are there, and among those that are named; none are named: anywhere.
bool Pools::on_devices(const Pool& pool, const std::vector<std::string>& devices) const {
  if (pool.leaves.empty()) return false;
  return std::ranges::any_of(pool.leaves, [&](const Leaf& leaf) {
    const auto* member = disks_.at("/dev/" + leaf.device);
    if (member == nullptr || member->wiped) return false;
    return devices.empty() || std::ranges::any_of(devices, [&](const std::string& path) {
             const auto* device = disks_.at(path);
             return path == "/dev/disk/by-id" || (device != nullptr && device->name == leaf.device);
           });
  });
}

bool Pools::on_read_only_disks(const Pool& pool) const {
  return std::ranges::any_of(pool.leaves, [&](const Leaf& leaf) {
    const auto* member = disks_.at("/dev/" + leaf.device);
    return member != nullptr && member->read_only;
  });
}

Result<Output> Pools::zpool_export(const Command& command) {
  const auto line = command_line_of(command.argv, "", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  auto* pool = find_pool(line->words[0]);
  if (pool == nullptr) return no_such_pool(line->words[0]);
  std::vector<SimMount> mounted;
  for (const auto& mount : host_.mounts())
    if (mount.type == "zfs" && pool_of(mount.source) == pool->name) mounted.push_back(mount);
  // Those that lie on others go first.
  std::reverse(mounted.begin(), mounted.end());
  for (const auto& mount : mounted)
    if (mount.point == "/" || !unmount(mount))
      return Output{.status = 1,
                    .err = fmt::format("cannot unmount '{}': pool or dataset is busy\n",
                                       mount.point.string())};
  pool->imported = false;
  pool->scrub_ends.reset();
  for (auto& [name, dataset] : pool->datasets) dataset.key_loaded = false;
  pool->status = pool->message = {};
  pool->action = "The pool can be imported using its name or numeric identifier.";
  return Output{};
}

Output Pools::import_one(Pool& pool, const CommandLine& line) {
  if (this->pool(pool.name) != nullptr) return there_already(pool.name);
  if (pool.message == "ZFS-8000-EY" && !line.has('f'))
    return {.status = 1,
            .err = fmt::format("cannot import '{}': pool was previously in use from another "
                               "system.\nThe pool can be imported, use 'zpool import -f' to import "
                               "the pool.\n",
                               pool.name)};
  pool.imported = true;
  pool.status = pool.action = pool.message = {};
  for (const auto& option : line.all('o'))
    for (auto& [name, value] : pool.properties)
      if (option.starts_with(name + "=")) value = option.substr(name.size() + 1);
  notice_disks();
  judge(pool);
  if (line.has('N')) return {};
  Output output;
  for (const auto& [name, dataset] : pool.datasets)
    if (const auto mounted = mount_in_place(dataset); mounted.status != 0) output = mounted;
  return output;
}

Millis Pools::scrub_takes(const Pool& pool) const {
  SimSpeed disks;
  for (const auto& leaf : pool.leaves)
    for (const auto* disk : disks_.disks_of(leaf.device)) disks.read += disk->speed.read;
  // Each side of a mirror reads all of it; what ZFS says that a RAIDZ holds has its parity in it.
  const auto mirrors = std::ranges::count(pool.vdevs, "mirror", &zfs::Vdev::kind);
  const auto sides = mirrors == 0 ? 1 : pool.leaves.size() / static_cast<std::size_t>(mirrors);
  const auto bytes = pool.allocated * std::max<std::size_t>(sides, 1);
  const auto millis =
      disks.read == 0 ? 0.0 : 1000.0 * static_cast<double>(bytes) / static_cast<double>(disks.read);
  return Millis(1000 + static_cast<std::int64_t>(millis));
}

Result<Output> Pools::zpool_scrub(const Command& command) {
  const auto line = command_line_of(command.argv, "s", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  auto* pool = find_pool(line->words[0]);
  if (pool == nullptr) return no_such_pool(line->words[0]);
  auto* scan = main_scan(*pool);
  const bool goes_on = scan != nullptr && (scan->state == "scanning" || scan->state == "paused");
  // The real one never comes back, and cannot be killed.
  if (!line->has('s') && pool->is_read_only()) return host_.does_not_know(command);
  if (!line->has('s')) return start_scrub(*pool);
  if (!goes_on && pool->is_read_only() && !has_json())
    return Output{
        .status = 1,
        .err = fmt::format("cannot cancel scrubbing {}: pool is read-only\n", pool->name)};
  if (!goes_on)
    return Output{
        .status = 1,
        .err = fmt::format("cannot cancel scrubbing {}: there is no active scrub\n", pool->name)};
  scan->state = "canceled";
  scan->words.clear();
  scan->ended.unix_millis = seconds(host_.now()) * 1000;
  pool->scrub_ends.reset();
  return Output{};
}

Output Pools::start_scrub(Pool& pool) {
  auto* scan = main_scan(pool);
  if (pool.is_lost())
    return {.status = 1,
            .err = fmt::format("cannot scrub {}: pool I/O is currently suspended\n", pool.name)};
  if (scan != nullptr && scan->state == "scanning")
    return {.status = 1,
            .err = scan->function == "scrub"
                       ? fmt::format("cannot scrub {}: currently scrubbing; use 'zpool scrub -s' "
                                     "to cancel scrub\n",
                                     pool.name)
                       : fmt::format("cannot scrub {}: currently resilvering\n", pool.name)};
  if (scan == nullptr) scan = &*pool.scans.insert(pool.scans.begin(), zfs::Scan{});
  *scan = {.function = "scrub", .state = "scanning"};
  scan->started.unix_millis = seconds(host_.now()) * 1000;
  pool.scrub_began = host_.now();
  pool.scrub_ends = host_.now() + scrub_takes(pool);
  return {};
}

void Pools::look_at_scrub(Pool& pool) {
  if (!pool.scrub_ends) return;
  // Whoever waits for it looks every few seconds, and it takes hours: each look at it is a long one
  // here, so that a rehearsal does not spend its own time on them.
  constexpr int looks = 200;
  const auto left = *pool.scrub_ends - host_.now();
  const auto whole = *pool.scrub_ends - pool.scrub_began;
  if (left > Millis(0)) host_.spend(std::min(left, whole / looks));
  if (host_.now() < *pool.scrub_ends) return;
  auto* scan = main_scan(pool);
  if (scan == nullptr) return;
  scan->state = "finished";
  scan->ended.unix_millis = seconds(*pool.scrub_ends) * 1000;
  pool.scrub_ends.reset();
}

}  // namespace relab::agent::sim
