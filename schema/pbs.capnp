@0xd1a9c2f0b7e64a27;
# Proxmox Backup Server datastores, jobs, and PVE storages of that type.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditPbs {
  struct Facts {
    coverage @0 :Coverage;
  }
}
