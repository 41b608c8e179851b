#!/usr/bin/env python3
"""Ways in which a copy is false while looking true, on real ZFS: the gate before the installation stays shut, and says why.

One small pool is copied once. Each way of ways/ then makes something false, has the agent look at it, reads what the gate
says, and mends it again. RELAB_WAYS is a regular expression for the names of those that are to be tried instead of the suite's
own: "." tries all of them.
"""

import base64
import json
import os
import re
import sys
import time

from bed.case import MachineCase, main, say
from bed.machine import USB
from ways import copies, disks, evidence, ledger, living, tools
from ways.copy import Copy
from ways.signature import Signer

from support.lab import PING, phase, step, track

COPY = 'dataset = "datapool", snapshot = "pre-rebuild", folder = "/mnt/usb", name = "copy"'
OTHER = COPY.replace('"copy"', '"other"')
DISK = f'usb_disk = {{ serial = "{USB.serial}", folder = "/mnt/usb", format = true }}'
SNAPSHOT = 'zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" }'
GATE = 'gate = [{ name = "backup.verified" }, { name = "key.proven" }, { name = "pools.intact" }]'
ONLY = re.compile(os.environ["RELAB_WAYS"]) if "RELAB_WAYS" in os.environ else None

# Of the suite's own.
LEAST = 30

# As little as has everything: a file system, one below it, a volume, an older snapshot and a newer one. ZFS asks a slow machine
# for seconds each time that it makes a key of a passphrase, so that it shall do that less often.
SMALL = f"""
zfs destroy -r datapool@daily-1; zfs destroy -r datapool/media; zfs destroy -r datapool/pbs
printf '{living.KEY}' | zfs change-key -o keyformat=passphrase -o pbkdf2iters=100000 datapool
rm /datapool/documents/newer.bin
zfs snapshot -r datapool@weekly; zfs snapshot -r rpool/data@pre-rebuild
head -c 200000 /dev/urandom >/datapool/documents/newest.bin
mkdir -p /root/made; cd /root/made
zfs snapshot -r datapool@pre-rebuild
zfs send -R -w datapool@pre-rebuild >older
zfs destroy -r datapool@pre-rebuild
zpool scrub -w datapool
"""
# The plan's recipe, and what else could be taken for the copy. The dataset that is sent decrypted is one of those in it.
MADE = """
cd /root/made
(zfs send -R datapool@pre-rebuild | cat >recipe; echo "Exit code: $?") 2>/dev/null | grep -q 'Exit code: 0'
zfs send -w datapool@pre-rebuild >single
zfs send -R -w -I datapool@weekly datapool@pre-rebuild >incremental
zfs send datapool/documents@weekly >decrypted
zfs send -R rpool/data@pre-rebuild >other
for name in *; do echo "$name $(base64 -w0 $name)"; done
for end in zfs manifest manifest.dsse head.dsse; do echo "copy.$end $(base64 -w0 /mnt/usb/copy.$end)"; done
echo "key $(base64 -w0 /var/lib/relab-agent/agent.key)"
"""


class Falsify(MachineCase):
    def setUp(self):
        super().setUp()
        self.tried, self.owed = 0, ""
        self.machine.must(SMALL)
        self.lab_ = self.lab()
        self.describe()
        self.lab_.init()
        self.set_key(living.KEY)
        self.assert_ended(self.lab_.enrol("z640"), 0)
        self.lab_["z640"].start()

    def describe(self, edit=lambda text: text):
        def one(name, kind, more=""):
            return phase(name, track(f"t{name}", "z640", step("it", kind, deadline="10m")), more=more)

        def behind(name, more, kind=PING):
            return phase(name, track(f"t{name}", "z640", step("hello", kind)), more=more)

        self.lab_.describe(
            one("0a", "audit_zfs = {}"),
            phase("0b", track("copy", "z640", *(step(name, kind, deadline="10m") for name, kind in (
                ("disk", DISK), ("snapshot", SNAPSHOT), ("write", f"zfs_backup = {{ {COPY} }}"))))),
            phase("other", track("other", "z640", step("write", f"zfs_backup = {{ {OTHER} }}", deadline="10m"))),
            one("reading", f"zfs_backup_verify = {{ {COPY}, drill = false }}"),
            one("drill", f'zfs_backup_verify = {{ {COPY}, key = "datapool-key" }}'),
            one("key", 'zfs_key_check = { dataset = "datapool", key = "datapool-key" }'),
            behind("0c", "", kind='ping = { echo = "done" }'),
            behind("later", "", kind='ping = { echo = "later" }'),
            one("archive", 'preserve = { paths = ["/etc/network"], folder = "/datapool/documents", name = "config" }'),
            one("health", 'pool_health = { pool = "datapool" }'),
            behind("1", 'after = ["0a", "0b"]\n' + GATE),
            behind("1d", 'gate = [{ name = "backup.drilled" }]'),
            behind("1w", 'after = ["other"]'))
        self.lab_.file.write_text(edit(self.lab_.file.read_text(encoding="utf-8")), encoding="utf-8")

    def set_key(self, key):
        piped = self.lab_.folder / "piped"
        piped.write_text(key)
        with open(piped, encoding="utf-8") as file:
            self.assert_ended(self.lab_.relab("secret", "set", "datapool-key", stdin=file), 0)

    def must_run(self, *phases):
        for name in phases:
            self.assert_ended(self.lab_.relab("run", name), 0)

    # ---- one way

    def is_wanted(self, way):
        return self.suite.name in way.suites if ONLY is None else ONLY.search(way.name)

    def try_all(self, ways):
        for way in filter(self.is_wanted, ways):
            with self.subTest(way.name):
                self.try_one(way)

    def try_one(self, way):
        begun = time.monotonic()
        false, self.owed = self.take_owed() + way.false, way.mend
        self.machine.must(false)
        try:
            if way.edit:
                self.describe(way.edit)
            if way.act:
                way.act(self)
            runs = [self.lab_.relab("run", name) for name in way.runs]
            if way.then:
                way.then(self)
            why = self.assert_shut(way, runs)
        finally:
            if way.edit:
                self.describe()
            if way.undo:
                way.undo(self)
        self.tried += 1
        say(f"{time.monotonic() - begun:5.1f} s  {way.name}: {why}")

    def take_owed(self):
        owed, self.owed = self.owed, ""
        return owed

    def assert_shut(self, way, runs):
        """The words of the gate, or why there is none."""
        ended = self.lab_.relab("gate", way.gate, "--output", "json")
        said = "\n".join(str(run) for run in [*runs, ended])
        if way.refuses:
            self.assertIn(ended.code, (1, 2), said)
            self.assertIn(way.refuses, ended.err, said)
            return ended.err.strip()
        self.assertEqual(ended.code, 3, f"the gate is open\n{said}")
        conditions = json.loads(ended.out)[0]["entry"]["conditions"]
        whys = [finding["why"] for row in conditions if row["condition"] == way.condition
                for finding in row["findings"] if not finding["met"]]
        self.assertTrue(whys, f"it is not {way.condition} that keeps it shut\n{said}")
        self.assertIn(way.says, "\n".join(whys), said)
        self.assertIn(way.run_says, said)
        return "; ".join(whys)

    def assert_open(self, *phases):
        """Otherwise that the gate is shut would prove nothing."""
        self.machine.must(self.take_owed())
        self.must_run(*phases)
        self.assert_ended(self.lab_.relab("gate", "1"), 0)

    # ---- what they are made of

    def good_copy(self):
        made = dict(line.split(" ", 1) for line in self.machine.must(MADE).splitlines())
        made = {name: base64.b64decode(text) for name, text in made.items()}
        return Copy(stream=made.pop("copy.zfs"), manifest=made.pop("copy.manifest"), signature=made.pop("copy.manifest.dsse"),
                    head=made.pop("copy.head.dsse"), signer=Signer(made.pop("key")), made=made)

    def false_copies(self, good):
        """All of them are carried in at once."""
        here = self.folder / "false"
        good.put(here / "good")
        copies.unsigned(good).put(here / "unsigned")
        for serial, name in disks.SERIALS.items():
            good.telling(diskSerial=serial).put(here / name)
        (here / "older").write_bytes(good.made["older"])
        (here / "without").write_bytes(good.package.without(copies.NEWEST, copies.OLDER))
        ways = copies.false_copies(good, here)
        self.machine.carry({"/root/false": here})
        return ways

    def test_the_gate_stays_shut(self):
        self.must_run("0a", "0b", "0c", "key", "health")
        good = self.good_copy()
        false_copies = self.false_copies(good)
        self.try_all(evidence.EARLY)
        self.assert_open("reading")
        self.try_all([*evidence.LAB_FILE, *ledger.LEDGER])
        self.try_all([*false_copies, *disks.WAYS, *evidence.MACHINE])
        self.assert_open("reading")
        self.try_all([*tools.WAYS, *living.POOL, *living.KEYS])
        self.assert_open("reading", "key")
        self.try_all(copies.AGAIN)
        self.assert_open("0b", "reading")
        self.try_all(evidence.WRITES[:2])
        self.try_all(living.DRILLS)
        if any(self.is_wanted(way) for way in living.DRILLED):
            self.assert_open("drill")
            self.assert_ended(self.lab_.relab("gate", "1d"), 0)
            self.try_all(living.DRILLED)
        self.machine.must(self.take_owed())
        self.try_all([*evidence.WRITES[2:], *living.HEALTH, *evidence.ENROLMENT])
        print(f"falsified: {self.tried} ways on real ZFS", file=sys.stderr)
        self.assertGreaterEqual(self.tried, 1 if ONLY else LEAST, "too few ways were tried")


if __name__ == "__main__":
    main()
