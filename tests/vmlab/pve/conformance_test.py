#!/usr/bin/env python3
"""The simulated Proxmox of a rehearsal answers as the stand-in does, whose containers are real: the script of containers on both,
compared field by field. RELAB_CONFORMANCE=no leaves it out."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

import frame
import host

ROOT = pathlib.Path(__file__).resolve().parents[3]
CONFORMANCE = ROOT / "tests" / "conformance"
sys.path.insert(0, str(CONFORMANCE))

import compare  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("RELAB_CONFORM", ROOT / "build" / "dev" / "tests" / "relab-conform"))
SCRIPT = CONFORMANCE / "scripts" / "containers.txt"
GIVEN = (f"TEMPLATE={host.TEMPLATE}", "BRIDGE=vmbr0", "VLAN=60")
PATIENCE_S = 300
ROOM_B = 1 << 40


def pool():
    """What no kernel without ZFS has, and what the stand-in does without: the pool of its storage local-zfs."""
    room = {"size": str(ROOM_B), "free": str(ROOM_B), "health": "ONLINE", "state": "ONLINE"}
    dataset = {"kind": "filesystem", "canmount": "on", "mounted": True, "available": str(ROOM_B), "encryption": "off",
               "keyFormat": "none", "keyLocation": "none"}
    return {"toolVersion": "2.3.9-1", "moduleVersion": "2.3.9-1", "pools": [{"name": "rpool", "guid": "1", **room}],
            "datasets": [{"name": name, "guid": str(number), "mountpoint": f"/{name}", **dataset}
                         for number, name in enumerate(("rpool", "rpool/data"), 2)]}


@unittest.skipIf(os.environ.get("RELAB_CONFORMANCE") == "no", "RELAB_CONFORMANCE=no")
class Conformance(frame.HostCase):
    settings = {"bridges": ("vmbr0v60",)}

    def told(self, *argv):
        ended = subprocess.run(list(map(str, argv)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                               timeout=PATIENCE_S)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def on_host(self, *words):
        return self.told(sys.executable, frame.HERE / "pve-standin", "enter", self.host.root, PROGRAM, *words)

    def simulate(self, world, *words):
        file = self.host.folder / "world.json"
        file.write_text(json.dumps(world), encoding="utf-8")
        return self.told(PROGRAM, "simulate", file, *words)

    def test_the_simulation_answers_as_the_stand_in_does(self):
        world = compare.world_of(self.on_host("audit", "pve", "guests", "packages"))
        # Its folders are there already.
        folders = [storage["path"] for storage in world["guests"]["storages"] if storage["path"]]
        # The bridge by which the stand-in's own ones, one for each VLAN, are called.
        bridge = {"name": "vmbr0", "kind": "bridge", "up": True, "vlanFiltering": True}
        world |= {"network": {"interfaces": [bridge]}}
        world |= {"templates": [host.TEMPLATE], "zfs": pool(), "files": [{"path": f"{folder}/note"} for folder in folders]}
        done = self.on_host("run", SCRIPT, *GIVEN)
        differences, count = compare.compare(done, self.simulate(world, SCRIPT, *GIVEN))
        print(f"{count} answers compared", file=sys.stderr)
        if differences:
            self.fail(f"{len(differences)} differences:\n" + "\n".join(map(compare.sentence, differences)))


if __name__ == "__main__":
    frame.main()
