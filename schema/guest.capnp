@0xd1a9c2f0b7e64a3c;
# Task kinds of a Proxmox host that make and run containers, and never destroy one.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct GuestTemplate {
  # A template on a storage of the host, with the content that Proxmox's index tells.
  name @0 :Text $A.required $A.resource("template") $A.pattern("^[a-z0-9][A-Za-z0-9._-]{1,126}$") $A.example("\"debian-12-standard\"")
      $A.doc("Name of the template, or how it begins; the newest that matches is taken.");
  storage @1 :Text = "local" $A.pattern("^[A-Za-z][A-Za-z0-9_.-]{0,62}$")
      $A.doc("Storage for it. Absent: local.");
  sha512 @2 :Text $A.pattern("^[0-9a-f]{128}$")
      $A.doc("Digest that it must have. Absent: the one in Proxmox's index.");

  struct Facts {
    file @0 :Text $A.doc("The newest that matches on that storage: 'debian-12-standard_12.12-1_amd64.tar.zst'. Empty: there is none.");
    path @1 :Text $A.doc("Where it is on the host.");
    size @2 :UInt64 $A.unit("bytes") $A.doc("Of the file.");
    sha512 @3 :Text $A.doc("Of its content, as it was read now.");
    offered @4 :Text $A.doc("The newest that matches in Proxmox's index. Empty: there is none, or no index.");
    expected @5 :Text $A.doc("The digest that the file must have: by the task, or else by the index. Empty: nobody tells.");
  }
}

struct Guest {
  # A container as [[guests]] declares it, made where there is none. What would destroy or shrink something is refused.
  name @0 :Text $A.required $A.ref("guests") $A.example("\"pbs\"")
      $A.doc("The container, by its name in [[guests]]: what is absent here is as it stands there.");
  vmid @1 :UInt32 $A.limit("vmids") $A.resource("guest") $A.range(least = 100, greatest = 999999999)
      $A.doc("Proxmox's number of it.");
  privileged @2 :Bool
      $A.doc("Root in it is root on the host.");
  template @3 :Text $A.pattern("^[a-z0-9][A-Za-z0-9._-]{1,126}$")
      $A.doc("How the name of the template begins that it is made from; the newest that matches is taken.");
  templateStorage @4 :Text = "local" $A.pattern("^[A-Za-z][A-Za-z0-9_.-]{0,62}$")
      $A.doc("Storage of the template. Absent: local.");
  storage @5 :Text $A.pattern("^[A-Za-z][A-Za-z0-9_.-]{0,62}$")
      $A.doc("Storage of its root disk. One that is on another is refused: it is a person's to move.");
  disk @6 :UInt64 $A.unit("bytes")
      $A.doc("Least size of its root disk, in whole GiB; a smaller one is enlarged, a larger one stays.");
  cores @7 :UInt16 $A.range(least = 1, greatest = 512)
      $A.doc("Processor cores.");
  memory @8 :UInt64 $A.unit("bytes")
      $A.doc("Main memory, in whole MiB.");
  swap @9 :UInt64 $A.unit("bytes")
      $A.doc("Swap of the host that it may use. Absent: none.");
  bridge @10 :Text $A.pattern("^[a-z][A-Za-z0-9_.-]{0,14}$")
      $A.doc("Bridge of its network card. Absent: that of its host.");
  tag @11 :UInt16 $A.range(least = 1, greatest = 4094)
      $A.doc("VLAN of its network card; a card without one could join every VLAN.");
  address @12 :Text $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$")
      $A.doc("IPv4 address with the length of its network.");
  gateway @13 :Text $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}$")
      $A.doc("Its way out. Absent: that of its VLAN.");
  mounts @14 :List(HostMount)
      $A.doc("Directories of the host inside of it. Others that it has stay.");
  devices @15 :List(Device)
      $A.doc("Devices of the host inside of it. Others that it has stay.");
  nesting @16 :Bool
      $A.doc("Allow namespaces inside.");
  keyctl @17 :Bool
      $A.doc("Allow keyctl(2) inside: Docker in an unprivileged container needs it.");
  onboot @18 :Bool
      $A.doc("Start it with the host.");
  order @19 :UInt16
      $A.doc("Rank among those that start with the host, the lowest first.");
  nameserver @20 :Text $A.pattern("^[0-9a-f.:]+( [0-9a-f.:]+)*$") $A.example("\"10.42.10.1\"")
      $A.doc("Servers that it asks for names. Absent: those of the host.");
  purpose @21 :Text
      $A.doc("What it is for: stands in the second line of its description; what a person wrote below that stays.");
  adopt @22 :Bool
      $A.doc("Take one that exists and was not made by relab; its description keeps what it says. Absent: that is refused.");

  struct HostMount {
    source @0 :Text $A.required $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$")
        $A.doc("Directory on the host.");
    target @1 :Text $A.required $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$")
        $A.doc("Directory inside the container.");
    readOnly @2 :Bool
        $A.doc("The container cannot write there.");
    pool @3 :Text
        $A.doc("Pool that has the directory: where that is not mounted, nothing is bound or started. Absent: the directory need only exist.");
  }

  struct Device {
    path @0 :Text $A.required $A.pattern("^/dev(/[A-Za-z0-9_@:+-][A-Za-z0-9._@:+-]*)+$") $A.example("\"/dev/dri/renderD128\"")
        $A.doc("Node on the host.");
    gid @1 :UInt32
        $A.doc("Group that owns it in the container. Absent: 0.");
    mode @2 :Text = "0660" $A.pattern("^0[0-7]{3}$")
        $A.doc("Permissions of it in the container. Absent: 0660.");
  }

  struct Facts {
    kind @0 :Text $A.doc("'lxc' or 'qemu': what has this number. Empty: nothing.");
    status @1 :Text $A.doc("running, stopped.");
    lock @2 :Text $A.doc("Why Proxmox keeps it locked. Empty: it does not.");
    made @3 :Text $A.doc("The guest that relab made it as. Empty: relab did not.");
    settings @4 :List(Setting) $A.doc("Its configuration, with what waits for its next start.");
    waiting @5 :List(Text) $A.doc("Keys of what waits for its next start. Empty: all is in effect.");
    template @6 :Text $A.doc("The template that it would be made from. Empty: there is none that matches.");
    sources @7 :List(Source) $A.doc("The directories of its mounts, in the order of the task.");
    purpose @8 :Text $A.doc("What its description says that it is for, where relab made it.");
  }

  struct Setting {
    key @0 :Text;
    value @1 :Text;
  }

  struct Source {
    path @0 :Text;
    exists @1 :Bool;
    # It is a directory.
    dataset @2 :Text;
    # Of ZFS, that has it; empty: another file system does.
    below @3 :List(Text);
    # What is mounted below it: the container does not see that.
  }
}

struct GuestPower {
  # Whether a container runs. One that ended right after its start did not start.
  name @0 :Text $A.required $A.ref("guests") $A.example("\"pbs\"")
      $A.doc("The container, by its name in [[guests]]: what is absent here is as it stands there.");
  vmid @1 :UInt32 $A.limit("vmids") $A.resource("guest") $A.range(least = 100, greatest = 999999999)
      $A.doc("Proxmox's number of it.");
  stopped @2 :Bool
      $A.doc("It is shut down in order; nothing is ever killed. Absent: it is started.");
  applyWaiting @3 :Bool
      $A.doc("It is restarted where changes of its configuration wait for that, or where it lacks what its configuration gives it. Absent: the changes go on waiting, and a lack fails the task.");
  mounts @4 :List(Guest.HostMount)
      $A.doc("Directories of the host inside of it. Where one is not there it is not started, and the task fails if it runs already.");
  patience @5 :UInt32 = 180 $A.unit("seconds") $A.range(least = 5, greatest = 3600)
      $A.doc("How long it may take to come up, or to shut down. Absent: 3 min.");

  struct Facts {
    kind @0 :Text $A.doc("'lxc' or 'qemu': what has this number. Empty: nothing.");
    status @1 :Text $A.doc("running, stopped.");
    lock @2 :Text $A.doc("Why Proxmox keeps it locked. Empty: it does not.");
    systemd @3 :Text $A.doc("What its systemd says of itself: running, degraded, starting. Empty: it does not run, or has none.");
    failed @4 :List(Text) $A.doc("Its units that failed.");
    waiting @5 :List(Text) $A.doc("Keys of what waits for its next start.");
    sources @6 :List(Guest.Source) $A.doc("The directories of its mounts, in the order of the task.");
    lacking @7 :List(Text) $A.doc("What its configuration gives it, and is not there inside: 'mp0: nothing is mounted at /media'.");
    unseen @8 :Text $A.doc("Why it could not be looked into for that. Empty: it could.");
  }
}

struct AgentInstall {
  # relab's own agent in a running container. The order brings its packages and the key of the controller.
  name @0 :Text $A.required $A.ref("guests") $A.example("\"pbs\"")
      $A.doc("The container, by its name in [[guests]]; its agent has the same name.");
  vmid @1 :UInt32 $A.limit("vmids") $A.resource("guest") $A.range(least = 100, greatest = 999999999)
      $A.doc("Proxmox's number of it. Absent: as in [[guests]].");
  role @2 :Text $A.required $A.pattern("^[a-z][a-z0-9-]{0,30}$") $A.example("\"pbs\"")
      $A.doc("What the agent may do there: the package relab-agent-ROLE limits it. Packages of other roles, which would permit more, are removed.");
  patience @3 :UInt32 = 600 $A.unit("seconds") $A.range(least = 10, greatest = 7200)
      $A.doc("How long apt may take in it. Absent: 10 min.");

  struct Facts {
    kind @0 :Text $A.doc("'lxc' or 'qemu': what has this number. Empty: nothing.");
    status @1 :Text $A.doc("running, stopped.");
    suite @2 :Text $A.doc("Code name of the release in it: bookworm.");
    packages @3 :List(Package) $A.doc("The agent, its role, and other roles that are there.");
    lab @4 :Text $A.doc("The lab whose controllers the agent in it obeys.");
    controllers @5 :List(Text) $A.doc("Fingerprints of the controllers that it obeys.");
    enabled @6 :Bool $A.doc("It starts with the container.");
    active @7 :Bool $A.doc("It runs.");
    identity @8 :Data $A.doc("Its Envelope around its Identity. Empty: it has no keys.");
    controller @9 :Text $A.doc("Fingerprint of the controller that gave the order.");
    expected @10 :Data $A.doc("Signing key of the agent that this controller knows by that name. Empty: none.");
  }
  struct Package {
    name @0 :Text;
    offered @1 :Text $A.doc("The version that the order brings. Empty: none.");
    installed @2 :Text $A.doc("The version that is there. Empty: none.");
    status @3 :Text $A.doc("Of dpkg: 'ii' for one that is there whole.");
  }
}
