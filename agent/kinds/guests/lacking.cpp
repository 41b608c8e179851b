#include "agent/kinds/guests/lacking.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/look_inside.h"
#include "agent/kinds/support/mounts.h"

namespace relab::agent::guests {

namespace {

const std::string mount_table = "/proc/self/mountinfo";

/// What mpN and devN give it. Raw lines of LXC may be optional, and are a person's.
struct Given {
  std::vector<GuestMount> mounts;
  std::vector<std::pair<std::string, std::string>> devices;  ///< key and path
};

Given given_by(const PveSection& config) {
  Given given;
  for (auto& mount : container_mounts(config))
    if (split_key(mount.key).first == "mp") given.mounts.push_back(std::move(mount));
  for (const auto& [key, text] : config.values) {
    const auto [name, number] = split_key(key);
    const auto path = Properties(text, "path").value("path");
    if (name == "dev" && number && !path.empty()) given.devices.emplace_back(key, path);
  }
  return given;
}

/// Both tables of mounts, as their kernel tells them.
struct Tables {
  std::string inside;
  std::string of_host;
};

/// Where a path of the host lies within the file system that has it.
std::string root_of(const std::string& path, const Mount& held) {
  const auto rest = Path(path).lexically_relative(held.point);
  return rest == "." ? held.root : (Path(held.root) / rest).string();
}

/// How what is mounted there is not what the host has at the source; empty: it is.
std::string difference(const GuestMount& wanted, const Mount& there, const Mount& held) {
  if (there.device != held.device)
    return there.source == held.source
               ? fmt::format("{} is on another {} than {} of the host, though both are called {}",
                             wanted.path, there.type, wanted.source, held.source)
               : fmt::format("{} is on {}, and {} of the host on {}", wanted.path, there.source,
                             wanted.source, held.source);
  // Of a part of it, NFS tells "/" as well.
  const auto root = root_of(wanted.source, held);
  if (there.root == root || there.type.starts_with("nfs")) return {};
  return fmt::format("{} is {} of {}, and {} of the host is {} of it", wanted.path, there.root,
                     there.source, wanted.source, root);
}

/// What hides it, in words. Proxmox mounts in the order of the numbers.
std::string cover(const GuestMount& wanted, const Mount& seen,
                  const std::vector<GuestMount>& mounts) {
  const auto& name = seen.source == "none" ? seen.type : seen.source;
  if (seen.point == Path(wanted.path)) return fmt::format("{} lies over {}", name, wanted.path);
  auto words = fmt::format("{} lies over {}, at {}", name, wanted.path, seen.point.string());
  const auto outer = std::ranges::find(mounts, seen.point.string(), &GuestMount::path);
  if (outer != mounts.end() && split_key(outer->key).second > split_key(wanted.key).second)
    words += fmt::format(" (as {}: the one further inside needs the higher number)", outer->key);
  return words;
}

/// Empty: it is there. Of volumes and devices nothing is known of what is to be seen but that they
/// are.
Result<std::string> lack_of(const GuestMount& wanted, const std::vector<GuestMount>& mounts,
                            const Tables& tables) {
  RELAB_TRY(auto there, parse_mounts(tables.inside));
  std::erase_if(there, [&](const Mount& mount) { return mount.point != Path(wanted.path); });
  if (there.empty()) return fmt::format("nothing is mounted at {}", wanted.path);
  RELAB_TRY(const auto seen, parse_mount_holding(tables.inside, wanted.path));
  const bool is_seen = seen.point == Path(wanted.path);
  if (is_seen && seen.root.ends_with("//deleted"))
    return fmt::format("{} shows a directory that the host has deleted", wanted.path);
  if (!wanted.of_host() || wanted.of_device())
    return is_seen && there.size() == 1 ? std::string() : cover(wanted, seen, mounts);
  RELAB_TRY(const auto held, parse_mount_holding(tables.of_host, wanted.source));
  const bool is_right = std::ranges::any_of(
      there, [&](const Mount& mount) { return difference(wanted, mount, held).empty(); });
  if (is_seen && (!is_right || difference(wanted, seen, held).empty()))
    return difference(wanted, seen, held);
  return cover(wanted, seen, mounts);
}

}  // namespace

Result<std::vector<std::string>> lacking_in(Host& host, std::uint32_t vmid,
                                            const PveSection& config) {
  std::vector<std::string> lacking;
  const auto given = given_by(config);
  if (given.mounts.empty() && given.devices.empty()) return lacking;
  Wanted wanted{.contents = {mount_table}, .names = {}, .literal = true};
  for (const auto& [key, path] : given.devices) {
    wanted.names.push_back(path);
    // Only regular files have a content: where a device could not be bound, one lies in its place.
    wanted.contents.push_back(path);
  }
  RELAB_TRY(const auto found, look_inside(host, vmid, wanted));
  const auto table = found.contents.find(mount_table);
  if (table == found.contents.end())
    return fail(Fault::damaged, fmt::format("container {} shows no {}: its mounts are not known",
                                            vmid, mount_table));
  Tables tables{.inside = table->second, .of_host = {}};
  RELAB_TRY(tables.of_host, read_mount_table(host));
  for (const auto& mount : given.mounts) {
    RELAB_TRY(const auto lack, lack_of(mount, given.mounts, tables));
    if (!lack.empty()) lacking.push_back(fmt::format("{}: {}", mount.key, lack));
  }
  for (const auto& [key, path] : given.devices)
    if (!found.names.contains(path) || found.contents.contains(path))
      lacking.push_back(fmt::format("{}: there is no device {}", key, path));
  return lacking;
}

}  // namespace relab::agent::guests
