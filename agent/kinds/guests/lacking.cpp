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

/// Empty: it is there.
std::string lack_of(const GuestMount& wanted, const std::vector<Mount>& there,
                    const std::vector<Mount>& of_host) {
  const Mount* seen = nullptr;
  const auto* held = wanted.of_host() ? holder_of(of_host, wanted.source) : nullptr;
  for (const auto& mount : there) {
    if (mount.point != Path(wanted.path)) continue;
    if (held == nullptr || (mount.type == held->type && mount.source == held->source)) return {};
    seen = &mount;
  }
  if (seen == nullptr) return fmt::format("{}: nothing is mounted at {}", wanted.key, wanted.path);
  return fmt::format("{}: {} is on {}, and {} of the host on {}", wanted.key, wanted.path,
                     seen->source, wanted.source, held->source);
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
  RELAB_TRY(const auto there, parse_mounts(table->second));
  RELAB_TRY(const auto of_host, read_mounts(host));
  for (const auto& mount : given.mounts)
    if (auto lack = lack_of(mount, there, of_host); !lack.empty())
      lacking.push_back(std::move(lack));
  for (const auto& [key, path] : given.devices)
    if (!found.names.contains(path) || found.contents.contains(path))
      lacking.push_back(fmt::format("{}: there is no device {}", key, path));
  return lacking;
}

}  // namespace relab::agent::guests
