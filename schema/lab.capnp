@0xd1a9c2f0b7e64a14;
# The lab as its owner wishes it to be: what lab.toml says. TOML keys are the field names in snake_case.
# A key that is absent has the field's default; what that means stands in its $doc.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Task = import "/schema/task.capnp".Task;
$Cxx.namespace("relab::schema");

struct Lab $A.doc("A home lab: its network, machines, disks and guests, and the plan that rebuilds it.") {
  name @0 :Text $A.required $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"z640\"")
      $A.doc("Short name of the lab; orders and the ledger carry it. Do not change it once the ledger exists.");
  description @1 :Text $A.example("\"The lab under the stairs\"")
      $A.doc("What this lab is, in a line; for people only.");
  domain @2 :Text $A.pattern("^[a-z0-9-]+([.][a-z0-9-]+)*$") $A.example("\"lab.home.arpa\"")
      $A.doc("DNS domain of hosts and guests. Absent: they have bare names.");
  timezone @3 :Text $A.pattern("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$") $A.example("\"Europe/Berlin\"")
      $A.doc("Time zone of hosts and guests, by its tz database name. Absent: UTC.");
  network @4 :Network $A.required
      $A.doc("Address plan: the supernet, its VLANs, and tunnels to the outside.");
  hosts @5 :List(Host) $A.required
      $A.doc("The Proxmox nodes; each runs an agent.");
  disks @6 :List(Disk)
      $A.doc("Every disk of the hosts that the plan may touch or must spare, by serial number.");
  pools @7 :List(Pool)
      $A.doc("ZFS pools, the one of the operating system included.");
  gpus @8 :List(Gpu)
      $A.doc("Graphics cards that guests use.");
  guests @9 :List(Guest)
      $A.doc("Containers and VMs.");
  peers @10 :List(Peer)
      $A.doc("Machines elsewhere that the lab talks to. relab never changes them.");
  backups @11 :List(Backup)
      $A.doc("Copies of whole pools that must exist before anything destructive.");
  plan @12 :Plan $A.required
      $A.doc("The phases in which the lab is rebuilt.");
  keep @13 :List(Keep)
      $A.doc("Paths of the machines as they are now that must not be lost, besides the configuration that the audit finds by itself.");

  struct Network $A.doc("The address plan.") {
    supernet @0 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$") $A.example("\"10.42.0.0/16\"")
        $A.doc("The IPv4 network that holds every VLAN.");
    vlans @1 :List(Vlan) $A.required
        $A.doc("The VLANs of the lab.");
    tunnels @2 :List(Tunnel)
        $A.doc("WireGuard tunnels from a guest to a peer.");
  }

  struct Vlan $A.doc("A VLAN with its IPv4 subnet.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"management\"")
        $A.doc("Name of the VLAN; hosts and guests refer to it.");
    id @1 :UInt16 $A.required $A.range(least = 1, greatest = 4094) $A.example("10")
        $A.doc("802.1Q tag; it is also the third octet of the subnet.");
    subnet @2 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$") $A.example("\"10.42.10.0/24\"")
        $A.doc("IPv4 subnet, inside the supernet.");
    gateway @3 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}$") $A.example("\"10.42.10.1\"")
        $A.doc("The router's address in this subnet.");
    purpose @4 :Text $A.example("\"Proxmox, agents, monitoring\"")
        $A.doc("What the VLAN is for; for people only.");
    isolated @5 :Bool $A.example("true")
        $A.doc("Nothing in this VLAN may open a connection to another VLAN; answers to connections from outside still pass. Absent: false.");
  }

  struct Tunnel $A.doc("A WireGuard tunnel: a guest as the spoke, a peer as the hub.") {
    name @0 :Text $A.key $A.pattern("^[a-z][a-z0-9]{0,14}$") $A.example("\"wg0\"")
        $A.doc("Name of the tunnel and of its network interface in the guest.");
    spoke @1 :Text $A.required $A.ref("guests") $A.example("\"wireguard\"")
        $A.doc("The guest that keeps the tunnel up.");
    hub @2 :Text $A.required $A.ref("peers") $A.example("\"chr01\"")
        $A.doc("The peer that listens.");
    subnet @3 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$") $A.example("\"10.99.0.0/24\"")
        $A.doc("Network inside the tunnel; it overlaps no VLAN.");
    spokeIp @4 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}$") $A.example("\"10.99.0.5\"")
        $A.doc("The guest's address inside the tunnel.");
    hubIp @5 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}$") $A.example("\"10.99.0.1\"")
        $A.doc("The hub's address inside the tunnel.");
    port @6 :UInt16 = 13231 $A.range(least = 1, greatest = 65535)
        $A.doc("UDP port on which the hub listens. Absent: 13231, RouterOS's own choice.");
    vlans @7 :List(Text) $A.ref("network.vlans") $A.example("[\"lan\"]")
        $A.doc("VLANs that the far side reaches through the tunnel; the hub must list their subnets as allowed addresses.");
  }

  struct Host $A.doc("A Proxmox node.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") $A.example("\"pve\"")
        $A.doc("Host name of the node. Tracks name it as their agent; a person types it by hand to approve what destroys.");
    model @1 :Text $A.example("\"HP Z640\"")
        $A.doc("Make and model; for people only.");
    cpu @2 :Text $A.example("\"Intel Xeon E5-2680 v4\"")
        $A.doc("Processor; for people only.");
    memory @3 :UInt64 $A.unit("bytes") $A.range(least = 1073741824, greatest = 17592186044416) $A.example("\"64GiB\"")
        $A.doc("Main memory.");
    ecc @4 :Bool $A.example("true")
        $A.doc("The memory corrects errors. Absent: false.");
    vlan @5 :Text $A.required $A.ref("network.vlans") $A.example("\"management\"")
        $A.doc("VLAN of the node's own address.");
    ip @6 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}$") $A.example("\"10.42.10.2\"")
        $A.doc("The node's own IPv4 address, inside the VLAN's subnet.");
    bridge @7 :Text = "vmbr0" $A.pattern("^[a-z][a-z0-9]{0,9}$")
        $A.doc("VLAN-aware bridge to which host and guests are attached. Absent: vmbr0.");
    mac @8 :Text $A.pattern("^[0-9a-f]{2}(:[0-9a-f]{2}){5}$") $A.example("\"9c:b6:54:12:34:56\"")
        $A.doc("Hardware address of the network card that carries the bridge: names of cards change with a new kernel, this does not.");
    agent @9 :Text $A.pattern("^tcp://[0-9a-z.-]+(:[0-9]{1,5})?$") $A.example("\"tcp://10.42.10.2:7460\"")
        $A.doc("Where the controller reaches the agent. Absent: port 7460 of the node's address.");
    expect @10 :List(Text) $A.section $A.example("[\"zfs\", \"disks\", \"guests\"]")
        $A.doc("Sections of the audit that exist on this machine as it is now, before the rebuild, besides those that disks, pools, cards, guests and services of this file stand for. If the audit finds one of them absent, the gate of the pre-audit stays shut: something was not seen.");
  }

  struct Disk $A.doc("A disk of a host, known by its serial number: names such as sda change.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"data1\"")
        $A.doc("Name of the disk in this file; pools refer to it.");
    serial @1 :Text $A.required $A.pattern("^[A-Za-z0-9_.+-]{3,64}$") $A.example("\"ZC10A1B2\"")
        $A.doc("Serial number as the disk itself reports it; `relab audit show` prints it.");
    model @2 :Text $A.example("\"Seagate ST2000NM0055\"")
        $A.doc("Make and model; for people only.");
    size @3 :UInt64 $A.required $A.unit("bytes") $A.range(least = 1000000000, greatest = 1000000000000000) $A.example("\"2TB\"")
        $A.doc("Nominal size.");
    role @4 :Role $A.required $A.example("\"data\"")
        $A.doc("What may happen to this disk.");
    host @5 :Text $A.ref("hosts") $A.example("\"pve\"")
        $A.doc("The host that holds it. Absent: the lab's only host.");

    enum Role $A.doc("What may happen to a disk.") {
      unset @0;
      os @1 $A.doc("Holds the operating system: a clean installation overwrites it.");
      data @2 $A.doc("Holds data: no installation may ever touch it.");
      backup @3 $A.doc("A removable disk that takes backups; unplugged while a system is installed.");
    }
  }

  struct Pool $A.doc("A ZFS pool.") {
    name @0 :Text $A.key $A.pattern("^[A-Za-z][A-Za-z0-9_.-]{0,62}$") $A.example("\"datapool\"")
        $A.doc("Name of the pool. A pool of data is not called rpool: the Proxmox installer renames any pool of that name.");
    layout @1 :Layout $A.required $A.example("\"raidz2\"")
        $A.doc("How its disks are combined.");
    disks @2 :List(Text) $A.required $A.ref("disks") $A.example("[\"data1\", \"data2\", \"data3\", \"data4\"]")
        $A.doc("The disks of its one vdev; a disk belongs to one pool at most.");
    encrypted @3 :Bool $A.example("true")
        $A.doc("The pool's root dataset is encrypted by ZFS. Absent: false.");
    keyFormat @4 :KeyFormat $A.example("\"passphrase\"")
        $A.doc("Form of the encryption key; given if and only if the pool is encrypted.");
    purpose @5 :Text $A.example("\"Media, backups, everything that cannot be had again\"")
        $A.doc("What the pool is for; for people only.");
    host @6 :Text $A.ref("hosts") $A.example("\"pve\"")
        $A.doc("The host that imports it. Absent: the lab's only host.");

    enum Layout $A.doc("How disks are combined.") {
      unset @0;
      single @1 $A.doc("One disk, no redundancy.");
      mirror @2 $A.doc("Every disk holds everything: two disks or more.");
      raidz1 @3 $A.doc("Survives one failed disk: two disks or more.");
      raidz2 @4 $A.doc("Survives two failed disks: three disks or more, four to be worth it.");
      raidz3 @5 $A.doc("Survives three failed disks: four disks or more.");
    }
    enum KeyFormat $A.doc("Form of an encryption key.") {
      unset @0;
      passphrase @1 $A.doc("Typed by a person.");
      hex @2 $A.doc("64 hexadecimal digits.");
      raw @3 $A.doc("32 bytes.");
    }
  }

  struct Gpu $A.doc("A graphics card that guests use.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"arc\"")
        $A.doc("Name of the card in this file; guests refer to it.");
    vendor @1 :Vendor $A.required $A.example("\"intel\"")
        $A.doc("Whose driver it needs.");
    model @2 :Text $A.required $A.example("\"Arc A310\"")
        $A.doc("Model, for people.");
    pciId @3 :Text $A.pattern("^[0-9a-f]{4}:[0-9a-f]{4}$") $A.example("\"8086:56a6\"")
        $A.doc("PCI vendor and device id, as `lspci -n` prints it; the card is found by it, since the numbers of render nodes change.");
    memory @4 :UInt64 $A.unit("bytes") $A.range(least = 16777216, greatest = 17592186044416) $A.example("\"4GiB\"")
        $A.doc("The card's own memory.");
    purpose @5 :Text $A.example("\"Transcoding\"")
        $A.doc("What the card is for; for people only.");
    host @6 :Text $A.ref("hosts") $A.example("\"pve\"")
        $A.doc("The host that holds it. Absent: the lab's only host.");
    planned @7 :Bool $A.example("true")
        $A.doc("The card is not in the machine yet: the pre-audit need not find it. Absent: false.");

    enum Vendor $A.doc("Maker of a graphics card.") {
      unset @0;
      intel @1 $A.doc("Kernel driver i915 or xe; VA-API.");
      nvidia @2 $A.doc("NVIDIA's own driver on the host, of the same version in the guest; CUDA.");
      amd @3 $A.doc("Kernel driver amdgpu; VA-API.");
    }
  }

  struct Guest $A.doc("A container or VM on a host.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") $A.example("\"jellyfin\"")
        $A.doc("Host name of the guest; tracks name it as their agent.");
    vmid @1 :UInt32 $A.required $A.range(least = 100, greatest = 999999999) $A.example("110")
        $A.doc("Proxmox's number of the guest.");
    type @2 :Type $A.required $A.example("\"lxc\"")
        $A.doc("Container or VM.");
    privileged @3 :Bool $A.example("true")
        $A.doc("Root in the container is root on the host; needed by few. Absent: false, for Proxmox's own default differs between versions and is never relied on.");
    template @4 :Text $A.pattern("^[a-z0-9][a-z0-9._-]{1,62}$") $A.example("\"debian-12-standard\"")
        $A.doc("Start of the name of the template that a container is made from; the newest that matches is taken.");
    vlan @5 :Text $A.required $A.ref("network.vlans") $A.example("\"lan\"")
        $A.doc("VLAN of the guest's network card. It is always tagged: an untagged card on a VLAN-aware bridge could join every VLAN.");
    ip @6 :Text $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}$") $A.example("\"10.42.20.10\"")
        $A.doc("IPv4 address, inside the VLAN's subnet.");
    cores @7 :UInt16 $A.required $A.range(least = 1, greatest = 512) $A.example("2")
        $A.doc("Processor cores.");
    memory @8 :UInt64 $A.required $A.unit("bytes") $A.range(least = 16777216, greatest = 17592186044416) $A.example("\"2GiB\"")
        $A.doc("Main memory.");
    storage @9 :Text = "local-zfs" $A.pattern("^[A-Za-z][A-Za-z0-9_.-]{0,62}$")
        $A.doc("Proxmox storage of the root disk. Absent: local-zfs.");
    disk @10 :UInt64 $A.required $A.unit("bytes") $A.range(least = 134217728, greatest = 1000000000000000) $A.example("\"8GiB\"")
        $A.doc("Size of the root disk.");
    mounts @11 :List(Mount)
        $A.doc("Directories of the host inside the container. Proxmox backs none of them up.");
    gpus @12 :List(Text) $A.ref("gpus") $A.example("[\"arc\"]")
        $A.doc("Graphics cards it uses.");
    nesting @13 :Bool $A.example("true")
        $A.doc("Allow namespaces inside: Docker needs it, and so do hardened systemd units in an unprivileged container. Absent: false.");
    services @14 :List(Service)
        $A.doc("What runs in it.");
    onboot @15 :Bool $A.example("true")
        $A.doc("Start it with the host. A guest on an encrypted pool would start before the pool is unlocked, on empty directories. Absent: false.");
    order @16 :UInt16 $A.range(least = 1, greatest = 9999) $A.example("1")
        $A.doc("Rank among the guests that start with the host, the lowest first. Absent: after all that have one.");
    agent @17 :Text $A.pattern("^tcp://[0-9a-z.-]+(:[0-9]{1,5})?$") $A.example("\"tcp://10.42.20.10:7460\"")
        $A.doc("Where the controller reaches the agent. Absent: port 7460 of the guest's address.");
    purpose @18 :Text $A.example("\"Films and series\"")
        $A.doc("What the guest is for; for people only.");
    host @19 :Text $A.ref("hosts") $A.example("\"pve\"")
        $A.doc("The host that runs it. Absent: the lab's only host.");
    planned @20 :Bool $A.example("true")
        $A.doc("Neither the guest nor what runs in it exists yet: the pre-audit need not find any of it. Absent: false.");

    enum Type $A.doc("Kind of guest.") {
      unset @0;
      lxc @1 $A.doc("Container.");
      vm @2 $A.doc("Virtual machine.");
    }
  }

  struct Mount $A.doc("A directory of the host inside a container. Datasets below it are not included: give each its own mount.") {
    source @0 :Text $A.required $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/datapool/media\"")
        $A.doc("Directory on the host: the mount point of one dataset of a pool of this lab.");
    target @1 :Text $A.required $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/media\"")
        $A.doc("Directory inside the container.");
    readOnly @2 :Bool $A.example("true")
        $A.doc("The container cannot write there. Absent: false.");
  }

  struct Service $A.doc("A program that runs in a guest or on a peer.") {
    kind @0 :Kind $A.required $A.example("\"jellyfin\"")
        $A.doc("Which program.");
    port @1 :UInt16 $A.range(least = 1, greatest = 65535) $A.example("8096")
        $A.doc("TCP port (UDP for wireguard) on which it listens. Absent: it listens on none.");
    path @2 :Text $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/var/lib/jellyfin\"")
        $A.doc("Directory of its configuration and data in the guest. Absent: where its package puts it.");
    user @3 :Text $A.pattern("^[a-z_][a-z0-9_-]{0,31}$") $A.example("\"jellyfin\"")
        $A.doc("User it runs as in the guest. Absent: the one of its package.");
    planned @4 :Bool $A.example("true")
        $A.doc("It runs nowhere on the host yet: the pre-audit need not find it. Absent: false.");

    enum Kind $A.doc("A program that relab knows.") {
      unset @0;
      jellyfin @1 $A.doc("Media server.");
      sonarr @2 $A.doc("Series.");
      radarr @3 $A.doc("Films.");
      prowlarr @4 $A.doc("Indexers for Sonarr and Radarr.");
      qbittorrent @5 $A.doc("Download client.");
      sabnzbd @6 $A.doc("Download client.");
      pbs @7 $A.doc("Proxmox Backup Server.");
      wireguard @8 $A.doc("VPN.");
      prometheus @9 $A.doc("Metrics.");
      grafana @10 $A.doc("Dashboards.");
      pveExporter @11 $A.doc("Metrics of Proxmox for Prometheus.");
      nodeExporter @12 $A.doc("Metrics of a machine for Prometheus.");
      docker @13 $A.doc("Container engine.");
      ollama @14 $A.doc("Language models.");
      openWebui @15 $A.doc("Web interface to language models.");
      caddy @16 $A.doc("Reverse proxy with certificates.");
      vault @17 $A.doc("Secrets.");
    }
  }

  struct Peer $A.doc("A machine elsewhere. relab knows of it, probes it, and never changes it.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") $A.example("\"chr01\"")
        $A.doc("Name of the peer; tunnels refer to it.");
    address @1 :Text $A.required $A.pattern("^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$") $A.example("\"chr01.yourdomain.com\"")
        $A.doc("Public name or IPv4 address.");
    services @2 :List(Service)
        $A.doc("What runs on it for the lab.");
    sites @3 :List(Site)
        $A.doc("Public names that it serves from guests of the lab.");
    purpose @4 :Text $A.example("\"WireGuard hub\"")
        $A.doc("What the peer is for; for people only.");
  }

  struct Site $A.doc("A public name served from a guest.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9-]+([.][a-z0-9-]+)+$") $A.example("\"therapon.yourdomain.com\"")
        $A.doc("The public DNS name.");
    guest @1 :Text $A.required $A.ref("guests") $A.example("\"trillian\"")
        $A.doc("The guest that answers.");
    port @2 :UInt16 $A.required $A.range(least = 1, greatest = 65535) $A.example("443")
        $A.doc("The port on which that guest answers.");
  }

  struct Backup $A.doc("A copy of a whole pool on a removable disk.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"usb\"")
        $A.doc("Name of the backup.");
    pool @1 :Text $A.required $A.ref("pools") $A.example("\"datapool\"")
        $A.doc("The pool that is copied, with all its datasets and snapshots.");
    disk @2 :Text $A.required $A.ref("disks") $A.example("\"usb1\"")
        $A.doc("The disk that takes the copy; its role is backup.");
  }

  struct Keep $A.doc("A path of a machine as it is now, before the rebuild, and what is to become of it.") {
    path @0 :Text $A.required $A.pattern("^(/|(/(?![.]{1,2}(/|$))[^/]+)+)$") $A.example("\"/etc/wireguard\"")
        $A.doc("File or folder there, with all below it.");
    vmid @1 :UInt32 $A.range(least = 100, greatest = 999999999) $A.example("110")
        $A.doc("The guest that has it, by Proxmox's number. Absent: the host itself.");
    host @2 :Text $A.ref("hosts") $A.example("\"pve\"")
        $A.doc("The host. Absent: the lab's only host.");
    lose @3 :Bool $A.example("true")
        $A.doc("It may be lost: the audit found it, and nobody needs it. Absent: false, it must survive or be preserved.");
    why @4 :Text $A.example("\"The keys of all tunnels\"")
        $A.doc("Why; for people only.");
  }

  struct Plan $A.doc("The order of the rebuild.") {
    phases @0 :List(Phase) $A.required
        $A.doc("The phases. Each waits for those in its `after`, and for the gates between.");
  }

  struct Phase $A.doc("A phase: tracks that run side by side, behind a gate.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"0a\"")
        $A.doc("Name of the phase.");
    title @1 :Text $A.required $A.example("\"Audit of everything\"")
        $A.doc("What the phase does, in a line.");
    after @2 :List(Text) $A.ref("plan.phases") $A.example("[\"0a\"]")
        $A.doc("Phases that must be complete, and proven, before this one may start. Absent: it may start at once.");
    tracks @3 :List(Track) $A.required
        $A.doc("Strands of the phase; they run side by side.");
    gate @4 :List(Condition)
        $A.doc("What must hold before the first step of this phase starts.");
    proves @5 :List(Condition)
        $A.doc("What this phase's own evidence must show before any phase after it may start.");
    installs @6 :List(Text) $A.ref("hosts") $A.example("[\"pve\"]")
        $A.doc("Hosts whose operating system this phase installs anew, by a person or by steps. relab itself adds to the gate of such a phase, as to that of one that destroys something, all that has to be proven before.");
  }

  struct Track $A.doc("Steps of one agent, in order.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"2a\"")
        $A.doc("Name of the track.");
    agent @1 :Text $A.required $A.ref("hosts|guests") $A.example("\"pve\"")
        $A.doc("The host or guest whose agent does the work.");
    steps @2 :List(Step)
        $A.doc("The steps, in the order in which they run. Absent: nothing is automated here yet; a phase without any step is never taken for done.");
    title @3 :Text $A.example("\"Proxmox Backup Server\"")
        $A.doc("What the track does, in a line.");
    patience @4 :UInt32 $A.unit("seconds") $A.range(least = 1, greatest = 604800) $A.example("\"10m\"")
        $A.doc("How long its agent may be away before the track is parked: a host that restarts in this track needs minutes. Absent: what `--patience` of `relab run` says.");
  }

  struct Step $A.doc("One task with its parameters.") {
    name @0 :Text $A.key $A.pattern("^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$") $A.example("\"zfs\"")
        $A.doc("Name of the step.");
    task @1 :Task $A.required $A.example("{ audit_zfs = {} }")
        $A.doc("The task kind with its parameters: a table with exactly one key. `relab kinds` lists them.");
    deadline @2 :UInt32 = 3600 $A.unit("seconds") $A.range(least = 1, greatest = 604800)
        $A.doc("The agent ends the task after this time. Absent: one hour.");
    instruction @3 :Text $A.example("\"Plug the USB disk into the rear port.\"")
        $A.doc("What a person has to do for this step; shown while the step waits for it. The step ends when its task sees that it was done.");
    confirm @4 :UInt32 = 60 $A.unit("seconds") $A.range(least = 5, greatest = 3600)
        $A.doc("For a task kind that may cut its agent off: the agent undoes the change unless the controller reached it anew within this time. Absent: one minute.");
    writes @5 :List(Text) $A.ref("pools") $A.example("[\"datapool\"]")
        $A.doc("Pools to which this step writes what must not be lost: a backup counts only if its snapshot was taken after it.");
  }

  struct Condition $A.doc("Something that evidence must show.") {
    name @0 :Text $A.key $A.pattern("^[a-z][a-z0-9_]*([.][a-z0-9_]+)*$") $A.example("\"audit.complete\"")
        $A.doc("Name of the predicate.");
    maxAge @1 :UInt32 = 86400 $A.unit("seconds") $A.range(least = 1, greatest = 31536000)
        $A.doc("Evidence older than this does not count. Absent: a day.");
    absolute @2 :Bool $A.example("true")
        $A.doc("Nobody can waive it. Absent: false.");
  }
}
