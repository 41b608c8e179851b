#!/bin/bash
# Builds ZFS's kernel modules for a suite's stock kernel, in a chroot that is thrown away.
#   module.sh SUITE SOURCES.LIST OUT.tar.zst
# The archive holds lib/modules/KERNEL/updates and a file KERNEL.
set -euo pipefail
suite=$1 list=$2 out=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/vmlab-module.XXXXXX")
# What a killed mmdebstrap left mounted in it is this machine's own.
trap 'rm -rf --one-file-system "$work"' EXIT
# Nobody debugs them here, and debugging information is a third of the compiler's work. Without it there is nothing to make
# BTF of, which is tried where the headers have the kernel's own (vmlinux), and fails.
export KCFLAGS=-g0
mmdebstrap --mode=root --variant=apt --skip=cleanup/reproducible \
  --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/src/linux-headers-*/vmlinux' \
  --include=linux-headers-amd64,zfs-dkms,kmod "$suite" "$work/root" - <"$list"
kernel=$(ls "$work/root/lib/modules" | sort -V | tail -n 1)
# The package's own script does it, unless it thinks that the kernel does not fit.
if ! compgen -G "$work/root/lib/modules/$kernel/updates/dkms/zfs.ko*" >/dev/null; then
  chroot "$work/root" dkms autoinstall -k "$kernel"
fi
compgen -G "$work/root/lib/modules/$kernel/updates/dkms/zfs.ko*" >/dev/null
find "$work/root/lib/modules/$kernel/updates" -name '*.ko' -exec strip --strip-debug {} +
echo "$kernel" >"$work/root/KERNEL"
tar -C "$work/root" -I 'zstd -q -T0 -6' -cf "$out.part" KERNEL "lib/modules/$kernel/updates"
mv "$out.part" "$out"
