@0xd1a9c2f0b7e64a16;
# What an agent keeps beside its keys: the role that limits it, and the controllers it obeys.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

struct RoleManifest {
  # Written as JSON in roles.d/NAME.json; whatever is not listed is refused.
  name @0 :Text;
  doc @1 :Text;
  kinds @2 :List(Text);
  # Arms of the Task union that are permitted.
  pools @3 :List(Text);
  # ZFS pools that parameters may name, themselves or by a dataset of theirs; "backup*" stands for all that begin so.
  vmids @4 :List(VmidRange);
  # Guests that parameters may name.
  paths @5 :List(Text);
  # Absolute folders at or below which parameters may name paths.
  units @6 :List(Text);
  # Units of systemd that parameters may name; "jellyfin*" stands for all that begin so.
  packages @7 :List(Text);
  # Packages that parameters may name; "jellyfin*" stands for all that begin so.
  commands @8 :List(Command);
  # Commands that may be run by name; an order says which, and nothing else of them. They are run in check mode, too: only commands
  # that change nothing belong here.
  mounts @9 :List(Text);
  # Absolute folders at or below which a mount may be looked at.

  struct Command {
    name @0 :Text;
    argv @1 :List(Text);
    # The program, by its absolute path, and all its arguments.
  }
}

struct VmidRange {
  first @0 :UInt32;
  last @1 :UInt32;
}

struct TrustSet {
  version @0 :UInt32;
  lab @1 :Text;
  # The one lab whose orders this agent takes.
  controllers @2 :List(Data);
  # Each an Envelope around a controller's Identity, signed by itself.
}
