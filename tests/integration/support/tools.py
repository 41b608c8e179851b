"""Stand-ins for the programs that tasks run: they note each call, wait as long as told, print, fail.

An agent that is started with `--program-path FOLDER` finds nothing but these.
"""

import os
import pathlib

from support.programs import ROOT, wait_until

# Notes the caller and itself in one write, waits while there is a file `hold`, or for `seconds`.
FAKE = """#!/bin/sh
PATH=/usr/bin:/bin
cd {folder}
echo "$PPID $$ $*" >>{name}.calls
{before}
while [ -e {name}.hold ]; do sleep 0.05; done
sleep $(cat {name}.seconds)
cat {name}.out
exit $(cat {name}.status)
"""

LSBLK = (ROOT / "tests/data/disks/lsblk-vm.json").read_text()


class Tools:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()

    def fake(self, name, prints="", seconds=0, status=0, before=""):
        """Puts a stand-in there, or changes it; `before` are shell commands that it begins with."""
        for what, text in (("out", prints), ("seconds", seconds), ("status", status)):
            self.replace(f"{name}.{what}", str(text), 0o644)
        self.replace(name, FAKE.format(folder=self.folder, name=name, before=before), 0o755)

    def replace(self, name, text, mode):
        """At once: it may be in use."""
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.chmod(mode)
        os.rename(new, self.folder / name)

    def hold(self, name):
        """From now on the stand-in does not end before `release`."""
        (self.folder / f"{name}.hold").touch()

    def release(self, name):
        (self.folder / f"{name}.hold").unlink(missing_ok=True)

    def calls(self, name):
        """The number of its caller and its own, for each time it was started."""
        path = self.folder / f"{name}.calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(int(number) for number in line.split()[:2]) for line in lines]

    def wait_for_calls(self, name, count):
        return wait_until(f"{count} calls of {name}", lambda: len(self.calls(name)) >= count and self.calls(name))
