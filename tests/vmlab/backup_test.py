#!/usr/bin/env python3
"""A copy of the encrypted pool on a USB disk, by the agent in the machine: what is written can be received, and what goes
wrong leaves nothing that could be taken for a copy."""

import json

from bed.case import MachineCase, main
from bed.machine import USB
from support.lab import phase, step, track

SNAPSHOT = 'zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" }'
BACKUP = 'zfs_backup = { dataset = "datapool", snapshot = "pre-rebuild", folder = "/mnt/usb", name = "copy" }'
MOUNT = f"""
disk=$(readlink -f /dev/disk/by-id/usb-*{USB.serial}*)
mkfs.ext4 -q -E lazy_itable_init=1 "$disk"
mkdir -p /mnt/usb
mount "$disk" /mnt/usb
"""
# Receives the copy for real, into a pool on the spare disk, and compares what is in it.
DRILL = """
zpool create -f -m none scratch /dev/disk/by-id/virtio-VMSPARE1
zfs receive -u scratch/back </mnt/usb/copy.zfs
printf 'correct horse battery' | zfs load-key -r scratch/back
zfs set mountpoint=/scratch scratch/back
zfs mount -a
mounted=$(zfs mount | grep -c '^scratch/')
diff -r /datapool /scratch && echo "$mounted mounted, all alike"
"""


class Backup(MachineCase):
    def setUp(self):
        super().setUp()
        self.machine.must(MOUNT)
        self.lab_ = self.lab()
        self.lab_.describe(phase("0b", track("copy", "z640", step("snapshot", SNAPSHOT, deadline="5m"),
                                             step("write", BACKUP, deadline="10m"))))
        self.lab_.init()
        self.assert_ended(self.lab_.enrol(), 0)
        self.lab_["z640"].start()

    def files(self):
        return self.machine.must("ls -A /mnt/usb | grep -v lost+found || true").split()

    def test_it_is_written_whole_and_can_be_received(self):
        self.assert_ended(self.lab_.relab("run", "0b"), 0, "2 step(s) succeeded")
        self.assertEqual(self.files(), ["copy.head.dsse", "copy.manifest", "copy.manifest.dsse", "copy.zfs"])
        manifest = json.loads(self.machine.must("cat /mnt/usb/copy.manifest"))
        self.assertEqual(int(manifest["bytes"]), int(self.machine.must("stat -c %s /mnt/usb/copy.zfs")))
        # The digests are what anybody can compute.
        chunk = self.machine.must(f"split -b {manifest['chunkBytes']} --filter='b2sum -l 256' /mnt/usb/copy.zfs").split()
        self.assertEqual(chunk[::2], manifest["chunks"])
        known = self.machine.must("zfs list -Hp -r -t snapshot -o name,guid datapool").split()
        self.assertEqual({f"{row['dataset']}@{row['name']}": row["guid"] for row in manifest["snapshots"]},
                         dict(zip(known[::2], known[1::2])))
        self.assertEqual(manifest["diskSerial"], USB.serial)
        self.assertNotEqual(self.machine.run("zfs destroy datapool@pre-rebuild")[0], 0, "it is held")
        self.assert_ended(self.lab_.relab("run", "0b"), 0)
        self.assertIn("all alike", self.machine.must(DRILL, timeout_s=900))

    def test_a_disk_that_fills_up_leaves_no_copy(self):
        # What is estimated fits, for the ballast comes when it is being written.
        self.machine.must("nohup bash -c 'while [ ! -e /mnt/usb/copy.zfs.part ]; do sleep 0.05; done; "
                          "fallocate -l 3900M /mnt/usb/ballast; fallocate -l 20M /mnt/usb/more; "
                          "dd if=/dev/zero of=/mnt/usb/rest bs=1M' >/dev/null 2>&1 &")
        self.assert_ended(self.lab_.relab("run", "0b"), 1, "the disk is full")
        self.assertFalse({"copy.zfs", "copy.manifest", "copy.manifest.dsse", "copy.zfs.part"} & set(self.files()))

    def test_a_disk_that_is_pulled_out_leaves_no_success(self):
        self.machine.must("head -c 60000000 /dev/urandom >/datapool/media/more.bin; sync")
        running = self.lab_.start("run", "0b")
        self.machine.must("for _ in $(seq 600); do [ -e /mnt/usb/copy.zfs.part ] && exit 0; sleep 0.1; done; exit 1", timeout_s=120)
        self.machine.unplug(USB)
        ended = running.wait(600)
        self.assertEqual(ended.code, 1, ended)
        self.assert_ended(self.lab_.relab("run", "0b"), 1)


if __name__ == "__main__":
    main()
