#!/usr/bin/env python3
"""Every switch by which the stand-in lies as Proxmox does, thrown while relab works: none of them passes for a success.

Some are thrown by guests_test.py and inside_test.py, and one by tests/packages/agents_test.py.
"""

import pathlib
import unittest

from host import TEMPLATE
from proxmox_case import OneContainer, ProxmoxCase
from proxmox_lab import ONE, TWO, guest, power
from standin.treachery import SWITCHES
from support.case import main
from support.lab import step

# No task kind pulls files or frees volumes.
UNUSED = ["pull-disk-full", "free-fails"]


class Treacheries(OneContainer):
    def test_a_template_that_arrives_by_half(self):
        self.host.throw("download-truncated")
        self.make(1, "pveam did not download", "checksum mismatch")
        self.host.take_back("download-truncated")
        self.make()

    def test_an_index_that_stays_as_it_was(self):
        self.make()
        self.host.must("pveam", "remove", f"local:vztmpl/{TEMPLATE}")
        self.host.throw("update-fails")
        self.make(0, "Proxmox could not renew its index of templates", "update failed")

    def test_containers_that_are_not_made_or_do_not_start(self):
        self.host.throw("create-fails", ONE)
        self.make(1, f"'pct create {ONE}' ended with")
        self.assertFalse(self.host.conf(ONE).exists())
        self.host.take_back("create-fails")
        self.host.throw("start-fails", ONE)
        self.make(1, f"startup for container '{ONE}' failed")
        self.host.take_back("start-fails")
        self.make()

    def test_a_root_that_does_not_grow(self):
        self.make()
        self.host.throw("resize-fails")
        self.lab.disk = "2GiB"
        self.plan(guest("one"))
        self.make(1, "it differs from what was ordered")
        self.assertIn("size=1G", self.host.conf(ONE).read_text())
        self.host.take_back("resize-fails")
        self.make()
        self.assertIn("size=2G", self.host.conf(ONE).read_text())

    def test_a_guest_that_does_not_shut_down(self):
        self.make()
        self.host.wait_until_up(ONE)
        self.host.throw("shutdown-ignored", ONE)
        self.plan(power("one", ", stopped = true"))
        self.make(1, "container did not stop")
        self.host.take_back("shutdown-ignored")
        self.make()
        self.assertEqual(self.host.must("pct", "status", ONE), "status: stopped\n")

    def test_a_configuration_that_another_holds(self):
        self.make()
        self.host.throw("slow-locks", f"4 {ONE}")
        self.lab.cores = 2
        self.plan(guest("one"))
        self.make()
        self.assertIn("cores: 2", self.host.conf(ONE).read_text())

    def test_warnings_are_told(self):
        self.host.throw("warnings")
        self.make(0, "Proxmox warns: the switch 'warnings' is thrown")

    def test_answers_of_another_form(self):
        """pvesh's numbers may be strings, and /cluster/resources may know nothing."""
        self.host.throw("numbers-as-strings")
        self.host.throw("resources-lag")
        self.make()
        self.plan(step("look", "audit_guests = {}", deadline="2m"))
        self.make()
        (audit,) = self.lab.relab_json("audit", "show")["guests"]
        self.assertEqual([(row["vmid"], row["state"]) for row in audit["facts"]["guests"]], [(ONE, "running")])

    def test_a_card_without_a_tag_is_in_no_vlan_of_its_own(self):
        self.host.create(ONE, "--hostname", "one", "--net0", "name=eth0,bridge=vmbr0,ip=10.42.60.11/24")
        self.plan(guest("one", ", adopt = true"), power("one"))
        self.make()
        self.assertIn("tag=60", self.host.conf(ONE).read_text())

    def test_another_card_without_a_tag_is_told(self):
        self.given("--net1", "name=eth1,bridge=vmbr0v20,ip=10.42.20.9/24")
        self.make(0, f"net1 of container {ONE} (one) has no VLAN tag")

    def test_units_that_fail_are_told(self):
        self.make()
        self.inside(ONE, "printf '[Service]\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n' "
                         ">/etc/systemd/system/app.service; systemctl enable -q app")
        self.host.must("pct", "shutdown", ONE)
        self.make(0, f"in container {ONE} (one) failed: app.service (see")


class All(unittest.TestCase):
    def test_every_switch_is_thrown_at_relab(self):
        here = pathlib.Path(__file__).resolve().parent
        files = (*map(here.joinpath, ("treacheries_test.py", "guests_test.py", "inside_test.py")),
                 here.parents[1] / "packages/agents_test.py")
        tests = "".join(file.read_text(encoding="utf-8") for file in files)
        self.assertEqual([name for name in SWITCHES if f'throw("{name}"' not in tests], UNUSED)


class OlderProxmox(ProxmoxCase):
    settings = {"version": "8.4.1"}

    def test_what_is_not_said_to_be_unprivileged_is_privileged(self):
        self.make()
        self.assertIn("unprivileged: 1\n", self.host.conf(ONE).read_text())
        self.assertNotIn("unprivileged", self.host.conf(TWO).read_text())


if __name__ == "__main__":
    main()
