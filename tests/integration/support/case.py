"""The frame of an integration test: each test gets a lab of its own; a file without tests fails."""

import sys
import unittest

from support.lab import Lab


class LabCase(unittest.TestCase):
    """Keys are made and agents enrolled once per class; each test works on a copy."""

    agent_names = ("alpha",)
    enrolled = True

    @classmethod
    def setUpClass(cls):
        cls.template = Lab(cls.agent_names)
        cls.addClassCleanup(cls.template.close)
        cls.template.init()
        for name in cls.agent_names if cls.enrolled else ():
            ended = cls.template.enrol(name)
            assert ended.code == 0, ended

    def setUp(self):
        self.lab = self.template.copy()
        self.addCleanup(self.lab.close)
        self.agent = self.lab[self.agent_names[0]]

    def tearDown(self):
        if any(error for _, error in self._outcome.result.failures + self._outcome.result.errors if _ is self):
            print(f"the agents' logs of {self.id()}:", file=sys.stderr)
            for agent in self.lab.agents.values():
                print(agent.log(), file=sys.stderr)

    def assert_ended(self, ended, code, *sentences):
        """With that exit code, and having said each of the sentences, on either stream."""
        self.assertEqual(ended.code, code, str(ended))
        for sentence in sentences:
            self.assertIn(sentence, ended.out + ended.err, str(ended))

    def assert_ledger_holds(self):
        self.assert_ended(self.lab.relab("ledger", "verify"), 0, "holds")

    def tasks(self, phase="one"):
        """The tasks of the phase's last run, as `relab status` tells them."""
        phases = {row["phase"]: row["lastRun"] for row in self.lab.relab_json("status")["phases"]}
        return phases[phase]["tasks"] if phases[phase] else []

    def last_run(self, phase="one"):
        phases = {row["phase"]: row["lastRun"] for row in self.lab.relab_json("status")["phases"]}
        return phases[phase] and phases[phase]["run"]


def main():
    """Runs the tests of the calling file. Exit code 1 also if there were none, 77 if all were skipped."""
    program = unittest.main(module="__main__", exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == 0:
        print("no test was run", file=sys.stderr)
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
