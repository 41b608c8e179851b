@0xd1a9c2f0b7e64a25;
# The arr stack: where each application runs and keeps its data.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditArr {
  struct Facts {
    coverage @0 :Coverage;
  }
}
