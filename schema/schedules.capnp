@0xd1a9c2f0b7e64a29;
# Cron, systemd timers and vzdump jobs: all that runs by itself.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditSchedules {
  struct Facts {
    coverage @0 :Coverage;
  }
}
