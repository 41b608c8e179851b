#include "agent/kinds/support/pve_mount.h"

namespace relab::agent {

Result<bool> has_pve_config(Host& host) {
  const auto folder = host.status("/etc/pve");
  if (!folder && folder.error().fault == Fault::missing) return false;
  // The file system itself makes this file, whatever the configuration.
  const auto version = host.status("/etc/pve/.version");
  if (version) return true;
  if (version.error().fault != Fault::missing) return fail(version.error());
  return fail(Fault::busy, "/etc/pve is not mounted", "is pve-cluster running?");
}

}  // namespace relab::agent
