"""Storages as storage.cfg has them, and the volumes on them.

A volume is a folder where Proxmox has an image or a dataset; only where a zfspool's pool is there for real it is a
dataset, with the size as its refquota. The size of a folder is not enforced.
"""

import os
import re
import shutil
import subprocess

from standin import treachery
from standin.errors import BadRequest, Died

CONTENT_DIRS = {"vztmpl": "template/cache", "iso": "template/iso", "backup": "dump", "snippets": "snippets",
                "images": "images", "rootdir": "images"}
SHARED = ("nfs", "cifs", "pbs", "rbd", "cephfs", "iscsi")
TEMPLATE = re.compile(r".+\.tar(\.(gz|xz|zst|bz2))?")
NEW_DISK = re.compile(r"([^:\s]+):(\d+(?:\.\d+)?)")
DEFAULT = "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n"


def _run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def has_pool(dataset):
    return shutil.which("zfs") is not None and _run("zfs", "list", "-H", "-o", "name", dataset).returncode == 0


class Storage:
    def __init__(self, kind, name):
        self.kind = kind
        self.name = name
        self.options = {}

    @property
    def content(self):
        return self.options.get("content", "images,rootdir").split(",")

    @property
    def enabled(self):
        return "disable" not in self.options

    @property
    def base(self):
        """The folder that holds all of it, or None."""
        if self.kind == "zfspool":
            return self.options.get("mountpoint", "/" + self.options["pool"])
        return self.options.get("path")

    @property
    def zfs(self):
        return self.kind == "zfspool" and has_pool(self.options["pool"])

    def folder(self, content):
        return f"{self.base}/{CONTENT_DIRS[content]}"

    def must(self, content):
        if content not in self.content:
            raise Died(f"storage '{self.name}' does not support {'templates' if content == 'vztmpl' else content}")

    def activate(self):
        """As pvestatd does all the time: makes the folders, on the root disk too, unless told not to (trap 8)."""
        if self.kind == "zfspool":
            if not self.zfs and not os.path.isdir(self.base):
                raise Died(f"could not activate storage '{self.name}', zfs error: cannot import "
                           f"'{self.options['pool'].partition('/')[0]}': no such pool available")
            return
        if self.kind != "dir":
            raise Died(f"storage '{self.name}' is not online")
        wanted = self.options.get("is_mountpoint", "no")
        if wanted not in ("no", "0", "off", "false"):
            mount = wanted if wanted.startswith("/") else self.base
            if not os.path.ismount(mount):
                raise Died(f"unable to activate storage '{self.name}' - directory is expected to be a mount point but is "
                           f"not mounted: '{mount}'")
        if self.options.get("create-base-path", "1") == "1" and self.options.get("mkdir", "1") == "1":
            os.makedirs(self.base, exist_ok=True)
        if not os.path.isdir(self.base):
            raise Died(f"unable to activate storage '{self.name}' - directory '{self.base}' does not exist or is unreachable")
        if self.options.get("create-subdirs", "1") == "1" and self.options.get("mkdir", "1") == "1":
            for content in self.content:
                if content in CONTENT_DIRS:
                    os.makedirs(self.folder(content), exist_ok=True)

    def status(self):
        entry = {"storage": self.name, "type": self.kind, "content": ",".join(self.content), "enabled": int(self.enabled),
                 "shared": int(self.kind in SHARED or self.options.get("shared") == "1"),
                 "active": 0, "total": 0, "used": 0, "avail": 0}
        if not self.enabled:
            return entry
        try:
            self.activate()
        except Died:
            return entry
        if self.zfs:
            used, avail = map(int, _run("zfs", "list", "-Hp", "-o", "used,available", self.options["pool"]).stdout.split())
            total = used + avail
        else:
            found = os.statvfs(self.base)
            total, avail = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
        entry.update(active=1, total=total, used=used, avail=avail, used_fraction=used / total if total else 0)
        return entry

    def volumes(self):
        """(volid, vmid, folder) of each disk."""
        if self.kind == "zfspool":
            found = sorted(os.listdir(self.base)) if os.path.isdir(self.base) else []
            pairs = [(name, f"{self.base}/{name}") for name in found]
        else:
            top = self.folder("images") if self.base else ""
            guests = sorted(os.listdir(top)) if os.path.isdir(top) else []
            pairs = [(f"{guest}/{name}", f"{top}/{guest}/{name}") for guest in guests
                     for name in sorted(os.listdir(f"{top}/{guest}"))]
        for name, folder in pairs:
            if owner := re.search(r"(?:subvol|vm)-(\d+)-disk-\d+", name):
                yield f"{self.name}:{name}", int(owner[1]), folder

    def allocate(self, vmid, size):
        """A new volume's id; its folder is there and empty."""
        self.activate()
        taken = {int(re.search(r"disk-(\d+)", volid)[1]) for volid, owner, _ in self.volumes() if owner == int(vmid)}
        number = next(n for n in range(1000) if n not in taken)
        name = f"subvol-{vmid}-disk-{number}" if self.kind == "zfspool" else f"{vmid}/vm-{vmid}-disk-{number}.raw"
        if self.zfs:
            made = _run("zfs", "create", "-o", "acltype=posixacl", "-o", "xattr=sa", "-o", f"refquota={size}",
                        f"{self.options['pool']}/{name}")
            if made.returncode != 0:
                raise Died("zfs error: " + made.stderr.strip())
        else:
            os.makedirs(self.path(name))
        return f"{self.name}:{name}"

    def path(self, name):
        if self.kind == "zfspool":
            return f"{self.base}/{name}"
        content, _, rest = name.partition("/")
        return f"{self.folder(content)}/{rest}" if content in CONTENT_DIRS else f"{self.folder('images')}/{name}"

    def free(self, name):
        path = self.path(name)
        if self.zfs:
            gone = _run("zfs", "destroy", "-r", f"{self.options['pool']}/{name}")
            if gone.returncode != 0:
                raise Died("zfs error: " + gone.stderr.strip())
        elif os.path.isdir(path):
            shutil.rmtree(path)
            if self.kind == "dir" and not os.listdir(os.path.dirname(path)):
                os.rmdir(os.path.dirname(path))
        elif os.path.exists(path):
            os.unlink(path)


class Storages:
    def __init__(self, place):
        self.place = place
        file = place.etc / "storage.cfg"
        text = file.read_text(encoding="utf-8") if file.exists() else DEFAULT
        self.by_name = {}
        storage = None
        for line in text.splitlines():
            if found := re.fullmatch(r"([a-z][a-z0-9]*):\s*(\S+)\s*", line):
                storage = self.by_name[found[2]] = Storage(found[1], found[2])
            elif line.strip() and storage and not line.startswith("#"):
                key, _, value = line.strip().partition(" ")
                storage.options[key] = value.strip() or "1"

    def __getitem__(self, name):
        if name not in self.by_name:
            raise Died(f"storage '{name}' does not exist")
        return self.by_name[name]

    def enabled(self, name):
        storage = self[name]
        if not storage.enabled:
            raise Died(f"storage '{name}' is disabled")
        return storage

    def split(self, volid):
        """The storage and the name on it."""
        found = re.fullmatch(r"([a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]):(.+)", volid)
        if not found:
            raise Died(f"unable to parse volume ID '{volid}'")
        return self[found[1]], found[2]

    def path(self, volid):
        storage, name = self.split(volid)
        if storage.base is None:
            raise Died(f"storage '{storage.name}' has no path")
        return storage.path(name)

    def for_roots(self, name):
        storage = self.enabled(name)
        if "rootdir" not in storage.content:
            raise BadRequest(errors={"storage": f"storage '{name}' does not support container directories"})
        storage.activate()
        return storage

    def contents(self, name):
        """What a storage holds, as the API tells it."""
        storage = self.enabled(name)
        storage.activate()
        entries = []
        if storage.kind == "dir" and "vztmpl" in storage.content and os.path.isdir(storage.folder("vztmpl")):
            for file in sorted(os.listdir(storage.folder("vztmpl"))):
                found = TEMPLATE.fullmatch(file)
                if found:
                    status = os.stat(f"{storage.folder('vztmpl')}/{file}")
                    entries.append({"content": "vztmpl", "ctime": int(status.st_ctime), "format": "t" + (found[1] or ".tar")[1:],
                                    "size": status.st_size, "volid": f"{name}:vztmpl/{file}"})
        for volid, vmid, folder in storage.volumes():
            entries.append({"content": "rootdir", "ctime": int(os.stat(folder).st_ctime),
                            "format": "subvol" if storage.kind == "zfspool" else "raw", "size": self._size(vmid, volid),
                            "vmid": vmid, "volid": volid})
        return entries

    def _size(self, vmid, volid):
        """What the configuration of its guest says; 4 GiB where none does."""
        from standin.schema import parse_size
        file = self.place.guests("lxc") / f"{vmid}.conf"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        found = re.search(rf"^\w+: {re.escape(volid)}(?:,\S*?)?,size=([0-9.]+[KMGT]?)", text, re.MULTILINE)
        return parse_size(found[1]) if found else 4 * 1024 ** 3

    def free(self, volid):
        if treachery.thrown(self.place, "free-fails"):
            raise Died(f"zfs error: cannot destroy '{volid.replace(':', '/')}': dataset is busy")
        storage, name = self.split(volid)
        if not os.path.exists(storage.path(name)):
            raise Died(f"volume '{volid}' does not exist")
        storage.free(name)
