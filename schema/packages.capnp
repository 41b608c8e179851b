@0xd1a9c2f0b7e64a31;
# Operating system, Proxmox version and package sources.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditPackages {
  struct Facts {
    coverage @0 :Coverage;
  }
}
