@0xd1a9c2f0b7e64a30;
# Units, listening sockets, containers and compose projects.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditServices {
  struct Facts {
    coverage @0 :Coverage;
    init @1 :Text $A.doc("Name of process 1.");
    units @2 :List(Unit);
    # Every unit that systemd has loaded, failed ones first, without devices and slices that are in order.
    unitFiles @3 :List(UnitFile);
    # Every unit file that starts by itself or is kept from starting: not the static and disabled ones.
    sockets @4 :List(Socket);
    # Every listening TCP socket and every unconnected UDP socket of this network namespace.
    processes @5 :List(Process);
    # Running programs, without kernel threads; only where systemd does not run, which knows them better.
    containers @6 :List(Container);
    # Every Docker container, stopped ones too.
    ports @7 :List(Port);
    # What Docker publishes of its containers.
    mounts @8 :List(Mount);
    # What Docker mounts into its containers.
    composeProjects @9 :List(ComposeProject);
  }

  struct Unit {
    name @0 :Text;
    load @1 :Text $A.doc("'loaded', 'not-found', 'masked', 'error' or 'bad-setting'.");
    active @2 :Text $A.doc("'active', 'inactive', 'failed', 'activating' and so on.");
    sub @3 :Text $A.doc("'exited' of a service says nothing about its success.");
    description @4 :Text;
  }

  struct UnitFile {
    name @0 :Text;
    state @1 :Text $A.doc("'enabled', 'enabled-runtime', 'masked', 'linked', 'generated' and so on.");
    preset @2 :Text $A.doc("What the distribution would have it be; empty if it has no opinion.");
  }

  struct Socket {
    protocol @0 :Text $A.doc("'tcp', 'tcp6', 'udp' or 'udp6'.");
    address @1 :Text $A.doc("'0.0.0.0' and '::' are all addresses of the machine.");
    port @2 :UInt16;
    pid @3 :UInt32 $A.doc("0 if no process was seen with it: a socket of the kernel, or of a process that could not be read.") $A.volatile;
    process @4 :Text;
    user @5 :Text $A.doc("Owner of the socket; the number if it has no name here.");
    cgroup @6 :Text $A.doc("Control group of the process; its last part is the unit.");
  }

  struct Process {
    pid @0 :UInt32 $A.volatile;
    parent @1 :UInt32 $A.volatile;
    name @2 :Text;
    user @3 :Text;
    cgroup @4 :Text;
  }

  struct Container {
    name @0 :Text;
    image @1 :Text $A.doc("As it was asked for, with its tag.");
    imageId @2 :Text $A.doc("Digest of the image that really runs.");
    state @3 :Text $A.doc("'running', 'exited', 'restarting' and so on.");
    health @4 :Text $A.doc("'healthy', 'unhealthy', 'starting'; empty without a health check.");
    exitCode @5 :Int32 $A.doc("Of a container that has ended; -1 for others.");
    restartPolicy @6 :Text;
    privileged @7 :Bool;
    networkMode @8 :Text;
    project @9 :Text $A.doc("Compose project; empty without compose.");
    service @10 :Text;
  }

  struct Port {
    container @0 :Text;
    protocol @1 :Text;
    inside @2 :UInt16;
    address @3 :Text $A.doc("Of the host. Docker's own rules let it in before the host's input filter is asked.");
    outside @4 :UInt16 $A.doc("0 if it is not published.");
  }

  struct Mount {
    container @0 :Text;
    type @1 :Text $A.doc("'bind', 'volume' or 'tmpfs'.");
    source @2 :Text $A.doc("Path on the host.");
    destination @3 :Text;
    writable @4 :Bool;
    volume @5 :Text $A.doc("Name of the volume; empty for a bind.");
  }

  struct ComposeProject {
    name @0 :Text;
    folder @1 :Text $A.doc("Where it was started.");
    files @2 :List(Text);
    containers @3 :UInt32;
    running @4 :UInt32;
  }
}
