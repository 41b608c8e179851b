#!/bin/bash
# After the packages are there: the modules, a root without a password, nothing that runs by itself.
set -euo pipefail
root=$1
tar -C "$root" -I zstd --keep-directory-symlink -xf "$VMLAB_MODULE" --wildcards 'lib/modules/*'
chroot "$root" depmod "$VMLAB_KERNEL"
mkdir -p "$root/var/lib/vmlab"
cp "$VMLAB_CONTAINER" "$root/var/lib/vmlab/container.tar.zst"
chroot "$root" passwd -d root >/dev/null
echo z640 >"$root/etc/hostname"
: >"$root/etc/fstab"
echo '127.0.0.1 localhost z640' >"$root/etc/hosts"
printf 'root:100000:1000000\n' | tee "$root/etc/subuid" >"$root/etc/subgid"
# Where packages came from is this machine's own affair.
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/cache/apt/archives/*.deb \
  "$root"/var/lib/apt/lists/*
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/vmlab.conf"
for unit in lxc-net lxc lxc-monitord lxcfs apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer \
  systemd-timesyncd smartmontools smartd networking cron zfs-import-cache zfs-import-scan zfs-mount zfs-share \
  zfs-volume-wait zfs-zed; do
  chroot "$root" systemctl disable -q "$unit" 2>/dev/null || true
done
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /lib/systemd/system/qemu-guest-agent.service "$root/etc/systemd/system/multi-user.target.wants/"
chroot "$root" update-initramfs -u -k "$VMLAB_KERNEL"
