@0xd1a9c2f0b7e64a22;
# Every block device: identity, size, health and what uses it.

using Cxx = import "/capnp/c++.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditDisks {
  struct Facts {
    coverage @0 :Coverage;
  }
}
