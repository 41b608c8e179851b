"""Making a host for the stand-in to play, in a folder and a network namespace, or for real in a machine; and its end."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from standin import kernel, network
from standin.config import Store
from standin.containers import Containers
from standin.errors import Died
from standin.place import ROOT_VARIABLE, Place
from standin.storage import has_pool

PROGRAMS = ("pct", "pvesh", "pvesm", "pveam", "qm", "pveversion", "pve-onboot")
HOME = pathlib.Path(__file__).resolve().parent.parent


def _storages(root, mountpoint="/rpool/data"):
    root = str(root).rstrip("/")
    return (f"dir: local\n\tpath {root}/var/lib/vz\n\tcontent iso,vztmpl,backup,snippets\n\n"
            f"zfspool: local-zfs\n\tpool rpool/data\n\tcontent images,rootdir\n\tmountpoint {root}{mountpoint}\n\tsparse 1\n")


def make(root, netns=None, bridges=(), **settings):
    """A host in a folder. Each of `bridges` is made in the network namespace, which is made if it is not there."""
    root = pathlib.Path(root).absolute()
    place = Place(root)
    place.settings_file.parent.mkdir(parents=True, exist_ok=True)
    place.settings_file.write_text(json.dumps({"netns": netns, "vlan_aware": False, **settings}, indent=1), encoding="utf-8")
    place = Place(root)
    place.make()
    storages = place.etc / "storage.cfg"
    if not storages.exists():
        storages.write_text(_storages(root), encoding="utf-8")
        (root / "rpool/data").mkdir(parents=True, exist_ok=True)
        (root / "var/lib/vz/template/cache").mkdir(parents=True, exist_ok=True)
    wrappers = root / "bin"
    wrappers.mkdir(exist_ok=True)
    for name in PROGRAMS:
        file = wrappers / name
        file.write_text(f'#!/bin/sh\n{ROOT_VARIABLE}={root} exec {sys.executable} {HOME / name} "$@"\n', encoding="utf-8")
        file.chmod(0o755)
    if netns:
        _make_network(netns, bridges)
    return place


def _make_network(netns, bridges):
    if not os.path.exists(f"/run/netns/{netns}"):
        network.ip("netns", "add", netns)
        network.ip("-n", netns, "link", "set", "lo", "up")
    for name in bridges:
        network.ip("-n", netns, "link", "add", name, "type", "bridge")
        network.ip("-n", netns, "link", "set", name, "up")


def install(sbin="/usr/sbin"):
    """In a machine of its own: the programs on its path, /etc/pve as a plain folder."""
    place = Place("/")
    place.make()
    storages = place.etc / "storage.cfg"
    if not storages.exists():
        found = "/rpool/data"
        if has_pool("rpool/data"):
            found = subprocess.run(["zfs", "get", "-H", "-o", "value", "mountpoint", "rpool/data"], stdout=subprocess.PIPE,
                                   text=True, check=True).stdout.strip()
        storages.write_text(_storages("/", found), encoding="utf-8")
        for folder in (found, "/var/lib/vz/template/cache"):
            os.makedirs(folder, exist_ok=True)
    for name in PROGRAMS:
        link = pathlib.Path(sbin) / name
        link.unlink(missing_ok=True)
        link.symlink_to(HOME / name)
    return place


def _monitors(place):
    """LXC's own processes of this host's containers: by the path in their command lines, which is nobody else's."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            if line.startswith(f"[lxc monitor] {place.lxc} "):
                yield int(folder.name)


def remove(root):
    """Ends the containers, and removes the network and the folder; what is not there does not matter."""
    place = Place(root)
    if str(place.root) == "/" or not place.settings_file.exists():
        raise Died(f"'{root}' is no scene")
    with contextlib.suppress(Died):
        if place.netns and os.path.exists(f"/run/netns/{place.netns}"):
            kernel.in_child(lambda: _end_containers(place))
    for pid in _monitors(place):
        os.kill(pid, signal.SIGKILL)
    for _ in range(100):
        if not list(_monitors(place)):
            break
        time.sleep(0.05)
    for line in reversed(pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines()):
        target = line.split()[1]
        if target.startswith(f"{place.root}/"):
            subprocess.run(["umount", "--lazy", target], stderr=subprocess.DEVNULL, check=False)
    if place.netns and os.path.exists(f"/run/netns/{place.netns}"):
        network.ip("netns", "del", place.netns, must=False)
    kernel.remove_groups(place.groups)
    shutil.rmtree(place.root)


def _end_containers(place):
    network.enter(place)
    containers = Containers(place)
    for vmid in Store(place).ids():
        if containers.pid(vmid):
            containers.kill(vmid)


def enter(root, argv):
    """Becomes a program for which the machine is this host: its network, its /etc/pve, its programs first on the path.

    What the program changes below /etc and /var/lib stays in the host's own folders.
    """
    place = Place(root)
    kernel.own_mounts()
    if place.netns:
        network.enter(place)
        kernel.own_sysfs()
    for folder in ("etc", "var/lib"):
        work = place.root / f"{folder.replace('/', '-')}.work"
        work.mkdir(exist_ok=True)
        kernel.mount("overlay", f"/{folder}", "overlay", 0, f"lowerdir=/{folder},upperdir={place.root}/{folder},workdir={work}")
    # Over it once more: the commands write there past the overlay, which must not go unnoticed.
    kernel.bind(place.etc, "/etc/pve")
    kernel.bind(place.root / "bin", "/usr/local/sbin")
    kernel.bind(place.lxc, "/var/lib/lxc")
    index = place.root / "var/lib/pve-manager"
    index.mkdir(exist_ok=True)
    kernel.bind(index, "/var/lib/pve-manager")
    os.environ[ROOT_VARIABLE] = str(place.root)
    os.execvp(argv[0], argv)


def on_boot(place, say):
    """Starts what is to start with the host, as pve-guests does: by order, those without one last."""
    from standin import tasks
    from standin.guests import Guests
    guests = Guests(place)
    waiting = []
    for vmid in guests.store.ids():
        options = guests.store.load(vmid).options
        if options.get("onboot") == "1" and options.get("template") != "1":
            wishes = dict(part.split("=") if "=" in part else ("order", part)
                          for part in options.get("startup", "").split(",") if part.strip())
            waiting.append((int(wishes.get("order", 10 ** 9)), vmid, int(wishes.get("up", 0))))
    for _, vmid, delay_s in sorted(waiting):
        if guests.running(vmid):
            continue
        say(f"Starting CT {vmid}")
        tasks.run(place, "vzstart", vmid, lambda task, vmid=vmid: guests.start(vmid))
        # As a test's host has no minute to lose, the wait is a tenth of what is asked for.
        time.sleep(delay_s / 10)
    return 0
