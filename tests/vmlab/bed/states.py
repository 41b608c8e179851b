"""Saved states: a machine that has booted, and one with the lab's pools. A scenario starts from one in seconds."""

import os
import pathlib
import shutil
import subprocess

from bed import cache, machine
from bed.suites import BedError

SETUP = cache.HERE / "setup"
# In this order: each goes on from the one before, by the script of its name.
STATES = ("booted", "pools")


def copy(seed, folder):
    """The disks of a seed, with the states that are saved in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for disk in seed.glob("*.qcow2"):
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(disk), str(folder / disk.name)], check=True)


def kvm_answers(image, say):
    """Whether KVM really boots our kernel here, and soon. That /dev/kvm exists says nothing."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        say("KVM: /dev/kvm cannot be opened; emulating")
        return False
    probe = machine.Machine(cache.folder() / f"probe-{os.getpid()}", accelerator="kvm")
    try:
        probe.create_disks(image)
        probe.start(image)
        probe.wait(deadline_s=45)
        return True
    except BedError as error:
        say(f"KVM: {str(error).splitlines()[0]}; emulating")
        return False
    finally:
        probe.remove()


class Bed:
    """A suite's image with its saved states."""

    def __init__(self, suite, say=lambda words: None):
        self.images = cache.Images(suite, say)
        self.say = say
        scripts = cache.fingerprint(*sorted(SETUP.glob("*.sh")), machine.layout())
        self.seed = self.images.image.with_name(self.images.image.name.replace("image-", "states-", 1) + f"-{scripts}")

    def build(self):
        image = self.images.build()
        with cache.locked(self.seed):
            if not self.seed.exists():
                self._save(image)
        return self

    def _save(self, image):
        part = pathlib.Path(f"{self.seed}.part")
        shutil.rmtree(part, ignore_errors=True)
        made = machine.Machine(part)
        try:
            made.create_disks(image)
            self.say(f"booting {self.images.suite.name} by software emulation")
            made.start(image)
            made.wait()
            for state in STATES:
                self.say(f"saving the state '{state}'")
                made.must((SETUP / f"{state}.sh").read_text(encoding="utf-8"), timeout_s=900)
                made.save(state)
            made.close()
        except BaseException:
            made.close()
            raise
        for leftover in ("channel", "monitor", "channel.lock", "pid", "port"):
            (part / leftover).unlink(missing_ok=True)
        part.rename(self.seed)

    def up(self, folder, state="pools", lasting=False):
        """A machine of its own in a new folder, going on from a state; it ends with this process unless it is `lasting`."""
        if state not in STATES:
            raise BedError(f"there is no state '{state}': {', '.join(STATES)}")
        started = machine.Machine(folder, lasting=lasting)
        try:
            copy(self.seed, started.folder)
            # The disk of the system lies on the image, wherever that is now.
            started.start(self.images.image, state)
            started.wait(deadline_s=60)
            started.set_clock()
        except BaseException:
            started.remove()
            raise
        return started
