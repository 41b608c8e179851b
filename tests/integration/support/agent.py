"""One agent: its state directory, its process, its log."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3

from support.programs import RELAB_AGENT, ROOT, Running, clean_environment, is_alive, wait_until
from support.tools import LSBLK, Tools

FINISHED, ACKNOWLEDGED = 3, 4


class Agent:
    def __init__(self, folder, name, port, role="proxmox"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.name, self.port, self.role = name, port, role
        self.state_dir = self.folder / "state"
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self.tools = Tools(self.folder / "tools")
        self.tools.fake("lsblk", prints=LSBLK)
        self.program = RELAB_AGENT
        self.roles_dir = ROOT / "packaging/roles"
        self.running = None
        self.lives = 0
        self.wrapper = []

    def arguments(self, command, *more):
        return [*self.wrapper, self.program, command, "--state-dir", self.state_dir, "--listen", self.endpoint,
                "--name", self.name, "--role", self.role, "--roles-dir", self.roles_dir,
                "--program-path", self.tools.folder, *more]

    def spawn(self, command, *more):
        """Starts it; each start of an agent has a log of its own."""
        self.lives += 1
        out, err = (self.folder / f"agent.{self.lives}.{kind}" for kind in ("out", "log"))
        return Running(self.arguments(command, *more), out, err, env=clean_environment(self.folder))

    def run(self, command, *more):
        """For what ends by itself, such as `identity`."""
        return self.spawn(command, *more).wait()

    def start(self, *more):
        self.running = self.spawn("run", *more)
        wait_until("the agent to be ready", lambda: "is ready on" in self.running.err() or not self.running.is_running())
        assert self.running.is_running(), f"the agent did not start:\n{self.running.err()}"
        return self

    def stop(self):
        """By SIGTERM, as systemd does; returns how it ended."""
        self.running.signal(signal.SIGTERM)
        return self.running.wait()

    def kill(self):
        """At once, as a power cut would, but for what the kernel has already."""
        self.running.kill()

    def close(self):
        if self.running:
            self.running.kill()
        for name in self.tools.folder.glob("*.hold"):
            name.unlink()
        for pid in {pid for name in ("lsblk", "smartctl") for _, pid in self.tools.calls(name)}:
            self.end_tool(pid)

    def end_tool(self, pid):
        """A stand-in that outlived its agent; its number may be another's by now."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if str(self.tools.folder) in pathlib.Path(f"/proc/{pid}/cmdline").read_text() and is_alive(pid):
                os.kill(pid, signal.SIGKILL)

    def forget_everything(self):
        shutil.rmtree(self.state_dir)

    def log(self, life=None):
        lives = [life] if life else range(1, self.lives + 1)
        return "".join((self.folder / f"agent.{life}.log").read_text(errors="replace") for life in lives)

    def accepted(self, life=None):
        """Ids of tasks that came into the journal, in order."""
        return re.findall(r"task (\S+) accepted", self.log(life))

    def fingerprint(self):
        return re.search(r"^fingerprint\s+(.+)$", self.run("identity").out, re.MULTILINE)[1]

    def journal(self):
        """{task id (hex): state} of every row."""
        path = self.state_dir / "journal.db"
        if not path.exists():
            return {}
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return {bytes(row[0]).hex(): row[1] for row in database.execute("SELECT id, state FROM task")}
