#!/bin/bash
# Makes the root of a container with systemd, for LXC inside of the machines.
#   container.sh SUITE SOURCES.LIST OUT.tar.zst
set -euo pipefail
suite=$1 list=$2 out=$3
mmdebstrap --mode=root --variant=minbase --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include=systemd,systemd-sysv,dbus,iproute2,iputils-ping,netcat-openbsd,wireguard-tools,nftables,procps \
  --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/var/lib/apt/lists/*' \
  --customize-hook=': >"$1/etc/machine-id"; chroot "$1" passwd -d root >/dev/null' \
  --customize-hook='chroot "$1" systemctl enable -q systemd-networkd' \
  --format=tar "$suite" "$out.tar" - <"$list"
zstd -q -T0 -6 -f --rm "$out.tar" -o "$out.part"
mv "$out.part" "$out"
