#!/bin/bash
# Makes a machine's disk, kernel and initial ramdisk.
#   machine.sh SUITE SOURCES.LIST MODULE.tar.zst CONTAINER.tar.zst OUT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
suite=$1 list=$2 out=$5
export VMLAB_MODULE=$3 VMLAB_CONTAINER=$4 VMLAB_HERE=$here
work=$(mktemp -d "${TMPDIR:-/tmp}/vmlab-image.XXXXXX")
# What a killed mmdebstrap left mounted in it is this machine's own.
trap 'rm -rf --one-file-system "$work"' EXIT
VMLAB_KERNEL=$(tar -I zstd -xOf "$VMLAB_MODULE" KERNEL)
export VMLAB_KERNEL
packages=(
  "linux-image-$VMLAB_KERNEL" zfsutils-linux init login passwd hostname netbase systemd systemd-sysv udev dbus kmod
  initramfs-tools zstd busybox iproute2 iputils-ping netcat-openbsd nftables wireguard-tools bridge-utils ethtool
  procps psmisc e2fsprogs dosfstools gdisk util-linux lxc lxcfs uidmap libpam-systemd qemu-guest-agent python3
  pv usbutils smartmontools pciutils cron acl attr sqlite3 libzmq5 libsodium23 libsqlite3-0 libarchive13 zstd)
mmdebstrap --mode=root --variant=apt --skip=cleanup/reproducible \
  --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --essential-hook="$here/before.sh \"\$1\"" --include="$(IFS=,; echo "${packages[*]}")" \
  --customize-hook="$here/after.sh \"\$1\"" "$suite" "$work/root" - <"$list"
mkdir -p "$out"
cp "$work/root/boot/vmlinuz-$VMLAB_KERNEL" "$out/vmlinuz"
cp "$work/root/boot/initrd.img-$VMLAB_KERNEL" "$out/initrd"
rm -f "$work"/root/boot/*
truncate -s 6G "$out/root.ext4.part"
# No journal: nothing here outlives the machine's own crash.
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,nodiscard -L vmroot -d "$work/root" "$out/root.ext4.part"
mv "$out/root.ext4.part" "$out/root.ext4"
