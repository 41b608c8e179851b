#!/usr/bin/env python3
"""The agent's unit under a real systemd, in containers without privileges: start, limits, watchdog, restarts, upgrade, end."""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vmlab")]

from bed.chroot import ROOT  # noqa: E402
from built import limits_of, package  # noqa: E402
from support.machines import REFUSAL, Machines, slow  # noqa: E402
from support.repack import newer  # noqa: E402

ROLES = sorted(file.stem for file in (ROOT / "packaging" / "roles").glob("*.json"))
STATE = "/var/lib/relab-agent"
DEFAULTS = "/etc/default/relab-agent"
OURS = "/etc/systemd/system/relab-agent.service.d/of-the-test.conf"
# Bits of CapBnd in /proc: man 7 capabilities.
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_SYS_MODULE": 16, "CAP_SYS_RAWIO": 17, "CAP_SYS_BOOT": 22, "CAP_SYS_TIME": 25, "CAP_SYSLOG": 34, "CAP_BPF": 39}
LAB = """name = "home"
[network]
supernet = "10.42.0.0/16"
[[network.vlans]]
name = "agents"
id = 60
subnet = "10.42.60.0/24"
gateway = "10.42.60.1"
[[hosts]]
name = "guest"
vlan = "agents"
ip = "10.42.60.12"
agent = "tcp://127.0.0.1:7460"
[[plan.phases]]
name = "one"
title = "One look"
tracks = [{ name = "t", agent = "guest", steps = [{ name = "look", task = { audit_network = {} }, deadline = "5m" }] }]
"""

# What the agent of such a container is there for: a package, its folder and file, and its service.
WORK = LAB + """
[[plan.phases]]
name = "two"
title = "Work"
tracks = [{ name = "w", agent = "guest", steps = [
  { name = "package", task = { packages = { packages = [{ name = "vault" }], from = "/opt/vault/packages" } }, deadline = "5m" },
  { name = "folder", task = { directory = { path = "/etc/vault.d", owner = "vault", mode = "0750" } }, deadline = "1m" },
  { name = "file", task = { file = { path = "/etc/vault.d/vault.hcl", content = "ui = true\\n", owner = "vault", mode = "0640" } }, deadline = "1m" },
  { name = "service", task = { unit = { name = "vault.service", starts = "enabled", state = "active", settle = "2s" } }, deadline = "1m" },
] }]
"""
READ = LAB + """
[[plan.phases]]
name = "looks"
title = "Looks"
tracks = [{ name = "r", agent = "guest", steps = [
  { name = "network", task = { audit_network = {} }, deadline = "5m" },
  { name = "schedules", task = { audit_schedules = {} }, deadline = "5m" },
  { name = "services", task = { audit_services = {} }, deadline = "5m" },
  { name = "packages", task = { audit_packages = {} }, deadline = "5m" },
] }]
"""
MAKE_PACKAGE = """mkdir -p made/DEBIAN made/lib/systemd/system /opt/vault/packages
printf 'Package: vault\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: for the test\n' >made/DEBIAN/control
printf '#!/bin/sh\nset -e\nuseradd --system --no-create-home vault\nsystemctl daemon-reload\n' >made/DEBIAN/postinst
chmod 755 made/DEBIAN/postinst
printf '[Service]\nExecStart=/bin/sleep 1000\nUser=vault\nPrivateTmp=yes\nNoNewPrivileges=yes\n[Install]\nWantedBy=multi-user.target\n' \
  >made/lib/systemd/system/vault.service
dpkg-deb -b made /opt/vault/packages/vault_1.0_all.deb >/dev/null
rm -r made
"""


def say(words):
    print(f"    {words}", file=sys.stderr, flush=True)


class OnASystem:
    """One container with agent and controller; each test leaves it with an enrolled agent that runs."""

    suite = None

    @classmethod
    def setUpClass(cls):
        if REFUSAL:
            raise unittest.SkipTest(REFUSAL)
        cls.machines = Machines(say)
        cls.addClassCleanup(cls.machines.close)
        programs = [package("relab-agent"), package("relab-controller")]
        cls.machines.archive.add(cls.suite, programs)
        cls.guest = cls.machines.create("guest", cls.suite, 12)
        cls.given = cls.machines.give("now", [*programs, *(package(f"relab-agent-{role}") for role in ROLES)])
        with tempfile.TemporaryDirectory() as folder:
            cls.later = cls.machines.give("later", newer([package("relab-agent"), package("relab-agent-vault")], folder))
        cls.install(cls.given, "relab-agent", "relab-agent-vault", "relab-controller")
        cls.enrol()

    @classmethod
    def install(cls, folder, *names):
        cls.guest.must_sh("apt-get install -qq -y --allow-downgrades " + " ".join(f"{folder}/{name}_*.deb" for name in names))

    @classmethod
    def enrol(cls):
        guest = cls.guest
        guest.write("/root/lab.toml", LAB)
        guest.must_sh("umask 077; echo 'correct horse battery' >passphrase; relab init --kdf interactive --passphrase-file passphrase")
        guest.must_sh("""relab-agent enrol --code-file code >enrolment &
            for i in $(seq 100); do [ ! -s code ] || break; sleep 0.1; done
            relab enrol guest --code-file code --passphrase-file passphrase; wait; rm code""")
        guest.must("systemctl", "start", "relab-agent")

    def setUp(self):
        self.assertEqual(self.guest.property("ActiveState"), "active", self.guest.journal())

    def pid(self):
        return int(self.guest.property("MainPID"))

    def run_phase(self):
        return self.guest.sh("relab run one --passphrase-file passphrase")

    def assert_it_works(self):
        code, said = self.run_phase()
        self.assertEqual(code, 0, f"{said}\n{self.guest.journal()}")
        self.assertIn("1 step(s) succeeded, 0 failed", said)

    def unread(self):
        """What an audit could not read of this container, by section."""
        self.guest.write("/root/read.toml", READ)
        code, said = self.guest.sh("relab --lab read.toml run looks --passphrase-file passphrase")
        self.assertEqual(code, 0, f"{said}\n{self.guest.journal()}")
        # Sections that nobody read make it end with 1.
        shown = json.loads(self.guest.must_sh("relab --lab read.toml audit show --output json 2>/dev/null || [ $? = 1 ]"))
        sections = {name: rows[0]["facts"]["coverage"] for name, rows in shown.items() if rows and rows[0]["facts"]}
        self.assertGreaterEqual(set(sections), {"network", "schedules", "services", "packages"})
        return {name: [gap["part"] for gap in coverage.get("problems", [])] for name, coverage in sections.items()}

    def wait_for_another(self, pid, patience_s=90):
        """Another process of the agent is ready; how long that took."""
        begun = time.monotonic()
        self.guest.wait_for("new agent", f"""[ "$(systemctl is-active relab-agent)" = active ]
            new=$(systemctl show --value --property=MainPID relab-agent); [ $new != {pid} ] && [ $new != 0 ]""", patience_s)
        return time.monotonic() - begun

    def with_drop_in(self, text):
        self.guest.must("mkdir", "-p", str(pathlib.Path(OURS).parent))
        self.guest.write(OURS, text)
        self.addCleanup(self.guest.must_sh, f"rm {OURS}; systemctl daemon-reload; systemctl restart relab-agent")
        self.guest.must_sh("systemctl daemon-reload; systemctl restart relab-agent")

    def test_it_says_when_it_is_ready_and_keeps_what_is_its_own(self):
        for name, wanted in (("Type", "notify"), ("NotifyAccess", "main"), ("SubState", "running"), ("WatchdogUSec", "1min"),
                             ("Restart", "on-failure"), ("RestartUSec", "2s"), ("KillMode", "mixed"), ("UnitFileState", "enabled"),
                             ("StateDirectoryMode", "0700"), ("UMask", "0077"), ("OOMPolicy", "continue"), ("MemoryMax", str(1 << 30))):
            with self.subTest(name):
                self.assertEqual(self.guest.property(name), wanted)
        self.assertEqual(self.guest.must("stat", "--format=%a %U:%G", STATE).strip(), "700 root:root")
        self.assertEqual(self.guest.must_sh(f"stat --format='%a %n' {STATE}/agent.key {STATE}/trust").split(),
                         ["600", f"{STATE}/agent.key", "600", f"{STATE}/trust"])
        self.assert_it_works()

    def test_journald_has_its_lines(self):
        said = self.guest.must("journalctl", "--unit=relab-agent", "--output=cat", "--no-pager")
        self.assertRegex(said, r"(?m)^relab-agent \S+ is ready on tcp://0.0.0.0:7460 as 'guest' in the role 'vault' of the lab 'home'$")

    def test_it_has_no_more_than_its_role_needs(self):
        self.assertIn("/relab-agent.service.d/10-role-vault.conf", self.guest.property("DropInPaths"))
        for name, wanted in (("RestrictNamespaces", "yes"), ("KeyringMode", "private"), ("LockPersonality", "yes"), ("RestrictRealtime", "yes"),
                             ("LimitCORE", "0"), ("SystemCallArchitectures", "native")):
            with self.subTest(name):
                self.assertEqual(self.guest.property(name), wanted)
        status, first = ({key: value.strip() for key, _, value in (line.partition(":") for line in said.splitlines())}
                         for said in (self.guest.must("cat", f"/proc/{pid}/status") for pid in (self.pid(), 1)))
        bounds = int(status["CapBnd"], 16)
        self.assertEqual([name for name, bit in CAPABILITIES.items() if bounds >> bit & 1], ["CAP_CHOWN"], "so the kernel sees it")
        self.assertEqual(status["Seccomp"], "2")
        self.assertGreater(int(status["Seccomp_filters"]), int(first["Seccomp_filters"]), "filters of system calls are in effect")
        self.assertRegex(self.guest.must("cat", f"/proc/{self.pid()}/limits"), r"Max core file size +0 +0 ")

    def test_its_tasks_can_work_within_its_limits(self):
        guest = self.guest
        guest.must_sh(MAKE_PACKAGE)
        guest.write("/root/work.toml", WORK)
        code, said = guest.sh("relab --lab work.toml run two --passphrase-file passphrase")
        self.assertEqual(code, 0, f"{said}\n{guest.journal()}")
        self.assertIn("4 step(s) succeeded, 0 failed", said)
        self.assertEqual(guest.must("stat", "--format=%U %a %s", "/etc/vault.d/vault.hcl").strip(), "vault 640 10")
        self.assertEqual(guest.property("ActiveState", "vault.service"), "active")

    def test_one_that_hangs_is_replaced_by_its_watchdog(self):
        self.with_drop_in("[Service]\nWatchdogSec=3\n")
        self.assertEqual(self.guest.property("WatchdogUSec"), "3s")
        time.sleep(7)
        pid = self.pid()
        self.assertEqual(self.guest.property("NRestarts"), "0", "one that is well is left alone")
        self.guest.must("kill", "-STOP", str(pid))
        took = self.wait_for_another(pid)
        said = self.guest.journal()
        self.assertIn("Watchdog timeout (limit 3s)!", said)
        say(f"the watchdog on {self.suite}: {took:.1f} s")
        self.assert_it_works()

    def test_one_that_is_killed_starts_again(self):
        pid = self.pid()
        self.guest.must("kill", "-KILL", str(pid))
        took = self.wait_for_another(pid, 20)
        self.assertGreater(took, 1)
        self.assert_it_works()

    def test_one_that_was_told_to_stop_does_not_start_again(self):
        self.guest.must("systemctl", "stop", "relab-agent")
        time.sleep(3)
        self.assertEqual([self.guest.property(name) for name in ("ActiveState", "Result")], ["inactive", "success"])
        self.guest.must("systemctl", "start", "relab-agent")

    def test_one_that_cannot_start_tries_again_ever_more_slowly(self):
        """As far as this systemd can: before 254 it knows one interval only."""
        version = int(self.guest.must("systemctl", "--version").split()[1])
        if version >= 254:
            self.assertEqual([self.guest.property(name) for name in ("RestartSteps", "RestartMaxDelayUSec")], ["8", "1min"])
        self.with_drop_in("[Service]\nExecStart=\nExecStart=/bin/false\nType=simple\nRestartSec=100ms\nRestartMaxDelaySec=20\nRestartSteps=4\n")
        self.guest.wait_for("four restarts", "[ $(systemctl show --value --property=NRestarts relab-agent) -ge 4 ]", 60)
        if version >= 254:
            self.assertEqual(self.guest.property("RestartUSecNext"), "20s")
        self.assertEqual(self.guest.property("StartLimitIntervalUSec"), "0", "it never gives up")
        self.doCleanups()
        self.assert_it_works()

    def test_one_that_obeys_nobody_any_more_stays_away(self):
        guest = self.guest
        known = guest.must("relab-agent", "trust").splitlines()[1].split("  ")[0]
        guest.must_sh(f"cp {STATE}/trust trust; relab-agent distrust '{known}'; systemctl restart relab-agent || true")
        time.sleep(3)
        self.assertEqual([guest.property(name) for name in ("ActiveState", "NRestarts")], ["inactive", "0"], guest.journal())
        self.assertIn("no controller is pinned", guest.journal())
        guest.must_sh(f"cp trust {STATE}/trust; systemctl start relab-agent")
        self.assert_it_works()

    def test_one_that_cannot_tell_whom_it_obeys_fails_and_tries_again(self):
        guest = self.guest
        for harm, repair, said in ((f"cp {DEFAULTS} defaults; echo RELAB_AGENT_OPTIONS=--listne >>{DEFAULTS}", f"mv defaults {DEFAULTS}", "--listne"),
                                   (f"mv {STATE}/trust .; printf damaged >{STATE}/trust", f"mv trust {STATE}/trust", f"{STATE}/trust")):
            with self.subTest(said):
                guest.must_sh(harm)
                try:
                    self.assertNotEqual(guest.sh("systemctl restart relab-agent")[0], 0, "it is not skipped")
                    guest.wait_for("another try", "[ $(systemctl show --value --property=NRestarts relab-agent) -ge 1 ]")
                    self.assertEqual(guest.property("Result"), "exit-code")
                    self.assertIn(said, guest.journal())
                finally:
                    guest.must_sh(f"{repair}; systemctl restart relab-agent")
                self.assert_it_works()

    def test_its_state_may_be_elsewhere(self):
        guest = self.guest
        guest.must_sh(f"cp {DEFAULTS} defaults; systemctl stop relab-agent; mv {STATE} /srv/state; "
                      f"echo 'RELAB_AGENT_OPTIONS=\"--state-dir /srv/state\"' >>{DEFAULTS}")
        try:
            guest.must("systemctl", "start", "relab-agent")
            self.assertEqual(guest.property("ActiveState"), "active", guest.journal())
            self.assert_it_works()
        finally:
            guest.must_sh(f"systemctl stop relab-agent; mv defaults {DEFAULTS}; rm -rf {STATE}; mv /srv/state {STATE}; systemctl start relab-agent")

    def test_upgraded_while_a_task_runs_it_loses_nothing(self):
        guest = self.guest
        before = guest.must("relab-agent", "identity")
        orders = guest.must_sh("relab ledger show --kind ordered | wc -l")
        pid = self.pid()
        release = slow(guest, "ip")
        running = subprocess.Popen(guest.argv("relab", "run", "one", "--passphrase-file", "passphrase"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            guest.wait_for("task", "[ -e /run/slow-ip.called ]")
            self.install(self.later, "relab-agent", "relab-agent-vault")
            guest.wait_for("handover", "journalctl --unit=relab-agent --output=cat | grep -q 'it takes over once no task runs'")
            time.sleep(3)
            self.assertEqual(self.pid(), pid, "the old one still carries out its task")
            self.assertIn("(deleted)", guest.must("readlink", f"/proc/{pid}/exe"))
            release()
            said, _ = running.communicate(timeout=60)
        finally:
            running.kill()
            running.wait()
        self.assertEqual(running.returncode, 0, said)
        self.assertIn("1 step(s) succeeded, 0 failed", said)
        self.wait_for_another(pid, 20)
        self.assertNotIn("(deleted)", guest.must("readlink", f"/proc/{self.pid()}/exe"))
        self.assertEqual(int(guest.must_sh("relab ledger show --kind ordered | wc -l")), int(orders) + 1, "ordered once")
        self.assertEqual(guest.must("relab-agent", "identity"), before)
        self.assert_it_works()

    def test_what_stays_on_remove_and_goes_on_purge(self):
        guest = self.guest
        before = guest.must("relab-agent", "identity")
        guest.must("apt-get", "remove", "-qq", "-y", "relab-agent", "relab-agent-vault")
        self.assertEqual(guest.sh("pgrep -x relab-agent")[0], 1, "it was stopped")
        self.assertEqual(guest.must("stat", "--format=%a", STATE).strip(), "700")
        self.assertLessEqual({"agent.key", "journal.db", "trust"}, set(guest.must("ls", STATE).split()))
        self.install(self.given, "relab-agent", "relab-agent-vault")
        self.assertEqual(guest.must("relab-agent", "identity"), before)
        self.assertEqual(guest.property("ActiveState"), "active", "it goes on where it was")
        self.assert_it_works()
        self.assertEqual(guest.must("stat", "--format=%a", STATE).strip(), "700")
        guest.must("apt-get", "purge", "-qq", "-y", "relab-agent", "relab-agent-vault")
        self.assertNotEqual(guest.sh(f"ls {STATE}")[0], 0)
        self.assertEqual(guest.sh("find /etc /usr/lib /run -name '*relab-agent*'")[1], "")
        self.install(self.given, "relab-agent", "relab-agent-vault")
        self.assertEqual(guest.property("ActiveState"), "inactive", "nobody enrolled it")
        guest.must_sh("rm -r .config/relab .local/state/relab")
        self.enrol()

    def test_with_each_role_it_runs(self):
        def settled():
            """The installed program runs, in the role that the other tests take for granted."""
            self.install(self.given, "relab-agent", "relab-agent-vault")
            self.guest.wait_for("agent in its role", """pid=$(systemctl show --value --property=MainPID relab-agent)
                [ "$(readlink /proc/$pid/exe)" = /usr/bin/relab-agent ]
                relab agents show guest --passphrase-file passphrase | grep -q '^role *vault$'
                sleep 1; [ $(systemctl show --value --property=MainPID relab-agent) = $pid ]""")

        self.addCleanup(settled)
        settled()
        unread = {}
        self.guest.must("apt-get", "remove", "-qq", "-y", "relab-agent-vault")
        for role in ROLES:
            with self.subTest(role):
                pid = self.pid()
                self.install(self.given, f"relab-agent-{role}")
                self.wait_for_another(pid, 20)
                self.assertEqual([pathlib.Path(path).name for path in self.guest.property("DropInPaths").split()], [limits_of(role)])
                bounds = int(self.guest.must_sh(f"sed -n 's/^CapBnd:\\s*//p' /proc/{self.pid()}/status"), 16)
                self.assertEqual(bool(bounds >> CAPABILITIES["CAP_SYSLOG"] & 1), role == "proxmox", "so the kernel sees it")
                self.assertRegex(self.guest.must_sh("relab agents show guest --passphrase-file passphrase"), rf"(?m)^role +{role}$")
                self.assert_it_works()
                if role in ("admin", "vault"):
                    unread[role] = self.unread()
                self.guest.must("apt-get", "remove", "-qq", "-y", f"relab-agent-{role}")
        self.assertEqual(unread["admin"], unread["vault"], "within the narrowest limits it sees as much as within others")


class OnBookworm(OnASystem, unittest.TestCase):
    suite = "bookworm"


class OnTrixie(OnASystem, unittest.TestCase):
    suite = "trixie"


if __name__ == "__main__":
    ended = unittest.main(verbosity=2, exit=False).result
    # Where there are no containers, that is to be seen, though the rest was run.
    sys.exit(1 if not ended.wasSuccessful() else 77 if ended.skipped else 0)
