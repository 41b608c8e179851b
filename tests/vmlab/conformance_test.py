#!/usr/bin/env python3
"""The simulated machine of a rehearsal answers as a real one: the audit, and scripts of commands, on both, compared field by field.
RELAB_CONFORMANCE=no leaves it out."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time
import unittest

from bed.case import MachineCase, main, say
from bed.lab import PRIVATE_LIBRARIES, ROOT
from bed.machine import OS_DISKS, USB
from ways import living

CONFORMANCE = ROOT / "tests" / "conformance"
sys.path.insert(0, str(CONFORMANCE))

import compare  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("RELAB_CONFORM", ROOT / "build" / "dev" / "tests" / "relab-conform"))
# In this order, each on what the ones before have left. With RELAB_VMLAB_ALL=1, all of them in both systems.
ALL = ("files", "system", "tunnel", "disks", "zfs")
SCRIPTS = {"bookworm": ("files", "disks", "zfs"), "trixie": ("files", "system", "tunnel", "zfs")}
FOLDER = "/opt/relab"
# A bridge that filters VLANs, with a card in one of them, and an address in another.
NETWORK = """
link add vmbr7 address 02:00:00:00:07:01 type bridge vlan_filtering 1
link add tap7 address 02:00:00:00:07:02 type veth peer name tap8
link set tap7 master vmbr7
link add link vmbr7 name vmbr7.60 address 02:00:00:00:07:60 type vlan id 60
link set tap8 up
link set tap7 up
link set vmbr7 up
link set vmbr7.60 up
address add 10.77.60.2/24 dev vmbr7.60
route add 10.78.0.0/16 via 10.77.60.1 dev vmbr7.60 metric 50
"""
VLANS = """
vlan del vid 1 dev tap7
vlan add vid 20 dev tap7 pvid untagged
vlan add vid 60-62 dev tap7
vlan add vid 60 dev vmbr7 self
"""
# What the kinds ask lsblk for.
COLUMNS = ("NAME,KNAME,PKNAME,PATH,TYPE,SIZE,START,LOG-SEC,PHY-SEC,ROTA,RM,RO,MODEL,SERIAL,WWN,VENDOR,REV,TRAN,PTTYPE,PARTTYPENAME,"
           "PARTLABEL,PARTUUID,FSTYPE,LABEL,UUID,MOUNTPOINTS")


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


@unittest.skipIf(os.environ.get("RELAB_CONFORMANCE") == "no", "RELAB_CONFORMANCE=no")
class Conformance(MachineCase):
    def setUp(self):
        super().setUp()
        names = ALL if "RELAB_VMLAB_ALL" in os.environ else SCRIPTS[self.suite.name]
        self.scripts = [CONFORMANCE / "scripts" / f"{name}.txt" for name in names]
        program = self.folder / "relab-conform.stripped"
        subprocess.run(["strip", "--strip-all", "-o", str(program), str(PROGRAM)], check=True)
        files = {f"{FOLDER}/relab-conform": program} | {f"{FOLDER}/{script.name}": script for script in self.scripts}
        linked = subprocess.run(["ldd", str(PROGRAM)], stdout=subprocess.PIPE, text=True, check=True).stdout
        for name, path in re.findall(r"^\s*(\S+) => (/\S+)", linked, re.MULTILINE):
            if name.startswith(PRIVATE_LIBRARIES):
                files[f"{FOLDER}/lib/{name}"] = pathlib.Path(path).resolve()
        self.machine.carry(files)

    def inside(self, *words):
        begun = time.monotonic()
        text = self.machine.must(f"cd {FOLDER}; LD_LIBRARY_PATH={FOLDER}/lib ./relab-conform {shlex.join(words)}", timeout_s=1200)
        say(f"{time.monotonic() - begun:4.0f} s  relab-conform {words[0]} in the machine")
        return lines_of(text)

    def simulate(self, world, *words):
        file = self.folder / "world.json"
        file.write_text(json.dumps(world), encoding="utf-8")
        return lines_of(subprocess.run([PROGRAM, "simulate", file, *words], stdout=subprocess.PIPE, text=True, check=True).stdout)

    @staticmethod
    def node_of(world, disk):
        return "/dev/" + next(row["name"] for row in world["disks"]["disks"] if row["serial"] == disk.serial)

    def assert_none(self, differences, count, what):
        say(f"{count} {what} compared")
        if differences:
            self.fail(f"{len(differences)} differences:\n" + "\n".join(map(compare.sentence, differences)))

    def make_network(self):
        for program, lines in (("ip", NETWORK), ("bridge", VLANS)):
            self.machine.must(f"{program} -batch - <<'END'\n{lines.strip()}\nEND")
        # Addresses are tried for a moment before they count.
        self.machine.must("for i in $(seq 60); do ip address | grep -q tentative || exit 0; sleep 1; done; exit 1")

    def test_the_simulation_answers_as_the_machine_does(self):
        self.make_network()
        audited = self.inside("audit", "z640")
        world = compare.world_of(audited)
        variables = {"POOL_GUID": next(pool["guid"] for pool in world["zfs"]["pools"] if pool["name"] == "rpool"),
                     "OS_DISK": self.node_of(world, OS_DISKS[0]),
                     "OS_PART": f"/dev/disk/by-id/virtio-{OS_DISKS[0].serial}-part1",
                     "USB": self.node_of(world, USB), "SERIAL": USB.serial,
                     "CARD": "eth0", "COLUMNS": COLUMNS, "KEY": living.KEY}
        given = [f"{name}={value}" for name, value in variables.items()]
        done = self.inside("run", *(script.name for script in self.scripts), *given)

        again = self.simulate(world)
        played = self.simulate(world, *self.scripts, *given)

        with self.subTest("what the audit finds"):
            self.assert_none(*compare.compare_worlds(audited, again), "facts")
        with self.subTest("what it asks for"):
            self.assert_none(*compare.compare(audited, again), "answers")
        with self.subTest("the scripts"):
            self.assert_none(*compare.compare(done, played), "answers")


if __name__ == "__main__":
    main()
