@0xd1a9c2f0b7e64a13;
# Task kinds about the agent itself.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct Ping {
  # Does nothing on the machine: proves that orders reach the agent and reports come back.
  echo @0 :Text $A.example("\"hello\"")
      $A.doc("Comes back in the facts; at most 4096 bytes.");

  struct Facts {
    echo @0 :Text $A.doc("What the order asked to send back.");
    uptime @1 :UInt64 $A.unit("seconds") $A.doc("Time since the machine started.") $A.volatile;
  }
}
