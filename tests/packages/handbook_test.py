#!/usr/bin/env python3
"""The operator's handbook: each of its code blocks is run as it stands there, on machines with systemd, and prints what stands behind it."""

import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vmlab")]

from bed.chroot import ROOT  # noqa: E402
from built import PACKAGES  # noqa: E402
from support import handbook  # noqa: E402
from support.machines import PATIENCE_S, REFUSAL, Machines, slow  # noqa: E402
from support.repack import newer  # noqa: E402

HANDBOOK = ROOT / "docs" / "handbook.md"
# Where the handbook says that the packages are.
BROUGHT = "/srv/relab"
BEGINS_WITHIN_S = 40
# Name, system, the last part of its address, and whether it is privileged, as the agent of a Proxmox host is.
MACHINES = (("admin", "bookworm", 5, False), ("z640", "trixie", 2, True), ("vault", "bookworm", 12, False))


def say(words):
    print(f"    {words}", file=sys.stderr, flush=True)


def packages():
    return [file for file in sorted(PACKAGES.glob("*.deb")) if "-dbgsym" not in file.name]


class Reading(unittest.TestCase):
    """The reader of the handbook notices what it is for."""

    def test_what_varies_is_left_open_and_nothing_else(self):
        for shown, said, wanted in (
                ("a  b\n", "a b\n", True), ("a b\n", "a c\n", False), ("a\n", "a\nb\n", False), ("a\n[...]\n", "a\nb\nc\n", True),
                ("a [...] c\n", "a b\nb c\n", False), ("took ... ms\n", "took 12 ms\n", True), ("", "", True), ("", "a\n", False),
                ("[...]\nz\n", "z\n", True), ("<x> = <x>\n", "1 = 1\n", True), ("<x> = <x>\n", "1 = 2\n", False), ("1.0\n", "110\n", False)):
            with self.subTest(shown=shown, said=said):
                self.assertEqual(handbook.matches(shown, said, {}) is not None, wanted)

    def test_what_was_seen_is_typed(self):
        known = {}
        self.assertIsNotNone(handbook.matches("code:\n\n    <code>\n", "code:\n\n    12-34\n", known))
        self.assertEqual(handbook.fill("echo <code> <other>", known), "echo 12-34 <other>")
        self.assertIsNotNone(handbook.matches("again <code>\n", "again 12-34\n", known))
        self.assertIsNone(handbook.matches("again <code>\n", "again 12-35\n", known))

    def test_a_block_that_does_not_say_where_it_belongs_is_refused(self):
        for text in ("```sh\nx\n```", "```\nx\n```", "```sh admin maybe\n# admin\nx\n```", "```text\nx\n```", "```sh admin\n# admin\nx\n",
                     "<!-- quick: a b -->", "```sh admin\nx\n```", "```sh admin\n# vault\nx\n```", "```sh admin exit=1\n# admin\nx\n```",
                     "Words:\n\n    x\n", "Words:\n\n\tx\n", "    x\n", "```sh admin\n# admin\nx\n```\n    y\n", "# Heading\n    x\n"):
            with self.subTest(text), self.assertRaises(handbook.Damaged):
                handbook.steps(text)

    def test_the_handbook_itself_can_be_read(self):
        self.assertGreater(len(handbook.steps(HANDBOOK.read_text(encoding="utf-8"))), 70)

    def test_a_paragraph_that_goes_on_indented_is_no_block(self):
        self.assertEqual(handbook.steps("Words\n    that go on.\n"), [])

    def test_each_step_is_found(self):
        found = handbook.steps("```sh a exit=3\n# a, exit code 3\nx\n```\nWords.\n```text\ny\n```\n```toml b:c.toml\nz\n```\n"
                               "```sh b &\n# b, in a terminal of its own\nv\n```\n```text b\nw\n```\n<!-- slow: b ip -->\n")
        self.assertEqual([(step.kind, step.machine, step.text.rpartition("# ")[2].rpartition("\n")[0].rpartition("\n")[2], step.shown, step.code,
                           step.name) for step in found],
                         [("run", "a", "x", "y\n", 3, ""), ("file", "b", "z", "", 0, "c.toml"), ("begin", "b", "v", "", 0, ""),
                          ("end", "b", "", "w\n", 0, ""), ("slow", "b", "", "", 0, "ip")])


@unittest.skipIf(REFUSAL, REFUSAL)
class Handbook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machines = Machines(say)
        cls.addClassCleanup(cls.machines.close)
        ours = packages()
        programs = [file for file in ours if file.name.startswith(("relab-agent_", "relab-controller_"))]
        for name, suite, number, privileged in MACHINES:
            cls.machines.archive.add(suite, programs)
            cls.machines.create(name, suite, number, privileged=privileged)
        given = cls.machines.give("now", ours)
        with tempfile.TemporaryDirectory() as folder:
            later = cls.machines.give("later", newer(ours, folder))
        for name, *_ in MACHINES:
            cls.machines[name].must_sh(f"mkdir {BROUGHT}; cp -r {given}/* {BROUGHT}; cp -r {later} {BROUGHT}/new")
            say(f"{name} is up")

    def setUp(self):
        self.known, self.aside, self.held = {}, {}, {}
        self.addCleanup(self.end_all)

    def test_every_block_does_what_it_says(self):
        for step in handbook.steps(HANDBOOK.read_text(encoding="utf-8")):
            begun = time.monotonic()
            getattr(self, f"step_{step.kind}")(step, self.machines[step.machine])
            say(f"{HANDBOOK.name}:{step.line} {step.kind} on {step.machine}: {time.monotonic() - begun:.1f} s")
        for name in list(self.aside):
            self.end(name)

    def test_it_names_every_command(self):
        text = HANDBOOK.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("relab-controller", "relab-agent"):
                file, = PACKAGES.glob(f"{name}_*.deb")
                subprocess.run(["dpkg-deb", "-x", str(file), folder], check=True)
            for program, pattern in (("relab", r"^  ([a-z]+)\b"), ("relab-agent", r"^  relab-agent ([a-z]+)\b")):
                said = subprocess.run([f"{folder}/usr/bin/{program}", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
                commands = set(re.findall(pattern, said.partition("\nOptions")[0], re.MULTILINE))
                self.assertGreater(len(commands), 4)
                self.assertEqual({command for command in commands if not re.search(rf"\b{program} {command}\b", text)}, set(),
                                 f"of {program}, the handbook does not name these")

    # ---- steps

    def complain(self, step, what, said):
        self.fail(f"{HANDBOOK.name}, line {step.line}, on {step.machine}: {what}\n--- typed\n{handbook.fill(step.text, self.known)}"
                  f"--- shown\n{step.shown}--- printed\n{said}")

    def step_file(self, step, machine):
        machine.write(f"/root/{step.name}", handbook.fill(step.text, self.known))

    def step_run(self, step, machine):
        code, said = machine.sh(handbook.fill(step.text, self.known))
        if code != step.code:
            self.complain(step, f"it ended with {code} instead of {step.code}", said)
        if handbook.matches(step.shown, said, self.known) is None:
            self.complain(step, "it prints something else", said)

    def step_begin(self, step, machine):
        self.assertNotIn(step.machine, self.aside, "that terminal is still in use")
        output = tempfile.NamedTemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.addCleanup(output.close)
        program = subprocess.Popen(machine.argv("bash", "-ec", handbook.fill(step.text, self.known)), stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
        self.aside[step.machine] = (program, output, 0)
        end = time.monotonic() + BEGINS_WITHIN_S
        while (read := handbook.matches(step.shown, said := pathlib.Path(output.name).read_text(encoding="utf-8"), self.known,
                                        whole=False)) is None:
            if time.monotonic() > end or program.poll():
                self.complain(step, f"it does not begin like that (exit code {program.poll()})", said)
            time.sleep(0.1)
        self.aside[step.machine] = (program, output, read)

    def step_end(self, step, _):
        said = self.end(step.machine)
        if handbook.matches(step.shown, said, self.known) is None:
            self.complain(step, "it prints something else at its end", said)

    def end(self, name):
        """Waits for what runs aside; what it said since its beginning was looked at."""
        program, output, seen = self.aside.pop(name)
        try:
            code = program.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
            code = "no end"
        said = pathlib.Path(output.name).read_text(encoding="utf-8")
        self.assertEqual(code, 0, f"in its own terminal on {name}:\n{said}")
        return "".join(said.splitlines(keepends=True)[seen:])

    def end_all(self):
        for program, _, _ in self.aside.values():
            program.kill()
            program.wait()

    def step_slow(self, step, machine):
        self.held[step.machine, step.name] = slow(machine, step.name)

    def step_fast(self, step, _):
        self.held.pop((step.machine, step.name))()


if __name__ == "__main__":
    ended = unittest.main(verbosity=2, exit=False).result
    # Where there are no containers, that is to be seen, though the rest was run.
    sys.exit(1 if not ended.wasSuccessful() else 77 if ended.skipped else 0)
