"""What a ledger holds, read from its export by Cap'n Proto's own tool: none of relab's code takes part."""

import base64
import collections
import json
import subprocess
import uuid

from support.programs import ROOT


def decode(messages, struct, schema="wire"):
    """Each of the messages as JSON gives it."""
    if not messages:
        return []
    schema = ROOT / "schema" / f"{schema}.capnp"
    done = subprocess.run(["capnp", "convert", "--short", f"-I{ROOT}", "binary:json", schema, struct],
                          input=b"".join(messages), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    decoded = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(decoded) == len(messages), f"{len(decoded)} of {len(messages)} messages"
    return decoded


def id_of(numbers):
    return str(uuid.UUID(bytes=bytes(numbers)))


class Task:
    """Everything that the ledger has about one task id; `entries` are the numbers of the ledger's entries."""

    def __init__(self, order, number):
        self.id, self.run = id_of(order["taskId"]), id_of(order["run"])
        self.step, self.attempt, self.audience = order["step"], order["attempt"], bytes(order["audience"])
        self.kind = next(iter(order["task"]))
        self.ordered = [number]
        self.reports, self.refusals, self.abandoned = [], [], []

    @property
    def outcomes(self):
        """Of its reports; the same report may have come, and been recorded, once only."""
        return [outcome for _, outcome in self.reports]

    @property
    def closed(self):
        """The number of the entry that first said what became of it, or None."""
        numbers = [number for number, _ in (*self.reports, *self.refusals, *self.abandoned)]
        return min(numbers, default=None)

    def __str__(self):
        return (f"{self.id} {self.step} attempt {self.attempt}: ordered {self.ordered}, reports {self.reports}, "
                f"refusals {self.refusals}, abandoned {self.abandoned}")


class Records:
    def __init__(self, export):
        self.lines = [json.loads(line) for line in export.splitlines()]
        self.tasks, self.runs = {}, {}
        bodies = self._decode("Entry", [line for line in self.lines if line["kind"] in ("abandoned", "runStarted", "runEnded")],
                              lambda line: base64.b64decode(line["entry"]), "ledger")
        orders = self._decode("Order", self._of("ordered"), self._payload)
        reports = self._decode("Report", self._of("received"), self._payload)
        refusals = self._decode("Receipt", self._of("refused"), self._payload)
        for line in self.lines:
            number, kind = line["number"], line["kind"]
            if kind == "ordered":
                self._take_order(orders[number], number)
            elif kind == "received":
                report = reports[number]
                self.tasks[id_of(report["taskId"])].reports.append((number, report["outcome"]))
            elif kind == "refused":
                receipt = refusals[number]
                self.tasks[id_of(receipt["taskId"])].refusals.append((number, receipt["what"]))
            elif kind == "abandoned":
                gone = bodies[number]["abandoned"]
                self.tasks[id_of(gone["taskId"])].abandoned.append((number, gone["why"]))
            elif kind == "runStarted":
                self.runs[id_of(bodies[number]["runStarted"]["run"])] = None
            elif kind == "runEnded":
                self.runs[id_of(bodies[number]["runEnded"]["run"])] = bodies[number]["runEnded"]

    def _of(self, kind):
        return [line for line in self.lines if line["kind"] == kind]

    @staticmethod
    def _payload(line):
        return base64.b64decode(line["envelope"]["payload"])

    @staticmethod
    def _decode(struct, lines, bytes_of, schema="wire"):
        return dict(zip((line["number"] for line in lines), decode([bytes_of(line) for line in lines], struct, schema)))

    def _take_order(self, order, number):
        known = self.tasks.setdefault(id_of(order["taskId"]), Task(order, number))
        if known.ordered == [number]:
            return
        again = Task(order, number)
        assert (again.run, again.step, again.attempt, again.audience, again.kind) == (
            known.run, known.step, known.attempt, known.audience, known.kind), f"{again} has the id of {known}"
        known.ordered.append(number)

    def steps(self, run):
        """{step: its tasks in the order of their attempts} of a run."""
        steps = collections.defaultdict(list)
        for task in self.tasks.values():
            if task.run == run:
                steps[task.step].append(task)
        return {step: sorted(tasks, key=lambda task: task.attempt) for step, tasks in steps.items()}
