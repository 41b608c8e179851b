#!/usr/bin/env python3
"""Several commands of one controller at a time."""

import signal

from support.agent import ACKNOWLEDGED
from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.programs import wait_until


class SideBySide(LabCase):
    def setUp(self):
        super().setUp()
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS)), track("b", "alpha", step("hello", PING))),
                          phase("two", track("c", "alpha", step("hello", PING))))
        self.agent.tools.hold("lsblk")
        self.agent.start()
        self.running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)

    def finish(self):
        self.agent.tools.release("lsblk")
        self.assert_ended(self.running.wait(), 0, "2 step(s) succeeded, 0 failed")
        self.assertEqual(len(self.agent.tools.calls("lsblk")), 1)
        self.assert_ledger_holds()

    def test_whoever_comes_second_is_told_who_holds_the_lab(self):
        for command in (("run", "one"), ("run", "two"), ("agents", "remove", "alpha"), ("enrol", "alpha")):
            with self.subTest(command=command):
                self.assert_ended(self.lab.relab(*command), 1, f"the lab is held by process {self.running.pid} on ",
                                  "running `relab run one` since 20", "relab status")
        self.finish()

    def test_what_only_reads_does_not_wait(self):
        self.assert_ended(self.lab.relab("status"), 0, "ordered, no report yet", "not ended: `relab run` carries on")
        self.assert_ended(self.lab.relab("ledger", "verify"), 0, "holds")
        self.assert_ended(self.lab.relab("gate"), 0)
        self.assert_ended(self.lab.relab("plan"), 0)
        self.finish()

    def test_a_ping_does_not_take_the_reports_away_from_a_run(self):
        self.assert_ended(self.lab.relab("agents", "--ping"), 0, "up, 1 task(s) held")
        self.finish()

    def test_a_lock_that_a_dead_process_left_behind_holds_nobody_up(self):
        self.running.kill()
        self.agent.tools.release("lsblk")
        self.assert_ended(self.lab.relab("run", "one"), 0, "carrying on with run")

    def test_a_second_agent_on_one_state_directory_leaves_the_first_alone(self):
        wait_until("the ping's acknowledgement", lambda: ACKNOWLEDGED in self.agent.journal().values())
        self.agent.port += 1
        self.agent.endpoint = f"tcp://127.0.0.1:{self.agent.port}"
        first, tasks = self.agent.running, self.agent.journal()
        self.assert_ended(self.agent.run("run"), 1, "is served by another agent", f"process {first.pid} on ")
        self.assertEqual(self.agent.journal(), tasks)
        self.agent.running = first
        self.finish()
        first.signal(signal.SIGTERM)
        self.assert_ended(first.wait(), 0)


if __name__ == "__main__":
    main()
