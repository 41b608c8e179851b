#!/usr/bin/env python3
"""Lab files that cannot be read: exit code 2, the place, and nothing is begun."""

import os
import unittest

from support.case import LabCase, main
from support.lab import PING, phase, step, track
from support.programs import ROOT

COMMANDS = (("check",), ("plan",), ("run", "one"), ("status",), ("gate",), ("agents",), ("audit", "show"),
            ("ledger", "verify"), ("ledger", "export"))


class LabFile(LabCase):
    def setUp(self):
        super().setUp()
        self.before = self.lab.ledger_file.read_bytes()

    def assert_refused_everywhere(self, *sentences):
        for command in COMMANDS:
            with self.subTest(command=command):
                self.assert_ended(self.lab.relab(*command), 2, *sentences)
        self.assertEqual(self.lab.ledger_file.read_bytes(), self.before)

    def test_a_missing_file(self):
        self.lab.file.unlink()
        self.assert_refused_everywhere(f"{self.lab.file}")

    def test_a_folder_in_its_place(self):
        self.lab.file.unlink()
        self.lab.file.mkdir()
        self.assert_refused_everywhere(f"{self.lab.file}")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_file_without_permission(self):
        self.lab.file.chmod(0)
        self.assert_refused_everywhere(f"{self.lab.file}")

    def test_an_empty_file(self):
        self.lab.file.write_text("")
        self.assert_refused_everywhere(f"{self.lab.file}:1:1: ")

    def test_half_a_file(self):
        text = self.lab.file.read_text()
        self.lab.file.write_text(text[:text.index("[[plan.phases]]") + 20])
        line = text[:text.index("[[plan.phases]]")].count("\n") + 2
        self.assert_refused_everywhere(f"{self.lab.file}:{line}:")

    def test_bytes_that_are_no_text(self):
        self.lab.file.write_bytes(b"name = \"\xff\xfe\"\n\0\0\0")
        self.assert_refused_everywhere(f"{self.lab.file}:1:")

    def test_a_misspelt_key_gets_the_nearest_one(self):
        text = self.lab.file.read_text()
        self.lab.file.write_text(text.replace("supernet", "supernett"))
        line = text[:text.index("supernet")].count("\n") + 1
        self.assert_refused_everywhere(f"{self.lab.file}:{line}:1: ", "supernet")

    def test_every_mistake_is_told_not_only_the_first(self):
        self.lab.describe(phase("one", track("t", "nobody", step("hello", "audit_disk = {}", deadline="soon"))))
        self.assert_refused_everywhere("nobody", "audit_disk", "soon")

    def test_the_golden_mistakes(self):
        for path in sorted((ROOT / "tests/golden/lab").glob("*.toml")):
            with self.subTest(path.name):
                wanted = path.with_suffix(".txt").read_text().splitlines()
                self.lab.file.write_bytes(path.read_bytes())
                self.assert_ended(self.lab.relab("check"), 2 if wanted else 0,
                                  *(line.partition(":")[2] for line in wanted))

    def test_a_phase_that_does_not_exist(self):
        for command in (("run", "on"), ("plan", "on"), ("gate", "on")):
            with self.subTest(command=command):
                self.assert_ended(self.lab.relab(*command), 2, "on", "one")

    def test_a_phase_without_steps_is_never_done(self):
        self.lab.describe(phase("one", track("t", "alpha", step("hello", PING))),
                          '[[plan.phases]]\nname = "two"\ntitle = "Later"\ntracks = [{ name = "later", agent = "alpha" }]\n')
        self.assert_ended(self.lab.relab("run", "two"), 1, "has no steps", "not done")


if __name__ == "__main__":
    main()
