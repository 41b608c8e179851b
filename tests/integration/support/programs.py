"""Processes of a test: started with bounds, ended by their number, never by their name."""

import os
import pathlib
import signal
import subprocess
import time

# By hand, without ctest: the development build.
ROOT = pathlib.Path(os.environ.get("RELAB_ROOT", pathlib.Path(__file__).resolve().parents[3]))
RELAB = os.environ.get("RELAB", ROOT / "build/dev/relab")
RELAB_AGENT = os.environ.get("RELAB_AGENT", ROOT / "build/dev/relab-agent")
RELAB_FORGE = os.environ.get("RELAB_FORGE", ROOT / "build/dev/tests/relab-forge")

# Generous: a bound is there so that a failure ends, not to measure anything.
PATIENCE = 60


class TookTooLong(AssertionError):
    pass


def wait_until(what, condition, patience=PATIENCE):
    """Returns the first true value of the condition."""
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= until:
            raise TookTooLong(f"waited in vain for {what}")
        time.sleep(0.02)


def is_alive(pid):
    """Whether there is such a process that is no zombie."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


class Ended:
    """How a program ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def __str__(self):
        line = " ".join(str(argument) for argument in self.arguments)
        return f"$ {line}\n{self.out}{self.err}[exit code {self.code}]"


class Running:
    """A program in the background; its output goes to files, so that no pipe can fill up."""

    def __init__(self, arguments, out, err, env=None, stdin=subprocess.DEVNULL, **options):
        self.arguments = [str(argument) for argument in arguments]
        self.out_path, self.err_path = pathlib.Path(out), pathlib.Path(err)
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            self.process = subprocess.Popen(self.arguments, stdin=stdin, stdout=out_file, stderr=err_file,
                                            env=env, **options)

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def out(self):
        return self.out_path.read_text(errors="replace")

    def err(self):
        return self.err_path.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TookTooLong(f"does not end: {' '.join(self.arguments)}\n{self.out()}{self.err()}") from None
        return Ended(self.arguments, code, self.out(), self.err())

    def kill(self):
        if self.is_running():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def clean_environment(home):
    """Ours without what would change the programs' behaviour."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("XDG_", "RELAB", "NO_COLOR", "NOTIFY_", "JOURNAL_"))}
    return kept | {"HOME": str(home), "LC_ALL": "C.UTF-8"}
