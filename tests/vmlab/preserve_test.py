#!/usr/bin/env python3
"""What an installation would take is known, kept and given back; and a pool is scrubbed, by the agent in the machine."""

import json

from bed.case import MachineCase, main
from bed.machine import USB

from support.lab import phase, step, track

DISK = f'usb_disk = {{ serial = "{USB.serial}", folder = "/mnt/usb", format = true }}'
KEEP = ('preserve = { paths = ["/etc", "/srv/app"], exclude = ["/srv/app/cache"], folder = "/mnt/usb", '
        'name = "config" }')
RESTORE = 'restore = { folder = "/mnt/usb", name = "config", into = "/back" }'
SCRUB = 'zfs_scrub = { pool = "datapool", max_age = "1h" }'
SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services")
# A database that somebody keeps writing to, beside files of every kind.
APP = """
mkdir -p /srv/app/cache /back
printf 'colour = blue\\n' >/srv/app/app.conf
setfacl -m u:1234:r /srv/app/app.conf
setfattr -n user.tag -v kept /srv/app/app.conf
ln -s app.conf /srv/app/link
ln /srv/app/app.conf /srv/app/twin
truncate -s 5M /srv/app/sparse
chown 1000:1001 /srv/app/sparse
head -c 3000000 /dev/urandom >/srv/app/cache/big
sqlite3 /srv/app/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(42)'
nohup bash -c 'while [ -d /srv/app ]; do sqlite3 /srv/app/app.db "INSERT INTO t VALUES(1)"; done' >/dev/null 2>&1 &
"""
# What came back, word by word.
BACK = """
cmp /srv/app/app.conf /back/srv/app/app.conf
getfacl -cp /back/srv/app/app.conf | grep -c 'user:1234:r'
getfattr --only-values -n user.tag /back/srv/app/app.conf; echo
readlink /back/srv/app/link
stat -c '%h' /back/srv/app/twin
stat -c '%s %u %g' /back/srv/app/sparse
[ $(stat -c %b /back/srv/app/sparse) -lt 100 ] && echo holes
sqlite3 /back/srv/app/app.db 'PRAGMA quick_check; SELECT x FROM t LIMIT 1'
ls /back/srv/app
"""


# Where the pool has it; what leads off the pool; and what is not there.
KEPT, ASTRAY, MISSPELT = "/datapool/documents", "/datapool/astray", "/datapool/photso"


class Preserve(MachineCase):
    def setUp(self):
        super().setUp()
        self.lab_ = self.lab()
        audit = [track(f"0a-{name}", "z640", step(name, f"audit_{name} = {{}}", deadline="5m")) for name in SECTIONS]
        self.lab_.describe(
            phase("0a", *audit, track("0a-paths", "z640", step("paths", "path_check = {}", deadline="5m"))),
            phase("0b", track("keep", "z640", step("disk", DISK, deadline="5m"), step("keep", KEEP, deadline="5m"))),
            phase("back", track("back", "z640", step("restore", RESTORE, deadline="5m"))),
            phase("scrub", track("scrub", "z640", step("scrub", SCRUB, deadline="10m"))),
            phase("1", track("end", "z640", step("ping", "ping = {}")), more='gate = [{ name = "data.survives" }]'))
        with open(self.lab_.file, "a", encoding="utf-8") as file:
            for path in (KEPT, ASTRAY, MISSPELT):
                file.write(f'\n[[keep]]\npath = "{path}"\n')
            file.write('\n[[keep]]\npath = "/srv/app"\n[[keep]]\npath = "/srv/app/cache"\nlose = true\n')
            # The system itself is not on it: it is a pool like any other on disks that are overwritten.
            file.write('\n[[keep]]\npath = "/zpool:rpool"\nlose = true\n')
        self.lab_.init()
        self.assert_ended(self.lab_.enrol(), 0)
        self.lab_["z640"].start()

    def lost(self):
        ended = self.lab_.relab("--output", "json", "audit", "survive")
        told = json.loads(ended.out)
        self.assertEqual(ended.code, 1 if told["lost"] else 0)
        self.assertEqual(told["notRead"], [])
        rows = {row["path"]: row["ending"] for row in told["things"]}
        self.assertEqual(rows["/datapool/documents"], "survives")
        self.assertEqual(rows["/rpool-data"], "lost")
        return {row["path"] for row in told["things"] if row["wanted"] and not row["givenUp"] and row["ending"] == "lost"}

    def test_what_would_be_lost_keeps_the_gate_shut_until_it_is_kept(self):
        self.machine.must(APP)
        self.machine.must(f"mkdir -p /srv/elsewhere && ln -s /srv/elsewhere {ASTRAY}")
        self.assert_ended(self.lab_.relab("run", "0a"), 0)
        self.assertLessEqual({"/srv/app", "/etc/network", ASTRAY, MISSPELT}, self.lost())
        self.machine.must(f"rm {ASTRAY} && mkdir {ASTRAY} {MISSPELT}")
        self.assert_ended(self.lab_.relab("run", "0a-paths"), 0)
        self.assertFalse({KEPT, ASTRAY, MISSPELT} & self.lost())
        self.assert_ended(self.lab_.relab("gate", "1"), 3, "/srv/app of z640", "relab run 0b")

        # Of what a link in the archive leads to, nothing is in it.
        self.machine.must("mkdir -p /etc/network && touch /opt/rules && ln -s /opt/rules /etc/network/rules")
        self.assert_ended(self.lab_.relab("run", "0b"), 0)
        self.assertEqual(self.lost(), {"/etc/network"})
        self.assert_ended(self.lab_.relab("gate", "1"), 3, "/etc/network/rules in it is a link to /opt/rules")
        self.machine.must("rm /etc/network/rules")
        self.assert_ended(self.lab_.relab("run", "0b"), 0)
        self.assertEqual(self.lost(), set())
        self.assert_ended(self.lab_.relab("gate", "1"), 0, "survive, or are preserved")
        self.assertEqual(self.machine.must("ls -A /mnt/usb | grep -v lost+found").split(),
                         ["config.head.dsse", "config.manifest", "config.manifest.dsse", "config.tar.zst"])
        manifest = json.loads(self.machine.must("cat /mnt/usb/config.manifest"))
        self.assertEqual(self.machine.must("b2sum -l 256 /mnt/usb/config.tar.zst").split()[0], manifest["digest"])
        self.assertEqual(manifest["databases"], ["/srv/app/app.db"])

        self.assert_ended(self.lab_.relab("run", "back"), 0)
        self.assertEqual(self.machine.must(BACK).split(),
                         "1 kept app.conf 2 5242880 1000 1001 holes ok 42 app.conf app.db link sparse twin".split())

        # A bad spot on the disk: what was kept is kept no more.
        self.machine.must("printf X | dd of=/mnt/usb/config.tar.zst bs=1 seek=400 conv=notrunc status=none; sync")
        self.assert_ended(self.lab_.relab("run", "0b"), 1, "its bytes are not what was written")
        self.assertIn("/srv/app", self.lost())
        self.assert_ended(self.lab_.relab("gate", "1"), 3, "its bytes are not what was written")

    def test_a_pool_is_scrubbed_to_the_end_and_not_once_more(self):
        self.assert_ended(self.lab_.relab("run", "scrub"), 0)
        self.assertIn("scrub repaired 0B", self.machine.must("zpool status datapool"))
        before = self.machine.must("zpool status datapool | grep scan:")
        self.assert_ended(self.lab_.relab("run", "scrub"), 0)
        self.assertEqual(self.machine.must("zpool status datapool | grep scan:"), before)


if __name__ == "__main__":
    main()
