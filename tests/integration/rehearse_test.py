#!/usr/bin/env python3
"""Rehearsals of a real machine as its audit found it, of the same as the lab file describes it, and of a saved one."""

from support.case import LabCase, main
from support.lab import phase, step, track

SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services", "pci", "packages")


class Rehearse(LabCase):
    def setUp(self):
        super().setUp()
        self.lab.describe(
            phase("0a", *(track(section, "alpha", step(section, f"audit_{section} = {{}}")) for section in SECTIONS)),
            phase("1", track("later", "alpha", step("folder", 'directory = { path = "/srv/relab-rehearsal" }')), more='after = ["0a"]'))

    def complete(self, done):
        return [one["phase"] for one in done["phases"] if one["complete"]]

    def test_of_a_machine_that_nobody_audited_it_takes_the_description(self):
        ended = self.lab.relab("rehearse")
        self.assertIn("as lab.toml describes them: nobody has audited them yet", ended.out, str(ended))
        self.assertNotIn("unknown", ended.out, str(ended))

    def test_of_what_a_real_audit_found(self):
        self.agent.start()
        ran = self.lab.relab("run", "0a")
        self.assertEqual(ran.code, 0, str(ran))
        said = self.lab.relab("rehearse")
        self.assertIn("on the newest audit", said.out, str(said))
        done = self.lab.relab_json("rehearse")
        self.assertEqual(done["problems"], [])
        self.assertEqual(self.complete(done), ["0a", "1"])
        self.assertEqual([one["step"] for one in done["changes"]], ["1/later/folder"])
        # Nothing of it was done.
        self.assertEqual(self.tasks("1"), [])

    def test_a_world_is_saved_and_taken_again_and_a_folder_kept(self):
        world, kept = self.lab.folder / "world.json", self.lab.folder / "kept"
        first = self.lab.relab_json("rehearse", "--described", "--save-world", world, "--keep", kept)
        again = self.lab.relab_json("rehearse", "--world", world)
        self.assertEqual(self.complete(first), self.complete(again))
        self.assertTrue((kept / "ledger.db").is_file())
        self.assert_ended(self.lab.relab("rehearse", "--described", "--keep", kept), 1, "is there already")

    def test_what_cannot_be_is_refused_with_what_there_is(self):
        self.assert_ended(self.lab.relab("rehearse", "--fault", "disk burns"), 2, "no fault is called 'disk burns'", "usb full at 1.2 TB")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--fault", "agent:nobody dies during folder"), 1,
                          "there is no host or guest 'nobody'")
        self.assert_ended(self.lab.relab("rehearse", "--chaos", "0"), 2, "from 1 to")
        page = self.lab.folder / "page.html"
        self.assert_ended(self.lab.relab("rehearse", "--chaos", "2", "--html", page), 2, "--html does not go with --chaos")
        self.assertFalse(page.exists())
        self.assert_ended(self.lab.relab("rehearse", "--described", "--audit", "x"), 2, "--described does not go with --audit")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--chaos", "2"), 1, "nothing can go wrong here")
        self.assert_ended(self.lab.relab("rehearse", "--world", self.lab.folder / "none.json"), 1, "none.json")


if __name__ == "__main__":
    main()
