"""The roots of containers: an unpacked template that all share, and a layer over it for each; or a copy.

Unpacking happens once for each template and range of ids. A root's folder (its volume) then holds `standin.json`, which
names the base, and `delta`, what the container changed. Without that file the folder is the root itself.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

from standin import kernel, treachery
from standin.errors import Died

NOTE = "standin.json"
BEGIN, END = "# --- BEGIN PVE ---", "# --- END PVE ---"


def _decompressor(archive):
    for ending, argv in ((".zst", ["zstd", "-dqc"]), (".gz", ["gzip", "-dc"]), (".xz", ["xz", "-dc"]), (".tar", ["cat"])):
        if archive.endswith(ending):
            # zstd does not follow links.
            return argv + [os.path.realpath(archive)]
    raise Died(f"unable to detect the compression of '{archive}'")


def _unpack(place, archive, target, id_map):
    """As the container's own root, so that the files belong to whom they belong to inside."""
    tar = ["tar", "-C", str(target), "--numeric-owner", "--exclude=./dev/*", "--xattrs", "-xf", "-"]
    if id_map:
        maps = [word for kind, inside, outside, count in id_map for word in ("-m", f"{kind}:{inside}:{outside}:{count}")]
        tar = ["lxc-usernsexec", *maps, "--", *tar]
    with subprocess.Popen(_decompressor(archive), stdout=subprocess.PIPE) as reader:
        done = subprocess.run(tar, stdin=reader.stdout, stderr=subprocess.PIPE, text=True, check=False,
                              preexec_fn=lambda: with_ids(place))
    # tar does not read what is behind the end of the archive, and takes it for no failure either that nobody takes that.
    if done.returncode != 0 or reader.returncode not in (0, -signal.SIGPIPE):
        raise Died(f"command 'tar' failed: exit code {done.returncode or reader.returncode}\n{done.stderr.strip()}".strip())


def with_ids(place):
    """In a child: the ranges of ids that Proxmox's /etc/subuid has, where the machine's own file has none."""
    kernel.own_mounts()
    for name in ("subuid", "subgid"):
        if (place.root / "etc" / name).exists() and str(place.root) != "/":
            kernel.bind(place.root / "etc" / name, f"/etc/{name}")


@contextlib.contextmanager
def _alone(path):
    with open(f"{path}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _base(place, archive, id_map):
    """The folder with the unpacked template."""
    status = os.stat(archive)
    made_of = json.dumps([os.path.basename(archive), status.st_size, status.st_mtime_ns, id_map])
    base = place.bases / hashlib.sha256(made_of.encode()).hexdigest()[:12]
    place.bases.mkdir(parents=True, exist_ok=True)
    with _alone(base):
        if not base.exists():
            part = base.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            _make_root(part, id_map)
            _unpack(place, archive, part, id_map)
            part.rename(base)
    return base


def _make_root(folder, id_map):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    if id_map:
        os.chown(folder, id_map[0][2], next(outside for kind, _, outside, _ in id_map if kind == "g"))


def fill(place, config, folder, archive):
    """Makes the empty folder of a volume a root, from a template."""
    folder = pathlib.Path(folder)
    if treachery.applies(place, "create-fails", config.vmid):
        raise Died("command 'tar' failed: exit code 2")
    over = place.settings["rootfs"] == "overlay"
    base = _base(place, archive, config.id_map()) if over else None
    if over:
        (folder / NOTE).write_text(json.dumps({"base": str(base)}), encoding="utf-8")
        _make_root(folder / "delta", config.id_map())
        # LXC makes `work` beside it, as the container's root.
        _make_root(folder, config.id_map())
    else:
        _make_root(folder, config.id_map())
        _unpack(place, archive, folder, config.id_map())


class Root:
    """A container's root, to read and write while the container does not run."""

    def __init__(self, folder, config):
        self.folder = pathlib.Path(folder)
        self.config = config
        note = self.folder / NOTE
        self.base = pathlib.Path(json.loads(note.read_text(encoding="utf-8"))["base"]) if note.exists() else None
        self.upper = self.folder / "delta" if self.base else self.folder

    @property
    def lxc_path(self):
        return f"overlay:{self.base}:{self.upper}" if self.base else f"dir:{self.folder}"

    def mount(self, target):
        if self.base:
            work = self.folder / "work"
            work.mkdir(exist_ok=True)
            kernel.mount("overlay", target, "overlay", 0, f"lowerdir={self.base},upperdir={self.upper},workdir={work}")
        else:
            kernel.mount(self.folder, target, flags=4096)

    def _found(self, path):
        for top in (self.upper, self.base):
            if top and os.path.lexists(top / path):
                return top / path
        return None

    def read(self, path):
        found = self._found(path)
        # A link of the guest's could lead out of its root.
        return found.read_text(encoding="utf-8", errors="replace") if found and found.is_file() and not found.is_symlink() else ""

    def write(self, path, text, mode=0o644):
        file = self.upper / path
        missing = [parent for parent in file.parents if self.upper in parent.parents and not parent.exists()]
        for parent in reversed(missing):
            below = self.base / parent.relative_to(self.upper) if self.base else None
            parent.mkdir(mode=0o755)
            self._own(parent, below if below and below.exists() else None)
        if file.is_symlink():
            file.unlink()
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        self._own(file, None)

    def _own(self, path, like):
        if like:
            status = like.stat()
            os.chown(path, status.st_uid, status.st_gid)
            path.chmod(status.st_mode & 0o7777)
        else:
            os.chown(path, self.config.outside("u", 0), self.config.outside("g", 0))

    def write_section(self, path, lines):
        """Proxmox's own part of a file that the guest may have added to."""
        kept = re.sub(rf"{BEGIN}\n.*?{END}\n", "", self.read(path), flags=re.DOTALL)
        self.write(path, f"{BEGIN}\n{lines}{END}\n{kept}")


def set_up(root, config, networks):
    """What Proxmox writes into a guest before each start: its name, its names for others, its resolver."""
    name = config.options.get("hostname", f"CT{config.vmid}")
    root.write("etc/hostname", name + "\n")
    domains = re.split(r"[ ,;]+", config.options.get("searchdomain", ""))
    names = " ".join([f"{name}.{domain}" for domain in domains if domain] + [name])
    addresses = [net["ip"].partition("/")[0] for net in networks if net.get("ip", "dhcp") not in ("dhcp", "manual")]
    address = (addresses or ["127.0.1.1"])[0]
    found = re.sub(rf"{BEGIN}\n.*?{END}\n", "", root.read("etc/hosts"), flags=re.DOTALL)
    local = "" if re.search(r"^\s*127\.0\.0\.1\s", found, re.MULTILINE) else "127.0.0.1 localhost.localnet localhost\n"
    local += "" if re.search(r"^\s*::1\s", found, re.MULTILINE) else "::1 localhost.localnet localhost\n"
    root.write_section("etc/hosts", f"{local}{address} {names}\n")
    servers = config.options.get("nameserver", "").split()
    if servers or any(domains):
        search = f"search {' '.join(filter(None, domains))}\n" if any(domains) else ""
        lines = search + "".join(f"nameserver {server}\n" for server in servers)
    else:
        host = pathlib.Path("/etc/resolv.conf")
        lines = host.read_text(encoding="utf-8") if host.exists() else ""
    root.write("etc/resolv.conf", f"{BEGIN}\n{lines}{END}\n")
    for net in networks:
        if net.get("ip") == "dhcp":
            root.write(f"etc/systemd/network/{net['name']}.network",
                       f"[Match]\nName = {net['name']}\n\n[Network]\nDHCP = ipv4\n")


def operating_system(root):
    """The ostype that Proxmox would find."""
    found = re.search(r"^ID=\"?(\w+)", root.read("etc/os-release") or root.read("usr/lib/os-release"), re.MULTILINE)
    known = ("debian", "devuan", "ubuntu", "centos", "fedora", "opensuse", "archlinux", "alpine", "gentoo", "nixos")
    return found[1] if found and found[1] in known else "unmanaged"
