@0xd1a9c2f0b7e64a10;
# The task kinds: one arm of Task with the parameters, one arm of Facts of the same name with the findings.
# Arms are only ever added, at the end. A unit test holds both unions together.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct Task {
  union {
    unset @0 :Void;
    # An all-zero message names no task.
    ping @1 :import "/schema/agent.capnp".Ping $A.convergent
        $A.doc("Answers without touching the machine; proves that orders and reports pass.");
    auditZfs @2 :import "/schema/zfs.capnp".AuditZfs $A.audit("zfs") $A.convergent
        $A.doc("Reads every imported ZFS pool: vdevs down to disk serials, health, errors, scrub age, encryption, datasets, snapshots.");
    auditDisks @3 :import "/schema/disks.capnp".AuditDisks $A.audit("disks") $A.convergent
        $A.doc("Reads every disk: by-id name, serial, model, size, SMART health, bus, and which pool or partition uses it.");
    auditGuests @4 :import "/schema/guests.capnp".AuditGuests $A.audit("guests") $A.convergent
        $A.doc("Reads every VM and container: state, disks, networks, bind mounts, devices, snapshots.");
    auditArr @5 :import "/schema/arr.capnp".AuditArr $A.audit("arr") $A.convergent
        $A.doc("Finds Sonarr, Radarr, Prowlarr and their kin on the host, in containers and in Docker: configuration, data and root folders, port.");
    auditJellyfin @6 :import "/schema/jellyfin.capnp".AuditJellyfin $A.audit("jellyfin") $A.convergent
        $A.doc("Finds Jellyfin: configuration path, library paths, hardware acceleration.");
    auditPbs @7 :import "/schema/pbs.capnp".AuditPbs $A.audit("pbs") $A.convergent
        $A.doc("Reads Proxmox Backup Server datastores, prune, GC and verify jobs, and the PVE storages of that type.");
    auditNetwork @8 :import "/schema/network.capnp".AuditNetwork $A.audit("network") $A.convergent
        $A.doc("Reads bridges, VLANs, addresses, routes, DNS and the firewall.");
    auditSchedules @9 :import "/schema/schedules.capnp".AuditSchedules $A.audit("schedules") $A.convergent
        $A.doc("Reads cron tables, periodic directories, systemd timers and vzdump jobs.");
    auditServices @10 :import "/schema/services.capnp".AuditServices $A.audit("services") $A.convergent
        $A.doc("Reads running and failed units, listening sockets with their processes, Docker containers and compose projects.");
    auditPci @11 :import "/schema/pci.capnp".AuditPci $A.audit("pci") $A.convergent
        $A.doc("Reads PCI devices, the driver bound to each, GPUs and their render nodes.");
    auditPackages @12 :import "/schema/packages.capnp".AuditPackages $A.audit("packages") $A.convergent
        $A.doc("Reads the operating system, the Proxmox version and the package sources.");
    diskAttached @13 :import "/schema/disks.capnp".DiskAttached $A.convergent $A.waits
        $A.doc("Waits until a person has attached the disk with this serial number.");
    ipAddresses @14 :import "/schema/network.capnp".IpAddresses $A.convergent $A.commitConfirmed
        $A.doc("Gives an interface exactly these IPv4 addresses, in the running system; /etc/network/interfaces stays as it is.");
    wipeDisk @15 :import "/schema/disks.capnp".WipeDisk $A.destructive $A.needs(["disk.unused"])
        $A.doc("Takes every signature off a disk that nothing uses, so that it is blank: for one only, known by its serial number.");
    zfsKeyCheck @16 :import "/schema/zfs.capnp".ZfsKeyCheck $A.convergent
        $A.doc("Tries whether a secret is the key of an encrypted ZFS dataset, by `zfs load-key -n`: nothing is loaded or mounted.");
    zfsSnapshot @17 :import "/schema/zfs.capnp".ZfsSnapshot $A.convergent
        $A.doc("Takes a snapshot of a dataset and of all below it, and holds it so that nothing prunes it.");
    zfsBackup @18 :import "/schema/backup.capnp".ZfsBackup $A.convergent
        $A.doc("Writes a snapshot of a dataset, of all below it, and all snapshots before it, into a file on a mounted disk, with a manifest.");
    zfsBackupVerify @19 :import "/schema/backup.capnp".ZfsBackupVerify $A.convergent
        $A.doc("Reads a copy back from its disk, and receives, opens and compares it in scratch that is removed again: the proof that it can be restored.");
    poolHealth @20 :import "/schema/zfs.capnp".PoolHealth $A.convergent
        $A.doc("Looks whether a pool is intact: states, error counters, data errors and the last scrub.");
    usbDisk @21 :import "/schema/disks.capnp".UsbDisk $A.convergent $A.waits
        $A.doc("Waits until a person has attached an external disk, and mounts it; makes a file system only if asked, and only on a blank disk.");
    zfsScrub @22 :import "/schema/zfs.capnp".ZfsScrub $A.convergent
        $A.doc("Lets ZFS read and check every block of a pool, unless that was done lately, and waits for the end.");
    preserve @23 :import "/schema/backup.capnp".Preserve $A.convergent
        $A.doc("Archives paths of this machine or of a container with everything that belongs to them, databases in a consistent state, and reads the archive back.");
    restore @24 :import "/schema/backup.capnp".Restore $A.convergent
        $A.doc("Puts back what an archive has, and compares every entry with it.");
    zfsPoolBackup @25 :import "/schema/backup.capnp".ZfsPoolBackup $A.convergent
        $A.doc("Copies a snapshot of a dataset, of all below it, and all snapshots before it, raw, into another pool; goes on after an interruption.");
    zfsPoolBackupVerify @26 :import "/schema/backup.capnp".ZfsPoolBackupVerify $A.convergent
        $A.doc("Scrubs a pool that has a copy, exports and imports it, and opens and compares the copy: the proof that it can be restored.");
    usbPool @27 :import "/schema/zfs.capnp".UsbPool $A.convergent $A.waits
        $A.doc("Waits until a person has attached an external disk, and imports the pool that is on it and nowhere else; mounts nothing of it.");
    pathCheck @28 :import "/schema/paths.capnp".PathCheck $A.convergent
        $A.doc("Looks where paths that must not be lost really lie, every link followed, and whether there is anything.");
    guestTemplate @29 :import "/schema/guest.capnp".GuestTemplate $A.convergent
        $A.doc("Brings the newest template of a name onto a storage, with the content that Proxmox's index tells.");
    guest @30 :import "/schema/guest.capnp".Guest $A.convergent
        $A.doc("Makes a container as it is declared, or changes it by the smallest step; destroys and shrinks nothing.");
    guestPower @31 :import "/schema/guest.capnp".GuestPower $A.convergent
        $A.doc("Starts a container and sees that it stays up, shuts it down, or restarts it where changes wait for that.");
    file @32 :import "/schema/system.capnp".File $A.convergent
        $A.doc("Gives a file exactly this content, owner and mode, all at once; shows what differs first.");
    directory @33 :import "/schema/system.capnp".Directory $A.convergent
        $A.doc("Makes a folder, and gives it an owner and a mode; removes nothing.");
    packages @34 :import "/schema/system.capnp".Packages $A.convergent
        $A.doc("Installs packages by apt, and believes only dpkg; refuses what would remove others.");
    aptRepository @35 :import "/schema/system.capnp".AptRepository $A.convergent
        $A.doc("Adds a source of packages with the key that signs it, checked by its fingerprint, and reads its lists.");
    unit @36 :import "/schema/system.capnp".Unit $A.convergent
        $A.doc("Has a unit of systemd start by itself or not, and run or not; what dies after a moment does not count as running.");
    mountCheck @37 :import "/schema/probes.capnp".MountCheck $A.convergent
        $A.doc("Fails unless the right file system is mounted on a folder, with enough room.");
    httpProbe @38 :import "/schema/probes.capnp".HttpProbe $A.convergent
        $A.doc("Fails unless an HTTP server gives the right answer; TLS is always verified.");
    tcpProbe @39 :import "/schema/probes.capnp".TcpProbe $A.convergent
        $A.doc("Fails unless a TCP connection is accepted, or, for proofs of a firewall, is not while another one is.");
    dnsProbe @40 :import "/schema/probes.capnp".DnsProbe $A.convergent
        $A.doc("Fails unless a name server gives the right answer.");
    commandProbe @41 :import "/schema/probes.capnp".CommandProbe $A.convergent
        $A.doc("Runs a command that the agent's role lists, by name; fails unless it ends and prints as it should.");
    agentInstall @42 :import "/schema/guest.capnp".AgentInstall $A.convergent
        $A.doc("Installs relab's agent in a container, without a network, has it obey this controller, and brings back its key: it is enrolled without a person.");
  }
}

struct Facts {
  union {
    unset @0 :Void;
    ping @1 :import "/schema/agent.capnp".Ping.Facts;
    auditZfs @2 :import "/schema/zfs.capnp".AuditZfs.Facts;
    auditDisks @3 :import "/schema/disks.capnp".AuditDisks.Facts;
    auditGuests @4 :import "/schema/guests.capnp".AuditGuests.Facts;
    auditArr @5 :import "/schema/arr.capnp".AuditArr.Facts;
    auditJellyfin @6 :import "/schema/jellyfin.capnp".AuditJellyfin.Facts;
    auditPbs @7 :import "/schema/pbs.capnp".AuditPbs.Facts;
    auditNetwork @8 :import "/schema/network.capnp".AuditNetwork.Facts;
    auditSchedules @9 :import "/schema/schedules.capnp".AuditSchedules.Facts;
    auditServices @10 :import "/schema/services.capnp".AuditServices.Facts;
    auditPci @11 :import "/schema/pci.capnp".AuditPci.Facts;
    auditPackages @12 :import "/schema/packages.capnp".AuditPackages.Facts;
    diskAttached @13 :import "/schema/disks.capnp".DiskAttached.Facts;
    ipAddresses @14 :import "/schema/network.capnp".IpAddresses.Facts;
    wipeDisk @15 :import "/schema/disks.capnp".WipeDisk.Facts;
    zfsKeyCheck @16 :import "/schema/zfs.capnp".ZfsKeyCheck.Facts;
    zfsSnapshot @17 :import "/schema/zfs.capnp".ZfsSnapshot.Facts;
    zfsBackup @18 :import "/schema/backup.capnp".ZfsBackup.Facts;
    zfsBackupVerify @19 :import "/schema/backup.capnp".ZfsBackupVerify.Facts;
    poolHealth @20 :import "/schema/zfs.capnp".PoolHealth.Facts;
    usbDisk @21 :import "/schema/disks.capnp".UsbDisk.Facts;
    zfsScrub @22 :import "/schema/zfs.capnp".ZfsScrub.Facts;
    preserve @23 :import "/schema/backup.capnp".Preserve.Facts;
    restore @24 :import "/schema/backup.capnp".Restore.Facts;
    zfsPoolBackup @25 :import "/schema/backup.capnp".ZfsPoolBackup.Facts;
    zfsPoolBackupVerify @26 :import "/schema/backup.capnp".ZfsPoolBackupVerify.Facts;
    usbPool @27 :import "/schema/zfs.capnp".UsbPool.Facts;
    pathCheck @28 :import "/schema/paths.capnp".PathCheck.Facts;
    guestTemplate @29 :import "/schema/guest.capnp".GuestTemplate.Facts;
    guest @30 :import "/schema/guest.capnp".Guest.Facts;
    guestPower @31 :import "/schema/guest.capnp".GuestPower.Facts;
    file @32 :import "/schema/system.capnp".File.Facts;
    directory @33 :import "/schema/system.capnp".Directory.Facts;
    packages @34 :import "/schema/system.capnp".Packages.Facts;
    aptRepository @35 :import "/schema/system.capnp".AptRepository.Facts;
    unit @36 :import "/schema/system.capnp".Unit.Facts;
    mountCheck @37 :import "/schema/probes.capnp".MountCheck.Facts;
    httpProbe @38 :import "/schema/probes.capnp".HttpProbe.Facts;
    tcpProbe @39 :import "/schema/probes.capnp".TcpProbe.Facts;
    dnsProbe @40 :import "/schema/probes.capnp".DnsProbe.Facts;
    commandProbe @41 :import "/schema/probes.capnp".CommandProbe.Facts;
    agentInstall @42 :import "/schema/guest.capnp".AgentInstall.Facts;
  }
}
