#include "agent/kinds/support/guest_files.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/mounts.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

Result<Path> volume_path(Host& host, const std::string& volume) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"pvesm", "path", volume}}));
  const Path path{std::string(trim(text))};
  if (!path.is_absolute())
    return fail(Fault::damaged, fmt::format("pvesm tells no path of {}", volume));
  return path;
}

/// What `pct mount`, or a container that starts, mounts.
Path mounted_root(const PveGuest& guest) {
  return Path("/var/lib/lxc") / std::to_string(guest.vmid) / "rootfs";
}

bool has_system(Host& host, const Path& root) { return host.status(root / "etc").has_value(); }

std::string way_out(const PveGuest& guest) {
  return fmt::format(
      "start it, or mount it with 'pct mount {0}', audit again, then 'pct unmount {0}'",
      guest.vmid);
}

bool is_root(const GuestMount& mount) { return mount.key == "rootfs"; }

}  // namespace

Result<Path> directory_of(Host& host, const GuestMount& mount) {
  auto path = mount.of_host() ? Result<Path>(Path(mount.source)) : volume_path(host, mount.source);
  RELAB_TRY(const auto directory, std::move(path));
  const auto names = host.list(directory);
  if (!names && names.error().fault == Fault::invalid)
    return fail(Fault::unsupported,
                fmt::format("{} is {}, no directory", mount.source, directory.string()));
  if (!names) return fail(names.error());
  if (names->empty() && !mount.of_host())
    return fail(Fault::missing,
                fmt::format("{} is empty: is {} mounted?", directory.string(), mount.source));
  return directory;
}

Result<Mapping> mapping_of(Host& host, const GuestMount& mount,
                           const std::vector<Path>& mount_points) {
  RELAB_TRY(const auto directory, directory_of(host, mount));
  // A link here is this machine's, not the tree's, and the table of mounts has none.
  RELAB_TRY(const auto source, host.canonical(directory));
  Mapping mapping{.path = mount.path, .source = source};
  if (mount.recursive()) return mapping;
  for (const auto& point : mount_points) {
    if (point == source || !is_at_or_below(point.string(), source.string())) continue;
    const auto path = (Path(mount.path) / point.lexically_relative(source)).string();
    mapping.hidden.push_back({.path = path, .mount_point = point});
  }
  return mapping;
}

Result<Tree> tree_of(Host& host, const PveGuest& guest, Gaps& gaps) {
  const auto mounted = mounted_root(guest);
  if (has_system(host, mounted)) return Tree(host, {{.path = "/", .source = mounted}});
  RELAB_TRY(const auto points, mount_points(host));
  std::vector<Mapping> mappings;
  for (const auto& mount : container_mounts(guest.config.current)) {
    if (mount.of_device()) continue;
    auto mapping = mapping_of(host, mount, points);
    if (mapping && is_root(mount) && !has_system(host, mapping->source))
      mapping = fail(Fault::missing, fmt::format("{} holds no /etc", mapping->source.string()));
    if (!mapping && is_root(mount))
      return fail(Error{
          .fault = mapping.error().fault,
          .what = fmt::format("{} does not run, and its root file system cannot be read: {}; {}",
                              guest.title(), mapping.error().what, way_out(guest)),
          .hint = way_out(guest)});
    if (!mapping)
      gaps.problem(fmt::format("{} of {}", mount.key, guest.title()),
                   fmt::format("{}; {}", mapping.error().what, way_out(guest)));
    mappings.push_back(mapping ? std::move(*mapping) : Mapping{.path = mount.path, .source = {}});
  }
  if (std::ranges::none_of(mappings, [](const auto& mapping) { return mapping.path == "/"; }))
    return fail(Fault::damaged,
                fmt::format("the configuration of {} has no rootfs", guest.title()));
  return Tree(host, std::move(mappings));
}

}  // namespace relab::agent
