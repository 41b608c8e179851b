#!/usr/bin/env python3
"""From a bare Proxmox host to containers whose agents work, by one `relab run`. After the host has restarted, all of it is back by
itself; and an agent that has another key is turned away. RELAB_PACKAGES names the folder with the packages."""

import dataclasses
import os
import pathlib
import shutil
import time
import unittest

from bed.case import MachineCase, main, say
from bed.chroot import fetch_needed
from bed.lab import NAME, PATIENCE_S, InstalledAgent
from bed.proxmox import Proxmox, make_template
from bed.suites import SUITES

from support.lab import phase, step, track
from support.programs import ROOT

PACKAGES = pathlib.Path(os.environ.get("RELAB_PACKAGES", ROOT / "build" / "packages"))
OURS = sorted(file for file in PACKAGES.glob("relab-*.deb") if "-dbgsym" not in file.name)
PHASE_S = 900
VLANS = {10: "management", 60: "agents"}
# What tests/vmlab/lab.toml has not.
AGENTS_VLAN = '[[network.vlans]]\nname = "agents"\nid = 60\nsubnet = "10.42.60.0/24"\ngateway = "10.42.60.1"\n\n'
KEY = "/var/lib/relab-agent/agent.key"


@dataclasses.dataclass(frozen=True)
class Guest:
    """A container by the name of its role, which lets its agent work below a folder."""

    name: str
    vmid: int
    vlan: int
    suite: str
    folder: str
    privileged: bool = False

    @property
    def ip(self):
        return f"10.42.{self.vlan}.{self.vmid - 90}"

    @property
    def template(self):
        return SUITES[self.suite].template.split("_")[0]

    def described(self, endpoint):
        return (f'[[guests]]\nname = "{self.name}"\nvmid = {self.vmid}\ntype = "lxc"\nprivileged = {str(self.privileged).lower()}\n'
                f'template = "{self.template}"\nvlan = "{VLANS[self.vlan]}"\nip = "{self.ip}"\ncores = 2\nmemory = "256MiB"\n'
                f'disk = "1GiB"\nonboot = true\nagent = "{endpoint}"\n\n')

    def made(self):
        """Steps of the host's agent."""
        return [step(self.name, f'guest = {{ name = "{self.name}" }}', deadline="10m"),
                step(f"{self.name}-runs", f'guest_power = {{ name = "{self.name}" }}', deadline="10m"),
                step(f"{self.name}-agent", f'agent_install = {{ name = "{self.name}", role = "{self.name}" }}', deadline="15m")]

    def works(self, file):
        """A track of its own agent, which leaves a file behind."""
        return track(f"{self.name}-{file}", self.name,
                     step("folder", f'directory = {{ path = "{self.folder}" }}', deadline="2m"),
                     step("file", f'file = {{ path = "{self.folder}/{file}", content = "{file}" }}', deadline="2m"))


@unittest.skipUnless(OURS, f"there are no packages in {PACKAGES}: packaging/build makes them")
@unittest.skipIf(os.geteuid(), "what the packages need is looked for in a chroot, which needs root")
class Run(MachineCase):
    only = {"test_one_run_makes_all_of_it_and_it_comes_back": "trixie"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = next(name for name in SUITES if name != cls.suite.name)
        cls.guests = [Guest("pbs", 100, 10, cls.suite.name, "/etc/proxmox-backup"),
                      Guest("jellyfin", 110, 10, cls.suite.name, "/etc/jellyfin", privileged=True),
                      Guest("vault", 113, 60, other, "/etc/vault.d")]

    def setUp(self):
        super().setUp()
        self.begun = time.monotonic()
        self.packages = self.folder / "packages"
        self.packages.mkdir()
        for file in OURS:
            shutil.copy2(file, self.packages)
        for name, suite in SUITES.items():
            needed = self.packages / name
            needed.mkdir()
            fetch_needed(name, self.ours("relab-agent"), needed, say)
            # Where it is not there already, it comes with the agent.
            make_template(name, self.folder / suite.template, list(needed.iterdir()) if suite != self.suite else ())
        self.tell("the machine becomes a Proxmox host")
        self.host = Proxmox(self.machine, self.folder, VLANS, [guest.ip for guest in self.guests])
        self.host.offer(*(self.folder / suite.template for suite in SUITES.values()))
        self.tell("its agent is installed")
        self.lab_ = self.lab(InstalledAgent(self.machine, self.ours("relab-agent", "relab-agent-proxmox")))
        self.lab_.describe(AGENTS_VLAN, *(guest.described(self.host.endpoints[guest.ip]) for guest in self.guests), *self.phases())
        self.lab_.init()
        self.tell("and enrolled")
        self.assert_ended(self.lab_.enrol(), 0, "role proxmox")
        self.lab_[NAME].start()

    def ours(self, *names):
        return [file for file in OURS if file.name.split("_")[0] in names]

    def makes(self, suite):
        """A track of the host's agent, beside that of the other suite."""
        guests = [guest for guest in self.guests if guest.suite == suite]
        return track(f"host-{suite}", NAME, step("template", f'guest_template = {{ name = "{guests[0].template}" }}', deadline="5m"),
                     *(one for guest in guests for one in guest.made()))

    def phases(self):
        return [phase("make", *map(self.makes, SUITES), *(guest.works("first") for guest in self.guests)),
                *(phase(name, *(guest.works(name) for guest in self.guests)) for name in ("second", "third"))]

    def tell(self, what):
        say(f"{time.monotonic() - self.begun:4.0f} s  {what}")

    def run_phase(self, name, code, *sentences, more=()):
        ended = self.lab_.relab("run", name, "--packages", self.packages, *more, patience=PHASE_S)
        self.assert_ended(ended, code, *sentences)
        self.tell(f"'{name}' has ended with {code}")

    def files(self):
        """{name: files that its agent left behind}, as the host sees them."""
        script = "\n".join(f"echo {guest.name} $(pct exec {guest.vmid} -- ls {guest.folder})" for guest in self.guests)
        return {line.split()[0]: line.split()[1:] for line in self.machine.must(script).splitlines()}

    def assert_made(self):
        self.assertEqual({row["name"]: row["role"] for row in self.lab_.relab_json("agents")},
                         {NAME: "proxmox", **{guest.name: guest.name for guest in self.guests}})
        for guest in self.guests:
            conf = self.machine.must(f"cat /etc/pve/lxc/{guest.vmid}.conf")
            self.assertEqual("unprivileged: 1" in conf, not guest.privileged, conf)
            self.assertIn(f"tag={guest.vlan}", conf)
            self.assertIn("onboot: 1", conf)

    def test_one_run_makes_all_of_it_and_it_comes_back(self):
        self.run_phase("make", 0, "17 step(s) succeeded")
        self.assert_made()
        self.assertEqual(self.files(), {guest.name: ["first"] for guest in self.guests})

        self.machine.reboot()
        self.tell("the host has gone down")
        self.run_phase("second", 0, "6 step(s) succeeded", more=("--patience", str(PATIENCE_S)))

        stranger, *others = self.guests
        self.host.inside(stranger.vmid, f"systemctl stop relab-agent; rm {KEY}; systemctl start relab-agent")
        self.tell(f"the agent in {stranger.name} has another key")
        self.run_phase("third", 5, f"does not hold the key of the agent '{stranger.name}'",
                       *(f"succeeded  third/{guest.name}-third/file" for guest in others))
        self.assert_ended(self.lab_.relab("agents", "--ping"), 5, f"does not hold the key of the agent '{stranger.name}'")
        self.assertEqual(self.files(), {stranger.name: ["first", "second"],
                                        **{guest.name: ["first", "second", "third"] for guest in others}})


if __name__ == "__main__":
    main()
