"""What must hold of agents and ledger in the end, shown by what relab does not keep itself."""

import collections
import pathlib
import unittest

from support.netlab import ids
from support.programs import RELAB_AGENT
from support.records import Records
from support.storm import memory_kib

ACKNOWLEDGED = 4
# Of an agent, and with the shadow memory of a sanitizer.
MEMORY_MIB_MAX = 100
SANITIZED_MIB_MAX = 1000
# The program and its argument by which a task of that kind shows that it ran; each calls it once.
TRACES = {"auditDisks": ("lsblk", ""), "auditNetwork": ("ip", "-details address")}


def memory_mib_max():
    sanitized = any(name in pathlib.Path(RELAB_AGENT).read_bytes() for name in (b"__asan_init", b"__tsan_init"))
    return SANITIZED_MIB_MAX if sanitized else MEMORY_MIB_MAX


class NetCase(unittest.TestCase):
    """Needs `lab`, `supervisor`, and `step_counts` of each phase from whoever derives from it."""

    def assert_all_is_well(self):
        ended = self.lab.relab("ledger", "verify")
        self.assertEqual(ended.code, 0, str(ended))
        records = Records(self.lab.relab("ledger", "export").out)
        self.assert_every_task_has_one_end(records)
        self.assert_attempts_follow_each_other(records)
        self.assert_exit_codes_told_the_truth(records)
        for name in self.lab.agents:
            self.assert_nothing_was_done_twice(name, records)
            self.assert_nothing_waits(name, records)
        return records

    def assert_every_task_has_one_end(self, records):
        for task in records.tasks.values():
            self.assertIsNotNone(task.closed, f"nobody knows what became of {task}")
            self.assertLessEqual(len(task.reports), 1, f"more than one outcome: {task}")
            for _, why in (*task.refusals, *task.abandoned):
                self.assertTrue(why, f"without a reason: {task}")

    def assert_attempts_follow_each_other(self, records):
        for run in records.runs:
            for attempts in records.steps(run).values():
                self.assertEqual([task.attempt for task in attempts], list(range(1, len(attempts) + 1)), "\n".join(map(str, attempts)))
                for before, after in zip(attempts, attempts[1:]):
                    self.assertLess(before.closed, after.ordered[0], f"{after} was ordered before the end of {before}")
                    self.assertTrue(before.abandoned or before.outcomes == ["unknown"], f"{after} after {before}")

    def assert_exit_codes_told_the_truth(self, records):
        for code, told in self.supervisor.ended:
            steps = records.steps(told["run"])
            states = [attempts[-1].outcomes for attempts in steps.values()]
            succeeded = states.count(["succeeded"])
            self.assertIsNotNone(records.runs[told["run"]], f"{told} has not ended")
            self.assertLessEqual(told["succeeded"], succeeded, str(told))
            self.assertEqual(told["succeeded"] + told["failed"], self.step_counts[told["phase"]], str(told))
            if code == 0:
                self.assertEqual(succeeded, self.step_counts[told["phase"]], f"exit code 0 is not true: {told}")

    def assert_nothing_was_done_twice(self, name, records):
        agent = self.lab[name]
        for what in ("accepted", "ended"):
            counts = collections.Counter(ids(what, agent.log()))
            self.assertEqual([id for id, count in counts.items() if count > 1], [], f"{name}: more than once {what}")
        journal = {bytes.fromhex(id) for id in agent.journal()}
        mine = {id: task for id, task in records.tasks.items() if f"/{name}-" in task.step}
        known = {id for id in mine if bytes.fromhex(id.replace("-", "")) in journal}
        self.assertEqual(len(known), len(journal), f"{name} holds tasks that nobody ordered")
        self.assertLessEqual({id for id, task in mine.items() if task.reports}, known, f"{name} reported what it never had")
        done = set(ids("ended: succeeded", agent.log()))
        self.assertLessEqual({id for id, task in mine.items() if task.outcomes == ["succeeded"]}, done, "a false success")
        for kind, (program, argument) in TRACES.items():
            self.assert_traces(name, program, argument, {id for id in known if mine[id].kind == kind})

    def assert_traces(self, name, program, argument, of_kind):
        """In each life of the agent the program was started at least for each task that succeeded then, and at most
        for each that came in then or had waited."""
        agent = self.lab[name]
        path = agent.tools.folder / f"{program}.calls"
        calls = [line.split(maxsplit=2) for line in path.read_text().splitlines()] if path.exists() else []
        count = collections.Counter(int(call[0]) for call in calls if argument in " ".join(call[2:]))
        # That includes those who had lost their parent before they looked for it.
        self.assertLessEqual(sum(count.values()), len(of_kind), f"{name}: {program} was started more often than there were tasks")
        before = set()
        for life, pid in self.supervisor.pids[name].items():
            log = agent.log(life)
            ended = of_kind & set(ids("ended: succeeded", log))
            began = of_kind & {*ids("accepted", log), *ids("was waiting when", log)}
            # Killed between the journal's commit and the line of its log.
            silent = of_kind & {*ids("was running when", self.next_log(agent, life))} - before - began
            self.assertLessEqual(len(ended), count[pid], f"{name}, life {life}: {program}\n{log}")
            self.assertLessEqual(count[pid], len(began | silent), f"{name}, life {life}: {program}\n{log}")
            before |= began | silent

    def next_log(self, agent, life):
        return agent.log(life + 1) if life < agent.lives else ""

    def assert_nothing_waits(self, name, records):
        """What was not acknowledged is in the ledger all the same: the last acknowledgement may have been lost."""
        last = {task.id.replace("-", "") for run in list(records.runs)[-len(self.step_counts):] for attempts in records.steps(run).values()
                for task in attempts if task.reports}
        waiting = {id for id, state in self.lab[name].journal().items() if state != ACKNOWLEDGED}
        self.assertLessEqual(waiting, last, f"{name} holds what was never delivered")

    def assert_memory_is_bounded(self):
        for name in self.lab.agents:
            self.supervisor.note_memory(name)
        now = {name: memory_kib(self.lab[name].running.pid, "VmRSS") for name in self.lab.agents}
        peak = max(self.supervisor.peak_kib.values())
        print(f"memory of the agents: {min(now.values())} to {max(now.values())} KiB now, {peak} KiB at most ever")
        self.assertGreater(min(now.values()), 0)
        self.assertLess(peak, memory_mib_max() * 1024)

    def assert_agents_answer(self):
        ended = self.lab.relab("agents", "--ping")
        self.assertEqual(ended.code, 0, str(ended))
