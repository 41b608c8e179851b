#!/usr/bin/env python3
"""A controller that dies, moves to another machine, or is away: in the end the ledger is as if nothing had happened."""

import re
import shutil

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.records import Records
from support.tools import LSBLK

# Each step waits for a program that can be held: `lsblk`.
STEPS = (("first", DISKS), ("hello", PING), ("second", DISKS), ("third", DISKS))
IDS = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\brun [0-9a-f]{12}\b|\b[0-9a-f]{12}\b")


SIGNED = re.compile(r"signed head of the \d+ entries before")


def once(lines):
    """Without what a controller repeats that comes back, and which changes nothing: the verdict on the gate of a run that is
    open already, with its checkpoint; and the same order, sent again in another session."""
    kept, ordered, open_phases, repeated = [], set(), set(), False
    for line in lines:
        again = line["kind"] == "ordered" and line["task"] in ordered
        repeated, after_repeat = line["kind"] == "judged" and line["phase"] in open_phases, repeated
        if line["kind"] == "ordered":
            ordered.add(line["task"])
        if line["kind"] == "runStarted":
            open_phases.add(line["phase"])
        if line["kind"] == "runEnded":
            open_phases.discard(line["phase"])
        if not (again or repeated or (after_repeat and line["kind"] == "checkpoint")):
            kept.append(line | {"what": SIGNED.sub(f"signed head of the {len(kept)} entries before", line["what"])})
    return kept


class Detach(LabCase):
    agent_names = ("alpha", "beta")
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.begin(self.lab)

    def begin(self, lab):
        lab.describe(phase("one", track("a", "alpha", *(step(*what) for what in STEPS))),
                     phase("two", track("b", "beta", *(step(*what) for what in STEPS)), more='after = ["one"]'))
        for agent in lab.agents.values():
            agent.start()

    def undisturbed(self):
        """What the ledger says of the same plan that nothing happened to."""
        for agent in self.lab.agents.values():
            agent.kill()  # its twin has the same address
        twin = self.template.copy()
        self.addCleanup(twin.close)
        self.begin(twin)
        self.assert_ended(twin.relab("run"), 0)
        return self.told(twin)

    @staticmethod
    def told(lab, without_repeats=False):
        """Every entry, but for ids and times; and how every task ended."""
        ended = lab.relab("ledger", "verify")
        assert ended.code == 0, ended
        lines = lab.relab_json("ledger", "show")
        if without_repeats:
            lines = once(lines)
        whole = [(line["kind"], line["phase"], line["agent"], IDS.sub("ID", line["what"])) for line in lines]
        tasks = Records(lab.relab("ledger", "export").out).tasks.values()
        return whole, [(task.step, task.attempt, task.outcomes) for task in sorted(tasks, key=lambda task: task.ordered[0])]

    def run_until_held(self, call):
        """A run whose step waits for its program, which is called that many times by then."""
        agent = self.lab["alpha"]
        agent.tools.fake("lsblk", prints=LSBLK, before=f"[ $(grep -c . lsblk.calls) -lt {call} ] || while [ ! -e released ]; do sleep 0.05; done")
        running = self.lab.start("run", start_new_session=True)
        agent.tools.wait_for_calls("lsblk", call)
        return running, agent

    @staticmethod
    def release(agent):
        (agent.tools.folder / "released").touch()

    def assert_as_if_nothing_happened(self, without_repeats=True):
        whole, tasks = self.told(self.lab, without_repeats)
        expected, expected_tasks = self.undisturbed()
        self.assertEqual(len(tasks), 2 * len(STEPS))
        self.assertEqual(tasks, expected_tasks)
        self.assertEqual(whole, expected)

    def test_the_controller_is_killed_and_comes_back(self):
        running, agent = self.run_until_held(1)
        running.kill()
        self.release(agent)
        self.assert_ended(self.lab.relab("run"), 0)
        self.assert_as_if_nothing_happened()

    def test_the_controller_moves_to_another_machine(self):
        """With a copy of its state directory and keys; the old one is gone, and the agents were restarted meanwhile."""
        running, agent = self.run_until_held(1)
        running.kill()
        self.release(agent)
        self.assert_ended(agent.stop(), 0)
        elsewhere = self.lab.folder / "another machine"
        elsewhere.mkdir()
        for name in ("config", "state"):
            shutil.move(self.lab.folder / name, elsewhere / name)
        shutil.copy(self.lab.file, elsewhere / "lab.toml")
        self.lab.file.unlink()
        self.lab.config_dir, self.lab.state_dir, self.lab.file = (elsewhere / name for name in ("config", "state", "lab.toml"))
        agent.start()
        self.assert_ended(self.lab.relab("run"), 0)
        self.assert_as_if_nothing_happened()

    def test_the_agent_is_away_while_the_controller_waits(self):
        running, agent = self.run_until_held(1)
        self.release(agent)
        self.assert_ended(agent.stop(), 0)
        agent.start()
        self.assert_ended(running.wait(60), 0)
        self.assert_as_if_nothing_happened()

    def test_attach_collects_what_finished_meanwhile(self):
        """Not even a repeat is left of it: the last step was all that was missing."""
        running, agent = self.run_until_held(3)
        running.kill()
        self.release(agent)
        self.assert_ended(self.lab.relab("attach"), 0)
        self.assert_ended(self.lab.relab("run"), 0)
        self.assert_as_if_nothing_happened(without_repeats=False)


if __name__ == "__main__":
    main()
