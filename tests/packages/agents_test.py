#!/usr/bin/env python3
"""Agents in containers, brought there by the agent of their host: the real packages, installed without a network, enrolled without a person."""

import contextlib
import fcntl
import importlib.util
import pathlib
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vmlab" / "pve")]

import frame  # noqa: E402
from bed.chroot import fetch_needed  # noqa: E402
from built import package  # noqa: E402
from proxmox_lab import ONE, TWO, ProxmoxLab, guest, power  # noqa: E402
from support.case import main  # noqa: E402
from support.lab import phase, step, track  # noqa: E402
from support.programs import wait_until  # noqa: E402

TEMPLATE = step("template", 'guest_template = { name = "debian-12-standard" }', deadline="5m")
ROLES = {"one": "vault", "two": "wireguard"}
FOLDERS = {"one": "/etc/vault.d", "two": "/etc/wireguard"}
KEYS = "/var/lib/relab-agent/agent.key"
HELD_S = 12


# Beside it there is another package called `support`.
_spec = importlib.util.spec_from_file_location("repack", HERE / "support" / "repack.py")
repack = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(repack)


def say(words):
    print(f"    {words}", file=sys.stderr, flush=True)


def agent(name):
    return step(f"{name}-agent", f'agent_install = {{ name = "{name}", role = "{ROLES[name]}" }}', deadline="5m")


def work(plan, name):
    return track(f"{plan}-{name}", name, step("folder", f'directory = {{ path = "{FOLDERS[name]}", mode = "0750" }}'))


def make(name):
    return (guest(name), power(name), agent(name))


class Agents(frame.HostCase):
    # dpkg cannot replace a folder of a shared root in a container without privileges.
    settings = {"rootfs": "unpacked"}

    @classmethod
    def setUpClass(cls):
        cls.packages = pathlib.Path(tempfile.mkdtemp(prefix="relab-parcels-"))
        cls.addClassCleanup(shutil.rmtree, cls.packages)
        for name in ("relab-agent", *(f"relab-agent-{role}" for role in ROLES.values())):
            shutil.copy2(package(name), cls.packages)
        needed = cls.packages / "bookworm"
        needed.mkdir()
        fetch_needed("bookworm", [package("relab-agent")], needed, say)

    def setUp(self):
        super().setUp()
        self.host.must("ip", "address", "add", "10.42.60.2/24", "dev", "vmbr0v60")
        self.lab = ProxmoxLab(self.host)
        self.addCleanup(self.lab.close)
        self.lab.init()
        self.lab.describe(phase("both", track("both", "pve", TEMPLATE, *make("one"), *make("two")), work("both", "one"), work("both", "two")),
                          phase("first", track("first", "pve", TEMPLATE, *make("one")), work("first", "one")),
                          phase("agent", track("agent", "pve", agent("one"))),
                          phase("work", work("work", "one")))
        self.assert_ended(self.lab.enrol("pve"), 0)
        self.lab["pve"].start()

    def run_phase(self, name, code=0, *sentences, packages=None):
        ended = self.lab.relab("run", name, "--packages", packages or self.packages, patience=400)
        self.assert_ended(ended, code, *sentences)
        return ended

    def agents(self):
        return {row["name"]: row for row in self.lab.relab_json("agents")}

    def versions(self, vmid):
        return self.inside(vmid, "dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 'relab-agent*' | sed -n 's/^ii //p' | sort").split()

    def test_agents_come_without_a_person_and_work(self):
        self.run_phase("both", 0, "agent 'one' is enrolled", "agent 'two' is enrolled")

        agents = self.agents()
        self.assertEqual({name: agents[name]["role"] for name in ROLES}, ROLES, agents)
        for name, vmid in (("one", ONE), ("two", TWO)):
            self.assertEqual(self.inside(vmid, f"stat -c %a {FOLDERS[name]}").strip(), "750")
            self.assertEqual(self.versions(vmid), ["relab-agent", f"relab-agent-{ROLES[name]}"])
            self.assertNotIn("parcels", self.inside(vmid, "ls /var/cache"))
        entries = self.lab.relab("ledger", "show").out
        self.assertIn("enrolled", entries)

        # Once more changes nothing, and needs nothing from the controller.
        started = self.inside(ONE, "systemctl show --value -p ExecMainStartTimestampMonotonic relab-agent")
        ended = self.run_phase("agent")
        self.assertNotIn("fetching", ended.out + ended.err)
        self.assertEqual(started, self.inside(ONE, "systemctl show --value -p ExecMainStartTimestampMonotonic relab-agent"))

        self.upgrade()

        # After a start of the container it is there by itself.
        self.host.must("pct", "reboot", ONE)
        self.host.wait_until_up(ONE)
        self.run_phase("work")

        # Who has another key is somebody else: for the controller, and for the agent of the host.
        self.inside(ONE, f"systemctl stop relab-agent; mv {KEYS} /root; systemctl start relab-agent")
        self.run_phase("work", 5, "one")
        self.run_phase("agent", 1, "has another key than the agent 'one'")
        self.inside(ONE, f"systemctl stop relab-agent; mv /root/agent.key {KEYS}; systemctl start relab-agent")
        self.run_phase("work")

    def upgrade(self):
        """To the next version, which waits until somebody else has done with dpkg."""
        newer = self.lab.folder / "newer"
        shutil.copytree(self.packages / "bookworm", newer / "bookworm")
        for file in repack.newer([package("relab-agent"), package("relab-agent-vault")], self.lab.folder):
            shutil.copy2(file, newer)
        version = next(newer.glob("relab-agent_*")).name.split("_")[1]
        with self.held(ONE, "/var/lib/dpkg/lock-frontend") as let_go:
            running = self.lab.start("run", "agent", "--packages", newer, start_new_session=True)
            time.sleep(HELD_S)
            self.assertTrue(running.is_running(), running.err())
            let_go()
            self.assert_ended(running.wait(200), 0)
        for name in ("relab-agent", "relab-agent-vault"):
            self.assertEqual(self.inside(ONE, f"dpkg-query -W -f '${{Version}}' {name}"), version)
        self.run_phase("work")

    @contextlib.contextmanager
    def held(self, vmid, path):
        """Locked as dpkg itself locks, by somebody outside."""
        pid = self.host.must("lxc-info", "-P", self.host.root / "var/lib/lxc", "-n", vmid, "-pH").strip()
        with open(f"/proc/{pid}/root{path}", "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            yield lambda: fcntl.lockf(file, fcntl.LOCK_UN)

    def test_what_does_not_come_whole_is_not_installed(self):
        self.host.throw("push-disk-full", 200_000)
        self.run_phase("first", 1, "the packages did not come whole")
        self.assertEqual(self.inside(ONE, "dpkg-query -W 'relab*' 2>/dev/null || true"), "")
        self.assertNotIn("one", self.agents())
        self.host.take_back("push-disk-full")
        self.run_phase("first", 0, "agent 'one' is enrolled")

    def test_without_the_packages_nothing_is_ordered(self):
        self.run_phase("first", 2, "the folder of packages", packages=self.lab.folder / "none")
        some = self.lab.folder / "some"
        some.mkdir()
        shutil.copy2(package("relab-agent"), some)
        self.run_phase("first", 2, "needs the package relab-agent-vault", packages=some)
        self.assertFalse((self.host.root / f"etc/pve/lxc/{ONE}.conf").exists())
        # Without what the agent needs it is apt that says so.
        shutil.copy2(package("relab-agent-vault"), some)
        self.run_phase("first", 1, "ended with 100: relab-agent", " : Depends: ", "packages/bookworm", packages=some)
        self.assertNotIn("one", self.agents())

    def test_a_controller_that_dies_meanwhile_finds_its_agent_later(self):
        running = self.lab.start("run", "first", "--packages", self.packages, start_new_session=True)
        try:
            wait_until("the order for the agent", lambda: "one-agent" in running.out() + running.err(), 200)
        finally:
            running.kill()
        self.run_phase("first")
        self.assertIn("one", self.agents())

    def test_an_agent_that_obeys_another_controller_stays_with_it(self):
        self.run_phase("first")
        other = ProxmoxLab(self.host)
        self.addCleanup(other.close)
        other.init()
        other.describe(phase("agent", track("agent", "pve", agent("one"))))
        self.lab["pve"].stop()
        self.assert_ended(other.enrol("pve"), 0)
        other["pve"].start()
        ended = other.relab("run", "agent", "--packages", self.packages, patience=200)
        self.assert_ended(ended, 1, "obeys another controller")
        self.assertNotIn("one", {row["name"] for row in other.relab_json("agents")})


if __name__ == "__main__":
    main()
