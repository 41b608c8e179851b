@0xd1a9c2f0b7e64a24;
# Proxmox VMs and containers: disks, networks, mounts, devices, snapshots.
# Every list but the first names the guest of each row by its vmid.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditGuests {
  struct Facts {
    coverage @0 :Coverage;
    node @1 :Text;
    # This node's name, the folder of its guests under /etc/pve/nodes.
    guests @2 :List(Guest);
    # By vmid; the current configuration, without what is pending.
    disks @3 :List(Disk);
    mounts @4 :List(Mount);
    networks @5 :List(Network);
    devices @6 :List(Device);
    rawLines @7 :List(RawLine);
    # Lines of the configuration that no other list or field tells: lxc.*, args, vga, cicustom ...
    snapshots @8 :List(Snapshot);
    pending @9 :List(PendingChange);
    storages @10 :List(Storage);
    # As storage.cfg names them.
    units @11 :List(Unit);
    # Services in containers that start by themselves, or run.
    ports @12 :List(Port);
    # Where something in a running container waits for TCP connections from elsewhere.
    docker @13 :List(DockerContainer);
    # Of Docker in containers; stopped ones, too.
    tunnels @14 :List(Tunnel);
    # Files of WireGuard in containers, whether anything starts them or not: they hold its keys.
  }

  enum Type {
    lxc @0;
    qemu @1;
  }

  struct Guest {
    vmid @0 :UInt32;
    name @1 :Text;
    # Hostname of a container, name of a VM; what Proxmox shows where the configuration has none.
    type @2 :Type;
    state @3 :Text;
    # As Proxmox tells: running, stopped; empty if it did not tell.
    lock @4 :Text;
    # Why Proxmox refuses to change it now (backup, mounted, ...); empty without a lock.
    template @5 :Bool;
    onboot @6 :Bool;
    startupOrder @7 :Text;
    # "order=1,up=30,down=60" as configured; empty: after all that have an order.
    unprivileged @8 :Bool;
    # Containers: user ids are shifted. Always false for VMs.
    cores @9 :UInt32;
    # 0: not set (containers: all of the host's; VMs: 1).
    sockets @10 :UInt32;
    # VMs; 0: not set.
    memory @11 :UInt64 $A.unit("bytes");
    # 0: not set (Proxmox takes 512 MiB).
    swap @12 :UInt64 $A.unit("bytes");
    # Containers; see swapSet.
    swapSet @13 :Bool;
    # False: the configuration has no swap line (Proxmox takes 512 MiB).
    features @14 :Text;
    # Containers: "nesting=1,keyctl=1".
    ostype @15 :Text;
    arch @16 :Text;
    firmware @17 :Text;
    # VMs: seabios or ovmf; empty: not set.
    machine @18 :Text;
    cpu @19 :Text;
    boot @20 :Text;
    agent @21 :Text;
    # VMs: the setting of the QEMU guest agent.
    scsiController @22 :Text;
    tags @23 :List(Text);
    description @24 :Text;
    protection @25 :Bool;
    parent @26 :Text;
    # The snapshot that the current state descends from; empty without snapshots.
    nameserver @27 :Text;
    searchdomain @28 :Text;
    hookscript @29 :Text;
    idmap @30 :Bool;
    # Containers: raw lxc.idmap lines replace the usual shift of ids.
  }

  struct Storage {
    id @0 :Text;
    type @1 :Text;
    # zfspool, dir, lvmthin, ...
    pool @2 :Text;
    # Of zfspool: the dataset that has its volumes.
    path @3 :Text;
    # Of dir: the folder.
  }

  struct Disk {
    vmid @0 :UInt32;
    key @1 :Text;
    # rootfs, mp0, scsi0, efidisk0, unused0 ...
    storage @2 :Text;
    # Empty: a path of the host (see volume), or none.
    volume @3 :Text;
    # The volume's name within its storage; a path of the host for passed disks; "none" or "cdrom" for an empty drive.
    size @4 :UInt64 $A.unit("bytes");
    # As recorded in the configuration; 0: not recorded there.
    guestPath @5 :Text;
    # Containers: where it is mounted.
    backup @6 :Bool;
    # vzdump takes it: rootfs always, mpN only with backup=1, disks of VMs unless backup=0, unused ones never.
    readOnly @7 :Bool;
    cdrom @8 :Bool;
    unused @9 :Bool;
    # Detached, but still there.
    options @10 :Text;
    # The rest of the line.
  }

  struct Mount {
    vmid @0 :UInt32;
    key @1 :Text;
    # mpN, or lxc.mount.entry.
    hostPath @2 :Text;
    guestPath @3 :Text;
    readOnly @4 :Bool;
    options @5 :Text;
  }

  struct Network {
    vmid @0 :UInt32;
    key @1 :Text;
    # net0 ...
    name @2 :Text;
    # Containers: the interface inside.
    model @3 :Text;
    # veth, virtio, e1000 ...
    bridge @4 :Text;
    tag @5 :UInt16;
    # VLAN; 0: none, which on a VLAN-aware bridge means every VLAN.
    trunks @6 :Text;
    mac @7 :Text;
    ip @8 :Text;
    # Address with prefix length, dhcp or manual. VMs: from cloud-init's ipconfigN, else empty.
    gateway @9 :Text;
    ip6 @10 :Text;
    gateway6 @11 :Text;
    firewall @12 :Bool;
    mtu @13 :UInt32;
    # 0: that of the bridge.
    linkDown @14 :Bool;
    rate @15 :Text;
    # MB/s; empty: no limit.
  }

  struct Device {
    vmid @0 :UInt32;
    key @1 :Text;
    # dev0, hostpci0, usb0, serial0, virtiofs0 ...
    what @2 :Text;
    # A path of the host, a PCI address, a USB id or port, or the name of a mapping.
    options @3 :Text;
  }

  struct RawLine {
    vmid @0 :UInt32;
    key @1 :Text;
    # lxc.cgroup2.devices.allow, lxc.idmap ...
    value @2 :Text;
    # Not shown for lxc.environment, env, sshkeys and others that may hold secrets.
  }

  struct Unit {
    vmid @0 :UInt32;
    name @1 :Text;
    # grafana-server.service, wg-quick@wg0.service ...
    enabled @2 :Bool;
    # It starts with its container.
    runs @3 :Bool $A.volatile;
    # Some process belongs to it now.
  }

  struct Port {
    vmid @0 :UInt32;
    address @1 :Text;
    # 0.0.0.0 and :: are all of the container's.
    port @2 :UInt16;
  }

  struct DockerContainer {
    vmid @0 :UInt32;
    name @1 :Text;
    image @2 :Text;
    # As it was asked for, with its tag.
    state @3 :Text;
    # running, exited ... as Docker tells; of a guest that does not run, that.
    published @4 :List(UInt16);
    # Ports of the guest.
    folders @5 :List(Text);
    # Directories of the guest that it has, those of its volumes too, without what is the system's (/etc/localtime,
    # /lib/modules, sockets ...).
  }

  struct Tunnel {
    vmid @0 :UInt32;
    path @1 :Text;
    # /etc/wireguard/wg0.conf, or a .netdev of systemd-networkd.
  }

  struct Snapshot {
    vmid @0 :UInt32;
    name @1 :Text;
    time @2 :UInt64 $A.unit("unix ms");
    # 0: the configuration tells no time.
    parent @3 :Text;
    description @4 :Text;
    broken @5 :Text;
    # "prepare" or "delete": it was not finished; empty: whole.
    withMemory @6 :Bool;
  }

  struct PendingChange {
    vmid @0 :UInt32;
    key @1 :Text;
    value @2 :Text;
    # What it will be after a restart; not shown for keys that hold secrets. Empty where it is deleted.
    deleted @3 :Bool;
  }
}
