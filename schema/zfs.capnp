@0xd1a9c2f0b7e64a21;
# Pools, vdevs, datasets and snapshots of every imported ZFS pool.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditZfs {
  struct Facts {
    coverage @0 :Coverage;
  }
}
