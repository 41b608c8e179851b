"""The disk with the copy is not what it seems: the copy lies elsewhere, or what lies there cannot be read."""

from bed.machine import SPARE, USB

from ways.way import BOOKWORM, SELDOM, TRIXIE, Way

COPY, MANIFEST, SIGNATURE = "/mnt/usb/copy.zfs", "/mnt/usb/copy.manifest", "/mnt/usb/copy.manifest.dsse"


def laid(name):
    """One of the copies that were carried in, in place of the one that is there."""
    return f"rm -rf /mnt/usb/copy.*; cp /root/false/{name}/* /mnt/usb/\n"


GOOD = laid("good")
# The good copy with a manifest that names another disk, signed as it should be.
SERIALS = {"": "nowhere", SPARE.serial: "spare", "vmroot": "root"}
SPARE_DISK = f"/dev/disk/by-id/virtio-{SPARE.serial}"
STILL_GOOD = "/root/false/good/copy"
BEHIND = "umount /mnt/usb\n"

# Every place of the file on its disk is bad.
BAD_BLOCKS = rf"""
set -- $(filefrag -v -b512 {COPY} | sed -nE 's/^ *0: *[0-9]+\.\. *[0-9]+: *([0-9]+)\.\. *[0-9]+: *([0-9]+):.*/\1 \2/p')
size=$(blockdev --getsz /dev/sda)
umount /mnt/usb
printf '%s\n' "0 $1 linear /dev/sda 0" "$1 $2 error" "$(($1 + $2)) $((size - $1 - $2)) linear /dev/sda $(($1 + $2))" |
  dmsetup create bad
mount /dev/mapper/bad /mnt/usb
"""
WELL_AGAIN = "umount /mnt/usb; dmsetup remove bad; mount /dev/sda /mnt/usb\n"
# The disk took the copy, and gives for its first blocks what lay there before: an older copy of the same name.
OLD_BLOCKS = rf"""
cp /root/made/older /mnt/usb/old; sync /mnt/usb/old
first() {{ filefrag -v -b512 "$1" | sed -nE 's/^ *0: *[0-9]+\.\. *[0-9]+: *([0-9]+)\.\. *[0-9]+: *([0-9]+):.*/\1 \2/p'; }}
set -- $(first {COPY}) $(first /mnt/usb/old)
count=$(($2 < $4 ? $2 : $4)) size=$(blockdev --getsz /dev/sda)
umount /mnt/usb
printf '%s\n' "0 $1 linear /dev/sda 0" "$1 $count linear /dev/sda $3" \
  "$(($1 + count)) $((size - $1 - count)) linear /dev/sda $(($1 + count))" | dmsetup create old
mount /dev/mapper/old /mnt/usb
"""
NEW_AGAIN = "umount /mnt/usb; dmsetup remove old; mount /dev/sda /mnt/usb; rm /mnt/usb/old\n"
# Whoever reads the file by the usual way gets what was written, for it is in memory.
CHANGED_BELOW = f"""
sync {COPY}
cat {COPY} >/dev/null
block=$(filefrag -v {COPY} | sed -n 's/^ *0: *[0-9]*\\.\\. *[0-9]*: *\\([0-9]*\\)\\.\\..*/\\1/p')
dd if=/dev/urandom of=/dev/sda bs=4096 seek=$((block + 5)) count=1 oflag=direct conv=notrunc status=none
cmp {COPY} /root/false/good/copy.zfs
if dd if={COPY} bs=1M iflag=direct status=none | cmp -s - /root/false/good/copy.zfs; then exit 1; fi
"""


def over(mount, serial):
    """The good copy on a file system that hides that of the disk, with a manifest that has the disk's serial number."""
    return mount + "\n" + laid(SERIALS.get(serial, "good"))


def spare(label):
    return f"mkfs.ext4 -q -F -L '{label}' {SPARE_DISK}; mount {SPARE_DISK} /mnt/usb"


WAYS = [
    Way("a file with nothing but a hole, of the right size", "are not what was written",
        false=f"truncate -s 0 {COPY}; truncate -s $(stat -c %s /root/false/good/copy.zfs) {COPY}\n", mend=GOOD, suites=SELDOM),
    Way("a hole within the file", "are not what was written", suites=SELDOM,
        false=f"fallocate -p -o 65536 -l 65536 {COPY}\n", mend=GOOD),
    Way("a symbolic link to a good copy on the system's disk", "it is no file", suites=TRIXIE,
        false=f"rm {COPY}; ln -s /root/false/good/copy.zfs {COPY}\n", mend=GOOD),
    Way("a folder by the copy's name", "it is no file", suites=SELDOM, false=f"rm {COPY}; mkdir {COPY}\n", mend=GOOD),
    Way("the good copy of the system's disk, mounted over the file", "something else is mounted over it", suites=TRIXIE,
        false=f"mount --bind {STILL_GOOD}.zfs {COPY}\n", mend=f"umount {COPY}\n"),
    Way("a manifest that is a link to one on the system's disk", "its manifest cannot be read", suites=BOOKWORM,
        run_says=f"{MANIFEST}: it is no file", false=f"rm {MANIFEST}; ln -s {STILL_GOOD}.manifest {MANIFEST}\n", mend=GOOD),
    Way("the good manifest of the system's disk, mounted over the file", "its manifest cannot be read", suites=SELDOM,
        run_says=f"{MANIFEST}: something else is mounted over it",
        false=f"mount --bind {STILL_GOOD}.manifest {MANIFEST}\n", mend=f"umount {MANIFEST}\n"),
    Way("a signature that is a link to one on the system's disk", "its manifest cannot be read", suites=TRIXIE,
        run_says=f"{SIGNATURE}: it is no file",
        false=f"rm {SIGNATURE}; ln -s {STILL_GOOD}.manifest.dsse {SIGNATURE}\n", mend=GOOD),
    Way("a good copy in the folder, and no disk mounted there", "nothing is mounted on /mnt/usb",
        false=BEHIND + GOOD, mend="rm -rf /mnt/usb/copy.*; mount /dev/sda /mnt/usb\n", suites=BOOKWORM),
    Way("a good copy in memory", "the copy was written on the disk 'VMUSB001', and this is ''", suites=SELDOM,
        false=over("mount -t tmpfs tmpfs /mnt/usb", USB.serial), mend=BEHIND),
    Way("a good copy in memory that says so", "the disk that has the copy told no serial number", suites=SELDOM,
        false=over("mount -t tmpfs tmpfs /mnt/usb", ""), mend=BEHIND),
    Way("another disk with the same label", "the copy was written on the disk 'VMUSB001', and this is 'VMSPARE1'",
        suites=BOOKWORM, false=over(spare("copies"), USB.serial), mend=BEHIND),
    Way("another disk, and a manifest that knows it", "the copy lies on the disk VMSPARE1, which lab.toml does not know",
        suites=TRIXIE, false=over(spare("copies"), SPARE.serial), mend=BEHIND),
    Way("a folder of the system's disk mounted there", "the copy lies on the disk vmroot, which lab.toml does not know",
        suites=BOOKWORM, false=over("mkdir -p /root/usb; mount --bind /root/usb /mnt/usb", "vmroot"), mend=BEHIND),
    Way("a disk image within the very pool that was copied", "the disk that has the copy told no serial number", suites=TRIXIE,
        false=over("truncate -s 64M /datapool/image; mkfs.ext4 -q -F /datapool/image; "
                   "mount -o loop /datapool/image /mnt/usb", ""),
        mend=BEHIND + "rm /datapool/image\n"),
    Way("a dataset of the pool that was copied", "the disk that has the copy told no serial number", suites=SELDOM,
        false=over("mount --bind /datapool/documents /mnt/usb", ""), mend="rm /mnt/usb/copy.*\n" + BEHIND),
    # Debian 13's image has no dmsetup.
    Way("blocks that the disk does not give any more", "/mnt/usb/copy.zfs: Input/output error, at byte 0", suites=BOOKWORM,
        false=BAD_BLOCKS, mend=WELL_AGAIN),
    Way("old data, which the disk had before", "are not what was written", suites=BOOKWORM, false=OLD_BLOCKS, mend=NEW_AGAIN),
    Way("bytes that are right only in the page cache", "are not what was written", false=CHANGED_BELOW, mend=GOOD, suites=TRIXIE),
]
