"""The frame of a scenario: each test gets a machine of its own, from a saved state."""

import os
import pathlib
import sys
import tempfile
import unittest

from bed.lab import MachineLab
from bed.states import Bed
from bed.suites import SUITES

from support import case  # from the integration tests; bed.lab knows where they are


def say(words):
    print(f"    {words}", file=sys.stderr, flush=True)


class MachineCase(unittest.TestCase):
    """RELAB_VMLAB_SUITE says in which system the scenarios run."""

    state = "pools"
    # Scenarios that take minutes, by name, and the suite in which alone they run.
    only = {}

    @classmethod
    def setUpClass(cls):
        cls.suite = SUITES[os.environ.get("RELAB_VMLAB_SUITE", "bookworm")]
        cls.bed = Bed(cls.suite, say).build()

    def setUp(self):
        suite = self.only.get(self._testMethodName, self.suite.name)
        if suite != self.suite.name and "RELAB_VMLAB_ALL" not in os.environ:
            self.skipTest(f"it runs in {suite}; RELAB_VMLAB_ALL=1 runs it here, too")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="relab-vmlab-"))
        self.machine = self.bed.up(self.folder, self.state)
        self.addCleanup(self.machine.remove)

    def lab(self, agent=None):
        """A lab whose host is the machine, not enrolled yet; by default with the agent of the build tree."""
        lab = MachineLab(self.machine, agent)
        self.addCleanup(lab.close)
        self.made = lab
        return lab

    def tearDown(self):
        problems = self._outcome.result.failures + self._outcome.result.errors
        if any(error for _, error in problems if _ is self) and hasattr(self, "made"):
            # One that hangs has said why, if at all, on its console.
            print(self.machine.log_tail(), file=sys.stderr)
            print(f"the agent's log of {self.id()}:\n{self.made['z640'].log()}", file=sys.stderr)

    assert_ended = case.LabCase.assert_ended


def main():
    case.main()
