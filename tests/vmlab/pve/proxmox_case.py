"""The frame of tests in which relab makes containers on a stand-in's host: an agent, a controller, real containers."""

import subprocess

import frame
from proxmox_lab import ONE, ProxmoxLab, guest, power
from support.lab import phase, step, track

TEMPLATE_STEP = step("template", 'guest_template = { name = "debian-12-standard" }', deadline="5m")


class ProxmoxCase(frame.HostCase):
    def setUp(self):
        super().setUp()
        self.lab = ProxmoxLab(self.host)
        self.addCleanup(self.lab.close)
        self.lab.init()
        self.plan(TEMPLATE_STEP, guest("one"), power("one"), guest("two"), power("two"))
        self.assert_ended(self.lab.enrol("pve"), 0)
        self.lab["pve"].start()

    def plan(self, *steps):
        self.lab.describe(phase("make", track("make", "pve", *steps)))

    def make(self, code=0, *sentences):
        self.assert_ended(self.lab.relab("run", "make"), code, *sentences)

    def beside_agent(self, *words):
        """By a program that sees the file systems which the agent sees."""
        argv = ["nsenter", "--mount", "--target", self.lab["pve"].running.pid, "--", *words]
        return subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


class OneContainer(ProxmoxCase):
    """With the first of the two alone."""

    def setUp(self):
        super().setUp()
        self.lab.guests = [row for row in self.lab.guests if row[1] == ONE]
        self.plan(TEMPLATE_STEP, guest("one"), power("one"))

    def given(self, *words):
        """One is there and stopped, and has this besides."""
        self.make()
        self.host.must("pct", "shutdown", ONE)
        self.host.must("pct", "set", ONE, *words)
