"""Where the stand-in keeps what Proxmox keeps on its host, and what kind of host it plays.

RELAB_PVE_ROOT names a folder that stands for `/`: its etc/pve, run/lock/lxc, var/log/pve and var/lib are used
instead of the machine's. Without it the machine's own are used, as in a virtual machine. Paths that a
configuration names (storages, bind mounts, devices) are the machine's own in both cases.
"""

import hashlib
import json
import os
import pathlib

ROOT_VARIABLE = "RELAB_PVE_ROOT"
SETTINGS = {
    "node": "pve",
    "version": "9.2.11",
    "repoid": "3f1c8a5b9d2e7f40",
    # The network namespace with the bridges; none: the bridges are where the command runs.
    "netns": None,
    # False: kernels without VLAN filtering; `vmbr0` with tag 60 is then a bridge of its own, vmbr0v60.
    "vlan_aware": True,
    # Where pveam finds templates and their index (templates.py).
    "shelf": None,
    # Unpacked templates, shared by all containers that lie over them; none: the stand-in's own folder.
    "bases": None,
    # overlay: a container's root lies over the unpacked template; unpacked: it is a copy.
    "rootfs": "overlay",
    "lock_timeout_s": 10,
}


class Place:
    def __init__(self, root=None):
        self.root = pathlib.Path(root or os.environ.get(ROOT_VARIABLE) or "/")
        self.settings_file = self.root / "etc/pve-standin.json"
        self.settings = dict(SETTINGS)
        if self.settings_file.exists():
            self.settings.update(json.loads(self.settings_file.read_text(encoding="utf-8")))
        self.node = self.settings["node"]
        self.etc = self.root / "etc/pve"
        self.state = self.root / "var/lib/pve-standin"
        self.lxc = self.root / "var/lib/lxc"
        self.switches = self.state / "switches"
        self.answers = self.state / "answers"
        self.tasks = self.root / "var/log/pve/tasks"
        self.bases = pathlib.Path(self.settings["bases"] or self.state / "bases")

    def __getattr__(self, name):
        try:
            return self.__dict__["settings"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def major(self):
        return int(self.settings["version"].split(".")[0])

    def guests(self, kind):
        """The folder of configurations: of kind lxc or qemu-server."""
        return self.etc / "nodes" / self.node / kind

    @property
    def groups(self):
        """The control group that those of the containers are in."""
        return "lxc" if str(self.root) == "/" else "pve-" + hashlib.sha256(str(self.root).encode()).hexdigest()[:12]

    def shown(self, path):
        """A path as the real host would name it."""
        text = str(path)
        root = str(self.root)
        return text[len(root):] if root != "/" and text.startswith(root + "/") else text

    def make(self):
        """The folders and files that an installed Proxmox has."""
        for folder in (self.guests("lxc"), self.guests("qemu-server"), self.etc / "priv/storage", self.etc / "firewall",
                       self.lxc, self.switches, self.answers, self.tasks, self.bases, self.root / "run/lock/lxc"):
            folder.mkdir(parents=True, exist_ok=True)
        for link, target in (("local", f"nodes/{self.node}"), ("lxc", f"nodes/{self.node}/lxc"),
                             ("qemu-server", f"nodes/{self.node}/qemu-server")):
            if not (self.etc / link).is_symlink():
                (self.etc / link).symlink_to(target)
        for name in ("subuid", "subgid"):
            file = self.root / "etc" / name
            if not file.exists() or "root:100000:" not in file.read_text(encoding="utf-8"):
                with file.open("a", encoding="utf-8") as lines:
                    lines.write("root:100000:65536\n")
        # Containers without privileges reach their roots through these.
        for folder in (self.root, self.root / "var", self.root / "var/lib", self.lxc, self.state, self.bases):
            if self.root != pathlib.Path("/"):
                folder.chmod(folder.stat().st_mode | 0o755)
