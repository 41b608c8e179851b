@0xd1a9c2f0b7e64a21;
# Pools, vdevs, datasets and snapshots of every imported ZFS pool, and the pools that could be imported; whether a key is the key.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditZfs {
  struct Facts {
    coverage @0 :Coverage;
    toolVersion @1 :Text;
    # Of the zfs program: "2.3.9-0+deb13u1".
    moduleVersion @2 :Text;
    # Of the loaded kernel module. Empty: the program did not tell.
    pools @3 :List(Pool);
    # Every imported pool. Empty, with an empty coverage: ZFS answered that there is none.
    vdevs @4 :List(Vdev);
    # The layout of the imported pools, each pool's root first, every vdev after its parent.
    scans @5 :List(Scan);
    # The last or running scrub, resilver or rebuild. A pool without a row was never scanned.
    damaged @6 :List(Damage);
    # What ZFS lists as permanently damaged, at most 200 a pool; the full number is in the pool's dataErrors.
    features @7 :List(FeatureSet);
    datasets @8 :List(Dataset);
    # Every filesystem and volume of the imported pools.
    importable @9 :List(Importable);
    # Pools found on disks that are not imported.
    importableVdevs @10 :List(Vdev);
    # Their layout; these have no error counters.
  }

  struct Pool {
    name @0 :Text;
    guid @1 :UInt64;
    health @2 :Text;
    # As `zpool list` has it: ONLINE, DEGRADED, FAULTED, ... ONLINE does not mean that all data is intact.
    state @3 :Text;
    # As `zpool status` has it.
    status @4 :Text;
    # ZFS's own words for what is wrong. Empty: nothing to say.
    action @5 :Text;
    # What ZFS advises. Empty: nothing.
    message @6 :Text;
    # The identifier of that message: "ZFS-8000-8A".
    errorsKnown @7 :Bool $A.doc("Whether ZFS told how many data errors there are; without it dataErrors means nothing.");
    dataErrors @8 :UInt64 $A.doc("Damaged objects that ZFS could not repair.");
    size @9 :UInt64 $A.unit("bytes");
    # This and the following sizes are 0 where ZFS gives none, as for a pool that it cannot open.
    allocated @10 :UInt64 $A.unit("bytes") $A.volatile;
    free @11 :UInt64 $A.unit("bytes") $A.volatile;
    capacity @12 :UInt8 $A.unit("percent") $A.volatile;
    fragmentation @13 :UInt8 $A.unit("percent") $A.volatile;
    dedupRatio @14 :Text;
    ashift @15 :UInt8;
    # 0: chosen for each vdev by itself.
    readonly @16 :Bool;
    autotrim @17 :Text;
    autoexpand @18 :Text;
    autoreplace @19 :Text;
    failmode @20 :Text;
    multihost @21 :Text;
    altroot @22 :Text;
    cachefile @23 :Text;
    bootfs @24 :Text;
    compatibility @25 :Text;
    comment @26 :Text;
    checkpoint @27 :UInt64 $A.unit("bytes");
    # Space held by a pool checkpoint; 0: none.
    leaked @28 :UInt64 $A.unit("bytes");
    notices @29 :Text;
    # Running removals, checkpoints, expansions: what `zpool status` says beyond scans, in its own words.
  }

  struct Vdev {
    pool @0 :Text;
    depth @1 :UInt8;
    # 0 is the pool itself.
    parent @2 :Int32 = -1 $A.volatile;
    # The position of the vdev above it in this list; -1 for the pool itself.
    name @3 :Text;
    # "mirror-0", or the device as ZFS calls it.
    kind @4 :Text;
    # root, mirror, raidz1 to raidz3, draid1 to draid3, disk, file, spare, replacing, missing, ...
    role @5 :Text;
    # data, log, cache, spare, special or dedup.
    state @6 :Text;
    readErrors @7 :UInt64;
    writeErrors @8 :UInt64;
    checksumErrors @9 :UInt64;
    guid @10 :UInt64;
    # 0: ZFS did not tell.
    path @11 :Text;
    # Of a leaf, as the pool's configuration has it.
    device @12 :Text;
    # The kernel's name of the device behind the path, now: "sda1". Empty: no such device now.
    serial @13 :Text;
    # Of the whole disk; several are joined by commas where a mapping lies on several disks.
    note @14 :Text;
    # What ZFS adds to the line, and why there is no serial.
  }

  struct Scan {
    pool @0 :Text;
    function @1 :Text;
    # scrub, resilver, rebuild or errorscrub.
    state @2 :Text;
    # finished, canceled, scanning, paused; unknown if the words were not understood.
    startedAt @3 :UInt64 $A.unit("unix milliseconds");
    # 0: not told.
    endedAt @4 :UInt64 $A.unit("unix milliseconds");
    # 0: not ended, or not told.
    errors @5 :UInt64;
    # Errors that the scan found and could not repair; meaningful when it has finished.
    words @6 :Text;
    # The line as ZFS printed it; empty where it came as numbers.
  }

  struct Damage {
    pool @0 :Text;
    object @1 :Text;
    # A path, or "dataset:<0x1>" where there is none.
  }

  struct FeatureSet {
    pool @0 :Text;
    state @1 :Text;
    # active, enabled or disabled.
    names @2 :List(Text);
  }

  struct Dataset {
    name @0 :Text;
    kind @1 :Text;
    # filesystem or volume.
    guid @2 :UInt64;
    createdAt @3 :UInt64 $A.unit("unix milliseconds");
    used @4 :UInt64 $A.unit("bytes") $A.volatile;
    available @5 :UInt64 $A.unit("bytes") $A.volatile;
    referenced @6 :UInt64 $A.unit("bytes") $A.volatile;
    usedBySnapshots @7 :UInt64 $A.unit("bytes") $A.volatile;
    logicalUsed @8 :UInt64 $A.unit("bytes") $A.volatile;
    mountpoint @9 :Text;
    # Empty: a volume has none; "none" and "legacy" are ZFS's own words.
    canmount @10 :Text;
    mounted @11 :Bool;
    readonly @12 :Bool;
    encryption @13 :Text;
    # "off", or the cipher.
    encryptionRoot @14 :Text;
    keyStatus @15 :Text;
    # available or unavailable; empty: not encrypted.
    keyFormat @16 :Text;
    keyLocation @17 :Text;
    quota @18 :UInt64 $A.unit("bytes");
    # This and the following limits are 0 where there is none.
    refquota @19 :UInt64 $A.unit("bytes");
    reservation @20 :UInt64 $A.unit("bytes");
    refreservation @21 :UInt64 $A.unit("bytes");
    compression @22 :Text;
    compressRatio @23 :Text $A.volatile;
    recordSize @24 :UInt64 $A.unit("bytes");
    # 0 for a volume.
    volumeSize @25 :UInt64 $A.unit("bytes");
    # 0 for a filesystem.
    origin @26 :Text;
    # The snapshot that it is a clone of. Empty: no clone.
    aclType @27 :Text;
    xattr @28 :Text;
    copies @29 :UInt8;
    receiving @30 :Bool;
    # A receive was interrupted and can be resumed: what is here is not complete.
    snapshots @31 :UInt32;
    heldSnapshots @32 :UInt32;
    oldestSnapshot @33 :Text;
    oldestAt @34 :UInt64 $A.unit("unix milliseconds");
    newestSnapshot @35 :Text;
    newestAt @36 :UInt64 $A.unit("unix milliseconds");
  }

  struct Importable {
    name @0 :Text;
    guid @1 :UInt64;
    state @2 :Text;
    status @3 :Text;
    # Such as: last used by another system.
    action @4 :Text;
    message @5 :Text;
  }
}

struct PoolHealth {
  # Whether a pool is intact by all that ZFS tells, not by the word ONLINE alone.
  pool @0 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z][A-Za-z0-9_.: -]*$") $A.example("\"datapool\"")
      $A.doc("Name of the imported pool.");

  struct Facts {
    pool @0 :AuditZfs.Pool;
    vdevs @1 :List(AuditZfs.Vdev) $A.doc("Its layout, every vdev after its parent.");
    scans @2 :List(AuditZfs.Scan) $A.doc("The last or running scrub, resilver or rebuild. None: it was never scanned.");
    damaged @3 :List(AuditZfs.Damage) $A.doc("What ZFS lists as permanently damaged, at most 200.");
    intact @4 :Bool $A.doc("There is no concern.");
    concerns @5 :List(Text) $A.doc("What speaks against it, in words. A pool that was never scrubbed is not one of them.");
    scrubbedAt @6 :UInt64 $A.unit("unix milliseconds") $A.doc("When the last scrub ended that ran to its end. 0: none is known.");
    toolVersion @7 :Text $A.doc("Of the zfs program.");
    moduleVersion @8 :Text $A.doc("Of its kernel module.");
    onlyDegraded @9 :Bool $A.doc("All that speaks against it is that redundancy is lost: all its data can still be read.");
  }
}

struct ZfsScrub {
  # Lets ZFS read and check every block of a pool, and waits for the end.
  pool @0 :Text $A.required $A.resource("pool") $A.limit("pools") $A.pattern("^[A-Za-z][A-Za-z0-9_.: -]*$") $A.example("\"datapool\"")
      $A.doc("Name of the imported pool.");
  maxAge @1 :UInt32 = 604800 $A.unit("seconds") $A.range(least = 1, greatest = 31536000)
      $A.doc("A scrub that ended less than this ago will do. Absent: seven days.");

  struct Facts {
    pool @0 :Text;
    poolGuid @1 :UInt64;
    state @2 :Text $A.doc("Of the last scrub: none, finished, canceled, scanning, paused.");
    endedAt @3 :UInt64 $A.unit("unix milliseconds") $A.doc("When the last one ended that ran to its end. 0: none is known.");
    recent @4 :Bool $A.doc("It ended recently enough.");
    errors @5 :UInt64 $A.doc("That it found and could not repair.");
    concerns @6 :List(Text) $A.doc("What speaks against the pool now, in words.");
    words @7 :Text $A.volatile $A.doc("What ZFS says of it.");
    toolVersion @8 :Text $A.doc("Of the zfs program.");
  }
}

struct UsbPool {
  # The pool of an external disk, which is known by its serial number, imported. Nothing of it is mounted, and none is ever made.
  serial @0 :Text $A.required $A.resource("disk") $A.pattern("^[!-~]([ -~]{0,126}[!-~])?$") $A.example("\"NA8V1C2D\"")
      $A.doc("Serial number of the disk, as lsblk tells it.");
  pool @1 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z][A-Za-z0-9_.: -]*$") $A.example("\"usbpool\"")
      $A.doc("Name of the pool on it, all of which lies on this disk.");
  least @2 :UInt64 $A.unit("bytes") $A.example("\"4TB\"")
      $A.doc("The least that the pool must hold altogether. Absent: any.");
  byId @3 :Text $A.pattern("^[A-Za-z0-9][A-Za-z0-9._:+@-]*$") $A.example("\"usb-WD_Elements_25A3_575834314131-0:0\"")
      $A.doc("A name that the disk must have below /dev/disk/by-id, too. Absent: any.");

  struct Facts {
    attached @0 :Bool $A.doc("There is one whole disk with that serial number.");
    bus @1 :Text $A.doc("How it is connected: usb, sata and so on. Empty: unknown.");
    diskSize @2 :UInt64 $A.unit("bytes") $A.doc("Capacity of the disk.");
    devices @3 :List(Text) $A.volatile $A.doc("What on the disk belongs to a pool of that name: '/dev/sdf1'.");
    own @4 :Text $A.doc("What else the disk holds, or is used for. Empty: nothing.");
    imported @5 :Bool $A.doc("A pool of that name is imported, wherever it lies.");
    poolGuid @6 :UInt64 $A.doc("Of the imported pool.");
    serials @7 :Text $A.doc("Of every disk of the imported pool, joined by commas.");
    health @8 :Text $A.doc("Of the imported pool: ONLINE.");
    readOnly @9 :Bool $A.doc("It is imported, and nothing can be written to it.");
    size @10 :UInt64 $A.unit("bytes") $A.doc("Of the imported pool.");
    concerns @11 :List(Text) $A.doc("What speaks against the imported pool, in words.");
    aliases @12 :List(Text) $A.doc("All names of the disk below /dev/disk/by-id.");
  }
}

struct ZfsKeyCheck {
  # Tries a key on an encrypted dataset without loading it; changes nothing.
  dataset @0 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.: -]*(/[A-Za-z0-9_.: -]+)*$") $A.example("\"tank/documents\"")
      $A.doc("The dataset that the key is for. Where it takes its key from one above it, the key is tried on that one.");
  key @1 :Text $A.required $A.secret $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"tank-key\"")
      $A.doc("The name under which `relab secret set` stored the passphrase or key.");

  struct Facts {
    dataset @0 :Text $A.doc("The dataset that was asked for.");
    guid @1 :UInt64 $A.doc("Its GUID.");
    pool @2 :Text $A.doc("The pool that it is in.");
    poolGuid @3 :UInt64 $A.doc("The GUID of that pool.");
    encryptionRoot @4 :Text $A.doc("The dataset on which the key was tried.");
    keyFormat @5 :Text $A.doc("Of the key, as ZFS has it: passphrase, hex or raw.");
    keyStatus @6 :Text $A.doc("Whether the key is loaded now: available or unavailable. It says nothing about the key that was tried.");
    proven @7 :Bool $A.doc("ZFS said that this is the key.");
    exitCode @8 :UInt16 $A.doc("With which `zfs load-key -n` ended; 0 if it is the key.");
    words @9 :Text $A.doc("What ZFS said to a key that is not it.");
    toolVersion @10 :Text $A.doc("Of the zfs program: '2.3.9-0+deb13u1'.");
  }
}

struct ZfsSnapshot {
  # A snapshot of a dataset and of all below it, at one moment, held so that nothing prunes it.
  dataset @0 :Text $A.required $A.resource("dataset") $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"datapool\"")
      $A.doc("The dataset; all below it are taken with it.");
  name @1 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*$") $A.example("\"pre-rebuild\"")
      $A.doc("Name of the snapshot, behind the @. If all datasets have it already it is kept as it is, however old.");
  hold @2 :Text = "relab" $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*$")
      $A.doc("The tag of the hold on it. Absent: relab.");

  struct Facts {
    pool @0 :Text $A.doc("The pool that it is in.");
    poolGuid @1 :UInt64 $A.doc("The GUID of that pool.");
    datasets @2 :List(Text) $A.doc("The dataset and all below it, as they are now.");
    snapshots @3 :List(Snapshot) $A.doc("The snapshots of that name that there are.");
    toolVersion @4 :Text $A.doc("Of the zfs program: '2.3.9-0+deb13u1'.");
  }

  struct Snapshot {
    dataset @0 :Text;
    guid @1 :UInt64;
    createTxg @2 :UInt64;
    # The pool's own count when it was taken: all of one recursive snapshot have the same.
    createdAt @3 :UInt64 $A.unit("unix milliseconds");
    held @4 :Bool;
    # By the tag that was asked for.
  }
}
