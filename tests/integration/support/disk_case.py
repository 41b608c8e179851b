"""A lab whose one agent has one disk more, which can be wiped for real, by stand-ins that remember it."""

import json
import os
import pty

from .case import LabCase
from .lab import DISKS, phase, step, track
from .tools import LSBLK

BLANK = 'wipe_disk = { serial = "OLD1" }'
ID = "0190a5e0c0de7000800000000000000{}"
SIGNATURES = json.dumps({"signatures": [{"device": "sdq", "offset": "0x200", "type": "gpt", "uuid": None, "label": None}]})


class DiskCase(LabCase):
    def setUp(self):
        super().setUp()
        self.show_disk()
        # Nothing is recognised where udev tells nothing.
        self.agent.tools.fake("blkid", status=2)
        # It remembers what was wiped.
        self.agent.tools.fake("wipefs", before=f"""case "$*" in
--no-act*) [ -e wiped ] || echo '{SIGNATURES}'; exit 0 ;;
--all*) touch wiped; exit 0 ;;
esac""", status=1)
        self.agent.start()

    def show_disk(self, **more):
        """What lsblk shows: one disk beyond those of the machine."""
        shown = json.loads(LSBLK)
        disk = dict(next(device for device in shown["blockdevices"] if device["name"] == "vda"))
        disk.update(name="sdq", kname="sdq", path="/dev/sdq", serial="OLD1", model="Portable", fstype=None, label=None,
                    pttype="gpt", mountpoints=[None])
        disk.update(more)
        shown["blockdevices"].append(disk)
        self.agent.tools.fake("lsblk", prints=json.dumps(shown))

    def describe(self, *steps, gate=""):
        self.lab.describe(phase("look", track("disks", "alpha", step("disks", DISKS))),
                          phase("two", track("t", "alpha", *(steps or [step("wipe", BLANK)])), more=gate))

    def wiped(self):
        return (self.agent.tools.folder / "wiped").exists()

    def approve(self, *typed, more=()):
        """At a terminal, as a person does."""
        master, slave = pty.openpty()
        try:
            os.write(master, "".join(f"{word}\n" for word in typed).encode())
            return self.lab.relab("approve", "two", *more, stdin=slave)
        finally:
            os.close(slave)
            os.close(master)

    def forge(self, *commands):
        answers = self.lab.forge("alpha", "sync", *commands, "sync")
        return [answer for answer in answers if answer.get("answer") == "receipt"]

    def looked(self, number):
        return (f"order kind=auditDisks id={ID.format(number)}", f"await {ID.format(number)}")
