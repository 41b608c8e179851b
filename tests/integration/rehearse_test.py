#!/usr/bin/env python3
"""Rehearsals of a real machine as its audit found it, of the same as the lab file describes it, and of a saved one."""

import pathlib
import shutil
import signal
import unittest

from support.case import LabCase, main
from support.lab import Lab, phase, step, track
from support.programs import wait_until

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "z640"
SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services", "pci", "packages")


def complete(done):
    return [one["phase"] for one in done["phases"] if one["complete"]]


class Rehearse(LabCase):
    def setUp(self):
        super().setUp()
        self.lab.describe(
            phase("0a", *(track(section, "alpha", step(section, f"audit_{section} = {{}}")) for section in SECTIONS)),
            phase("1", track("later", "alpha", step("folder", 'directory = { path = "/srv/relab-rehearsal" }')), more='after = ["0a"]'))

    def test_of_a_machine_that_nobody_audited_it_takes_the_description(self):
        ended = self.lab.relab("rehearse")
        self.assertIn("on alpha as lab.toml describes it: nobody has audited yet", ended.out, str(ended))
        self.assertNotIn("unknown", ended.out, str(ended))

    def test_of_what_a_real_audit_found(self):
        self.agent.start()
        ran = self.lab.relab("run", "0a")
        self.assertEqual(ran.code, 0, str(ran))
        said = self.lab.relab("rehearse")
        self.assertIn("on the newest audit", said.out, str(said))
        done = self.lab.relab_json("rehearse")
        self.assertEqual(done["problems"], [])
        self.assertEqual(complete(done), ["0a", "1"])
        self.assertEqual([one["step"] for one in done["changes"]], ["1/later/folder"])
        # Nothing of it was done.
        self.assertEqual(self.tasks("1"), [])

    def test_a_world_is_saved_and_taken_again_and_a_folder_kept(self):
        world, kept = self.lab.folder / "world.json", self.lab.folder / "kept"
        first = self.lab.relab_json("rehearse", "--described", "--save-world", world, "--keep", kept)
        again = self.lab.relab_json("rehearse", "--world", world)
        self.assertEqual(complete(first), complete(again))
        self.assertTrue((kept / "ledger.db").is_file())
        self.assert_ended(self.lab.relab("rehearse", "--described", "--keep", kept), 1, "is there already")

    def test_a_world_beside_the_lab_file_is_the_machine_as_it_stands(self):
        world = self.lab.file.parent / "alpha.world.json"
        self.assert_ended(self.lab.relab("rehearse", "--described", "--save-world", world), 0)
        self.assert_ended(self.lab.relab("rehearse"), 0, "on alpha as alpha.world.json has it: nobody has audited yet")
        self.assert_ended(self.lab.relab("rehearse", "--described"), 0, "on the machines as lab.toml describes them.")
        world.write_text("{", encoding="utf-8")
        self.assert_ended(self.lab.relab("rehearse"), 1, "alpha.world.json")

    def test_what_cannot_be_is_refused_with_what_there_is(self):
        self.assert_ended(self.lab.relab("rehearse", "--fault", "disk burns"), 2, "no fault is called 'disk burns'", "usb full at 1.2 TB")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--fault", "agent:nobody dies during folder"), 2,
                          "there is no host or guest 'nobody'")
        self.assert_ended(self.lab.relab("rehearse", "--chaos", "0"), 2, "from 1 to")
        page = self.lab.folder / "page.html"
        self.assert_ended(self.lab.relab("rehearse", "--chaos", "2", "--html", page), 2, "--html does not go with --chaos")
        self.assertFalse(page.exists())
        self.assert_ended(self.lab.relab("rehearse", "--seed", "5"), 2, "--seed goes with --chaos alone")
        before = self.lab.file.read_text(encoding="utf-8")
        for option in ("--svg", "--mermaid", "--html"):
            self.assert_ended(self.lab.relab("rehearse", option, self.lab.file), 1, "is there, and relab did not write it")
            self.assert_ended(self.lab.relab("rehearse", option, self.lab.folder / "none" / "x"), 1, "there is no folder")
        self.assertEqual(self.lab.file.read_text(encoding="utf-8"), before)
        world = self.lab.folder / "saved.json"
        self.assert_ended(self.lab.relab("rehearse", "--described", "--save-world", world), 0)
        self.assert_ended(self.lab.relab("rehearse", "--world", world, "--world", world), 1, "is the second world of alpha")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--audit", "x"), 2, "--described does not go with --audit")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--chaos", "2"), 1, "nothing can go wrong here")
        self.assert_ended(self.lab.relab("rehearse", "--world", self.lab.folder / "none.json"), 1, "none.json")


class Reference(LabCase):
    """Nobody has a controller yet, but for the plan and the machine as it stands."""

    @classmethod
    def setUpClass(cls):
        """No keys are made."""

    def setUp(self):
        self.lab = Lab(("z640",))
        self.addCleanup(self.lab.close)
        for file in (REFERENCE / "lab.toml", REFERENCE / "z640.world.json"):
            shutil.copy(file, self.lab.file.parent)

    def test_a_signal_breaks_it_off_and_leaves_nothing(self):
        passing = self.lab.folder / "passing"
        passing.mkdir()
        self.lab.environment["TMPDIR"] = str(passing)
        running = self.lab.start("rehearse", "--chaos", "100000")
        wait_until("it has begun", lambda: any(passing.glob("*/rehearsal")) or not running.is_running())
        running.signal(signal.SIGINT)
        self.assert_ended(running.wait(60), 130, "broken off by a signal")
        self.assertEqual(list(passing.iterdir()), [])

    def test_the_reference_machine_has_grown_and_the_rehearsal_tells_what_of_it_is_nobodys(self):
        done = self.lab.relab_json("rehearse")
        self.assertEqual(complete(done), ["0a", "0b"])
        self.assertEqual([one["where"] for one in done["problems"] if one["kind"] != "lost"],
                         ["phase 1"] + ["gate of phase 1: data.survives"] * 2)
        self.assertEqual([(one["vmid"], one["path"]) for one in done["survival"]["things"]
                          if one["ending"] == "lost" and one["wanted"] and not one["givenUp"]],
                         [(0, "/mnt/old-usb"), (900, "/")])
        lost = {(one["vmid"], one["what"], one["path"]) for one in done["survival"]["things"]
                if one["ending"] == "lost" and not one["wanted"] and not one["givenUp"]}
        for one in ((150, "root file system of 'pihole-old'", "/"), (0, "dataset rpool/scratch", "/rpool/scratch")):
            self.assertIn(one, lost)
        said = self.lab.relab("rehearse")
        self.assertEqual(said.code, 3, str(said))
        self.assertIn("guest 150 of z640, which lab.toml does not know: root file system of 'pihole-old'", said.out)
        self.assertIn("no steps in lab.toml, installs anew: its gate is shut\n", said.out)


if __name__ == "__main__":
    main()
