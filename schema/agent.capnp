@0xd1a9c2f0b7e64a13;
# Task kinds about the agent itself.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

struct Ping {
  # Does nothing on the machine: proves that orders reach the agent and reports come back.
  echo @0 :Text;
  # Comes back in the facts; at most 4096 bytes.

  struct Facts {
    echo @0 :Text;
    uptime @1 :UInt64;
    # Seconds since the machine started.
  }
}
