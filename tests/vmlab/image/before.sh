#!/bin/bash
# Before the packages are configured: an initial ramdisk of what this machine needs, and no more.
set -euo pipefail
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=zstd\nRESUME=none\n' >"$1/etc/initramfs-tools/conf.d/vmlab"
printf 'virtio_pci\nvirtio_blk\next4\ncrc32c_intel\n' >"$1/etc/initramfs-tools/modules"
