"""Faults of every kind at random moments, while runs go on; agents are started again as systemd would."""

import collections
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from support.netlab import CONTROLLER, MUTE_ADDRESS, STRANGER
from support.netns import SUPPORT
from support.programs import Running

DISK_IS_FULL = "the disk is full"


def memory_kib(pid, what="VmHWM"):
    """Of a process, its peak by default; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            found = re.search(rf"^{what}:\s*(\d+) kB", status.read(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def has_children(pid):
    try:
        return any(task.joinpath("children").read_text() for task in pathlib.Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return False


class Fault:
    """What goes wrong, with what, for how long; `begin` may say that it is not possible now by returning False."""

    def __init__(self, kind, target, seconds, begin, end):
        self.kind, self.target, self.seconds, self.begin, self.end = kind, target, seconds, begin, end


class Supervisor:
    """Keeps the agents running, and a run of some phase; notes how each run ended."""

    def __init__(self, lab, chance, phases):
        self.lab, self.random, self.phases = lab, chance, phases
        self.restart_at = {}
        self.pids = collections.defaultdict(dict)  # agent -> life -> process number
        self.peak_kib = {}
        self.starving = set()  # agents whose disk is full, or was in this life
        self.running, self.run_at, self.phase = None, 0, None
        self.killed = self.interrupted = False
        self.ledger_was_full = False
        self.codes, self.ended, self.wrong = collections.Counter(), [], []

    # ---- agents

    def start_agent(self, name):
        agent = self.lab[name]
        # At every other agent one track waits for the other, in the journal.
        agent.running = agent.spawn("run", "--tasks-max", 1 + list(self.lab.agents).index(name) % 2)
        self.pids[name][agent.lives] = agent.running.pid
        self.restart_at.pop(name, None)

    def note_memory(self, name):
        running = self.lab[name].running
        if running:
            self.peak_kib[name] = max(self.peak_kib.get(name, 0), memory_kib(running.pid))

    def kill_agent(self, name, pause):
        self.note_memory(name)
        self.lab[name].kill()
        self.restart_at[name] = time.monotonic() + pause

    def tend_agents(self, now):
        for name, agent in self.lab.agents.items():
            if name in self.restart_at:
                if now >= self.restart_at[name]:
                    self.start_agent(name)
            elif not agent.running.is_running():
                if name not in self.starving:
                    self.wrong.append(f"{name} ended by itself with {agent.running.process.returncode}: {agent.running.err()[-600:]}")
                self.restart_at[name] = now + 0.3

    # ---- the controller

    def start_run(self, phase=None, patience=None):
        self.phase = phase or self.random.choice(self.phases)
        patience = patience or self.random.choice((2, 20))
        self.killed = self.interrupted = False
        self.running = self.lab.start("run", self.phase, "--patience", str(patience), "--output", "json", start_new_session=True)

    def tend_run(self, now):
        if self.running is None:
            if now >= self.run_at:
                self.start_run()
        elif not self.running.is_running():
            self.take_end()
            self.run_at = now + self.random.uniform(0, 0.2)

    def take_end(self):
        code, running, self.running = self.running.process.returncode, self.running, None
        self.codes[code] += 1
        self.judge(code, running)

    def judge(self, code, running):
        """Whether the exit code is the documented one for what happened."""
        told = {}
        if code in (0, 1) and running.out().strip():
            told = json.loads(running.out())
            self.ended.append((code, told))
        if code == 0:
            right = told.get("failed") == 0 and told.get("succeeded", 0) > 0
        elif code == 1:
            right = told.get("failed", 0) > 0 or (DISK_IS_FULL in running.err() and self.ledger_was_full)
        else:
            # A signal may come before there is a handler for it.
            right = (code == -signal.SIGKILL and self.killed) or (code in (130, -signal.SIGINT) and self.interrupted) or (
                code == 5 and "Nothing is lost" in running.err())
        if not right:
            self.wrong.append(f"run {self.phase} ended with {code}: {running.out()[-600:]}{running.err()[-1200:]}")

    def tend(self):
        now = time.monotonic()
        self.tend_agents(now)
        self.tend_run(now)

    def stop_running(self, patience=60):
        """Lets the run of the moment come to its end."""
        if self.running:
            self.running.wait(patience)
            self.take_end()


class Storm:
    def __init__(self, supervisor, chance, disks):
        self.supervisor, self.lab, self.random = supervisor, supervisor.lab, chance
        self.network, self.disks = self.lab.network, disks
        self.active = {}  # (what, of whom) -> (when it ends, fault)
        self.counts = collections.Counter()
        self.flood_words = []

    def somebody(self):
        return self.random.choice(list(self.lab.agents))

    # ---- what happens to processes

    def process_fault(self):
        make = self.random.choices((self.kill_agent, self.stop_agent, self.kill_run, self.stop_run, self.interrupt_run),
                                   (40, 38, 10, 10, 2))[0]
        return make()

    def somebody_at_work(self):
        """An agent that a task of which runs a program now, every other time and if there is one."""
        busy = [name for name, agent in self.lab.agents.items() if has_children(agent.running.pid)]
        return self.random.choice(busy) if busy and self.random.random() < 0.5 else self.somebody()

    def kill_agent(self):
        name = self.somebody_at_work()
        pause = self.random.uniform(0.05, 0.6)
        return Fault("agent killed", ("process", name), 0, lambda: self.is_up(name) and self.supervisor.kill_agent(name, pause), None)

    def stop_agent(self):
        name = self.somebody_at_work()
        # A long one outlives the heartbeats' patience.
        seconds = 11 if self.random.random() < 0.02 else self.random.uniform(0.05, 2)
        pids = []

        def begin():
            if not self.is_up(name):
                return False
            pids.append(self.lab[name].running)
            pids[0].signal(signal.SIGSTOP)
            return True

        return Fault("agent stopped", ("process", name), seconds, begin, lambda: pids[0].signal(signal.SIGCONT))

    def is_up(self, name):
        return self.lab[name].running.is_running() and name not in self.supervisor.restart_at

    def signal_run(self, number, flag=None):
        supervisor = self.supervisor
        if supervisor.running is None or not supervisor.running.is_running():
            return False
        if flag:
            setattr(supervisor, flag, True)
        supervisor.running.signal(number)
        return True

    def kill_run(self):
        return Fault("controller killed", ("process", CONTROLLER), 0, lambda: self.signal_run(signal.SIGKILL, "killed"), None)

    def interrupt_run(self):
        return Fault("controller interrupted", ("process", CONTROLLER), 0, lambda: self.signal_run(signal.SIGINT, "interrupted"), None)

    def stop_run(self):
        return Fault("controller stopped", ("process", CONTROLLER), self.random.uniform(0.05, 1.5),
                     lambda: self.signal_run(signal.SIGSTOP), lambda: self.signal_run(signal.SIGCONT))

    # ---- what happens to everything else

    def other_fault(self):
        makers = [self.unplug, self.cut, self.weather, self.narrow, self.flood, self.fill_journal, self.fill_ledger]
        return self.random.choices(makers, (20, 25, 25, 10, 10, 8, 6))[0]()

    def unplug(self):
        name = self.random.choice([CONTROLLER, *self.lab.agents])
        return Fault("link down", ("link", name), self.random.uniform(0.1, 2.5), lambda: self.network.unplug(name),
                     lambda: self.network.plug(name))

    def cut(self):
        name, how = self.random.choice([CONTROLLER, *self.lab.agents]), self.random.choice(list(self.network.CUTS))
        return Fault(f"cut off ({how})", ("cut", name), self.random.uniform(0.1, 2.5), lambda: self.network.cut(name, how),
                     lambda: self.network.mend(name))

    def weather(self):
        name = self.somebody()
        fare = {"delay": self.random.uniform(0, 0.08), "jitter": self.random.uniform(0, 0.1),
                "loss": self.random.uniform(0, 0.15), "twice": self.random.uniform(0, 0.15)}
        return Fault("bad wire", ("weather", name), self.random.uniform(1, 5), lambda: self.network.weather(name, **fare),
                     lambda: self.network.clear(name))

    def narrow(self):
        name, rate = self.somebody(), self.random.choice(("32kbit", "128kbit"))
        return Fault("narrow link", ("rate", name), self.random.uniform(1, 4), lambda: self.network.narrow(name, rate),
                     lambda: self.network.widen(name))

    def flood(self):
        seconds = self.random.uniform(1, 3)
        names = self.random.sample(list(self.lab.agents), min(3, len(self.lab.agents)))
        running = []
        return Fault("flood of garbage", ("flood", ""), seconds + 0.3,
                     lambda: running.append(start_flood(self.lab, self.random.randrange(2**32), seconds, 80, names)),
                     lambda: self.end_flood(running[0]))

    def end_flood(self, running):
        ended = running.wait(30)
        assert ended.code == 0, ended
        self.flood_words.append(ended.out.strip())

    def fill_journal(self):
        name = self.random.choice(list(self.disks["journal"]))

        def begin():
            self.supervisor.starving.add(name)
            fill(self.disks["journal"][name])

        return Fault("journal's disk full", ("disk", name), self.random.uniform(0.3, 2.5), begin,
                     lambda: (self.disks["journal"][name] / "filler").unlink())

    def fill_ledger(self):
        def begin():
            self.supervisor.ledger_was_full = True
            fill(self.disks["ledger"])

        return Fault("ledger's disk full", ("disk", CONTROLLER), self.random.uniform(0.2, 1), begin,
                     lambda: (self.disks["ledger"] / "filler").unlink())

    # ---- the storm itself

    def begin(self, make):
        """Makes one fault of something that is whole so far; False if none was possible."""
        for _ in range(20):
            fault = make()
            if fault.target in self.active:
                continue
            if fault.begin() is False:
                continue
            self.counts[fault.kind] += 1
            if fault.end:
                self.active[fault.target] = (time.monotonic() + fault.seconds, fault)
            return True
        return False

    def end_due(self, now):
        for target, (due, fault) in list(self.active.items()):
            if now >= due:
                del self.active[target]
                fault.end()

    def rage(self, count, pause, deadline):
        """`count` faults of processes, a mean `pause` apart, and one of something else for every two of them."""
        done, following = 0, time.monotonic()
        while done < count or self.active:
            now = time.monotonic()
            if now >= deadline:
                raise AssertionError(f"{done} of {count} faults in the time that there was")
            self.end_due(now)
            self.supervisor.tend()
            if done < count and now >= following:
                done += self.begin(self.process_fault)
                if self.random.random() < 0.5:
                    self.begin(self.other_fault)
                following = now + self.random.uniform(0, 2 * pause)
            time.sleep(0.01)

    def calm(self):
        """Whatever still goes on ends, also after a failure."""
        for _, fault in list(self.active.values()):
            fault.end()
        self.active = {}


def fill(folder):
    """Leaves nothing free, though others write at the same time."""
    with open(folder / "filler", "wb") as filler:
        for _ in range(50):
            space = os.statvfs(folder)
            if space.f_bavail == 0:
                return
            with contextlib.suppress(OSError):
                os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, space.f_bavail * space.f_frsize)


def start_flood(lab, seed, seconds, held, names):
    count = len(list(lab.folder.glob("flood.*.out")))
    return Running(lab.network.at(STRANGER, sys.executable, SUPPORT / "flood.py", seed, seconds, held, MUTE_ADDRESS,
                                  *(lab.address(name) for name in names)),
                   lab.folder / f"flood.{count}.out", lab.folder / f"flood.{count}.err", stdin=subprocess.DEVNULL)
