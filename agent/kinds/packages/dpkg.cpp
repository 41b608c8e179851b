#include "agent/kinds/packages/dpkg.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "common/base/text.h"

namespace relab::agent::packages {

namespace {

constexpr std::string_view installed = "install ok installed";
constexpr std::string_view removed = "deinstall ok config-files";

/// The value if the line is this field.
bool take_field(std::string_view line, std::string_view name, std::string& value) {
  if (!line.starts_with(name)) return false;
  value = trim(line.substr(name.size()));
  return true;
}

Result<void> add(Package package, Dpkg& dpkg) {
  if (package.name.empty() || package.status.empty())
    return fail(Fault::damaged, fmt::format("dpkg's list has an entry without name or status "
                                            "(name '{}')",
                                            package.name));
  ++dpkg.counts[package.status];
  const bool is_odd = package.status != installed && package.status != removed;
  if (is_odd || (package.status == installed && is_notable(package.name)))
    dpkg.packages.push_back(std::move(package));
  return {};
}

}  // namespace

bool is_notable(std::string_view name) {
  static constexpr std::array<std::string_view, 24> prefixes = {
      "proxmox-",    "pve-",          "lib32pve",    "zfs",        "linux-image-",   "lxc",
      "qemu-server", "docker",        "containerd",  "runc",       "nvidia-",        "libnvidia-",
      "intel-media", "jellyfin",      "wireguard",   "ifupdown",   "openssh-server", "nftables",
      "ufw",         "smartmontools", "postgresql-", "prometheus", "grafana",        "relab"};
  return std::ranges::any_of(prefixes,
                             [name](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string Dpkg::version_of(std::string_view name) const {
  const auto found = std::ranges::find_if(packages, [name](const Package& package) {
    return package.name == name && package.status.ends_with(" installed");
  });
  return found == packages.end() ? std::string() : found->version;
}

Result<Dpkg> parse_dpkg_status(std::string_view text) {
  Dpkg dpkg;
  Package package;
  bool in_stanza = false;
  // The file has megabytes: it is read by view, line by line.
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trim(line).empty()) {
      if (in_stanza) RELAB_CHECK(add(std::exchange(package, {}), dpkg));
      in_stanza = false;
      continue;
    }
    in_stanza = true;
    if (take_field(line, "Package:", package.name)) continue;
    if (take_field(line, "Status:", package.status)) continue;
    take_field(line, "Version:", package.version);
  }
  if (in_stanza) RELAB_CHECK(add(std::move(package), dpkg));
  if (dpkg.counts.empty()) return fail(Fault::damaged, "dpkg's list holds no package");
  std::ranges::sort(dpkg.packages, {}, &Package::name);
  return dpkg;
}

}  // namespace relab::agent::packages
