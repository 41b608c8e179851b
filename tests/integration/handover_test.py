#!/usr/bin/env python3
"""A new program of the agent is installed while a task runs: nothing of the task is lost, and the new one takes over after it."""

import pathlib
import shutil
import signal

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.programs import RELAB_AGENT, wait_until

# As the unit has it: RestartForceExitStatus.
REPLACED = 75


class Handover(LabCase):
    def setUp(self):
        super().setUp()
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS), step("hello", PING))))
        self.agent.program = self.agent.folder / "relab-agent"
        self.install()
        self.agent.start()

    def install(self):
        """As dpkg does: under another name first, and then renamed over the old one."""
        new = self.agent.folder / "relab-agent.dpkg-new"
        shutil.copy2(RELAB_AGENT, new)
        pathlib.Path(new).rename(self.agent.program)

    def reload(self):
        self.agent.running.signal(signal.SIGHUP)
        wait_until("the agent to have heard it", lambda: "read the pinned controllers anew" in self.agent.log())

    def test_a_task_that_runs_is_carried_to_its_end_before_the_new_program_starts(self):
        self.agent.tools.hold("lsblk")
        run = self.lab.start("run", "one")
        wait_until("the task to run", lambda: self.agent.tools.calls("lsblk"))
        self.install()
        self.reload()
        wait_until("the agent to say what it waits for", lambda: "it takes over once no task runs" in self.agent.log())
        self.assertTrue(self.agent.running.is_running())
        self.agent.tools.release("lsblk")

        self.assertEqual(self.agent.running.wait().code, REPLACED)
        self.agent.start()

        self.assert_ended(run.wait(), 0, "2 step(s) succeeded, 0 failed")
        self.assertEqual(len(self.agent.accepted()), 2, "no task was begun twice")

    def test_an_idle_agent_makes_way_at_once(self):
        self.install()
        self.agent.running.signal(signal.SIGHUP)
        self.assertEqual(self.agent.running.wait().code, REPLACED)

    def test_roles_that_come_and_go_are_read_anew(self):
        self.agent.stop()
        self.agent.roles_dir, self.agent.role = self.agent.folder / "roles", ""
        self.agent.roles_dir.mkdir()
        (self.agent.roles_dir / "one.json").write_text('{"name": "one", "kinds": ["ping"]}')
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 1, "the role 'one' does not permit the task kind 'auditDisks'")

        (self.agent.roles_dir / "two.json").write_text('{"name": "two", "kinds": ["auditDisks"]}')
        self.reload()
        wait_until("the roles to be read", lambda: "read the roles anew: one+two" in self.agent.log())
        self.assert_ended(self.lab.relab("run", "one"), 0, "2 step(s) succeeded")

        for file in self.agent.roles_dir.iterdir():
            file.unlink()
        self.agent.running.signal(signal.SIGHUP)
        wait_until("the roles to be missed", lambda: "nothing is permitted any more" in self.agent.log())
        self.assert_ended(self.lab.relab("run", "one"), 1, "does not permit the task kind")

    def test_within_the_limits_of_other_roles_it_starts_anew_once_no_task_runs(self):
        self.agent.stop()
        self.agent.roles_dir, self.agent.role = self.agent.folder / "roles", ""
        self.agent.roles_dir.mkdir()
        (self.agent.roles_dir / "one.json").write_text('{"name": "one", "kinds": ["ping", "auditDisks"]}')
        self.agent.start("--limited-by-roles")
        self.agent.tools.hold("lsblk")
        run = self.lab.start("run", "one")
        wait_until("the task to run", lambda: self.agent.tools.calls("lsblk"))
        (self.agent.roles_dir / "two.json").write_text('{"name": "two", "kinds": ["ping"]}')
        self.reload()
        wait_until("the agent to say what it waits for", lambda: "within their limits" in self.agent.log())
        self.assertTrue(self.agent.running.is_running())
        self.agent.tools.release("lsblk")

        self.assertEqual(self.agent.running.wait().code, REPLACED)
        self.agent.start("--limited-by-roles")

        self.assert_ended(run.wait(), 0, "2 step(s) succeeded, 0 failed")
        self.assertEqual(len(self.agent.accepted()), 2, "no task was begun twice")

    def test_without_any_role_left_it_stays_and_with_the_next_one_it_starts_anew(self):
        self.agent.stop()
        self.agent.roles_dir, self.agent.role = self.agent.folder / "roles", ""
        self.agent.roles_dir.mkdir()
        (self.agent.roles_dir / "one.json").write_text('{"name": "one", "kinds": ["ping"]}')
        self.agent.start("--limited-by-roles")
        (self.agent.roles_dir / "one.json").unlink()
        self.agent.running.signal(signal.SIGHUP)
        wait_until("the role to be missed", lambda: "nothing is permitted any more" in self.agent.log())
        self.assert_ended(self.lab.relab("run", "one"), 1, "does not permit the task kind")

        (self.agent.roles_dir / "two.json").write_text('{"name": "two", "kinds": ["ping"]}')
        self.agent.running.signal(signal.SIGHUP)
        self.assertEqual(self.agent.running.wait().code, REPLACED)

    def test_the_same_program_goes_on(self):
        self.reload()
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.assertEqual(self.agent.stop().code, 0)

    def test_told_to_stop_it_does_not_ask_to_be_started_again(self):
        self.agent.tools.hold("lsblk")
        run = self.lab.start("run", "one")
        wait_until("the task to run", lambda: self.agent.tools.calls("lsblk"))
        self.install()
        self.reload()
        self.agent.running.signal(signal.SIGTERM)
        self.agent.tools.release("lsblk")
        self.assertEqual(self.agent.running.wait().code, 0)
        run.kill()


if __name__ == "__main__":
    main()
