@0xd1a9c2f0b7e64a22;
# Every disk: identity, size, health and what uses it.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditDisks {
  struct Facts {
    coverage @0 :Coverage;
    disks @1 :List(Disk);
    # Real and emulated disks; no loop, RAM, zram, mapped or network devices.
    partitions @2 :List(Partition);
    users @3 :List(User);
    # What each disk is used for. A disk without a row carries nothing that is known here.
    volumes @4 :List(Volume);
    # Devices that the kernel makes out of others: LVM, LUKS, md, ZFS volumes, loops with a file.
    smart @5 :List(Smart);
    mounts @6 :List(Mount);
    # Every file system that holds files, at each place where it is mounted; of two at one place the later one is seen.
  }

  struct Mount {
    point @0 :Text;
    type @1 :Text;
    # ext4, zfs, nfs4, ...
    source @2 :Text;
    # A device, a dataset, a share.
  }

  struct Disk {
    name @0 :Text;
    # The kernel's, which changes between boots: "sda".
    byId @1 :Text;
    # The stable name below /dev/disk/by-id, model and serial before wwn. Empty: it has none.
    model @2 :Text;
    serial @3 :Text;
    # Empty: the disk tells none, as virtual ones do.
    wwn @4 :Text;
    vendor @5 :Text;
    firmware @6 :Text;
    size @7 :UInt64 $A.unit("bytes");
    bus @8 :Text;
    # sata, nvme, sas, usb, virtio, ... Empty: unknown.
    usb @9 :Bool;
    rotational @10 :Bool;
    # As the kernel thinks; virtual disks often claim to rotate.
    removable @11 :Bool;
    readOnly @12 :Bool;
    logicalSector @13 :UInt32 $A.unit("bytes");
    physicalSector @14 :UInt32 $A.unit("bytes");
    partitionTable @15 :Text;
    # gpt or dos. Empty: none.
    aliases @16 :List(Text);
    # All names below /dev/disk/by-id.
    fileSystem @17 :Text;
    # Of what lies on the disk itself, without a partition: ext4, zfs_member, crypto_LUKS, ... Empty: nothing recognised.
    label @18 :Text;
    uuid @19 :Text;
  }

  struct Partition {
    disk @0 :Text;
    name @1 :Text;
    start @2 :UInt64 $A.unit("sectors of 512 bytes");
    size @3 :UInt64 $A.unit("bytes");
    typeName @4 :Text;
    fileSystem @5 :Text;
    # ext4, vfat, zfs_member, LVM2_member, crypto_LUKS, ... Empty: nothing recognised.
    label @6 :Text;
    uuid @7 :Text;
    partLabel @8 :Text;
    partUuid @9 :Text;
    mountpoints @10 :List(Text);
  }

  struct User {
    disk @0 :Text;
    device @1 :Text;
    # The disk itself, a partition or a device on it.
    kind @2 :Text;
    # zfs, mount, swap, lvm, md, crypt, filesystem, ...
    name @3 :Text;
    # The pool, mount point, volume or label.
  }

  struct Volume {
    name @0 :Text;
    path @1 :Text;
    kind @2 :Text;
    # lvm, crypt, raid1, mpath, loop, zvol, ...
    disks @3 :List(Text);
    # The disks it lies on. Empty: none that the kernel names.
    size @4 :UInt64 $A.unit("bytes");
    fileSystem @5 :Text;
    label @6 :Text;
    uuid @7 :Text;
    mountpoints @8 :List(Text);
  }

  enum Health {
    unknown @0;
    passed @1;
    failed @2;
  }

  struct Smart {
    # One row for each disk that was asked and answered. Numbers are -1 where the disk does not tell.
    disk @0 :Text;
    health @1 :Health;
    exitStatus @2 :UInt16 $A.doc("smartctl's bits: 1 usage, 2 not opened, 4 a command failed, 8 failing, 16 prefail attribute now, 32 earlier, 64 errors logged, 128 self-test errors.");
    serial @3 :Text;
    # As the disk itself says, to be held against the kernel's.
    powerOnHours @4 :Int64 = -1 $A.unit("hours") $A.volatile;
    temperature @5 :Int64 = -1 $A.unit("degrees Celsius") $A.volatile;
    reallocated @6 :Int64 = -1;
    # Sectors replaced (ATA 5), or grown defects (SCSI).
    pending @7 :Int64 = -1;
    # Sectors that could not be read and await replacement (ATA 197).
    uncorrectable @8 :Int64 = -1;
    # Sectors that could not be read (ATA 198), uncorrected errors (SCSI), or media errors (NVMe).
    crcErrors @9 :Int64 = -1;
    # Errors between disk and controller (ATA 199): cables.
    wear @10 :Int64 = -1 $A.unit("percent of the rated life used");
    spare @11 :Int64 = -1 $A.unit("percent of spare blocks left (NVMe)");
    criticalWarning @12 :Int64 = -1;
    # NVMe's bits; 0 is well.
    errorsLogged @13 :Int64 = -1;
    selfTestErrors @14 :Int64 = -1;
    failingAttributes @15 :List(Text);
    # Attributes at or below their threshold now or in the past, with when: "Reallocated_Sector_Ct (now)".
    messages @16 :Text;
    # What smartctl complained about.
  }
}

struct WipeDisk {
  # Takes every signature off one disk: partition tables, file systems, members of volumes. The rest of it stays as it was.
  serial @0 :Text $A.required $A.resource("disk") $A.pattern("^[!-~]([ -~]{0,126}[!-~])?$") $A.example("\"WD-WX12D80A1B2C\"")
      $A.doc("Serial number of the disk, as lsblk tells it.");

  struct Facts {
    disk @0 :DiskAttached.Facts $A.doc("The disk with that serial number, and what uses it.");
    signatures @1 :List(Signature) $A.doc("What is on the disk and its partitions, as wipefs tells it. Empty: it is blank.");
    partitions @2 :List(Part) $A.doc("The partitions, whether anything was recognised on them or not.");
  }

  struct Part {
    device @0 :Text $A.volatile;
    # The kernel's name: "sdb1".
    start @1 :UInt64 $A.unit("sectors of 512 bytes");
    size @2 :UInt64 $A.unit("bytes");
  }

  struct Signature {
    device @0 :Text $A.volatile;
    # The kernel's name of the disk or partition: "sdb1".
    type @1 :Text;
    # gpt, ext4, LVM2_member, ...
    label @2 :Text;
    offset @3 :Text;
    # In bytes, hexadecimal: "0x438".
    uuid @4 :Text;
  }
}

struct DiskAttached {
  # Waits until a person has attached a disk; changes nothing itself.
  serial @0 :Text $A.required $A.pattern("^[!-~]([ -~]{0,126}[!-~])?$") $A.example("\"WD-WX12D80A1B2C\"")
      $A.doc("Serial number of the disk, as lsblk tells it.");

  struct Facts {
    attached @0 :Bool $A.doc("There is one whole disk with that serial number.");
    path @1 :Text $A.doc("The kernel's name of it, which changes between boots: '/dev/sdb'.") $A.volatile;
    byId @2 :Text $A.doc("The stable name below /dev/disk/by-id, model and serial before wwn. Empty: it has none.");
    aliases @3 :List(Text) $A.doc("All names below /dev/disk/by-id.");
    model @4 :Text $A.doc("As the disk tells it.");
    serial @5 :Text $A.doc("As the disk tells it.");
    size @6 :UInt64 $A.unit("bytes") $A.doc("Capacity of the disk.");
    bus @7 :Text $A.doc("How it is connected: sata, nvme, sas, usb, virtio and so on. Empty: unknown.");
    users @8 :List(AuditDisks.User) $A.doc("What uses the disk. Empty: nothing that is known here.");
    mounted @9 :Bool $A.doc("The disk, or something on it, is mounted or swapped to.");
  }
}

struct UsbDisk {
  # An external disk, known by its serial number, with its file system mounted on a folder. A file system is made only where it is
  # asked for, on a disk that is blank.
  serial @0 :Text $A.required $A.resource("disk") $A.pattern("^[!-~]([ -~]{0,126}[!-~])?$") $A.example("\"NA8V1C2D\"")
      $A.doc("Serial number of the disk, as lsblk tells it.");
  folder @1 :Text $A.required $A.limit("paths") $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/mnt/usb\"")
      $A.doc("Where it is mounted; the folder is made if it is not there.");
  format @2 :Bool
      $A.doc("Whether a file system (ext4) is made on it if it is blank: no partitions, no signature of anything. Absent: no.");
  least @3 :UInt64 $A.unit("bytes") $A.example("\"4TB\"")
      $A.doc("The least room that its file system must have altogether. Absent: any.");
  byId @4 :Text $A.pattern("^[A-Za-z0-9][A-Za-z0-9._:+@-]*$") $A.example("\"usb-WD_Elements_25A3_575834314131-0:0\"")
      $A.doc("A name that it must have below /dev/disk/by-id, too. Absent: any.");

  struct Facts {
    disk @0 :DiskAttached.Facts;
    own @1 :Text $A.doc("Why it is one of the machine's own disks. Empty: it is not.");
    blank @2 :Bool $A.doc("There are no partitions on it, and no signature of anything.");
    device @3 :Text $A.volatile $A.doc("The one device on it that has a file system which can be mounted: '/dev/sdf1'.");
    fileSystem @4 :Text $A.doc("Of that device: ext4.");
    uuid @5 :Text $A.doc("Of that file system.");
    label @6 :Text $A.doc("Of that file system.");
    mountedOn @7 :List(Text) $A.doc("Where the disk, or anything on it, is mounted.");
    covered @8 :Text $A.doc("What else is mounted on the folder. Empty: nothing.");
    size @9 :UInt64 $A.unit("bytes") $A.doc("Of the mounted file system.");
    free @10 :UInt64 $A.unit("bytes") $A.volatile $A.doc("Room that is left on it.");
    readOnly @11 :Bool $A.doc("It is mounted, and nothing can be written to it.");
  }
}
