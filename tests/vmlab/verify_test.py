#!/usr/bin/env python3
"""What proves a copy: it is read back from the disk, and received, opened and compared. And what is no proof."""

import base64
import json

from bed.case import MachineCase, main, say
from bed.machine import USB

from support.lab import phase, step, track
from support.records import decode

NAME = f"usb-QEMU_QEMU_HARDDISK_{USB.serial}-0:0"
DISK = f'usb_disk = {{ serial = "{USB.serial}", folder = "/mnt/usb", format = true, by_id = "{NAME}" }}'
SNAPSHOT = 'zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" }'
COPY = 'dataset = "datapool", snapshot = "pre-rebuild", folder = "/mnt/usb", name = "copy"'
BACKUP = f"zfs_backup = {{ {COPY} }}"
VERIFY = f'zfs_backup_verify = {{ {COPY}, key = "datapool-key" }}'
READ_BACK = f"zfs_backup_verify = {{ {COPY}, drill = false }}"
HEALTH = 'pool_health = { pool = "datapool" }'
KEY = "correct horse battery"
# Bytes that the bed has written on its volume.
ON_VOLUME = 100_000
# Bytes of a copy in the making.
BEGUN = "stat -c %s /mnt/usb/copy.zfs.part 2>/dev/null || echo 0"
# A disk comes back, and nobody holds on to what it was before.
BACK = """
umount -l /mnt/usb
for _ in $(seq 100); do [ -e /dev/disk/by-id/usb-* ] && break; sleep 0.1; done
udevadm settle
"""
# What a drill sets up.
SCRATCH = """
zfs list -H -o name -r datapool | grep relab-drill || true
grep relab-drill /proc/mounts || true
ls -A /run/relab-drill 2>/dev/null || true
"""


class Verify(MachineCase):
    # killed_test has one in each system.
    only = {"test_a_good_copy_is_proven_and_a_bad_one_is_not": "trixie",
            "test_a_disk_that_is_pulled_while_it_is_written_to_has_no_copy": "bookworm"}

    def setUp(self):
        super().setUp()
        self.lab_ = self.lab()
        self.lab_.describe(
            phase("0b", track("copy", "z640", step("disk", DISK, deadline="5m"), step("snapshot", SNAPSHOT, deadline="5m"),
                              step("write", BACKUP, deadline="10m"))),
            phase("proof", track("proof", "z640", step("verify", VERIFY, deadline="20m"))),
            phase("reading", track("reading", "z640", step("verify", READ_BACK, deadline="10m"))),
            phase("health", track("health", "z640", step("pool", HEALTH, deadline="5m"))))
        self.lab_.init()
        self.set_key(KEY)
        self.assert_ended(self.lab_.enrol(), 0)
        self.lab_["z640"].start()

    def set_key(self, key):
        piped = self.lab_.folder / "piped"
        piped.write_text(key)
        with open(piped, encoding="utf-8") as file:
            self.assert_ended(self.lab_.relab("secret", "set", "datapool-key", stdin=file), 0)

    def facts(self):
        """Of the last report."""
        lines = [json.loads(line) for line in self.lab_.relab("ledger", "export").out.splitlines()]
        reports = [base64.b64decode(line["envelope"]["payload"]) for line in lines if line["kind"] == "received"]
        facts, = decode(reports[-1:], "Report")[0]["facts"].values()
        return facts

    def assert_no_scratch(self):
        self.assertEqual(self.machine.must(SCRATCH).strip(), "")

    def assert_told_truly(self, manifest):
        """Its digests are what anybody can compute, and its GUIDs those that ZFS tells."""
        self.assertEqual(int(manifest["bytes"]), int(self.machine.must("stat -c %s /mnt/usb/copy.zfs")))
        chunk = self.machine.must(f"split -b {manifest['chunkBytes']} --filter='b2sum -l 256' /mnt/usb/copy.zfs").split()
        self.assertEqual(chunk[::2], manifest["chunks"])
        known = self.machine.must("zfs list -Hp -r -t snapshot -o name,guid datapool").split()
        self.assertEqual({f"{row['dataset']}@{row['name']}": row["guid"] for row in manifest["snapshots"]},
                         dict(zip(known[::2], known[1::2])))
        self.assertEqual(manifest["diskSerial"], USB.serial)

    def change_copy(self, at):
        """Flips a bit of the stream on the disk."""
        self.machine.must(f"""
byte=$(dd if=/mnt/usb/copy.zfs bs=1 skip={at} count=1 status=none | od -An -tu1)
printf "\\\\x$(printf %02x $((byte ^ 16)))" | dd of=/mnt/usb/copy.zfs bs=1 seek={at} conv=notrunc,fsync status=none
""")

    def test_a_disk_that_is_pulled_while_it_is_written_to_has_no_copy(self):
        self.machine.must("head -c 60000000 /dev/urandom >/datapool/documents/large.bin; sync")
        running = self.lab_.start("run", "0b")
        for _ in range(600):
            if int(self.machine.must(BEGUN)) > 1_000_000:
                break
            self.assertTrue(running.is_running(), "it ended before it wrote")
        self.machine.unplug(USB)
        ended = running.wait(300)
        self.assert_ended(ended, 1, "write")
        say(ended.out)

        self.machine.plug(USB)
        self.machine.must(BACK)
        self.assert_ended(self.lab_.relab("run", "0b"), 0, "3 step(s) succeeded")
        self.assertEqual(self.machine.must("ls /mnt/usb | grep part || true").strip(), "")
        self.assert_ended(self.lab_.relab("run", "reading"), 0)

    def test_a_good_copy_is_proven_and_a_bad_one_is_not(self):
        self.assert_ended(self.lab_.relab("run", "0b"), 0, "3 step(s) succeeded")
        self.assert_told_truly(json.loads(self.machine.must("cat /mnt/usb/copy.manifest")))
        self.assertNotEqual(self.machine.run("zfs destroy datapool@pre-rebuild")[0], 0, "it is held")
        self.assert_ended(self.lab_.relab("run", "0b"), 0)
        self.assert_ended(self.lab_.relab("run", "health"), 0)
        self.assertEqual((self.facts()["intact"], self.facts().get("concerns", [])), (True, []))
        self.assert_ended(self.lab_.relab("run", "--check", "proof"), 0, "would read", "would receive it into datapool/relab-drill")

        self.assert_ended(self.lab_.relab("run", "proof"), 0, "1 step(s) succeeded")
        facts = self.facts()
        self.assertTrue(facts["readBack"])
        self.assertTrue(facts["drill"]["done"], facts["drill"])
        compared = {row["dataset"]: row for row in facts["drill"]["datasets"]}
        self.assertEqual([row["whyNot"] for row in compared.values() if row.get("whyNot")], [])
        self.assertEqual(set(compared), {"datapool", "datapool/media", "datapool/media/films", "datapool/pbs",
                                         "datapool/documents", "datapool/vm-100-disk-0"})
        self.assertGreaterEqual(int(compared["datapool/vm-100-disk-0"]["bytes"]), ON_VOLUME)
        documents = compared["datapool/documents"]
        self.assertGreaterEqual(int(documents["configFiles"]), 6)
        self.assertGreaterEqual(int(documents["sampled"]), 1)
        self.assert_no_scratch()

        # What else is no proof: falsify_test.
        middle = int(self.machine.must("stat -c %s /mnt/usb/copy.zfs")) // 2
        self.change_copy(middle)
        self.assert_ended(self.lab_.relab("run", "proof"), 1, "are not what was written")
        self.assert_no_scratch()
        self.change_copy(middle)
        self.assert_ended(self.lab_.relab("run", "reading"), 0)
        self.assertFalse(self.facts().get("drill", {}).get("wanted"))


if __name__ == "__main__":
    main()
