@0xd1a9c2f0b7e64a30;
# Units, listening sockets, containers and compose projects.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditServices {
  struct Facts {
    coverage @0 :Coverage;
  }
}
