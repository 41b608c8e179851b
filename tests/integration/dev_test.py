#!/usr/bin/env python3
"""What ./quickstart and ./test stand on: no other process is taken for the agent, tests are counted.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["RELAB_ROOT"])
SETUP = """set -euo pipefail
program=dev_test root=$1 home=$2 logs=$2 bin=$2/bin machine=tiny port=$3 agent_root=no
. "$root/packaging/dev/setup.sh"
. "$root/packaging/dev/trial_agent.sh"
as_root() { "$@"; }
"""


class Shell(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name) / "a home"
        (self.home / "bin").mkdir(parents=True)
        self.agent = self.home / "bin/relab-agent"

    def bash(self, script, port=1):
        return subprocess.run(["bash", "-c", SETUP + script, "bash", ROOT, self.home, str(port)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def start(self, program, *arguments):
        """A process that sleeps, and the pid file that names it."""
        process = subprocess.Popen([program, "-c", "import time; time.sleep(60)", *arguments])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        (self.home / "agent.pid").write_text(f"{process.pid}\n")
        return process

    def make_agent(self):
        """A program of the agent's name: this interpreter, copied."""
        self.agent.write_bytes(pathlib.Path(os.path.realpath("/usr/bin/python3")).read_bytes())
        self.agent.chmod(0o755)

    def runs(self):
        return self.bash("agent_runs").returncode == 0

    def test_without_a_pid_file_nothing_runs(self):
        self.assertFalse(self.runs())

    def test_nonsense_in_the_pid_file_is_no_agent(self):
        for text in ("", "x", "-1", "1 2", "999999999"):
            (self.home / "agent.pid").write_text(text)
            self.assertFalse(self.runs(), text)

    def test_another_program_is_not_the_agent_and_is_left_alone(self):
        self.make_agent()
        other = self.start("/usr/bin/python3", "--state-dir", str(self.home / "agent"))
        self.assertFalse(self.runs())
        self.assertEqual(self.bash("stop_agent").returncode, 0)
        self.assertIsNone(other.poll())

    def test_an_agent_of_another_folder_is_left_alone(self):
        self.make_agent()
        other = self.start(self.agent, "--state-dir", "/var/lib/relab-agent")
        self.assertFalse(self.runs())
        self.assertEqual(self.bash("stop_agent").returncode, 0)
        self.assertIsNone(other.poll())

    def test_our_agent_is_found_and_stopped(self):
        self.make_agent()
        own = self.start(self.agent, "--state-dir", str(self.home / "agent"))
        self.assertTrue(self.runs())
        # Somebody has to collect it, or it stays in /proc.
        stopping = subprocess.Popen(["bash", "-c", SETUP + "stop_agent", "bash", ROOT, self.home, "1"],
                                    stdout=subprocess.DEVNULL)
        self.assertEqual(own.wait(30), -signal.SIGTERM)
        self.assertEqual(stopping.wait(30), 0)
        self.assertFalse((self.home / "agent.pid").exists())

    def test_our_agent_is_found_after_its_program_was_built_anew_but_is_not_current(self):
        self.make_agent()
        self.start(self.agent, "--state-dir", str(self.home / "agent"))
        self.agent.unlink()
        self.make_agent()
        self.assertTrue(self.runs())
        self.assertNotEqual(self.bash("agent_is_current").returncode, 0)

    def test_installed_packages_are_not_missing(self):
        missing = self.bash("missing_packages bash no-such-package libc6")
        self.assertEqual(missing.stdout, "no-such-package\n")


class Count(unittest.TestCase):
    def count(self, *cases):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write("<testsuite>" + "".join(
                f'<testcase name="x" status="{status}">{inner}</testcase>' for status, inner in cases)
                + "</testsuite>")
            file.flush()
            counted = subprocess.run([sys.executable, ROOT / "packaging/dev/count.py", file.name],
                                     check=True, capture_output=True, text=True)
        return tuple(int(number) for number in counted.stdout.split())

    @staticmethod
    def output(text):
        return f"<system-out>{text}</system-out>"

    def test_catch2(self):
        self.assertEqual(self.count(("run", self.output("All tests passed (7 assertions in 3 test cases)"))),
                         (3, 0, 0))
        self.assertEqual(self.count(("fail", self.output(
            "test cases:  9 |  7 passed | 2 failed\nassertions: 50 | 48 passed | 2 failed"))), (7, 2, 0))

    def test_unittest(self):
        self.assertEqual(self.count(("run", self.output("Ran 5 tests in 0.1s\n\nOK (skipped=1)"))), (4, 0, 1))
        self.assertEqual(self.count(("fail", self.output(
            "Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)"))), (1, 3, 1))

    def test_programs_that_do_not_count(self):
        self.assertEqual(self.count(("run", self.output("fine")), ("fail", self.output("no"))), (1, 1, 0))

    def test_what_failed_is_never_counted_as_passed_alone(self):
        self.assertEqual(self.count(("fail", self.output("All tests passed (7 assertions in 3 test cases)")))[1], 1)
        self.assertEqual(self.count(("fail", "")), (0, 1, 0))

    def test_skipped(self):
        self.assertEqual(self.count(("notrun", '<skipped message="SKIP_RETURN_CODE=77"/>')), (0, 0, 1))

    def test_nothing(self):
        self.assertEqual(self.count(), (0, 0, 0))


if __name__ == "__main__":
    unittest.main()
