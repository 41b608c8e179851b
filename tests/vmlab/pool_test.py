#!/usr/bin/env python3
"""A copy in a pool on a USB disk: what makes it, what proves it, and what is no proof. A receive that is killed goes on."""

import base64
import json

from bed.case import MachineCase, main
from bed.machine import USB

from support.lab import PING, phase, step, track
from support.records import decode

DISK = f"/dev/disk/by-id/usb-QEMU_QEMU_HARDDISK_{USB.serial}-0:0"
COPY = 'dataset = "datapool", snapshot = "pre-rebuild", target = "usbpool/datapool"'
TAKE = f'usb_pool = {{ serial = "{USB.serial}", pool = "usbpool", least = "1GiB" }}'
WRITE = f"zfs_pool_backup = {{ {COPY} }}"
VERIFY = f'zfs_pool_backup_verify = {{ {COPY}, key = "datapool-key" }}'
READ = f"zfs_pool_backup_verify = {{ {COPY}, drill = false }}"
SNAPSHOT = 'zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" }'
GATE = 'after = ["0a"]\ngate = [{ name = "backup.verified" }, { name = "backup.drilled" }]'
KEY = "correct horse battery"
# Something that is not encrypted below what is, whose blocks can be found; and a key that is tried fast.
PREPARE = f"""
printf '{KEY}' | zfs change-key -o keyformat=passphrase -o pbkdf2iters=100000 datapool
zfs create -o encryption=off datapool/plain
head -c 3000000 /dev/urandom >/datapool/plain/movie.bin
zpool create -f -o ashift=12 usbpool {DISK}
zpool export usbpool
"""
# Nothing of the copy is open, mounted or in the way, and its pool is there.
LEFTOVERS = """
zpool list -H -o name usbpool >/dev/null || true
zfs list -Hp -r -o name,keystatus usbpool | grep -w available || true
grep -E ' /run/relab-drill|^usbpool/' /proc/mounts || true
ls -A /run/relab-drill 2>/dev/null || true
ls /dev/zvol/usbpool 2>/dev/null || true
grep -q '^usbpool /usbpool ' /proc/mounts || echo 'usbpool is not mounted any more'
"""
# Changes a block of a file of the copy on the disk, behind the back of ZFS. zdb finds a pool in a cache file.
DAMAGE = f"""
zpool set cachefile=/run/usbpool.cache usbpool
python3 - <<'END'
import os, re, subprocess
told = subprocess.run(["zdb", "-U", "/run/usbpool.cache", "-ddddd", "usbpool/datapool/plain"], stdout=subprocess.PIPE, text=True, check=False).stdout
blocks = [(int(at, 16), int(size, 16)) for at, size in re.findall(r" L0 0:([0-9a-f]+):([0-9a-f]+) ", told)]
at, _ = next(block for block in blocks if block[1] >= 0x10000)
disk = os.open("{DISK}-part1", os.O_RDWR | os.O_SYNC)
os.pwrite(disk, os.urandom(8192), 0x400000 + at + 4096)
END
"""
# What a person does who has the disk and no relab.
BY_HAND = f"""
zfs send -R -w usbpool/datapool@pre-rebuild | zfs receive -u -x mountpoint -x canmount -x readonly -x volmode rpool/restored
zfs list -Hp -r -t snapshot -o name,guid datapool | sed 's,^datapool,,' | sort >/tmp/was
zfs list -Hp -r -t snapshot -o name,guid rpool/restored | sed 's,^rpool/restored,,' | sort | diff /tmp/was - && echo "the same snapshots"
for _ in $(seq 20); do echo '{KEY}'; done | zfs load-key -r rpool/restored
zfs change-key -i rpool/restored/documents
zfs get -H -o value encryptionroot rpool/restored/documents
zfs set mountpoint=/restored rpool/restored
for name in rpool/restored rpool/restored/documents; do zfs mount | grep -q "^$name " || zfs mount $name; done
diff -r /datapool/documents /restored/documents && echo "all alike"
"""
# As docs/formats/backup.md has it.
DIGEST = r"""
{ zpool get -Hp -o value guid usbpool; zfs list -Hp -r -t snapshot -o name,guid usbpool/datapool |
  sed 's|^usbpool/datapool/*||; s|\t| |' | LC_ALL=C sort; } | b2sum -l 256 | cut -d' ' -f1
"""


class Pool(MachineCase):
    only = {"test_a_good_copy_is_proven_and_a_bad_one_is_not": "bookworm", "test_a_receive_that_is_killed_goes_on": "trixie"}

    def setUp(self):
        super().setUp()
        self.machine.must(PREPARE, timeout_s=300)
        self.lab_ = self.lab()
        self.lab_.describe(
            phase("0a", track("audit", "z640", step("zfs", "audit_zfs = {}"))),
            phase("disk", track("disk", "z640", step("take", TAKE, deadline="5m"))),
            phase("copy", track("copy", "z640", step("snapshot", SNAPSHOT, deadline="5m"), step("write", WRITE, deadline="15m"))),
            phase("proof", track("proof", "z640", step("verify", VERIFY, deadline="20m"))),
            phase("reading", track("reading", "z640", step("verify", READ, deadline="20m"))),
            phase("1", track("next", "z640", step("hello", PING)), more=GATE))
        self.lab_.init()
        self.set_key(KEY)
        self.assert_ended(self.lab_.enrol(), 0)
        self.lab_["z640"].start()
        self.assert_ended(self.lab_.relab("run", "0a"), 0)
        self.assert_ended(self.lab_.relab("run", "disk"), 0)
        self.machine.must("zfs mount usbpool")

    def set_key(self, key):
        piped = self.lab_.folder / "piped"
        piped.write_text(key)
        with open(piped, encoding="utf-8") as file:
            self.assert_ended(self.lab_.relab("secret", "set", "datapool-key", stdin=file), 0)

    def reports(self):
        lines = [json.loads(line) for line in self.lab_.relab("ledger", "export").out.splitlines()]
        return decode([base64.b64decode(line["envelope"]["payload"]) for line in lines if line["kind"] == "received"], "Report")

    def facts(self):
        """Of the last report."""
        facts, = self.reports()[-1]["facts"].values()
        return facts

    def assert_closed(self):
        self.assertEqual(self.machine.must(LEFTOVERS).strip(), "")

    def assert_gate(self, code, *words):
        self.assert_ended(self.lab_.relab("gate", "1"), code, *words)

    def test_a_good_copy_is_proven_and_a_bad_one_is_not(self):
        self.assert_gate(3, "no copy of it was ever read back")
        self.assert_ended(self.lab_.relab("run", "copy"), 0, "2 step(s) succeeded")
        facts = self.facts()
        self.assertEqual((facts["state"], facts["targetPool"], facts["diskSerial"]), ("complete", "usbpool", USB.serial))
        self.assertEqual(len(facts["received"]), len(facts["snapshots"]))
        self.assertEqual(facts["copyDigest"], self.machine.must(DIGEST).strip())
        self.assert_closed()
        self.assert_gate(3)
        with self.subTest("it is not sent again"):
            self.assert_ended(self.lab_.relab("run", "copy"), 0)
            self.assertFalse(self.reports()[-1].get("changes"))

        with self.subTest("a key that is another one"):
            self.set_key("some other key")
            self.assert_ended(self.lab_.relab("run", "proof"), 1, "Incorrect key provided")
            self.assert_closed()
            self.assert_gate(3)
            self.set_key(KEY)
        self.assert_ended(self.lab_.relab("run", "--check", "proof"), 0, "would export the pool 'usbpool'", "would scrub it")
        self.assert_ended(self.lab_.relab("run", "proof"), 0, "1 step(s) succeeded")
        facts = self.facts()
        self.assertTrue(facts["readBack"])
        self.assertTrue(facts["drill"]["done"], facts["drill"])
        files = {row["dataset"] for row in facts["drill"]["datasets"] if not row.get("whyNot")}
        self.assertEqual(files, {"datapool", "datapool/media", "datapool/media/films", "datapool/pbs", "datapool/documents",
                                 "datapool/plain", "datapool/vm-100-disk-0"})
        self.assert_closed()
        self.assert_gate(0, "the pool 'usbpool' on VMUSB001")
        with self.subTest("by hand"):
            said = self.machine.must(BY_HAND, timeout_s=300).splitlines()
            self.assertEqual([line for line in said if "successfully" not in line],
                             ["the same snapshots", "rpool/restored", "all alike"])
            self.machine.must("zfs unmount -f rpool/restored/documents; zfs destroy -r rpool/restored")

        with self.subTest("a dataset of somebody else in the copy"):
            self.machine.must("zfs create -o encryption=off -o mountpoint=none -o readonly=off usbpool/datapool/foreign")
            self.assert_ended(self.lab_.relab("run", "copy"), 1, "usbpool/datapool/foreign has no original")
            self.assert_ended(self.lab_.relab("run", "reading"), 1, "usbpool/datapool/foreign has no original")
            self.machine.must("zfs destroy usbpool/datapool/foreign")
        with self.subTest("a block that is damaged"):
            self.machine.must(DAMAGE)
            self.assert_ended(self.lab_.relab("run", "reading"), 1, "was read from end to end", "error")
            self.assert_closed()
            self.assert_gate(3)

    def test_what_is_there_is_not_overwritten(self):
        self.machine.must("zfs create usbpool/datapool; echo mine >/usbpool/datapool/mine")
        self.assert_ended(self.lab_.relab("run", "copy"), 1, "usbpool/datapool is there, and nothing of it is a copy")
        self.assertEqual(self.machine.must("cat /usbpool/datapool/mine").strip(), "mine")

    def test_a_receive_that_is_killed_goes_on(self):
        self.machine.must("head -c 80000000 /dev/urandom >/datapool/media/films/more.bin; sync", timeout_s=300)
        running = self.lab_.start("run", "copy")
        self.machine.must("""
for _ in $(seq 2400); do
  zfs list usbpool/datapool/media/films@daily-1 >/dev/null 2>&1 &&
    pgrep -f 'zfs receive .*usbpool/datapool/media/films$' >/dev/null && break
  sleep 0.05
done
sleep 0.3
systemctl kill -s KILL relab-agent
""", timeout_s=300)
        token = self.machine.must("sleep 1; zfs get -H -o value -r -t filesystem receive_resume_token usbpool/datapool | "
                                  "grep -v '^-$' || true").strip()
        ended = running.wait(900)
        # The kind converges, so that the controller tries again by itself.
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(self.facts()["state"], "complete")
        self.assertTrue(token, "it was killed too early or too late to be interrupted")
        self.assertTrue(any("zfs send -t 1-" in line for line in self.reports()[-1]["log"]), self.reports()[-1]["log"])
        self.assert_ended(self.lab_.relab("run", "proof"), 0)
        self.assertTrue(self.facts()["drill"]["done"])
        self.assert_closed()


if __name__ == "__main__":
    main()
