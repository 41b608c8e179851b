#!/usr/bin/env python3
"""Either side dies at any moment; the same command again carries on, and nothing is done twice.

That nothing is done twice is shown by the stand-in for lsblk: it notes which process started it. A
task was started in one life of the agent only; so in each life there may be no more calls than
tasks that came in then, or had waited in the journal without having begun.
"""

import collections
import os
import random
import re
import signal
import time

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.programs import wait_until

ROUNDS = 12
SEED = int(os.environ.get("RELAB_SEED", random.randrange(2**32)))


class Crashes(LabCase):
    def setUp(self):
        super().setUp()
        print(f"RELAB_SEED={SEED}", flush=True)
        self.random = random.Random(SEED)
        self.lab.describe(phase("one", *(track(name, "alpha", step("disks", DISKS), step("hello", PING), step("more", DISKS))
                                         for name in "abc")))
        self.agent.tools.fake("lsblk", prints=self.lsblk(), seconds=0.2)
        self.pids = {}

    def lsblk(self):
        return (self.agent.tools.folder / "lsblk.out").read_text()

    def start_agent(self, *more):
        self.agent.start(*more)
        self.pids[self.agent.lives] = self.agent.running.pid

    def assert_nothing_was_done_twice(self):
        calls = collections.Counter(parent for parent, _ in self.agent.tools.calls("lsblk"))
        disks = re.findall(r"task (\S+) accepted: auditDisks", self.agent.log())
        every = self.agent.accepted()
        self.assertEqual(len(every), len(set(every)), "a task was accepted twice")
        # An agent may die between the journal's commit and the line in its log: its next life names the task.
        waiting = re.findall(r"task (\S+) was waiting when", self.agent.log())
        self.assertLessEqual(sum(calls.values()), len(disks) + len(set(waiting) - set(every)))
        for life, pid in self.pids.items():
            log = self.agent.log(life)
            came = len(re.findall(r"accepted: auditDisks", log)) + len(re.findall(r"was waiting when", log))
            self.assertLessEqual(calls[pid], came, f"life {life}:\n{log}")

    def assert_all_is_done(self):
        """The last attempt of every step succeeded; earlier ones are known to be unknown, and nothing else."""
        attempts = collections.defaultdict(dict)
        for task in self.tasks():
            attempts[task["step"]][task["attempt"]] = task
        self.assertEqual(sorted(attempts), sorted(f"one/{t}/{s}" for t in "abc" for s in ("disks", "hello", "more")))
        ids = [task["task"] for task in self.tasks()]
        self.assertEqual(len(ids), len(set(ids)))
        for tasks in attempts.values():
            states = [tasks[attempt]["state"].split(":")[0] for attempt in sorted(tasks)]
            self.assertEqual(states[-1], "succeeded", tasks)
            self.assertTrue(all(state == "unknown" for state in states[:-1]), tasks)

    def test_the_agent_is_killed_at_many_moments(self):
        self.start_agent()
        # Each round is a run of its own: no step may die more often than it is tried again.
        for _ in range(ROUNDS // 2):
            running = self.lab.start("run", "one", "--patience", "60")
            for _ in range(2):
                time.sleep(self.random.uniform(0, 0.6))  # the moment is what is tested; nothing is awaited
                self.agent.kill()
                self.start_agent()
            self.assert_ended(running.wait(), 0, "9 step(s) succeeded, 0 failed")
            self.assert_all_is_done()
            self.assert_nothing_was_done_twice()
        self.assert_ledger_holds()

    def test_the_controller_is_killed_at_many_moments(self):
        self.start_agent()
        killed = 0
        runs = set()
        for _ in range(ROUNDS):
            running = self.lab.start("run", "one")
            time.sleep(self.random.uniform(0.05, 0.6))
            if running.is_running():
                killed += 1
            running.kill()
            if self.lab.ledger_file.exists():
                runs.add(self.last_run())
                self.assert_ledger_holds()
        print(f"killed {killed} of {ROUNDS} while it ran")
        self.assertGreater(killed, 0)
        self.assert_ended(self.lab.relab("run", "one"), 0, "9 step(s) succeeded, 0 failed")

        self.assert_all_is_done()
        self.assert_nothing_was_done_twice()
        self.assertEqual(len(self.tasks()), 9, "an attempt was made anew though the agent never died")
        self.assert_ledger_holds()

    def test_both_are_killed(self):
        # Few tasks at a time, so that some wait in the journal when the agent dies.
        self.start_agent("--tasks-max", "2")
        for _ in range(2):
            running = self.lab.start("run", "one", "--patience", "60")
            time.sleep(self.random.uniform(0.1, 0.5))
            self.agent.kill()
            running.kill()
            self.start_agent("--tasks-max", "2")
        self.assert_ended(self.lab.relab("run", "one"), 0, "9 step(s) succeeded, 0 failed")
        self.assert_all_is_done()
        self.assert_nothing_was_done_twice()
        self.assert_ledger_holds()

    def test_the_controller_dies_after_the_order_and_the_report_waits_for_it(self):
        self.agent.tools.hold("lsblk")
        self.start_agent()
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 3)
        running.kill()
        self.agent.tools.release("lsblk")
        wait_until("the tasks to end", lambda: self.agent.log().count("ended: succeeded") >= 3)

        self.assert_ended(self.lab.relab("run", "one"), 0, "carrying on", "9 step(s) succeeded")

        self.assertEqual(len(self.agent.tools.calls("lsblk")), 6)
        self.assertEqual(len(self.agent.accepted()), 9)

    def test_interrupted_by_the_keyboard_the_work_goes_on(self):
        self.agent.tools.hold("lsblk")
        self.start_agent()
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 3)
        running.signal(signal.SIGINT)
        self.assert_ended(running.wait(), 130, "Detached: work goes on at the agents", "relab run one")
        self.agent.tools.release("lsblk")
        wait_until("the tasks to end", lambda: self.agent.log().count("ended: succeeded") >= 3)

        self.assert_ended(self.lab.relab("run", "one"), 0, "carrying on", "9 step(s) succeeded")
        self.assertEqual(len(self.agent.tools.calls("lsblk")), 6)
        self.assert_ledger_holds()


class Unknown(LabCase):
    """What nobody knows is never taken for done."""

    def setUp(self):
        super().setUp()
        self.lab.expect = ["disks"]
        self.proves = 'proves = [{ name = "audit.complete" }]'

    def kill_during(self, running, calls):
        self.agent.tools.wait_for_calls("lsblk", calls)
        self.agent.kill()
        self.agent.start()

    def test_it_is_tried_again_under_a_new_id_a_few_times_and_then_fails(self):
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS)), more=self.proves),
                          phase("two", track("u", "alpha", step("hello", PING)), more='after = ["one"]'))
        self.agent.tools.hold("lsblk")
        self.agent.start()
        running = self.lab.start("run", "one", "--patience", "60")
        for attempt in (1, 2, 3):
            self.kill_during(running, attempt)

        self.assert_ended(running.wait(), 1, "failed     one/t/disks: nobody knows what became of it",
                          "0 step(s) succeeded, 1 failed", "CLOSED")

        self.assertEqual([(task["attempt"], task["state"].split(":")[0]) for task in self.tasks()],
                         [(1, "unknown"), (2, "unknown"), (3, "unknown")])
        self.assertEqual(len(self.agent.tools.calls("lsblk")), 3)
        self.assert_ended(self.lab.relab("gate", "two"), 3, "CLOSED", "disks")
        self.assert_ended(self.lab.relab("run", "two"), 3, "CLOSED")
        self.assert_ended(self.lab.relab("audit", "show"), 1, "not whole")
        self.assert_ledger_holds()

    def test_a_lost_journal_is_told_and_nothing_is_taken_for_done(self):
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS))))
        self.agent.tools.hold("lsblk")
        self.agent.start()
        running = self.lab.start("run", "one", "--patience", "60")
        self.agent.tools.wait_for_calls("lsblk", 1)
        self.agent.kill()
        for path in self.agent.state_dir.glob("journal.db-*"):
            path.unlink()
        (self.agent.state_dir / "journal.db").write_bytes(b"no database at all " * 500)
        self.agent.start()
        self.assertIn("the journal was damaged; it was put aside", self.agent.log())
        self.agent.tools.wait_for_calls("lsblk", 2)
        self.agent.tools.release("lsblk")

        self.assert_ended(running.wait(), 0, "1 step(s) succeeded")
        self.assertEqual([task["state"].split(":")[0] for task in self.tasks()], ["given up", "succeeded"])
        self.assertEqual(len(list(self.agent.state_dir.glob("journal.db.damaged-*"))), 1)
        self.assert_ledger_holds()

    def test_an_emptied_or_missing_journal_runs_no_task_twice(self):
        """Nothing in such a journal says that it was another once."""
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS))))
        for number, lose in enumerate((lambda path: path.write_bytes(b""), lambda path: path.unlink())):
            with self.subTest(number):
                calls = len(self.agent.tools.calls("lsblk"))
                self.agent.tools.hold("lsblk")
                self.agent.start()
                running = self.lab.start("run", "one")
                self.agent.tools.wait_for_calls("lsblk", calls + 1)
                running.kill()
                self.agent.kill()
                for path in self.agent.state_dir.glob("journal.db-*"):
                    path.unlink()
                lose(self.agent.state_dir / "journal.db")
                self.agent.tools.release("lsblk")
                self.agent.start()

                self.assert_ended(self.lab.relab("run", "one"), 0, "carrying on", "1 step(s) succeeded")

                self.assertEqual([task["state"].split(":")[0] for task in self.tasks()], ["given up", "succeeded"])
                accepted = self.agent.accepted()
                self.assertEqual(len(accepted), len(set(accepted)))
                self.agent.kill()
                self.assert_ledger_holds()


if __name__ == "__main__":
    main()
