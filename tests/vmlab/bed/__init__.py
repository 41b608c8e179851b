"""Virtual machines with real ZFS, systemd, LXC and WireGuard: the reference lab in miniature."""
