@0xd1a9c2f0b7e64a2f;
# Copies of whole pools outside of them: what is written, and the manifest that says what it has to be. docs/formats/backup.md
# tells how to check and to restore one without relab.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct ZfsBackup {
  # `zfs send -R -w` into a file: raw, so that what is encrypted stays so, and no key is needed for it.
  dataset @0 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"datapool\"")
      $A.doc("The dataset; all below it are copied with it.");
  snapshot @1 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*$") $A.example("\"pre-rebuild\"")
      $A.doc("Name of the snapshot that is copied, with all that are older. It has to be there.");
  folder @2 :Text $A.required $A.resource("folder") $A.limit("paths") $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/mnt/usb\"")
      $A.doc("Where a file system is mounted that lies on no pool that is copied: the disk that takes the copy.");
  name @3 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$") $A.example("\"datapool-pre-rebuild\"")
      $A.doc("Name of the copy: NAME.zfs is the stream, NAME.manifest tells what it has to be.");
  margin @4 :UInt8 = 5 $A.unit("percent") $A.range(least = 1, greatest = 100)
      $A.doc("How much more than ZFS's estimate has to fit. Absent: 5 percent.");

  struct Facts {
    pool @0 :Text $A.doc("The pool that is copied.");
    poolGuid @1 :UInt64;
    snapshots @2 :List(Snapshot) $A.doc("What the copy has to have: every snapshot of every dataset up to the one that was asked for.");
    estimate @3 :UInt64 $A.unit("bytes") $A.doc("How much ZFS thinks that it will be.");
    mounted @4 :Bool $A.doc("A file system is mounted on the folder itself.");
    device @5 :Text $A.volatile $A.doc("What is mounted there: '/dev/sdf1', or a dataset.");
    diskSerial @6 :Text $A.doc("Of the disk below it; several are joined by commas.");
    fileSystem @7 :Text $A.doc("Of that kind: ext4.");
    free @8 :UInt64 $A.unit("bytes") $A.volatile $A.doc("Room that is there once the leftovers are removed.");
    state @9 :State $A.doc("What there is by the name of the copy.");
    bytes @10 :UInt64 $A.unit("bytes") $A.doc("Of the stream that is there.");
    digest @11 :Text $A.doc("That the manifest has for the whole stream, hexadecimal.");
    manifestDigest @12 :Text $A.doc("BLAKE2b-256 of the manifest's bytes, hexadecimal, as `b2sum -l 256` prints it.");
    writtenAt @13 :UInt64 $A.unit("unix milliseconds") $A.doc("When the manifest says that it was written.");
    leftovers @14 :List(Text) $A.doc("Files of an attempt that did not come to its end.");
    conflict @15 :Text $A.doc("Why what is there is not the copy that was asked for.");
    toolVersion @16 :Text $A.doc("Of the zfs program.");
    moduleVersion @17 :Text $A.doc("Of its kernel module.");
    signedBy @18 :Text $A.doc("Key of the agent whose good signature of the manifest stands beside it, hexadecimal. Empty: none does.");
    headBeside @19 :Bool $A.doc("A signed head of the ledger stands beside it.");
  }

  enum State {
    none @0;
    # There is no stream of that name.
    complete @1;
    # Stream and manifest are there, of the size that the manifest has, with the snapshots that were asked for. That the
    # stream's bytes are still those that were written is for the verification to see.
    other @2;
    # Something else is there by that name; it is left alone.
  }
}

struct ZfsBackupVerify {
  # Reads a copy back from its disk and compares it with its manifest and the living pool; receives it into scratch, opens that
  # with the key, and compares files with those of the snapshot.
  dataset @0 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"datapool\"")
      $A.doc("The dataset that was copied.");
  snapshot @1 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*$") $A.example("\"pre-rebuild\"")
      $A.doc("Name of the snapshot that was copied.");
  folder @2 :Text $A.required $A.resource("folder") $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/mnt/usb\"")
      $A.doc("Where the disk with the copy is mounted.");
  name @3 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$") $A.example("\"datapool-pre-rebuild\"")
      $A.doc("Name of the copy.");
  drill @4 :Bool = true
      $A.doc("Whether the copy is also received into scratch, opened and compared, where that has room. Absent: yes.");
  scratch @5 :Text $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"datapool\"")
      $A.doc("The dataset below which it is received; it is removed again. Absent: the pool that was copied.");
  key @6 :Text $A.secret $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"datapool-key\"")
      $A.doc("The name under which `relab secret set` stored the key of what is encrypted; the drill opens the received copy with it.");
  sample @7 :UInt32 = 200 $A.unit("files") $A.range(least = 1, greatest = 100000)
      $A.doc("How many files of each dataset, drawn by lot, are compared byte by byte besides all small configuration files. Absent: 200.");

  struct Facts {
    pool @0 :Text $A.doc("The pool that was copied.");
    poolGuid @1 :UInt64;
    snapshots @2 :List(Snapshot) $A.doc("Of the living pool; the manifest and the stream have the same.");
    mounted @3 :Bool $A.doc("A file system is mounted on the folder itself.");
    device @4 :Text $A.volatile $A.doc("What is mounted there.");
    diskSerial @5 :Text $A.doc("Of the disk below it; several are joined by commas.");
    state @6 :ZfsBackup.State $A.doc("What there is by the name of the copy.");
    conflict @7 :Text $A.doc("Why what is there is not the copy that was asked for.");
    bytes @8 :UInt64 $A.unit("bytes") $A.doc("Of the stream that is there.");
    digest @9 :Text $A.doc("That the manifest has for the whole stream, hexadecimal.");
    manifestDigest @10 :Text $A.doc("BLAKE2b-256 of the manifest's bytes, hexadecimal.");
    writtenAt @11 :UInt64 $A.unit("unix milliseconds") $A.doc("When the manifest says that it was written.");
    writtenOn @12 :Text $A.doc("Serial number of the disk that the manifest says it was written on.");
    readBack @13 :Bool
        $A.doc("Every byte was read back from the disk and has the digests of the manifest, and its records are whole and have every snapshot.");
    records @14 :UInt64 $A.doc("Records of the stream that were walked.");
    drill @15 :Drill;
    toolVersion @16 :Text $A.doc("Of the zfs program that did it.");
    moduleVersion @17 :Text $A.doc("Of its kernel module.");
    signedBy @18 :Text $A.doc("Key of the agent whose good signature of the manifest stands beside it, hexadecimal. Empty: none does.");
  }

  struct Drill {
    wanted @0 :Bool;
    done @1 :Bool $A.doc("It was received whole, opened with the key, mounted, and every file that was compared is the same.");
    why @2 :Text $A.doc("Why it was not done.");
    scratch @3 :Text $A.doc("Below which dataset it was received.");
    needed @4 :UInt64 $A.unit("bytes") $A.doc("How much room it needs.");
    available @5 :UInt64 $A.unit("bytes") $A.volatile $A.doc("How much there was.");
    leftover @6 :Text $A.doc("What an earlier drill left behind; it is removed first.");
    datasets @7 :List(Compared) $A.doc("Each dataset of the copy, and what was compared of it.");
  }

  struct Compared {
    dataset @0 :Text $A.doc("As the living pool has it.");
    whyNot @1 :Text $A.doc("Why its content was not compared. Empty: it was.");
    entries @2 :UInt64 $A.doc("Files, folders and others whose names, owners, modes and times are the same.");
    configFiles @3 :UInt64 $A.doc("Small configuration files whose bytes are the same.");
    sampled @4 :UInt64 $A.doc("Other files, drawn by lot, whose bytes are the same; of those over 1 GiB in 16 places of 4 MiB.");
    bytes @5 :UInt64 $A.unit("bytes") $A.doc("That were compared.");
  }
}

struct ZfsPoolBackup {
  # Each dataset sent raw into another pool, which then has it as it was, snapshot by snapshot; what was interrupted goes on where
  # the stream allows.
  dataset @0 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"datapool\"")
      $A.doc("The dataset; all below it are copied with it.");
  snapshot @1 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*$") $A.example("\"pre-rebuild\"")
      $A.doc("Name of the snapshot that is copied, with all that are older. It has to be there.");
  target @2 :Text $A.required $A.resource("dataset") $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"usbpool/datapool\"")
      $A.doc("The dataset of another, imported pool that becomes the copy. It is made; one that is there already has to be a copy of this one.");
  margin @3 :UInt8 = 5 $A.unit("percent") $A.range(least = 1, greatest = 100)
      $A.doc("How much more than ZFS's estimate has to fit. Absent: 5 percent.");

  struct Facts {
    pool @0 :Text $A.doc("The pool that is copied.");
    poolGuid @1 :UInt64;
    snapshots @2 :List(Snapshot) $A.doc("What the copy has to have: every snapshot of every dataset up to the one that was asked for.");
    estimate @3 :UInt64 $A.unit("bytes") $A.doc("How much ZFS thinks that is still to be sent.");
    targetPool @4 :Text $A.doc("The pool that takes it.");
    targetPoolGuid @5 :UInt64;
    targetHealth @6 :Text $A.doc("As `zpool list` has it.");
    diskSerial @7 :Text $A.doc("Of the disks of that pool, joined by commas.");
    free @8 :UInt64 $A.unit("bytes") $A.volatile $A.doc("Room that is left there.");
    state @9 :ZfsBackup.State $A.doc("What there is by the name of the copy.");
    received @10 :List(Snapshot) $A.doc("What the copy has, by the names of the original.");
    interrupted @11 :List(Text) $A.doc("Datasets of the copy in which a receive was interrupted that can go on.");
    conflict @12 :Text $A.doc("Why what is there is not the copy that was asked for.");
    copyDigest @13 :Text $A.doc("BLAKE2b-256 over what the copy is known by, hexadecimal: the GUIDs of its pool and of its snapshots.");
    toolVersion @14 :Text $A.doc("Of the zfs program.");
    moduleVersion @15 :Text $A.doc("Of its kernel module.");
  }
}

struct ZfsPoolBackupVerify {
  # Scrubs the pool that has a copy, exports and imports it anew, compares its snapshots with the living pool; opens the copy with
  # the key, and compares files with those of the snapshot.
  dataset @0 :Text $A.required $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"datapool\"")
      $A.doc("The dataset that was copied.");
  snapshot @1 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*$") $A.example("\"pre-rebuild\"")
      $A.doc("Name of the snapshot that was copied.");
  target @2 :Text $A.required $A.resource("dataset") $A.limit("pools") $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$") $A.example("\"usbpool/datapool\"")
      $A.doc("The dataset of the other pool that is the copy.");
  drill @3 :Bool = true
      $A.doc("Whether the copy is also opened and compared. Absent: yes.");
  key @4 :Text $A.secret $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"datapool-key\"")
      $A.doc("The name under which `relab secret set` stored the key of what is encrypted; the drill opens the copy with it.");
  sample @5 :UInt32 = 200 $A.unit("files") $A.range(least = 1, greatest = 100000)
      $A.doc("How many files of each dataset, drawn by lot, are compared byte by byte besides all small configuration files. Absent: 200.");

  struct Facts {
    pool @0 :Text $A.doc("The pool that was copied.");
    poolGuid @1 :UInt64;
    snapshots @2 :List(Snapshot) $A.doc("Of the living pool; the copy has the same.");
    targetPool @3 :Text $A.doc("The pool that has the copy.");
    targetPoolGuid @4 :UInt64;
    diskSerial @5 :Text $A.doc("Of the disks of that pool, joined by commas.");
    state @6 :ZfsBackup.State $A.doc("What there is by the name of the copy.");
    conflict @7 :Text $A.doc("Why what is there is not the copy that was asked for.");
    copyDigest @8 :Text $A.doc("BLAKE2b-256 over what the copy is known by, hexadecimal: the GUIDs of its pool and of its snapshots.");
    readBack @9 :Bool $A.doc("Every block was read by a scrub without an error after the pool had been exported and imported, and every snapshot is there.");
    scrubbedAt @10 :UInt64 $A.unit("unix milliseconds") $A.doc("When that scrub ended.");
    concerns @11 :List(Text) $A.doc("What speaks against the pool that has the copy.");
    drill @12 :ZfsBackupVerify.Drill;
    toolVersion @13 :Text $A.doc("Of the zfs program that did it.");
    moduleVersion @14 :Text $A.doc("Of its kernel module.");
  }
}

struct Preserve {
  # An archive of paths that would not survive: a tar file with owners, modes, ACLs, extended attributes and holes, compressed by
  # zstd, with a manifest of every entry. Reading it back whole is part of every run, and so is comparing it with what is there
  # now: where that differs, it is archived anew, and the older archive stays until the newer one was read back.
  paths @0 :List(Text) $A.required $A.pattern("^(/|(/(?![.]{1,2}(/|$))[^/]+)+)$") $A.example("[\"/etc/pve\", \"/etc/network\"]")
      $A.doc("Files and folders, with all below them on the same file system. Each has to be there. With /etc/pve goes its database.");
  vmid @1 :UInt32 $A.range(least = 100, greatest = 999999999) $A.example("110")
      $A.doc("The running container of this host whose paths they are. Absent: this machine's own.");
  folder @2 :Text $A.required $A.resource("folder") $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/mnt/usb\"")
      $A.doc("Where a file system is mounted that survives: the disk that takes backups, or a dataset of a pool of data.");
  name @3 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$") $A.example("\"pve-config\"")
      $A.doc("Name of the archive: NAME.tar.zst, and NAME.manifest that tells what is in it.");
  stop @4 :List(Text) $A.pattern("^[A-Za-z0-9@_.:-]+[.](service|socket|timer)$") $A.example("[\"sonarr.service\"]")
      $A.doc("Units there that are stopped meanwhile and started again whatever comes of it: databases in a container need it.");
  exclude @5 :List(Text) $A.pattern("^(/|(/(?![.]{1,2}(/|$))[^/]+)+)$") $A.example("[\"/var/lib/jellyfin/metadata\"]")
      $A.doc("Paths below those that are left out.");

  struct Facts {
    place @0 :Text $A.doc("'this machine', or the container.");
    missing @1 :List(Text) $A.doc("Paths that are not there.");
    mounted @2 :Bool $A.doc("A file system is mounted on the folder itself.");
    device @3 :Text $A.volatile $A.doc("What is mounted there: '/dev/sdf1', or a dataset.");
    diskSerial @4 :Text $A.doc("Of the disk below it; several are joined by commas.");
    fileSystem @5 :Text $A.doc("Of that kind: ext4.");
    free @6 :UInt64 $A.unit("bytes") $A.volatile $A.doc("Room that is left there.");
    state @7 :ZfsBackup.State $A.doc("What there is by the name of the archive. Complete: it was just read back whole, and is what the manifest says.");
    conflict @8 :Text $A.doc("Why what is there is not the archive that was asked for.");
    leftovers @9 :List(Text) $A.doc("Files of an attempt that did not come to its end.");
    bytes @10 :UInt64 $A.unit("bytes") $A.doc("Of the archive.");
    digest @11 :Text $A.doc("BLAKE2b-256 of the archive, hexadecimal, as `b2sum -l 256` prints it.");
    manifestDigest @12 :Text $A.doc("The same of its manifest.");
    writtenAt @13 :UInt64 $A.unit("unix milliseconds") $A.doc("When the manifest says that it was written.");
    entries @14 :UInt64 $A.doc("Files, folders and others in it.");
    contentBytes @15 :UInt64 $A.unit("bytes") $A.doc("Of its files.");
    databases @16 :List(Text) $A.doc("SQLite databases in it, each a consistent copy.");
    changed @17 :List(Text) $A.doc("Other files that changed while they were read: each as it was at some moment in between.");
    signedBy @18 :Text $A.doc("Key of the agent whose good signature of the manifest stands beside it, hexadecimal. Empty: none does.");
    compared @19 :Bool $A.doc("Every entry was compared with what is there now.");
    differing @20 :List(Text) $A.volatile $A.doc("Entries that are not in it as they are now, at most 200, each with what differs.");
    differingCount @21 :UInt64 $A.volatile $A.doc("Of all of those.");
    unsettled @22 :Bool
        $A.doc("It has just taken the place of an older one, and its manifest stands under another name still: NAME+new.manifest.");
    leads @23 :List(Lead) $A.doc("Links in it that lead to something that is not in it, at most 1000; what packages bring and what the kernel shows left out.");
    leadCount @24 :UInt64 $A.doc("Of all of those.");
  }

  struct Lead {
    path @0 :Text $A.doc("The link.");
    target @1 :Text $A.doc("What it leads to, absolute, as its machine sees it.");
  }
}

struct Restore {
  # Puts back what an archive has. What is there already and is the same stays as it is; what differs is replaced only if asked.
  folder @0 :Text $A.required $A.pattern("^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$") $A.example("\"/mnt/usb\"")
      $A.doc("Where the disk with the archive is mounted.");
  name @1 :Text $A.required $A.pattern("^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$") $A.example("\"pve-config\"")
      $A.doc("Name of the archive.");
  into @2 :Text = "/" $A.resource("folder") $A.pattern("^(/|(/(?![.]{1,2}(/|$))[^/]+)+)$")
      $A.doc("The folder that stands for / of the archive. Absent: / itself.");
  paths @3 :List(Text) $A.pattern("^(/|(/(?![.]{1,2}(/|$))[^/]+)+)$") $A.example("[\"/etc/wireguard\"]")
      $A.doc("Only these paths of the archive, with all below them. Absent: all.");
  replace @4 :Bool = false
      $A.doc("Whether files that are there and differ are replaced. Absent: no, and the task says which they are.");

  struct Facts {
    state @0 :ZfsBackup.State $A.doc("What there is by the name of the archive.");
    conflict @1 :Text $A.doc("Why what is there is not a whole archive.");
    digest @2 :Text $A.doc("BLAKE2b-256 of the archive, hexadecimal.");
    manifestDigest @3 :Text $A.doc("The same of its manifest.");
    wanted @4 :UInt64 $A.doc("Entries of the archive that are asked for.");
    same @5 :UInt64 $A.doc("Entries that are there already: kind, owner, mode, time, and content by its digest.");
    missing @6 :List(Text) $A.doc("Entries that are not there, at most 200.");
    differing @7 :List(Text) $A.doc("Entries that are there and are not the same, at most 200, each with what differs.");
    missingCount @8 :UInt64 $A.doc("Of those that are not there.");
    differingCount @9 :UInt64 $A.doc("Of those that differ.");
    apart @10 :List(Text)
        $A.doc("Entries that are in the archive and are never restored into /: the database of Proxmox, of which /etc/pve is a view.");
    logs @11 :List(Text)
        $A.doc("Logs that stand beside databases that are restored, and are not in the archive: SQLite would play them back over those.");
    signedBy @12 :Text $A.doc("Key of the agent whose good signature of the manifest stands beside it, hexadecimal. Empty: none does.");
    datasets @13 :List(Text) $A.doc("Datasets in which what is asked for lies, or is to lie.");
  }
}

struct ArchiveManifest {
  # What an archive has to be. Its canonical JSON stands beside it.
  version @0 :UInt32;
  # 1
  archive @1 :Text;
  # The archive's file name.
  bytes @2 :UInt64;
  digest @3 :Text;
  # Hexadecimal: BLAKE2b-256 of the whole file.
  paths @4 :List(Text);
  exclude @5 :List(Text);
  vmid @6 :UInt32;
  # 0: the machine itself.
  machineId @7 :Text;
  diskSerial @8 :Text;
  writtenAt @9 :UInt64;
  # Unix milliseconds.
  entries @10 :List(Entry);
  databases @11 :List(Text);
  changed @12 :List(Text);
  restore @13 :List(Text);
  # How to restore it by hand, line by line.
  copied @14 :List(Original);
  # Of the databases that were copied by SQLite's own backup: what there was of each just before. Absent in older ones.

  struct Original {
    path @0 :Text;
    # Of the database, of its -wal, or of its -journal.
    bytes @1 :UInt64;
    modified @2 :UInt64;
    # Unix milliseconds.
  }

  struct Entry {
    path @0 :Text;
    type @1 :Text;
    # file, folder, link, hardlink, fifo, character, block.
    mode @2 :UInt32;
    uid @3 :UInt32;
    gid @4 :UInt32;
    bytes @5 :UInt64;
    modified @6 :Int64;
    # Unix seconds.
    target @7 :Text;
    # Of a link.
    digest @8 :Text;
    # Hexadecimal: BLAKE2b-256 of a file's content.
    more @9 :Text;
    # Hexadecimal: BLAKE2b-256 over its ACLs and extended attributes. Empty: it has none.
  }
}

struct Snapshot {
  # One snapshot of one dataset, by which it is known wherever it goes.
  dataset @0 :Text;
  name @1 :Text;
  guid @2 :UInt64;
  createTxg @3 :UInt64;
  createdAt @4 :UInt64 $A.unit("unix milliseconds");
  encrypted @5 :Bool;
}

struct BackupManifest {
  # What a copy has to be. Its canonical JSON stands beside the stream.
  version @0 :UInt32;
  # 1
  stream @1 :Text;
  # The stream's file name.
  bytes @2 :UInt64;
  digest @3 :Text;
  # Hexadecimal: BLAKE2b-256 over the digests of all chunks, one after the other.
  chunkBytes @4 :UInt64;
  # Of all chunks but the last.
  chunks @5 :List(Text);
  # Hexadecimal: BLAKE2b-256 of each, in their order, as `b2sum -l 256` prints it.
  pool @6 :Text;
  poolGuid @7 :UInt64;
  dataset @8 :Text;
  snapshot @9 :Text;
  snapshots @10 :List(Snapshot);
  writtenAt @11 :UInt64;
  # Unix milliseconds.
  diskSerial @12 :Text;
  toolVersion @13 :Text;
  moduleVersion @14 :Text;
  machineId @15 :Text;
  restore @16 :List(Text);
  # How to restore it by hand, line by line.
}
