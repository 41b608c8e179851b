@0xd1a9c2f0b7e64a28;
# Bridges, VLANs, addresses, routes, DNS and firewall.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditNetwork {
  struct Facts {
    coverage @0 :Coverage;
  }
}
