#!/usr/bin/env python3
"""The task kind `unit`, and packages in a unit of their own, on a real systemd, which runs as the first process of
namespaces of its own, and starts nothing but what the tests give it. Skipped where that is not possible."""

import os
import pathlib
import shutil
import signal
import subprocess
import unittest

from support.case import LabCase, main
from support.lab import phase, step, track
from support.package_root import PackageRoot
from support.programs import TookTooLong, wait_until

SYSTEMD = pathlib.Path("/lib/systemd/systemd")
# Nothing that a machine does when it starts: sysinit.target is empty, and so nobody tidies up /tmp.
TARGETS = {"relab-test": "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n", "sysinit": "[Unit]\nDefaultDependencies=no\n"}
START = """set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/log/journal
for wants in /usr/lib /etc; do
    [ ! -d $wants/systemd/system/sysinit.target.wants ] || mount -t tmpfs tmpfs $wants/systemd/system/sysinit.target.wants
done
cp {folder}/*.target {folder}/*.service /run/systemd/system/
echo $$ >{folder}/started
container=relab exec {systemd} --system --unit=relab-test.target --log-target=null
"""
UNITS = {"good": "/bin/sleep 1000", "short": '/bin/sh -c "echo it is over; sleep 2; exit 3"',
         "again": "/bin/sleep 2\nRestart=always\nRestartSec=100ms\nStartLimitIntervalSec=0"}


@unittest.skipUnless(SYSTEMD.exists() and os.getuid() == 0 and shutil.which("unshare") and shutil.which("nsenter"), "no systemd, or not root")
class Units(LabCase):
    def setUp(self):
        super().setUp()
        folder = self.lab.folder / "units"
        folder.mkdir()
        for name, text in TARGETS.items():
            (folder / f"{name}.target").write_text(text)
        for name, command in UNITS.items():
            (folder / f"{name}.service").write_text(f"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart={command}\n"
                                                    "[Install]\nWantedBy=relab-test.target\n")
        script = folder / "start"
        script.write_text(START.format(folder=folder, systemd=SYSTEMD))
        self.namespaces = ["--mount", "--pid", "--uts", "--ipc", "--cgroup"]
        self.machine = subprocess.Popen(["unshare", *self.namespaces, "--fork", "--kill-child", "sh", script], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_machine)
        try:
            wait_until("the first process", (folder / "started").exists, 10)
            children = pathlib.Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children")
            self.inside = ["nsenter", "--target", children.read_text().split()[0], *self.namespaces]
            wait_until("systemd", lambda: self.systemctl("is-system-running") in ("running", "degraded"), 20)
        except (TookTooLong, OSError) as error:
            self.skipTest(f"systemd does not run in namespaces here: {error}")
        for name in ("systemctl", "journalctl", "systemd-run"):
            (self.agent.tools.folder / name).symlink_to(shutil.which(name))
        (self.lab.folder / "roles").mkdir()
        (self.lab.folder / "roles/proxmox.json").write_text(
            '{"name": "proxmox", "kinds": ["unit", "packages"], "units": ["*"], "packages": ["*"], "paths": ["/tmp"]}')
        self.agent.roles_dir = self.lab.folder / "roles"
        self.agent.wrapper = self.inside
        self.agent.start()

    def end_machine(self):
        self.machine.kill()
        self.machine.wait()

    def systemctl(self, *arguments):
        return subprocess.run([*self.inside, "systemctl", *arguments], capture_output=True, text=True, check=False).stdout.strip()

    def order(self, parameters, kind="unit"):
        self.lab.describe(phase("one", track("t", "alpha", step("unit", f"{kind} = {{ {parameters} }}"))))
        return self.lab.relab("run", "one")

    def test_one_that_runs_on_is_running(self):
        self.assert_ended(self.order('name = "good.service", state = "active", settle = "2s"'), 0)
        self.assertEqual(self.systemctl("is-active", "good.service"), "active")
        self.assert_ended(self.order('name = "good.service", state = "inactive"'), 0)
        self.assertEqual(self.systemctl("is-active", "good.service"), "inactive")

    def test_one_that_dies_after_a_moment_is_not(self):
        ended = self.order('name = "short.service", state = "active", settle = "4s"')
        self.assert_ended(ended, 1, "failed (exit-code, status 3)", "it is over")

    def test_one_that_is_started_over_and_over_is_not(self):
        ended = self.order('name = "again.service", state = "active", settle = "4s"')
        self.assert_ended(ended, 1)
        # By when it is looked at: it runs once more, or is about to.
        self.assertRegex(str(ended), "started again|activating, auto-restart")

    def test_it_is_restarted_for_a_newer_file(self):
        file = self.lab.folder / "app.conf"
        file.write_text("old")
        wish = f'name = "good.service", state = "active", settle = "2s", restart_for = ["{file}"]'
        self.assert_ended(self.order(wish), 0)
        first = self.systemctl("show", "--value", "--property=InvocationID", "good.service")
        self.assert_ended(self.order(wish), 0)
        self.assertEqual(self.systemctl("show", "--value", "--property=InvocationID", "good.service"), first)
        file.write_text("new")
        self.assert_ended(self.order(wish), 0)
        self.assertNotEqual(self.systemctl("show", "--value", "--property=InvocationID", "good.service"), first)

    def test_it_is_restarted_for_a_file_that_was_put_in_place_with_an_older_time(self):
        file = self.lab.folder / "program"
        file.write_text("old")
        day_s = 24 * 3600
        os.utime(file, (file.stat().st_mtime - 10 * day_s,) * 2)
        wish = f'name = "good.service", state = "active", settle = "2s", restart_for = ["{file}"]'
        self.assert_ended(self.order(wish), 0)
        self.assert_ended(self.order(wish), 0)
        first = self.systemctl("show", "--value", "--property=InvocationID", "good.service")
        unpacked = self.lab.folder / "program.dpkg-new"
        unpacked.write_text("new")
        os.utime(unpacked, (unpacked.stat().st_mtime - 5 * day_s,) * 2)
        unpacked.rename(file)
        self.assert_ended(self.order(wish), 0)
        self.assertNotEqual(self.systemctl("show", "--value", "--property=InvocationID", "good.service"), first)

    def test_one_that_a_timer_would_start_does_not_count_as_stopped(self):
        timer = "[Unit]\nDefaultDependencies=no\n[Timer]\nOnUnitInactiveSec=1s\nAccuracySec=100ms\n"
        subprocess.run([*self.inside, "sh", "-c", 'printf %s "$1" >/run/systemd/system/good.timer', "sh", timer], check=True)
        for act in (["daemon-reload"], ["start", "good.service", "good.timer"]):
            self.systemctl(*act)
        self.assert_ended(self.order('name = "good.service", state = "inactive"'), 1, "good.timer, active now, would start it")
        self.assertEqual(self.systemctl("is-active", "good.service"), "active")
        self.assert_ended(self.order('name = "good.timer", state = "inactive", settle = "1s"'), 0)
        self.assert_ended(self.order('name = "good.service", state = "inactive"'), 0)

    def test_it_cannot_be_started_once_it_is_masked(self):
        self.assert_ended(self.order('name = "nonesuch.service", state = "inactive"'), 1, "there is no unit nonesuch.service")
        self.systemctl("mask", "--runtime", "short.service")
        self.assert_ended(self.order('name = "short.service", state = "active"'), 1, "short.service")

    @unittest.skipUnless(shutil.which("apt-get") and shutil.which("dpkg-deb"), "no apt")
    def test_packages_are_installed_by_a_unit_that_outlives_the_agent(self):
        root = PackageRoot(self.lab.folder, self.agent.tools)
        held_up = self.lab.folder / "held-up"
        slow = f"#!/bin/sh\ntouch {held_up}\nwhile [ -e {held_up} ]; do sleep 0.1; done\n"
        root.make_package(self.lab.folder, "relab-test-one", "1.0", scripts={"preinst": slow})
        wish = f'from = "{self.lab.folder}", packages = [{{ name = "relab-test-one" }}]'
        self.lab.describe(phase("one", track("t", "alpha", step("unit", f"packages = {{ {wish} }}"))))
        running = self.lab.start("run", "one")
        wait_until("the package's script", held_up.exists)
        wrapper = self.agent.running.process.pid
        os.kill(int(pathlib.Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text().split()[0]), signal.SIGKILL)
        self.agent.running.kill()
        running.kill()
        self.assertEqual(self.systemctl("is-active", "relab-packages.service"), "activating")
        self.agent.start()
        held_up.unlink()
        wait_until("the end of apt", lambda: "install ok installed\nMaintainer: T <t@example.org>\nArchitecture: all\nVersion: 1.0" in
                   root.status.read_text())
        self.assert_ended(self.order(wish, kind="packages"), 0)


if __name__ == "__main__":
    main()
