#include "agent/kinds/support/systemd.h"

#include "common/base/text.h"

namespace relab::agent {

bool systemd_runs(Host& host) {
  // The same test that systemd's own library makes, and the name of process 1 for the case that
  // our own view of /run is another.
  const auto booted = host.status("/run/systemd/system");
  if (booted || booted.error().fault != Fault::missing) return true;
  const auto init = host.read_file("/proc/1/comm");
  return !init || trim(*init) == "systemd";
}

}  // namespace relab::agent
