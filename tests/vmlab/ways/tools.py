"""A `zfs` that lies, and a disk that gives up: what is written then is no copy, and nothing goes on from it."""

from bed.machine import USB

from ways.way import BOOKWORM, SELDOM, TRIXIE, Way

HONEST = "umount /usr/sbin/zfs\n"
TIDY = "rm -f /mnt/usb/other* /mnt/usb/ballast*\n"
AGAIN = {"runs": ("other",), "gate": "1w", "condition": "phase.complete"}
DISK_BACK = "umount -l /mnt/usb; udevadm settle; mount $(readlink -f /dev/disk/by-id/usb-*) /mnt/usb\n"


def lying(send):
    """The real one does everything but what `send -R` asks for."""
    return f"""
mkdir -p /root/real; [ -e /root/real/zfs ] || cp /usr/sbin/zfs /root/real/zfs
cat >/root/lying <<'END'
#!/bin/bash
case "$1 $2 $3" in
"send -R -w") {send} ;;
*) exec /root/real/zfs "$@" ;;
esac
END
chmod 755 /root/lying
mount --bind /root/lying /usr/sbin/zfs
"""


def liar(name, says, send, suites):
    return Way(name, "other/other/write did not succeed when it was run last", run_says=says, suites=suites, false=lying(send),
               mend=HONEST + TIDY, **AGAIN)


WAYS = [
    liar("a zfs that sends nothing and exits 0", "the stream is empty", "exit 0", SELDOM),
    liar("a zfs that stops in the middle and exits 0", "looking whether the stream is whole",
         '/root/real/zfs "$@" | head -c 100000; exit 0', BOOKWORM),
    liar("a zfs that sends all and fails", "zfs send ended with 1", '/root/real/zfs "$@"; exit 1', SELDOM),
    liar("a zfs that sends all and warns, with exit code 0", "zfs send ended with 0: warning: something",
         '/root/real/zfs "$@"; echo "warning: something" >&2; exit 0', SELDOM),
    liar("a zfs that leaves a dataset out", "2 of 6 snapshots are not in it", "exec cat /root/false/without", TRIXIE),
    liar("a zfs that gives an old stream", "which was not to be sent", "exec cat /root/false/older", SELDOM),
    Way("a disk that fills up while it is written to", "other/other/write did not succeed when it was run last",
        run_says="the disk is full", suites=BOOKWORM,
        false=lying('/root/real/zfs "$@" | head -c 300000; (fallocate -l 3900M /mnt/usb/ballast; '
                    'dd if=/dev/zero of=/mnt/usb/ballast2 bs=1M; dd if=/dev/zero of=/mnt/usb/ballast3 bs=4k) 2>/dev/null; '
                    '/root/real/zfs "$@" | tail -c +300001'),
        mend=HONEST + TIDY, **AGAIN),
    Way("a disk that turned read-only", "other/other/write did not succeed when it was run last", run_says="ead-only",
        suites=TRIXIE, false="mount -o remount,ro /mnt/usb\n", mend="mount -o remount,rw /mnt/usb\n" + TIDY, **AGAIN),
    Way("a disk that was pulled out", "there is no /dev/sda", act=lambda test: test.machine.unplug(USB), undo=lambda test: test.machine.plug(USB),
        mend="for _ in $(seq 100); do [ -e /dev/disk/by-id/usb-* ] && break; sleep 0.1; done\n" + DISK_BACK, suites=BOOKWORM),
]
