#!/usr/bin/env python3
"""A full disk under the ledger or the journal: said clearly, nothing lost, and later it goes on."""

import os
import shutil
import unittest

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.mounts import own_mounts, small_disk
from support.programs import wait_until

REFUSED = own_mounts()


@unittest.skipIf(REFUSED, f"needs mounts of its own (root): {REFUSED}")
class FullDisk(LabCase):
    def mount(self, folder, size):
        """Moves what is in the folder onto a small disk in its place."""
        aside = folder.with_name(folder.name + ".aside")
        folder.rename(aside)
        folder.mkdir(mode=0o700)
        disk = small_disk(folder, size)
        disk.__enter__()
        self.addCleanup(disk.__exit__, None, None, None)
        shutil.copytree(aside, folder, dirs_exist_ok=True)

    def fill(self, folder, leave=0):
        """Leaves that many bytes free."""
        free = os.statvfs(folder)
        size = free.f_bavail * free.f_frsize - leave
        with open(folder / "filler", "wb") as filler:
            filler.write(b"\0" * size)
        return folder / "filler"


class UnderTheLedger(FullDisk):
    def test_a_run_stops_with_the_reason_and_carries_on_when_there_is_space(self):
        self.lab.describe(phase("one", *(track(name, "alpha", step("disks", DISKS), step("hello", PING)) for name in "abcd")))
        self.mount(self.lab.state_dir, 2 << 20)
        self.agent.start()
        filler = self.fill(self.lab.state_dir, leave=96 << 10)

        ended = self.lab.relab("run", "one")
        self.assert_ended(ended, 1, "writing the ledger", "the disk is full", "free some space")
        filler.unlink()
        self.assert_ledger_holds()

        self.assert_ended(self.lab.relab("run", "one"), 0, "carrying on with run", "8 step(s) succeeded, 0 failed")
        accepted = self.agent.accepted()
        self.assertEqual((len(accepted), len(set(accepted))), (8, 8))
        self.assertEqual(len(self.agent.tools.calls("lsblk")), 4)
        self.assert_ledger_holds()

    def test_no_space_at_all(self):
        self.mount(self.lab.state_dir, 2 << 20)
        self.agent.start()
        before = self.last_run()
        filler = self.fill(self.lab.state_dir)
        ended = self.lab.relab("run", "one")
        self.assertEqual(ended.code, 1, str(ended))
        self.assertIn("the disk is full", ended.err, str(ended))
        self.assertEqual(self.agent.accepted(), [], "a task was sent that no ledger knows of")
        filler.unlink()
        self.assertEqual(self.last_run(), before)
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")
        self.assert_ledger_holds()


    def test_a_head_that_cannot_be_kept_is_a_warning(self):
        """What stands in the ledger is so: a command that said it failed would be given again."""
        self.mount(self.lab.config_dir, 1 << 20)
        head, = self.lab.config_dir.glob("head-*")
        before = head.read_text()
        self.fill(self.lab.config_dir)
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded", "warning: a ledger whose end is cut off is not noticed here",
                          "No space left")
        self.assertEqual(head.read_text(), before)
        self.assertEqual([path.name for path in self.lab.config_dir.glob("head-*")], [head.name])
        self.assert_ended(self.lab.relab("agents", "remove", "alpha"), 0, "warning", "knows no agent 'alpha' any more")
        self.assert_ledger_holds()


class UnderTheJournal(FullDisk):
    def test_new_tasks_are_declined_until_there_is_space(self):
        self.mount(self.agent.state_dir, 8 << 20)
        self.agent.start()
        filler = self.fill(self.agent.state_dir, leave=2 << 20)
        running = self.lab.start("run", "one")
        wait_until("the order to be declined", lambda: "was not accepted" in self.agent.log())
        self.assertIn("are free under", self.agent.log())
        self.assertTrue(running.is_running(), running.err())
        filler.unlink()

        self.assert_ended(running.wait(), 0, "1 step(s) succeeded")
        self.assertEqual(len(self.agent.accepted()), 1)

    def test_the_end_of_a_task_still_fits(self):
        """What was reserved for that is given up, and laid aside anew later."""
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS))))
        self.mount(self.agent.state_dir, 8 << 20)
        self.agent.tools.hold("lsblk")
        self.agent.start()
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)
        filler = self.fill(self.agent.state_dir)
        self.agent.tools.release("lsblk")
        self.assert_ended(running.wait(), 0, "1 step(s) succeeded")
        filler.unlink()
        self.assert_ledger_holds()

    def test_an_agent_without_any_space_says_so_and_comes_back(self):
        self.mount(self.agent.state_dir, 8 << 20)
        self.agent.start()
        self.agent.stop()
        filler = self.fill(self.agent.state_dir)
        waiting = self.agent.spawn("run")
        self.addCleanup(waiting.kill)
        wait_until("the agent to be ready or to give up",
                   lambda: "is ready on" in waiting.err() or not waiting.is_running())
        if not waiting.is_running():
            self.assertEqual(waiting.wait().code, 1)
            self.assertIn("the disk is full", waiting.err())
        waiting.kill()
        self.assertEqual(list(self.agent.state_dir.glob("*damaged*")), [], "a full disk was taken for a damaged journal")
        filler.unlink()
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")


del FullDisk


if __name__ == "__main__":
    main()
