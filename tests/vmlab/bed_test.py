#!/usr/bin/env python3
"""The test bed itself: that a machine is what the scenarios take it for."""

import json

from bed.case import MachineCase, main
from bed.machine import DATA_DISKS, OS_DISKS, USB
from support.lab import phase, step, track

SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services", "pci", "packages")

NETWORK = """
ip link add vmbr0 type bridge vlan_filtering 1
ip link set vmbr0 up
for vlan in 10 60; do
  bridge vlan add dev vmbr0 vid $vlan self
  ip link add link vmbr0 name vmbr0.$vlan type vlan id $vlan
  ip address add 10.42.$vlan.1/24 dev vmbr0.$vlan
  ip link set vmbr0.$vlan up
done
root=/var/lib/lxc/base/rootfs
mkdir -p $root
tar -C $root -I zstd --exclude='./dev/*' -xf /var/lib/vmlab/container.tar.zst
make() {
  mkdir -p /var/lib/lxc/$1/upper
  cat >/var/lib/lxc/$1/config <<END
lxc.include = /usr/share/lxc/config/common.conf
lxc.arch = amd64
lxc.uts.name = $1
lxc.rootfs.path = overlay:$root:/var/lib/lxc/$1/upper
lxc.apparmor.profile = unconfined
lxc.init.cmd = /lib/systemd/systemd
lxc.net.0.type = veth
lxc.net.0.link = vmbr0
lxc.net.0.veth.vlan.id = $2
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.42.$2.$3/24
END
  lxc-start -n $1
}
make near 10 11
make far 60 12
for name in near far; do
  for _ in $(seq 100); do
    case $(lxc-attach -n $name -- systemctl is-system-running 2>/dev/null || true) in running | degraded) break ;; esac
    sleep 0.5
  done
  lxc-attach -n $name -- cat /proc/1/comm
done
lxc-attach -n near -- ping -c 1 -W 5 -q 10.42.10.1 >/dev/null && echo "near reaches its VLAN"
# An address of the other VLAN does not make it a member.
lxc-attach -n far -- ip address add 10.42.10.99/24 dev eth0
lxc-attach -n far -- ping -c 1 -W 2 -q -I 10.42.10.99 10.42.10.11 >/dev/null || echo "far does not"
"""

TUNNEL = """
ip netns add hub
ip link add to-hub type veth peer name to-spoke netns hub
ip address add 10.0.3.1/30 dev to-hub; ip link set to-hub up
ip -n hub address add 10.0.3.2/30 dev to-spoke; ip -n hub link set to-spoke up
umask 077
wg genkey >/tmp/spoke; wg genkey >/tmp/hub
ip link add wg0 type wireguard; ip -n hub link add wg0 type wireguard
wg set wg0 private-key /tmp/spoke peer "$(wg pubkey </tmp/hub)" endpoint 10.0.3.2:13231 allowed-ips 10.99.0.0/24
ip netns exec hub wg set wg0 listen-port 13231 private-key /tmp/hub peer "$(wg pubkey </tmp/spoke)" allowed-ips 10.99.0.5/32
ip address add 10.99.0.5/24 dev wg0; ip link set wg0 up
ip -n hub address add 10.99.0.1/24 dev wg0; ip -n hub link set wg0 up
ping -c 1 -W 10 -q 10.99.0.1 >/dev/null
wg show wg0 latest-handshakes
"""


class Bed(MachineCase):
    # The audit's sections are read in the other system by preserve_test.
    only = {"test_containers_with_systemd_live_on_a_bridge_that_knows_vlans": "trixie",
            "test_an_agent_inside_audits_the_machine_for_a_controller_outside": "bookworm"}

    def test_the_pools_are_as_the_reference_lab_has_them(self):
        out = self.machine.must("zfs version; zpool status -P; zfs get -H -o value encryption,keystatus datapool; systemctl is-system-running")
        self.assertIn(f"zfs-{self.suite.zfs}.", out)
        for disk in (*OS_DISKS, *DATA_DISKS):
            self.assertIn(f"/dev/disk/by-id/virtio-{disk.serial}-part1", out)
        for words in ("raidz2-0", "mirror-0", "aes-256-gcm\navailable\nrunning"):
            self.assertIn(words, out)

    def test_the_usb_disk_is_one(self):
        out = json.loads(self.machine.must("lsblk --json -o NAME,SERIAL,TRAN"))
        found = [device["tran"] for device in out["blockdevices"] if device["serial"] == USB.serial]
        self.assertEqual(found, ["usb"])
        self.machine.unplug(USB)
        self.machine.must("for _ in $(seq 100); do [ -e /dev/sda ] || exit 0; sleep 0.1; done; exit 1")
        self.machine.plug(USB)
        self.machine.must("for _ in $(seq 100); do [ -e /dev/sda ] && exit 0; sleep 0.1; done; exit 1")

    def test_containers_with_systemd_live_on_a_bridge_that_knows_vlans(self):
        self.assertEqual(self.machine.must(NETWORK).splitlines(),
                         ["systemd", "systemd", "near reaches its VLAN", "far does not"])

    def test_wireguard_shakes_hands(self):
        handshake = self.machine.must(TUNNEL).split()
        self.assertNotEqual(handshake[1:], ["0"], handshake)

    def test_an_agent_inside_audits_the_machine_for_a_controller_outside(self):
        lab = self.lab()
        # One after the other: side by side under emulation, systemd does not answer them in time.
        steps = [step(name, f"audit_{name} = {{}}", deadline="10m") for name in SECTIONS]
        lab.describe(phase("0a", track("all", "z640", *steps), more='proves = [{ name = "audit.complete" }]'))
        lab.init()
        self.assert_ended(lab.enrol(), 0)
        lab["z640"].start()
        self.assert_ended(lab.relab("run", "0a"), 0, "Phase 0a: 11 step(s) succeeded")
        zfs = lab.relab_json("audit", "show", "zfs")
        self.assertIn("datapool", json.dumps(zfs))


if __name__ == "__main__":
    main()
