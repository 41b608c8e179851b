#!/usr/bin/env python3
"""A controller and ten agents, each on a network of its own, while everything fails that can.

RELAB_SEED      repeats a storm's decisions (not the moments at which the kernel lets things happen)
RELAB_FAULTS    faults of processes in the storm, 200 by default; half as many of other kinds come with them
RELAB_KEEP      if set, logs, journals and the ledger are kept in a folder that is named at the end
Between two edits: RELAB_FAULTS=10 python3 netns_test.py Namespaces.test_storm

That nothing is lost or done twice is shown by what relab does not keep itself: stand-ins for the programs that
tasks run note who started them; each life of an agent has a log; the ledger is read by Cap'n Proto's own tool.
"""

import collections
import os
import pathlib
import random
import resource
import sys
import time
import unittest

from support import netns
from support.case import main
from support.lab import DISKS, PING, phase, step, track
from support.mounts import small_disk
from support.netcase import NetCase
from support.netlab import NetLab
from support.programs import wait_until
from support.storm import Storm, Supervisor, fill, has_children, start_flood

REFUSED = netns.missing()
SEED = int(os.environ.get("RELAB_SEED", random.randrange(2**32)))
FAULTS = int(os.environ.get("RELAB_FAULTS", 200))
AGENTS = 10
PAUSE = 0.22
PHASES = ("one", "two")
# What the packaged unit allows (LimitNOFILE).
FILES_MAX = 4096
FLOOD_SECONDS = 5

SERVICES, NETWORK, PACKAGES = "audit_services = {}", "audit_network = {}", "audit_packages = {}"
# Each agent has all of a phase's tracks.
TRACKS = {
    "one": {"a": (("hello", PING), ("disks", DISKS), ("services", SERVICES), ("again", DISKS)),
            "b": (("network", NETWORK), ("packages", PACKAGES), ("disks", DISKS))},
    "two": {"c": (("disks", DISKS), ("hello", PING), ("network", NETWORK), ("packages", PACKAGES)),
            "d": (("services", SERVICES), ("network", NETWORK), ("disks", DISKS), ("hello", PING))},
}
STEP_COUNTS = {name: AGENTS * sum(len(steps) for steps in tracks.values()) for name, tracks in TRACKS.items()}


@unittest.skipIf(REFUSED, f"needs network namespaces: {REFUSED}")
class Namespaces(NetCase):
    step_counts = STEP_COUNTS

    @classmethod
    def setUpClass(cls):
        print(f"RELAB_SEED={SEED}", flush=True)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES_MAX, most), most))
        cls.began = time.monotonic()
        cls.names = tuple(f"node{number}" for number in range(1, AGENTS + 1))
        cls.lab = NetLab(cls.names, SEED)
        cls.addClassCleanup(cls.lab.close)
        cls.lab.describe(*(phase(name, *(track(f"{agent}-{letter}", agent, *(step(*what) for what in steps))
                                         for agent in cls.names for letter, steps in TRACKS[name].items())) for name in PHASES))
        cls.disks = {"journal": {}, "ledger": cls.on_small_disk(cls.lab.state_dir, 96 << 20)}
        for name in cls.names[:2]:
            cls.disks["journal"][name] = cls.on_small_disk(cls.lab[name].state_dir, 12 << 20)
        cls.addClassCleanup(cls.lab.keep)  # while the small disks are there
        cls.lab.init()
        for name in cls.names:
            ended = cls.lab.enrol(name)
            assert ended.code == 0, ended
        cls.random = random.Random(SEED)
        cls.supervisor = Supervisor(cls.lab, cls.random, PHASES)
        for name in cls.names:
            cls.supervisor.start_agent(name)
        print(f"ready after {time.monotonic() - cls.began:.0f} s")

    @classmethod
    def on_small_disk(cls, folder, size):
        """Before anything runs: namespaces of mounts that are made later see it, older ones do not."""
        folder.mkdir(mode=0o700)
        cls.enterClassContext(small_disk(folder, size))
        return folder

    def setUp(self):
        self.supervisor.wrong = []
        self.settle_agents()

    def tearDown(self):
        if any(case is self for case, _ in self._outcome.result.failures + self._outcome.result.errors):
            print("RELAB_KEEP=1 keeps every log, journal and the ledger; the ends of the agents' logs:", file=sys.stderr)
            for name, agent in self.lab.agents.items():
                print(f"{name}, life {agent.lives}:", *agent.log(agent.lives).splitlines()[-5:], sep="\n  ", file=sys.stderr)
        if self.supervisor.running:
            self.supervisor.running.kill()
            self.supervisor.running = None

    def wait(self, what, condition):
        """Meanwhile agents that ended are started anew."""
        wait_until(what, lambda: self.supervisor.tend_agents(time.monotonic()) or condition())

    def settle_agents(self):
        self.wait("the agents to be ready", lambda: all(
            name not in self.supervisor.restart_at and "is ready on" in agent.running.err() for name, agent in self.lab.agents.items()))

    # ---- what must hold

    def run_until_done(self, name, patience=60):
        """After a run that was begun earlier, and may have failed steps, comes one without any fault."""
        for _ in range(2):
            self.supervisor.start_run(name, patience)
            self.supervisor.stop_running(patience + 30)
            code, told = self.supervisor.ended[-1]
            if code == 0:
                return
            print(f"the run of {name} that was begun in the storm: {told['succeeded']} succeeded, {told['failed']} failed")
        self.fail(f"{name} does not succeed though nothing is wrong any more: {told}")

    def settle(self):
        self.settle_agents()
        self.supervisor.starving.clear()
        self.supervisor.stop_running()
        self.supervisor.ledger_was_full = False
        for name in PHASES:
            self.run_until_done(name)
        self.assertEqual(self.supervisor.wrong, [])

    # ---- the tests

    def test_storm(self):
        storm = Storm(self.supervisor, self.random, self.disks)
        self.addCleanup(storm.calm)
        began = time.monotonic()
        storm.rage(FAULTS, PAUSE, began + FAULTS * PAUSE * 4 + 60)
        raged = time.monotonic()
        self.settle()

        records = self.assert_all_is_well()
        self.assert_agents_answer()
        self.assert_memory_is_bounded()
        outcomes = collections.Counter(outcome for task in records.tasks.values() for outcome in task.outcomes or ["no report"])
        tell = ", ".join(f"{count} {kind}" for kind, count in sorted(storm.counts.items()))
        print(f"{sum(storm.counts.values())} faults: {tell}\n{len(records.runs)} runs, exit codes {dict(self.supervisor.codes)}; "
              f"{len(records.tasks)} tasks: {dict(outcomes)}; ordered again {sum(len(t.ordered) - 1 for t in records.tasks.values())} times\n"
              f"seed {SEED}, {raged - began:.0f} s of storm, {time.monotonic() - self.began:.0f} s in all")
        self.assertGreater(outcomes["succeeded"], 2 * AGENTS)

    def flooded_run(self, held):
        """How a run ended while strangers held that many connections to one of the agents."""
        agent = self.lab[self.names[0]]
        life = agent.running.pid
        flood = start_flood(self.lab, SEED, FLOOD_SECONDS, held, [agent.name])
        self.addCleanup(flood.kill)
        opened = pathlib.Path(f"/proc/{life}/fd")
        wait_until("the strangers to be there", lambda: len(list(opened.iterdir())) > min(held, FILES_MAX) * 3 // 4)
        during = self.lab.relab("run", "one", "--patience", "5")
        flooded = flood.wait(60)
        self.assertEqual(flooded.code, 0, str(flooded))
        print(f"{flooded.out.strip()}; the run meanwhile ended with {during.code}")
        self.assertEqual((agent.running.pid, agent.running.is_running()), (life, True))
        self.assert_agents_answer()
        return during

    def test_strangers_shut_nobody_out(self):
        during = self.flooded_run(FILES_MAX * 3 // 4)
        self.assertIn(during.code, (0, 5), str(during))
        self.settle()
        self.assert_all_is_well()
        self.assert_memory_is_bounded()

    def test_more_strangers_than_an_agent_may_have_files_make_no_task_fail(self):
        during = self.flooded_run(FILES_MAX + 500)
        self.assertIn(during.code, (0, 5), str(during))
        self.assertNotIn("Too many open files", during.out + during.err)
        self.settle()
        self.assert_all_is_well()
        self.assert_memory_is_bounded()

    def test_a_full_disk_under_one_journal_is_that_agents_alone(self):
        """It takes no order, also after it was started anew; all others do their part, and later it does its own."""
        name, folder = next(iter(self.disks["journal"].items()))
        self.addCleanup((folder / "filler").unlink, missing_ok=True)
        self.supervisor.starving.add(name)
        fill(folder)
        self.supervisor.start_run("one", patience=2)
        self.wait("the order to be declined", lambda: "was not accepted" in self.lab[name].log(self.lab[name].lives))
        self.supervisor.kill_agent(name, 0.1)
        self.wait("the run to end", lambda: not self.supervisor.running.is_running())
        self.assertIn(self.supervisor.running.process.returncode, (1, 5))
        self.supervisor.take_end()
        states = {task["step"]: task["state"] for task in self.last_run("one")["tasks"]}
        others = [step for step in states if f"/{name}-" not in step]
        self.assertEqual((len(others), {states[step] for step in others}), (STEP_COUNTS["one"] * (AGENTS - 1) // AGENTS, {"succeeded"}))
        self.assertNotIn("succeeded", [state for step, state in states.items() if f"/{name}-" in step])
        (folder / "filler").unlink()
        self.settle()
        self.assert_all_is_well()

    def test_a_full_disk_under_the_ledger(self):
        """The run stops and says why; what is under way at ten agents waits there until it can be recorded."""
        self.supervisor.start_run("one", patience=20)
        wait_until("tasks to run", lambda: any(has_children(agent.running.pid) for agent in self.lab.agents.values()))
        self.addCleanup((self.disks["ledger"] / "filler").unlink, missing_ok=True)
        fill(self.disks["ledger"])
        self.supervisor.ledger_was_full = True
        stopped = self.supervisor.running
        self.supervisor.stop_running()
        self.assertEqual(stopped.process.returncode, 1)
        self.assertIn("the disk is full", stopped.err())
        again = self.lab.relab("run", "one")
        self.assertEqual(again.code, 1, str(again))
        self.assertIn("the disk is full", again.err)
        (self.disks["ledger"] / "filler").unlink()
        self.settle()
        self.assert_all_is_well()

    def test_what_is_checked_can_fail(self):
        """Otherwise the other tests would prove nothing."""
        self.settle()
        records = self.assert_all_is_well()
        name, agent = next(iter(self.lab.agents.items()))
        calls = (agent.tools.folder / "lsblk.calls").read_text()
        log = agent.folder / f"agent.{agent.lives}.log"
        told = log.read_text()
        accepted = next(line for line in told.splitlines() if " accepted: " in line and " not accepted: " not in line)
        succeeded = next(line for line in told.splitlines() if "ended: succeeded" in line)
        for path, text in ((agent.tools.folder / "lsblk.calls", calls + calls.splitlines()[-1] + "\n"),
                           (agent.tools.folder / "lsblk.calls", calls.replace(calls.splitlines()[-1] + "\n", "")),
                           (log, told + accepted + "\n"), (log, told.replace(succeeded + "\n", ""))):
            before = path.read_text()
            path.write_text(text)
            with self.subTest(path), self.assertRaises(AssertionError):
                self.assert_nothing_was_done_twice(name, records)
            path.write_text(before)
        self.assert_nothing_was_done_twice(name, records)
        task = next(task for task in records.tasks.values() if task.reports)
        for reports in ([], task.reports * 2):
            kept, task.reports = task.reports, reports
            with self.subTest(reports), self.assertRaises(AssertionError):
                self.assert_every_task_has_one_end(records)
            task.reports = kept
        last = self.supervisor.ended[-1][1]["run"]
        next(iter(records.steps(last).values()))[-1].reports = [(1, "failed")]
        with self.assertRaises(AssertionError):
            self.assert_exit_codes_told_the_truth(records)

    def last_run(self, name):
        return next(row["lastRun"] for row in self.lab.relab_json("status")["phases"] if row["phase"] == name)


if __name__ == "__main__":
    main()
