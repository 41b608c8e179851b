@0xd1a9c2f0b7e64a26;
# Jellyfin servers: configuration, libraries, hardware acceleration.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditJellyfin {
  struct Facts {
    coverage @0 :Coverage;
  }
}
