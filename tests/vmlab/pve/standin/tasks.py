"""Proxmox's worker tasks: what they print, what is kept of them, and which of them decide an exit status."""

import json
import os
import sys
import time

from standin import treachery
from standin.errors import Died

USER = "root@pam"


def _start_ticks():
    with open("/proc/self/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[19])


class Task:
    """One run of a worker. Its text goes to standard output and to its log, its failure to standard error."""

    def __init__(self, place, kind, name):
        self.place = place
        self.begun = int(time.time())
        self.pid, self.pstart = os.getpid(), _start_ticks()
        self.kind, self.name = kind, str(name or "")
        self.upid = f"UPID:{place.node}:{self.pid:08X}:{self.pstart:08X}:{self.begun:08X}:{kind}:{self.name}:{USER}:"
        self.lines = []
        self.warnings = 0

    def say(self, text, end="\n"):
        self.lines.append(text)
        print(text, end=end, flush=True)

    def warn(self, text):
        self.warnings += 1
        self.lines.append(f"WARN: {text}")
        print(f"WARN: {text}", file=sys.stderr, flush=True)

    def run(self, work):
        """True unless the work failed."""
        status = "OK"
        try:
            work(self)
            if treachery.thrown(self.place, "warnings"):
                self.warn("the switch 'warnings' is thrown")
        except Died as failure:
            status = failure.text.strip().replace("\n", " ")
            print(status, file=sys.stderr, flush=True)
        else:
            if self.warnings:
                status = f"WARNINGS: {self.warnings}"
                print(f"Task finished with {self.warnings} warning(s)!", file=sys.stderr, flush=True)
        self._keep(status)
        return status == "OK" or self.warnings > 0

    def _keep(self, status):
        self.place.tasks.mkdir(parents=True, exist_ok=True)
        said = status if status == "OK" or status.startswith("WARNINGS") else f"ERROR: {status}"
        record = {"exitstatus": status, "id": self.name, "node": self.place.node, "pid": self.pid, "pstart": self.pstart,
                  "starttime": self.begun, "status": "stopped", "type": self.kind, "upid": self.upid, "user": USER}
        entry = {"record": record, "endtime": int(time.time()), "log": [*self.lines, f"TASK {said}"]}
        with open(self.place.tasks / "index", "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, sort_keys=True) + "\n")


def kept(place):
    """All tasks, the newest first."""
    try:
        lines = (place.tasks / "index").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in reversed(lines)]


def run(place, kind, name, work):
    """A task whose end is the command's exit status."""
    return 0 if Task(place, kind, name).run(work) else 255


def run_unheeded(place, kind, name, work):
    """A task of a command that has no hook for its exit status: 0 whatever happened (trap 19)."""
    Task(place, kind, name).run(work)
    return 0
