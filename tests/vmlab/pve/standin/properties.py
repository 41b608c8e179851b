"""What a container's configuration may hold, as PVE/LXC/Config.pm of pve-container 6.1 has it."""

from standin import formats


def boolean(**more):
    return {"type": "boolean", "optional": True, **more}


def integer(minimum, maximum=None, **more):
    return {"type": "integer", "optional": True, "minimum": minimum, **({"maximum": maximum} if maximum else {}), **more}


def string(format=None, **more):
    return {"type": "string", "optional": True, **({"format": format} if format else {}), **more}


VMID = {"type": "integer", "format": formats.vmid, "minimum": 100, "maximum": 999999999}
STORAGE = {"type": "string", "format": formats.storage_id}
SKIPLOCK = boolean()
DIGEST = string(max_length=40)
SNAPNAME = {"type": "string", "format": formats.configid, "max_length": 40}

FEATURES = {
    "mount": string(pattern=r"[a-zA-Z0-9_; ]+"),
    **{name: boolean() for name in ("nesting", "keyctl", "fuse", "mknod", "force_rw_sys")},
}
NETWORK = {
    "type": string(enum=["veth"]),
    "name": {"type": "string", "pattern": r"[-_.\w\d]+"},
    "bridge": string(pattern=r"[-_.\w\d]+"),
    "hwaddr": string(formats.mac),
    "mtu": integer(64, 65535),
    "ip": string(formats.ipv4_config),
    "gw": string(formats.ipv4),
    "ip6": string(formats.ipv6_config),
    "gw6": string(formats.ipv6),
    "firewall": boolean(),
    "tag": integer(1, 4094),
    "trunks": string(pattern=r"\d+(?:;\d+)*"),
    "rate": {"type": "number", "optional": True},
    "link_down": boolean(),
    "host-managed": boolean(),
}
_MOUNT_OPTION = "(discard|lazytime|noatime|nodev|noexec|nosuid)"
ROOTFS = {
    "volume": {"type": "string", "default_key": True, "format": formats.mount_path},
    "size": string(formats.disk_size),
    "acl": boolean(),
    "mountoptions": string(pattern=f"{_MOUNT_OPTION}(;{_MOUNT_OPTION})*"),
    "idmap": string(pattern=r"(?:passthrough|[ug]:[0-9]+:[0-9]+:[1-9][0-9]*(?:;[ug]:[0-9]+:[0-9]+:[1-9][0-9]*)*)"),
    "ro": boolean(),
    "quota": boolean(),
    "replicate": boolean(),
    "shared": boolean(),
}
MOUNT = {
    **ROOTFS,
    "backup": boolean(),
    "mp": {"type": "string", "format": formats.mount_path},
    "keepattrs": boolean(),
}
UNUSED = {"volume": {"type": "string", "default_key": True, "format": formats.volume_id}}
DEVICE = {
    "path": string(formats.device_path, default_key=True),
    "mode": string(pattern=r"0[0-7]{3}"),
    "uid": integer(0),
    "gid": integer(0),
    "deny-write": boolean(),
}
LOCKS = ["backup", "create", "destroyed", "disk", "fstrim", "migrate", "mounted", "rollback", "snapshot", "snapshot-delete"]

CONFIG = {
    "lock": string(enum=LOCKS),
    "onboot": boolean(),
    "startup": string(formats.startup),
    "template": boolean(),
    "arch": string(enum=["amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"]),
    "ostype": string(enum=["debian", "devuan", "ubuntu", "centos", "fedora", "opensuse", "archlinux", "alpine", "gentoo",
                           "nixos", "unmanaged"]),
    "console": boolean(),
    "tty": integer(0, 6),
    "cores": integer(1, 8192),
    "cpulimit": {"type": "number", "optional": True, "minimum": 0, "maximum": 8192},
    "cpuunits": integer(0, 500000),
    "memory": integer(16),
    "swap": integer(0),
    "hostname": string(formats.dns_name, max_length=255),
    "description": string(max_length=8192),
    "searchdomain": string(formats.dns_name, list=True),
    "nameserver": string(formats.ip_or_link_local, list=True),
    "timezone": string(formats.timezone),
    "rootfs": string(ROOTFS),
    "parent": string(formats.configid, max_length=40),
    "snaptime": integer(0),
    "cmode": string(enum=["shell", "console", "tty"]),
    "entrypoint": string(pattern=r"[^\x00-\x08\x0a-\x1F\x7F]+"),
    "protection": boolean(),
    "unprivileged": boolean(),
    "features": string(FEATURES),
    "env": string(pattern=r"\w+=[^\x00-\x08\x0a-\x1F\x7F]*(?:\0\w+=[^\x00-\x08\x0a-\x1F\x7F]*)*"),
    "hookscript": string(formats.volume_id),
    "tags": string(formats.tag, list=True),
    "debug": boolean(),
    **{f"net{n}": string(NETWORK) for n in range(32)},
    **{f"mp{n}": string(MOUNT) for n in range(256)},
    **{f"unused{n}": string(UNUSED) for n in range(256)},
    **{f"dev{n}": string(DEVICE) for n in range(256)},
}
# What an option of the commands may set.
SETTABLE = {name: kind for name, kind in CONFIG.items() if name not in ("parent", "snaptime")}
# Taken over at once while the container runs.
AT_ONCE = ("description", "onboot", "startup", "protection", "hostname", "hookscript", "cores", "tags", "lock")

CREATE = {
    **SETTABLE,
    "vmid": VMID,
    "ostemplate": {"type": "string", "max_length": 255},
    "password": string(min_length=5),
    "storage": string(formats.storage_id),
    "force": boolean(),
    "restore": boolean(),
    "unique": boolean(requires="restore"),
    "pool": string(),
    "ignore-unpack-errors": boolean(),
    "ssh-public-keys": string(),
    "bwlimit": {"type": "number", "optional": True, "minimum": 0},
    "start": boolean(),
    "ha-managed": boolean(),
}
SET = {
    **SETTABLE,
    "vmid": VMID,
    "delete": string(formats.configid, list=True),
    "revert": string(formats.configid, list=True),
    "digest": DIGEST,
}
