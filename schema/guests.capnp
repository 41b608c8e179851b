@0xd1a9c2f0b7e64a24;
# Proxmox VMs and containers: disks, networks, mounts, devices, snapshots.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditGuests {
  struct Facts {
    coverage @0 :Coverage;
  }
}
