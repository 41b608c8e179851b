"""The living pool is not what the copy was taken of, or not well; or its key is another one."""

from bed.machine import DATA_DISKS, SPARE

from ways.evidence import swap
from ways.way import BOOKWORM, SELDOM, TRIXIE, Way

SPARE_DISK = f"/dev/disk/by-id/virtio-{SPARE.serial}"
KEY = "correct horse battery"
OTHER_KEY = "another horse battery"
BACK = f"zpool import -N datapool; printf '{KEY}' | zfs load-key datapool; zfs mount -a\n"
ANOTHER_POOL = f"""
zpool export datapool
zpool create -f -m none datapool {SPARE_DISK}
for name in documents vm-100-disk-0; do zfs create datapool/$name; done
zfs snapshot -r datapool@weekly; zfs snapshot -r datapool@pre-rebuild
"""
# As for a pool whose disk gave wrong data that ZFS could repair.
SCRATCHED = f"""
dd if=/dev/zero of=/dev/disk/by-id/virtio-{DATA_DISKS[3].serial}-part1 bs=1M seek=4 count=300 status=none
zpool scrub -w datapool
"""
# More disks than RAIDZ2 can do without, behind its labels: the pool stays ONLINE.
DAMAGED = "".join(f"dd if=/dev/zero of=/dev/disk/by-id/virtio-{disk.serial}-part1 bs=1M seek=4 count=300 status=none\n"
                  for disk in DATA_DISKS[:3]) + "zpool scrub -w datapool; zpool list -H -o health datapool\n"


def set_key(key):
    return lambda test: test.set_key(key)


def change_key(key):
    return f"printf '{key}' | zfs change-key -o keyformat=passphrase -o pbkdf2iters=100000 datapool\n"


POOL = [
    Way("a dataset that was made since", "datapool/new has no snapshot 'pre-rebuild': it was made since", suites=TRIXIE,
        false="zfs create datapool/new\n", mend="zfs destroy datapool/new\n"),
    Way("a dataset that was made since, and has a snapshot of that name",
        "it is a copy of other snapshots of the same names",
        suites=SELDOM, false="zfs create datapool/new; zfs snapshot datapool/new@pre-rebuild\n",
        mend="zfs destroy -r datapool/new\n"),
    Way("a snapshot that was destroyed and taken anew", "it is a copy of other snapshots of the same names",
        false="zfs rename datapool/documents@pre-rebuild datapool/documents@kept\n"
              "zfs snapshot datapool/documents@pre-rebuild\n",
        mend="zfs destroy datapool/documents@pre-rebuild; zfs rename datapool/documents@kept datapool/documents@pre-rebuild\n",
        suites=BOOKWORM),
    Way("a snapshot that is gone", "it is a copy of other snapshots of the same names", suites=SELDOM,
        false="zfs rename -r datapool@weekly @kept\n", mend="zfs rename -r datapool@kept @weekly\n"),
    Way("a dataset by the name of another", "it is a copy of other snapshots of the same names", suites=SELDOM,
        false="zfs rename datapool/documents datapool/papers\n", mend="zfs rename datapool/papers datapool/documents\n"),
    Way("the pool is not imported", "there is no dataset 'datapool'", suites=TRIXIE, false="zpool export datapool\n", mend=BACK),
    Way("another pool of the same name", "it is a copy of another pool named 'datapool'",
        false=ANOTHER_POOL, mend="zpool destroy datapool\n" + BACK, suites=BOOKWORM),
]

KEYS = [
    Way("a key that is not the pool's", "the key does not open it: ", condition="key.proven", runs=("key",), suites=SELDOM,
        act=set_key(OTHER_KEY), undo=set_key(KEY)),
    Way("a pool whose key was changed", "the key does not open it: ", condition="key.proven", runs=("key",), suites=BOOKWORM,
        false=change_key(OTHER_KEY), mend=change_key(KEY)),
    Way("a key that is not the pool's, and a lab.toml that calls the pool unencrypted",
        "lab.toml says that it is not encrypted, and datapool is", condition="key.proven", runs=("key",), suites=TRIXIE,
        edit=swap('encrypted = true\nkey_format = "passphrase"\n', ""), act=set_key(OTHER_KEY), undo=set_key(KEY)),
]

# Each receives the copy for practice, which takes most of a minute.
DRILLS = [
    Way("a key that opens nothing of what was received", "Incorrect key provided", condition="backup.drilled", gate="1d",
        runs=("drill",), suites=BOOKWORM, act=set_key(OTHER_KEY), undo=set_key(KEY)),
    Way("a pool that is locked, so that nothing can be compared", "key is not loaded", suites=TRIXIE,
        condition="backup.drilled", gate="1d", runs=("drill",),
        false="zfs unmount datapool/documents; zfs unmount datapool; zfs unload-key datapool\n",
        mend=f"printf '{KEY}' | zfs load-key datapool; zfs mount -a\n"),
    Way("a copy that was only read back", "it was not received for practice", condition="backup.drilled", gate="1d",
        suites=BOOKWORM),
]

# After a drill that succeeded.
DRILLED = [
    Way("a key that was changed after the drill, in the pool and for relab: the copy still has the old one",
        "the secret 'datapool-key' is another one since", condition="backup.drilled", gate="1d", runs=("key",), suites=TRIXIE,
        false=change_key(OTHER_KEY), act=set_key(OTHER_KEY), mend=change_key(KEY), undo=set_key(KEY)),
]

# After these the pool is no more what it was.
HEALTH = [
    Way("a pool that lacks a disk", "the pool is DEGRADED", condition="pools.intact", runs=("health",), suites=BOOKWORM,
        false=f"zpool offline datapool virtio-{DATA_DISKS[3].serial}\n",
        mend=f"zpool online datapool virtio-{DATA_DISKS[3].serial}; zpool wait -t resilver datapool\n"),
    Way("an ONLINE pool with a disk that gave wrong data", "checksum error(s)", condition="pools.intact", runs=("health",),
        suites=TRIXIE, false=SCRATCHED, mend="zpool clear datapool; zpool scrub -w datapool\n"),
    Way("an ONLINE pool with data that ZFS cannot repair", "data error(s) that ZFS cannot repair", condition="pools.intact",
        runs=("health",), false=DAMAGED, suites=BOOKWORM),
]
