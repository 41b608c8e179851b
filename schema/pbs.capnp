@0xd1a9c2f0b7e64a27;
# Proxmox Backup Server datastores, jobs, and PVE storages of that type. Passwords and keys are never part of it.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditPbs {
  struct Facts {
    coverage @0 :Coverage;
    servers @1 :List(Server);
    datastores @2 :List(Datastore);
    pruneJobs @3 :List(PruneJob);
    verifyJobs @4 :List(VerifyJob);
    syncJobs @5 :List(SyncJob);
    storages @6 :List(Storage);
    # Storages of type pbs that this Proxmox VE host uses, wherever their server is.
  }

  struct Server {
    place @0 :Text;
    # "this machine", or the container of this host that it is in.
    vmid @1 :UInt32;
    # 0: this machine.
    running @2 :Bool;
    # The place runs; whether the service does is told by the section of services.
    installed @3 :Bool;
    # False: only its configuration was left behind.
    hostConfigPath @4 :Text;
    # Its configuration as this machine sees it, without links; empty: it does not.
  }

  struct Keep {
    # How many backups a job keeps; 0: this rule is not set. All 0: everything is kept.
    last @0 :UInt32;
    hourly @1 :UInt32;
    daily @2 :UInt32;
    weekly @3 :UInt32;
    monthly @4 :UInt32;
    yearly @5 :UInt32;
  }

  struct Datastore {
    vmid @0 :UInt32;
    # Of the server's place.
    name @1 :Text;
    path @2 :Text;
    # As its server sees it.
    hostPath @3 :Text;
    # As this machine sees it; empty: it does not, or nothing is there.
    comment @4 :Text;
    gcSchedule @5 :Text;
    # Empty: garbage is never collected by itself.
    pruneSchedule @6 :Text;
    # As kept here by versions before 2.2; jobs took its place.
    keep @7 :Keep;
    # As with pruneSchedule.
    verifyNew @8 :Bool;
    maintenance @9 :Text;
    # "offline", "read-only" ...; empty: none.
    notificationMode @10 :Text;
    tuning @11 :Text;
    backingDevice @12 :Text;
    # UUID of a removable datastore's file system; empty: not removable.
    chunks @13 :Bool;
    # Its chunk store was seen at its path.
    lastGc @14 :UInt64 $A.unit("unix ms");
    # When garbage collection was started last; 0: never, or not told.
    gcDiskBytes @15 :UInt64 $A.unit("bytes") $A.volatile;
    # Used by chunks, as the last garbage collection counted; 0: not told.
    gcPendingBytes @16 :UInt64 $A.unit("bytes") $A.volatile;
    # Still to be removed by a later one.
  }

  struct PruneJob {
    vmid @0 :UInt32;
    id @1 :Text;
    store @2 :Text;
    namespace @3 :Text;
    schedule @4 :Text;
    enabled @5 :Bool;
    keep @6 :Keep;
    maxDepth @7 :Text;
    # Of namespaces; empty: all.
    comment @8 :Text;
  }

  struct VerifyJob {
    vmid @0 :UInt32;
    id @1 :Text;
    store @2 :Text;
    namespace @3 :Text;
    schedule @4 :Text;
    # Empty: only by hand.
    ignoreVerified @5 :Bool;
    outdatedAfter @6 :UInt32 $A.unit("days");
    # 0: what was verified once is not verified again.
    comment @7 :Text;
  }

  struct SyncJob {
    vmid @0 :UInt32;
    id @1 :Text;
    store @2 :Text;
    namespace @3 :Text;
    remote @4 :Text;
    # Empty: another datastore of the same server.
    remoteStore @5 :Text;
    remoteNamespace @6 :Text;
    direction @7 :Text;
    # push or pull; empty: pull.
    schedule @8 :Text;
    removeVanished @9 :Bool;
    comment @10 :Text;
  }

  struct Storage {
    id @0 :Text;
    server @1 :Text;
    port @2 :UInt16;
    # 0: the usual one, 8007.
    datastore @3 :Text;
    namespace @4 :Text;
    username @5 :Text;
    # User or token id; without its secret.
    fingerprint @6 :Text;
    encrypted @7 :Bool;
    # A client key is in /etc/pve/priv/storage: it exists nowhere else unless it was saved.
    masterKey @8 :Bool;
    # The public half of a master key is there.
    password @9 :Bool;
    # A password or token secret is there.
    enabled @10 :Bool;
    active @11 :Bool;
    # Proxmox VE reached it just now.
    total @12 :UInt64 $A.unit("bytes");
    # 0: not told.
    used @13 :UInt64 $A.unit("bytes") $A.volatile;
    available @14 :UInt64 $A.unit("bytes") $A.volatile;
    pruneBackups @15 :Text;
    # Retention by Proxmox VE itself ("keep-all=1").
    nodes @16 :Text;
    # Nodes that use it; empty: all.
  }
}
