"""Real LXC containers behind the configurations: their start, their end, and what they are like meanwhile."""

import os
import pathlib
import shutil
import stat
import subprocess
import time

from standin import kernel, network, rootfs, treachery
from standin.errors import Died
from standin.properties import DEVICE, FEATURES, MOUNT, ROOTFS
from standin.schema import parse_property_string, parse_size
from standin.storage import Storages

SHARE = pathlib.Path("/usr/share/lxc/config")
BECOME = pathlib.Path(__file__).resolve().parent.parent / "pve-container"
START_TIMEOUT_S = 60


def mounts(options):
    """(key, parsed) of each mpN, in order."""
    return [(f"mp{n}", parse_property_string(options[f"mp{n}"], MOUNT)) for n in range(256) if f"mp{n}" in options]


def devices(options):
    return [(f"dev{n}", parse_property_string(options[f"dev{n}"], DEVICE)) for n in range(256) if f"dev{n}" in options]


def kind_of(volume):
    if volume.startswith("/dev/"):
        return "device"
    return "bind" if volume.startswith("/") else "volume"


def device_numbers(path):
    """Mode and numbers of a device of the host, in Proxmox's words where there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise Died(f"Device {path} does not exist") from None
    if not (stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode)):
        raise Died(f"{path} is not a device")
    return status


def unified():
    return os.path.exists("/sys/fs/cgroup/cgroup.controllers")


class Containers:
    def __init__(self, place):
        self.place = place
        self.storages = Storages(place)

    def _lxc(self, tool, vmid, *argv, timeout=None):
        return subprocess.run([f"lxc-{tool}", "-P", str(self.place.lxc), "-n", str(vmid), *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=timeout)

    def pid(self, vmid):
        """Of the container's init, or None."""
        if not (self.place.lxc / str(vmid) / "config").exists():
            return None
        said = self._lxc("info", vmid, "-pH").stdout.strip()
        return int(said) if said else None

    def _ended(self, vmid):
        """LXC's own process is gone, too: it outlives the container's init for a moment, and stands in the way of a start."""
        return self._lxc("info", vmid, "-sH").stdout.strip() in ("", "STOPPED")

    def root(self, config):
        volume = parse_property_string(config.options["rootfs"], ROOTFS)["volume"]
        path = volume if volume.startswith("/") else self.storages.path(volume)
        return rootfs.Root(path, config)

    def source(self, mount):
        """The folder behind an mpN; a missing one is an error, one on which nothing is mounted is not (trap 7)."""
        if kind_of(mount["volume"]) == "volume":
            storage, name = self.storages.split(mount["volume"])
            storage.activate()
            path = storage.path(name)
        else:
            path = mount["volume"]
            if os.path.realpath(path) != os.path.normpath(path) and kind_of(path) == "bind":
                raise Died(f"symlink encountered at: {path}")
        if not os.path.isdir(path) and kind_of(mount["volume"]) != "device":
            raise Died(f"directory '{mount['volume']}' does not exist")
        return path

    # How LXC is told.

    def _nodes(self, vmid):
        return self.place.lxc / str(vmid) / "passthrough"

    def _make_node(self, config, device):
        """A node of its own for the container, with the owner and mode that the configuration wants.

        Only in a process whose mounts are its own, on whose `_nodes` a tmpfs is mounted.
        """
        status = device_numbers(device["path"])
        node = self._nodes(config.vmid) / device["path"].lstrip("/")
        node.parent.mkdir(parents=True, exist_ok=True)
        os.mknod(node, stat.S_IFMT(status.st_mode) | 0o600, status.st_rdev)
        os.chown(node, config.outside("u", int(device.get("uid", 0))), config.outside("g", int(device.get("gid", 0))))
        node.chmod(int(device.get("mode", "0660"), 8))
        return node

    def _room_for_nodes(self, vmid):
        self._nodes(vmid).mkdir(parents=True, exist_ok=True)
        kernel.mount("none", self._nodes(vmid), "tmpfs", 0, "mode=755,size=64k")

    def _limits(self, options):
        memory = int(options.get("memory", 512)) * 1024 ** 2
        lines = [f"lxc.cgroup2.memory.max = {memory}" if unified() else f"lxc.cgroup.memory.limit_in_bytes = {memory}"]
        cores = int(options.get("cores", 0))
        if 0 < cores < (os.cpu_count() or 1):
            lines.append(f"lxc.cgroup{'2' if unified() else ''}.cpuset.cpus = 0{f'-{cores - 1}' if cores > 1 else ''}")
        return lines

    def _seccomp(self, config, features, folder):
        """Without the feature, an unprivileged container finds no keyctl."""
        if not config.unprivileged or features.get("keyctl") == "1":
            return []
        file = folder / "rules.seccomp"
        file.write_text((SHARE / "common.seccomp").read_text(encoding="utf-8") + "keyctl errno 38\n", encoding="utf-8")
        return [f"lxc.seccomp.profile = {file}"]

    def _stage(self, config, key):
        return self.place.lxc / str(config.vmid) / "stage" / key

    def _mount_lines(self, config):
        escape = str.maketrans({" ": r"\040", "\t": r"\011"})
        missing = treachery.applies(self.place, "bind-missing", config.vmid)
        for key, mount in mounts(config.options):
            if missing and kind_of(mount["volume"]) == "bind":
                continue
            self.source(mount)
            flags = "bind,create=dir" + (",ro" if mount.get("ro") == "1" else "")
            staged = str(self._stage(config, key)).translate(escape)
            yield f"lxc.mount.entry = {staged} {mount['mp'].strip('/').translate(escape)} none {flags} 0 0"
        for _, device in devices(config.options):
            if not treachery.applies(self.place, "device-missing", config.vmid):
                status = device_numbers(device["path"])
                node = self._nodes(config.vmid) / device["path"].lstrip("/")
                yield f"lxc.mount.entry = {node} {device['path'].lstrip('/')} none bind,create=file 0 0"
                if not config.unprivileged:
                    letter = "b" if stat.S_ISBLK(status.st_mode) else "c"
                    may = "r" if device.get("deny-write") == "1" else "rw"
                    allow = f"{letter} {os.major(status.st_rdev)}:{os.minor(status.st_rdev)} {may}"
                    yield f"lxc.cgroup{'2' if unified() else ''}.devices.allow = {allow}"

    def write_lxc_config(self, config):
        vmid, options = config.vmid, config.options
        folder = self.place.lxc / str(vmid)
        (folder / "rootfs").mkdir(parents=True, exist_ok=True)
        features = parse_property_string(options.get("features", ""), FEATURES)
        lines = [f"lxc.include = {SHARE}/common.conf"]
        if config.unprivileged:
            lines.append(f"lxc.include = {SHARE}/userns.conf")
            lines.append("lxc.mount.auto = sys:mixed")
        if features.get("nesting") == "1":
            lines.append(f"lxc.include = {SHARE}/nesting.conf")
        lines += ["lxc.apparmor.profile = unconfined", "lxc.arch = amd64", "lxc.monitor.unshare = 1", "lxc.console.path = none",
                  # Its folder is made together with the console's, which there is none of.
                  "lxc.tty.dir =", "lxc.environment = TERM=linux", f"lxc.uts.name = {options.get('hostname', f'CT{vmid}')}",
                  f"lxc.rootfs.path = {self.root(config).lxc_path}"]
        if not any(key == "lxc.idmap" for key, _ in config.raw):
            lines += [f"lxc.idmap = {kind} {inside} {outside} {count}" for kind, inside, outside, count in config.id_map()]
        # Groups for each host: LXC leaves some behind, and the next container of the number would stumble over them.
        lines += [f"lxc.cgroup.dir.monitor = {self.place.groups}/monitor/{vmid}",
                  f"lxc.cgroup.dir.container = {self.place.groups}/{vmid}"]
        lines += self._limits(options) + self._seccomp(config, features, folder) + list(self._mount_lines(config))
        for number, net in network.all_of(options):
            lines += network.lxc_lines(self.place, vmid, number, net)
        if treachery.applies(self.place, "start-dies", vmid):
            lines.append("lxc.init.cmd = /bin/sleep 0.3")
        elif "entrypoint" in options:
            lines.append(f"lxc.init.cmd = {options['entrypoint']}")
        lines += [f"{key} = {value}" for key, value in config.raw]
        (folder / "config").write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    # Life.

    def _log(self, vmid):
        return self.place.root / f"run/pve/ct-{vmid}.stderr"

    def _lxc_start(self, vmid):
        return ["lxc-start", "-P", str(self.place.lxc), "-n", str(vmid), "-l", "INFO", "-o", str(self._log(vmid))]

    def become(self, config):
        """Becomes LXC, which goes on in the background once the container has started."""
        self._in_place(config)
        argv = self._lxc_start(config.vmid)
        os.execvp(argv[0], argv)

    def _in_place(self, config):
        """In the process that becomes LXC: namespaces as a container's host has them.

        Binds are made here, since a user namespace may not bind a folder without what is mounted below it.
        """
        rootfs.with_ids(self.place)
        if self.place.netns:
            kernel.own_sysfs()
        for key, mount in mounts(config.options):
            if os.path.isdir(self.source(mount)):
                stage = self._stage(config, key)
                stage.mkdir(parents=True, exist_ok=True)
                kernel.bind(self.source(mount), stage, below=False)
        self._room_for_nodes(config.vmid)
        if not treachery.applies(self.place, "device-missing", config.vmid):
            for _, device in devices(config.options):
                self._make_node(config, device)

    def start(self, config):
        vmid = config.vmid
        log = self._log(vmid)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        try:
            if treachery.applies(self.place, "start-fails", vmid):
                raise Died("the switch 'start-fails' is thrown")
            rootfs.set_up(self.root(config), config, [net for _, net in network.all_of(config.options)])
            self.write_lxc_config(config)
        except (Died, OSError) as failure:
            # What the hook before the start says goes to the log only; the task's text is LXC's (trap 7).
            log.write_text(f"{getattr(failure, 'text', failure)}\n", encoding="utf-8")
            raise Died(f'run_buffer: 571 Script exited with status 2\nlxc_init: 845 Failed to run lxc.hook.pre-start for '
                       f'container "{vmid}"\n__lxc_start: 2034 Failed to initialize container "{vmid}"\n'
                       f"startup for container '{vmid}' failed") from None
        for group in (f"monitor/{vmid}", vmid):
            kernel.remove_groups(f"{self.place.groups}/{group}")
        # On a real host it is systemd that starts it, as pve-container@ID: without what limits the caller.
        argv, prepare = (["systemd-run", "--quiet", "--collect", "--service-type=forking", str(BECOME), str(vmid)], None) \
            if str(self.place.root) == "/" else (self._lxc_start(vmid), lambda: self._in_place(config))
        try:
            subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
                           timeout=START_TIMEOUT_S, preexec_fn=prepare)
        except subprocess.SubprocessError:
            raise Died(f"startup for container '{vmid}' failed") from None
        for number, net in network.all_of(config.options):
            network.after_start(self.place, vmid, number, net)

    def _gone(self, vmid, seconds):
        end = time.monotonic() + seconds
        while not self._ended(vmid):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def kill(self, vmid):
        self._lxc("stop", vmid, "--kill")
        if not self._gone(vmid, 10):
            raise Died("container did not stop")

    def shut_down(self, vmid, timeout, force):
        if treachery.applies(self.place, "shutdown-ignored", vmid):
            if not force:
                time.sleep(min(timeout, 1))
                raise Died("container did not stop")
            return self.kill(vmid)
        self._lxc("stop", vmid, *([] if force else ["--nokill"]), "--timeout", str(timeout))
        if not self._gone(vmid, 5 if force else 1):
            raise Died("container did not stop")
        return None

    def forget(self, vmid):
        shutil.rmtree(self.place.lxc / str(vmid), ignore_errors=True)

    def attach(self, vmid, argv, keep_environment):
        """Becomes the command in the container."""
        os.execvp("lxc-attach", ["lxc-attach", "-P", str(self.place.lxc), "-n", str(vmid),
                                 "--keep-env" if keep_environment else "--clear-env", "--", *argv])

    def limit(self, vmid, name, value):
        """Changes a limit of the running container."""
        done = self._lxc("cgroup", vmid, name, str(value))
        if done.returncode != 0:
            raise Died(f"unable to change {name}: {done.stderr.strip()}")

    # Changes of mounts and devices while it runs.

    def _insert(self, config, take, target, is_folder):
        """Two steps: what it lies over is made by the container's own root, and what `take` takes is placed by this host's."""
        pid = self.pid(config.vmid)
        spaces = f"/proc/{pid}/ns"

        def prepare():
            user = os.open(f"{spaces}/user", os.O_RDONLY) if config.unprivileged else None
            kernel.setns(f"{spaces}/mnt", kernel.CLONE_NEWNS)
            if user is not None:
                kernel.setns(user, kernel.CLONE_NEWUSER)
                os.setgid(0)
                os.setuid(0)
            os.makedirs(target if is_folder else os.path.dirname(target), exist_ok=True)
            if not is_folder and not os.path.exists(target):
                pathlib.Path(target).touch()

        def insert():
            tree = take()
            kernel.setns(f"{spaces}/mnt", kernel.CLONE_NEWNS)
            kernel.place_tree(tree, os.open(target, os.O_PATH))
        for step in (prepare, insert):
            if failure := kernel.in_child(step):
                raise Died(failure)

    def insert_mount(self, config, mount):
        source = self.source(mount)
        if not (treachery.applies(self.place, "bind-missing", config.vmid) and kind_of(mount["volume"]) == "bind"):
            self._insert(config, lambda: kernel.take_tree(source), mount["mp"], True)

    def insert_device(self, config, device):
        def take():
            kernel.own_mounts()
            self._room_for_nodes(config.vmid)
            return kernel.take_tree(self._make_node(config, device))
        if not treachery.applies(self.place, "device-missing", config.vmid):
            self._insert(config, take, device["path"], False)

    # What it is like.

    def _group_number(self, pid, controller, name, name2):
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            groups = {line.split(":")[1]: line.strip().split(":", 2)[2] for line in file}
        path = f"/sys/fs/cgroup{groups.get('', '')}/{name2}" if unified() else \
            f"/sys/fs/cgroup/{controller}{groups.get(controller, '')}/{name}"
        try:
            with open(path, encoding="utf-8") as file:
                return int(file.read())
        except (OSError, ValueError):
            return 0

    def status(self, config):
        """As the API tells it; without the numbers of the past, which Proxmox has from its statistics."""
        options = config.options
        pid = self.pid(config.vmid)
        entry = {"vmid": config.vmid, "type": "lxc", "status": "running" if pid else "stopped",
                 "name": options.get("hostname", f"CT{config.vmid}"), "cpu": 0, "mem": 0, "swap": 0, "uptime": 0, "disk": 0,
                 "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0,
                 "maxmem": int(options.get("memory", 512)) * 1024 ** 2, "maxswap": int(options.get("swap", 0)) * 1024 ** 2,
                 "cpus": int(options["cores"]) if "cores" in options else options.get("cpulimit") or os.cpu_count(),
                 "maxdisk": 4 * 1024 ** 3}
        if "rootfs" in options:
            size = parse_property_string(options["rootfs"], ROOTFS).get("size")
            entry["maxdisk"] = parse_size(size) if size else entry["maxdisk"]
        entry.update({key: options[key] for key in ("tags", "lock") if key in options})
        if options.get("template") == "1":
            entry["template"] = 1
        if pid:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                started = int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
            with open("/proc/uptime", encoding="utf-8") as file:
                entry["uptime"] = int(float(file.read().split()[0]) - started)
            found = os.statvfs(f"/proc/{pid}/root")
            entry.update(pid=pid, disk=(found.f_blocks - found.f_bfree) * found.f_frsize,
                         mem=self._group_number(pid, "memory", "memory.usage_in_bytes", "memory.current"))
            entry["netin"], entry["netout"] = network.counters(config.vmid)
            if self.place.major >= 9:
                entry.update({f"pressure{what}{how}": "0.00" for what in ("cpu", "io", "memory") for how in ("some", "full")})
                entry["pressurecpufull"] = 0
        return entry
