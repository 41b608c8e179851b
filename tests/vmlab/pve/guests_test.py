#!/usr/bin/env python3
"""relab makes and runs containers on a host that is as treacherous as Proxmox: an agent, a controller, real containers."""

import time

from proxmox_case import ProxmoxCase, TEMPLATE_STEP
from proxmox_lab import ONE, TWO, guest, power
from support.case import main
from support.lab import step

# Says on its disk whether it was stopped as it should be.
SERVICE = r"""
mkdir -p /var/lib/app
cat >/etc/systemd/system/app.service <<'END'
[Service]
Type=exec
ExecStart=/bin/sh -c 'trap "echo closed >/var/lib/app/state; exit 0" TERM; echo open >/var/lib/app/state; while :; do sleep 0.1; done'
END
systemctl daemon-reload
systemctl start app.service
until [ -e /var/lib/app/state ]; do sleep 0.1; done
"""

# Listens without a program of its own: one for everybody, one for itself. The third starts by itself and has ended.
LISTENERS = r"""
unit() { printf '[Service]\nType=%s\nExecStart=%s\n[Install]\nWantedBy=multi-user.target\n' "$2" "$3" >/etc/systemd/system/$1.service; }
unit open exec '/usr/bin/systemd-socket-activate -l 0.0.0.0:8123 /bin/cat'
unit closed exec '/usr/bin/systemd-socket-activate -l 127.0.0.1:8124 /bin/cat'
unit once oneshot /bin/true
systemctl daemon-reload
systemctl enable -q open once
systemctl start open closed once
until grep -q ':1FBB ' /proc/net/tcp && grep -q ':1FBC ' /proc/net/tcp; do sleep 0.1; done
"""


class Guests(ProxmoxCase):
    def test_containers_are_made_run_and_left_alone(self):
        self.make()
        for vmid in (ONE, TWO):
            self.assertIn(self.host.wait_until_up(vmid), ("running", "degraded"))
        conf = self.host.conf(ONE).read_text()
        for line in ("#relab%3A one", "unprivileged: 1", "onboot: 1", "startup: order=1", "memory: 256"):
            self.assertIn(line, conf)
        self.assertNotIn("unprivileged", self.host.conf(TWO).read_text())
        self.assertIn("10.42.60.11/24", self.inside(ONE, "ip -4 -o address show dev eth0"))
        before = {vmid: self.host.conf(vmid).read_text() for vmid in (ONE, TWO)}
        inits = {vmid: self.init_of(vmid) for vmid in (ONE, TWO)}
        self.make()
        self.assertEqual(before, {vmid: self.host.conf(vmid).read_text() for vmid in (ONE, TWO)})
        self.assertEqual(inits, {vmid: self.init_of(vmid) for vmid in (ONE, TWO)})

    def test_what_runs_in_containers_is_found(self):
        self.make()
        for vmid in (ONE, TWO):
            self.host.wait_until_up(vmid)
        self.inside(ONE, LISTENERS)
        self.plan(step("look", "audit_guests = {}", deadline="2m"))
        self.make()
        (audit,) = self.lab.relab_json("audit", "show")["guests"]
        self.assertEqual(audit["facts"]["coverage"]["problems"], [])
        units = {(row["vmid"], row["name"]): (row["enabled"], row["runs"]) for row in audit["facts"]["units"]}
        mine = {name: units.get((ONE, f"{name}.service")) for name in ("open", "closed", "once")}
        self.assertEqual(mine, {"open": (True, True), "closed": (False, True), "once": (True, False)})
        self.assertTrue(units[ONE, "systemd-journald.service"][1], units)
        self.assertIn((TWO, "systemd-journald.service"), units)
        self.assertNotIn((TWO, "open.service"), units)
        ports = {(row["vmid"], row["address"], row["port"]) for row in audit["facts"]["ports"]}
        self.assertIn((ONE, "0.0.0.0", 8123), ports)
        self.assertFalse([port for port in ports if port[2] == 8124 or (port[0], port[2]) == (TWO, 8123)])

    def init_of(self, vmid):
        """Another one after each start."""
        return self.inside(vmid, "stat -c %Y /proc/1")

    def test_what_proxmox_only_says_that_it_did_is_no_success(self):
        self.host.throw("download-fails")
        self.make(1, "pveam did not download")
        self.host.take_back("download-fails")

        self.host.throw("create-leaves-half", ONE)
        self.make(1)
        self.host.take_back("create-leaves-half")
        self.make(1, "is half made")
        self.host.must("pct", "unlock", ONE)
        self.host.must("pct", "destroy", ONE)

        self.host.throw("start-dies", ONE)
        self.make(1, "ended right after its start")
        self.host.take_back("start-dies")
        self.make()

        self.host.throw("exec-swallows", ONE)
        self.make(1, "was not up within")
        self.host.take_back("exec-swallows")
        self.make()

    def test_what_cannot_be_changed_in_what_runs_waits_and_is_said(self):
        self.make()
        self.host.throw("hotplug-pends")
        self.lab.cores = 2
        self.plan(guest("one"), power("one"))
        self.make()
        self.assertIn("cur cores: 1", self.host.must("pct", "pending", ONE))
        self.plan(guest("one"), power("one", ", apply_waiting = true"))
        self.make()
        self.assertNotIn("new", self.host.must("pct", "pending", ONE))
        self.assertIn("cores: 2", self.host.conf(ONE).read_text())

    def test_locks_are_waited_for(self):
        self.plan(TEMPLATE_STEP, guest("one"))
        self.make()
        self.host.throw("backup-lock", ONE)
        self.lab.cores = 2
        self.plan(guest("one"))
        running = self.lab.start("run", "make", start_new_session=True)
        try:
            time.sleep(8)
            self.assertTrue(running.is_running())
            self.host.take_back("backup-lock")
            self.assert_ended(running.wait(60), 0)
        finally:
            running.kill()
        self.assertIn("cores: 2", self.host.conf(ONE).read_text())

    def test_a_service_is_stopped_while_it_is_archived_and_runs_again(self):
        self.make()
        self.host.wait_until_up(ONE)
        self.inside(ONE, SERVICE)
        before = self.inside(ONE, "systemctl show -P InvocationID app.service")
        folder = self.host.folder / "kept"
        folder.mkdir()
        self.beside_agent("mount", "-t", "tmpfs", "tmpfs", folder)

        self.plan(step("keep", f'preserve = {{ vmid = {ONE}, paths = ["/var/lib/app"], stop = ["app.service"], '
                               f'folder = "{folder}", name = "app" }}', deadline="2m"))
        self.make()

        archive = str(folder / "app.tar.zst")
        state, = [name for name in self.beside_agent("tar", "--zstd", "-tf", archive).split() if name.endswith("/state")]
        self.assertEqual(self.beside_agent("tar", "--zstd", "-xOPf", archive, state), "closed\n")
        self.assertEqual(self.inside(ONE, "systemctl is-active app.service"), "active\n")
        self.assertNotEqual(self.inside(ONE, "systemctl show -P InvocationID app.service"), before)
        self.assertEqual(self.inside(ONE, "cat /var/lib/app/state"), "open\n")

    def test_what_relab_did_not_make_is_left_alone(self):
        self.host.create(ONE, "--hostname", "elder")
        before = self.host.conf(ONE).read_text()
        self.make(1, "relab did not make")
        self.assertEqual(before, self.host.conf(ONE).read_text())


if __name__ == "__main__":
    main()
