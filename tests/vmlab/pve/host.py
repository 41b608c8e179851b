"""A Proxmox host for tests: the stand-in's commands, real containers, and bridges in a network namespace of its own."""

import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from bed import cache  # noqa: E402
from bed.suites import SUITES, sources  # noqa: E402
from standin import scene, treachery  # noqa: E402

Ended = collections.namedtuple("Ended", "code out err")
TEMPLATE = SUITES["bookworm"].template
NEEDED = {"lxc-start": "lxc", "newuidmap": "uidmap", "ip": "iproute2", "zstd": "zstd"}
PATIENCE_S = 60
ROOM_B = 2 << 30


def work_folder():
    """Where hosts are made: in memory where there is room, since unpacked systems are many small files."""
    memory = "/dev/shm"
    roomy = os.path.ismount(memory) and shutil.disk_usage(memory).free > ROOM_B
    return memory if roomy and "TMPDIR" not in os.environ else None


def why_not():
    """Why containers cannot run here, or None."""
    if os.geteuid() != 0:
        return "containers need root"
    missing = [package for tool, package in NEEDED.items() if shutil.which(tool) is None]
    if missing:
        return f"this needs {', '.join(missing)}: apt-get install {' '.join(missing)}"
    if not os.path.ismount("/sys/fs/cgroup"):
        return "there are no control groups on this machine"
    tried = subprocess.run(["unshare", "--mount", "--net", "mount", "-t", "sysfs", "sysfs", "/sys"], stderr=subprocess.PIPE,
                           text=True, check=False)
    return f"no namespaces of one's own here: {tried.stderr.strip()}" if tried.returncode else None


def template():
    """A small Debian with systemd as Proxmox's templates are; made once, kept with the machines' images."""
    suite = SUITES["bookworm"]
    maker = cache.IMAGE / "container.sh"
    path = cache.folder() / f"container-{suite.name}-{cache.fingerprint(maker)}.tar.zst"
    with cache.locked(path):
        if not path.exists():
            listed = path.with_name(path.name + ".sources")
            listed.write_text(sources(suite), encoding="utf-8")
            cache.make(path, [str(maker), suite.name, str(listed), str(path)], f"{path}.log")
    return path


class Host:
    """Made anew; `close` ends its containers and removes all of it, whatever happened before.

    `folder` is for what a test gives to containers: nothing below /dev, which Proxmox takes for a device.
    `shared` is a folder for what several hosts may have in common: the shelf with the template, and what was unpacked.
    """

    def __init__(self, shared, bridges=("vmbr0v20", "vmbr0v60"), **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="relab-pve-"))
        self.root = pathlib.Path(work_folder() or self.folder) / f"{self.folder.name}-host"
        self.netns = self.folder.name
        self.folder.chmod(0o755)
        shared = pathlib.Path(shared)
        shelf = shared / "shelf"
        shelf.mkdir(exist_ok=True)
        shared.chmod(0o755)
        if not (shelf / TEMPLATE).exists():
            os.link(template(), shelf / TEMPLATE) if shared.stat().st_dev == template().stat().st_dev else \
                shutil.copy2(template(), shelf / TEMPLATE)
        try:
            self.place = scene.make(self.root, self.netns, bridges, shelf=str(shelf), bases=str(shared / "bases"), **settings)
        except BaseException:
            self.close()
            raise

    def close(self):
        if (self.root / "etc/pve-standin.json").exists():
            scene.remove(self.root)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *words, standard_input=""):
        """One of Proxmox's programs, or any other for which this machine is the host."""
        argv = [str(self.root / "bin" / program)] if (self.root / "bin" / program).exists() else \
            [sys.executable, str(HERE / "pve-standin"), "enter", str(self.root), program]
        ended = subprocess.run([*argv, *map(str, words)], input=standard_input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, check=False, timeout=PATIENCE_S)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def pct(self, *words):
        return self.run("pct", *words)

    def must(self, program, *words):
        """What it printed; anything but success is a failure of the test."""
        ended = self.run(program, *words)
        assert ended.code == 0, f"{program} {' '.join(map(str, words))}: {ended}"
        return ended.out

    def get_template(self):
        """The template on the storage `local`, without the ceremony of pveam; its volume id."""
        target = self.root / "var/lib/vz/template/cache" / TEMPLATE
        if not target.exists():
            target.symlink_to(pathlib.Path(self.place.shelf) / TEMPLATE)
        return f"local:vztmpl/{TEMPLATE}"

    def create(self, vmid, *words, start=False):
        """An unprivileged container, unless the words say otherwise."""
        defaults = {"--rootfs": "local-zfs:1", "--unprivileged": "1", "--memory": "256"}
        options = [word for name, value in defaults.items() if name not in words for word in (name, value)]
        self.must("pct", "create", vmid, self.get_template(), *options, *words)
        if start:
            self.must("pct", "start", vmid)

    def wait_until_up(self, vmid):
        """systemd has started everything. Without privileges one mount is refused, hence `degraded`."""
        end = time.monotonic() + PATIENCE_S
        while (said := self.pct("exec", vmid, "--", "systemctl", "is-system-running").out.strip()) not in ("running", "degraded"):
            assert time.monotonic() < end, f"container {vmid} is {said} after {PATIENCE_S} s"
            time.sleep(0.1)
        return said

    def throw(self, switch, argument=""):
        treachery.throw(self.place, switch, str(argument))

    def take_back(self, switch):
        treachery.take_back(self.place, switch)

    def conf(self, vmid):
        return self.root / f"etc/pve/lxc/{vmid}.conf"
