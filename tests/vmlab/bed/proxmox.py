"""A machine plays a Proxmox host: the stand-in's commands over its pool, VLANs on vmbr0, and a way in to each container's agent.

All of it is there again when the machine was restarted.
"""

import pathlib
import shlex
import shutil
import subprocess

from bed.chroot import Chroot
from bed.machine import AGENT_PORT, OS_DISKS

PVE = pathlib.Path(__file__).resolve().parent.parent / "pve"
SHELF = "/srv/shelf"
# Ports of the machine that lead to the agents of containers begin here.
WAY = 7500

# Of a container's root, what takes seconds to unpack or to start under emulation, and what nothing here needs.
LEFT_OUT = ["./dev", *(f"./usr/share/{folder}" for folder in ("zoneinfo", "bash-completion", "zsh", "lintian", "common-licenses", "perl")),
            *(f"./usr/lib/x86_64-linux-gnu/{folder}" for folder in ("gconv", "perl"))]
MASKED = ("systemd-networkd.service systemd-networkd.socket systemd-network-generator.service systemd-logind.service modprobe@.service "
          "systemd-modules-load.service systemd-journal-flush.service systemd-remount-fs.service ldconfig.service sys-kernel-debug.mount "
          "sys-kernel-config.mount getty.target apt-daily.timer apt-daily-upgrade.timer").split()

# What the units do on a real host that are masked in a machine, or that the image has not.
UP = """#!/bin/bash
set -e
pool() {{
  modprobe zfs
  for _ in $(seq 300); do
    if zpool list rpool || zpool import {disks} rpool; then return; fi
    sleep 0.2
  done 2>/dev/null
  return 1
}}
pool &
for _ in $(seq 300); do [ -e /sys/class/net/eth0 ] && break; sleep 0.2; done
echo 1 >/proc/sys/net/ipv4/ip_forward
ip -batch - <<'END'
address replace 10.0.2.15/24 dev eth0
link set eth0 up
link add vmbr0 type bridge vlan_filtering 1
link set vmbr0 up
{links}
END
{vlans}
nft -f - <<'END'
table ip ways {{
  chain in {{
    type nat hook prerouting priority dstnat
{ways}
  }}
}}
END
wait $!
"""
LINKS = """link add link vmbr0 name vmbr0.{vlan} type vlan id {vlan}
address add 10.42.{vlan}.1/24 dev vmbr0.{vlan}
address add 10.42.{vlan}.2/24 dev vmbr0.{vlan}
link set vmbr0.{vlan} up"""
HOST_UNIT = """[Unit]
Description=Pool and network of the host that this machine plays
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/vmlab/up
[Install]
WantedBy=multi-user.target
"""
# As Proxmox's own of this name.
GUESTS_UNIT = """[Unit]
Description=Containers that start with the host
Requires=vmlab-host.service
After=vmlab-host.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/pve-onboot
ExecStop=/bin/bash -c 'cd /etc/pve/lxc && for conf in *.conf; do pct shutdown $${conf%%.conf} --timeout 60 & done; wait'
[Install]
WantedBy=multi-user.target
"""
INSTALL = f"""
chmod +x /opt/vmlab/up
mkdir -p {SHELF}
/opt/vmlab/pve/pve-standin install
/opt/vmlab/pve/pve-standin set rootfs=unpacked shelf={SHELF}
systemctl daemon-reload
systemctl enable -q --now vmlab-host pve-guests
"""


def make_template(suite, target, packages=()):
    """A small one, in which these packages are installed already."""
    chroot = Chroot(suite)
    try:
        if packages:
            chroot.must("dpkg", "-i", *chroot.bring(packages, "/srv/packages"))
            shutil.rmtree(chroot.path("/srv/packages"))
        for unit in MASKED:
            chroot.path(f"/etc/systemd/system/{unit}").symlink_to("/dev/null")
        subprocess.run(["tar", "-C", str(chroot.folder), "-I", "zstd -q -T0", "--numeric-owner", *(f"--exclude={folder}/*" for folder in LEFT_OUT),
                        "-cf", str(target), "."], check=True)
    finally:
        chroot.remove()


class Proxmox:
    def __init__(self, machine, folder, vlans, addresses):
        """`addresses` are those of the containers whose agents are to be reached; what has to be written is made in `folder`."""
        self.machine = machine
        self.endpoints = {}
        ways = {WAY + number: address for number, address in enumerate(addresses)}
        for port, address in ways.items():
            self.endpoints[address] = f"tcp://127.0.0.1:{machine.forward(port)}"
        texts = {
            "/opt/vmlab/up": UP.format(
                # Looked for everywhere, it takes ten times as long.
                disks=" ".join(f"-d /dev/disk/by-id/virtio-{disk.serial}-part1" for disk in OS_DISKS),
                links="\n".join(LINKS.format(vlan=vlan) for vlan in vlans),
                vlans="\n".join(f"bridge vlan add dev vmbr0 vid {vlan} self" for vlan in vlans),
                ways="\n".join(f"    iif eth0 tcp dport {port} dnat to {address}:{AGENT_PORT}" for port, address in ways.items())),
            "/etc/systemd/system/vmlab-host.service": HOST_UNIT,
            "/etc/systemd/system/pve-guests.service": GUESTS_UNIT,
        }
        files = {}
        for inside, text in texts.items():
            files[inside] = folder / pathlib.Path(inside).name
            files[inside].write_text(text, encoding="utf-8")
        machine.carry({"/opt/vmlab/pve": PVE, **files})
        machine.must(INSTALL)

    def offer(self, *templates):
        """Puts templates on the shelf."""
        self.machine.carry({f"{SHELF}/{file.name}": file for file in templates})

    def inside(self, vmid, script):
        """The output of a bash script in a container, which has to succeed."""
        return self.machine.must(f"pct exec {vmid} -- bash -ec {shlex.quote(script)}")
