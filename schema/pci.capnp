@0xd1a9c2f0b7e64a23;
# PCI devices, their drivers, and GPUs with their render nodes.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditPci {
  struct Facts {
    coverage @0 :Coverage;
  }
}
