@0xd1a9c2f0b7e64a3f;
# What the agent keeps beside its journal, for itself only.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

struct WayBack {
  # The way back from one change, so that it outlives a journal that is damaged.
  taskId @0 :Data;
  taskDigest @1 :Data;
  orderDigest @2 :Data;
  order @3 :Data;
  # The order's payload.
  before @4 :Data;
  # The Facts that lead back.
  boot @5 :Text;
}
