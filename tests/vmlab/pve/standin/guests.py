"""What the commands do with containers, each under the lock of the configuration."""

import os
import pathlib
import subprocess
import sys

from standin import network, rootfs, treachery
from standin.changes import Changes, make_disk, volumes
from standin.config import Config, Store
from standin.containers import Containers, kind_of
from standin.errors import BadRequest, Died, NotImitated
from standin.properties import CONFIG, ROOTFS
from standin.schema import parse_property_string, split_list
from standin.storage import CONTENT_DIRS


class Guests:
    def __init__(self, place):
        network.enter(place)
        self.place = place
        self.store = Store(place)
        self.containers = Containers(place)

    def running(self, vmid):
        return self.containers.pid(vmid) is not None

    def must_run(self, vmid):
        if not self.running(vmid):
            raise Died(f"CT {vmid} not running")

    # Configuration.

    def set(self, values):
        values = dict(values)
        vmid, digest = values.pop("vmid"), values.pop("digest", None)
        delete, revert = (split_list(values.pop(name, "")) for name in ("delete", "revert"))
        if not (values or delete or revert):
            raise Died("no options specified")
        with self.store.locked(vmid):
            config = self.store.load(vmid)
            config.check_lock()
            if digest and digest != config.digest:
                raise Died("detected modified configuration - file changed by other user? Try again.")
            for what, names in (("revert", revert), ("delete", delete)):
                for name in names:
                    if name not in CONFIG:
                        raise BadRequest(errors={what: f"unknown option '{name}'"})
                    if name in values:
                        raise BadRequest(errors={what: f"you can't use '-{name}' and -{what} {name}' at the same time"})
            changes = Changes(self.containers, config)
            changes.request(values, delete, revert)
            touched = {*values, *delete}
            if self.running(vmid):
                changes.hotplug(touched)
            else:
                changes.apply(touched)
            changes.finish()
            self.store.save(config)

    # Life.

    def start(self, vmid, skip_lock=False):
        with self.store.locked(vmid):
            config = self.store.load(vmid)
            if config.options.get("template") == "1":
                raise Died("you can't start a CT if it's a template")
            if not skip_lock and config.options.get("lock") != "mounted":
                config.check_lock()
            self._start(config)

    def _start(self, config):
        if config.pending.options:
            changes = Changes(self.containers, config)
            changes.apply()
            self.store.save(config)
        self.containers.start(config)

    def stop(self, vmid, skip_lock=False):
        with self.store.locked(vmid):
            config = self.store.load(vmid)
            if not skip_lock and config.options.get("lock") != "mounted":
                config.check_lock()
            self.containers.kill(vmid)

    def shut_down(self, vmid, timeout, force):
        with self.store.locked(vmid):
            self.store.load(vmid).check_lock()
            self.containers.shut_down(vmid, timeout, force)

    def reboot(self, vmid, timeout):
        with self.store.locked(vmid):
            if self.running(vmid):
                self.containers.shut_down(vmid, timeout, True)
                self._start(self.store.load(vmid))

    # Beginning and end.

    def _archive(self, template):
        """The file of a template, by its volume id or its path."""
        if template.startswith("/"):
            path = template
        else:
            storage, name = self.containers.storages.split(template)
            if name.partition("/")[0] not in CONTENT_DIRS:
                raise Died(f"unable to parse directory volume name '{name}'")
            if not name.startswith("vztmpl/"):
                raise Died(f"unable to use volume {template} - content type needs to be 'vztmpl'")
            path = storage.path(name)
        return path

    def prepare_create(self, values):
        """All that Proxmox refuses before it begins a task; the configuration is there afterwards, with a lock."""
        values = dict(values)
        vmid = values.pop("vmid")
        for name in ("restore", "ha-managed", "hookscript", "env"):
            if name in values:
                raise NotImitated(f"pct create --{name}")
        unprivileged = values.pop("unprivileged", "1" if self.place.major >= 9 else "0")
        self.store.check_unused(vmid)
        storage = values.pop("storage", "local")
        work = {name: values.pop(name, None) for name in ("ostemplate", "password", "ssh-public-keys", "start")}
        for name in ("force", "unique", "pool", "bwlimit", "ignore-unpack-errors"):
            values.pop(name, None)
        if work["ssh-public-keys"]:
            work["ssh-public-keys"] = self._keys(work["ssh-public-keys"])
        work["archive"] = self._archive(work["ostemplate"])
        disks = {name: f"{storage}:{value}" if value.replace(".", "", 1).isdigit() else value
                 for name, value in values.items() if name == "rootfs" or name.startswith("mp")}
        if disks and "rootfs" not in disks:
            raise Died("mount points configured, but 'rootfs' not set - aborting")
        for _, volume in volumes(disks):
            self.containers.storages.for_roots(self.containers.storages.split(volume)[0].name)
        if not disks:
            self.containers.storages.for_roots(storage)
            disks = {"rootfs": f"{storage}:4"}
        config = Config(vmid)
        changes = Changes(self.containers, config)
        changes.request({name: value for name, value in values.items() if name not in disks})
        changes.apply()
        changes.finish()
        if unprivileged == "1":
            config.options["unprivileged"] = "1"
        locked = Config(vmid)
        locked.options["lock"] = "create"
        with self.store.locked(vmid):
            self.store.check_unused(vmid)
            self.store.save(locked)
        return config, disks, work

    def _keys(self, file):
        try:
            text = pathlib.Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise BadRequest(errors={"ssh-public-keys": f"can't open '{file}' - {error.strerror}"}) from None
        for line in text.splitlines():
            if line.strip() and not line.startswith("#") and len(line.split()) < 2:
                raise Died("SSH public key validation error")
        return text

    def create(self, task, config, disks, work):
        vmid = config.vmid
        made = []
        try:
            with self.store.locked(vmid):
                for name, text in sorted(disks.items(), key=lambda item: (item[0] != "rootfs", item[0])):
                    config.options[name] = make_disk(self.containers, vmid, name, text)
                    made += [volume for _, volume in volumes({name: config.options[name]})]
                for volume in made:
                    os.chown(self.containers.storages.path(volume), config.outside("u", 0), config.outside("g", 0))
                folder = parse_property_string(config.options["rootfs"], ROOTFS)["volume"]
                if kind_of(folder) == "volume":
                    folder = self.containers.storages.path(folder)
                task.say(f"extracting archive '{work['archive']}'")
                if not os.path.exists(work["archive"]):
                    raise Died(f"failed to open '{work['archive']}': No such file or directory")
                if treachery.applies(self.place, "create-leaves-half", vmid):
                    os.makedirs(f"{folder}/etc", exist_ok=True)
                    raise _Killed
                rootfs.fill(self.place, config, folder, work["archive"])
                root = self.containers.root(config)
                config.options.setdefault("ostype", rootfs.operating_system(root))
                config.options.setdefault("arch", "amd64")
                self._first_users(root, work)
                for name, value in (("hostname", f"CT{vmid}"), ("memory", "512"), ("swap", "512")):
                    config.options.setdefault(name, value)
                self.store.save(config)
        except _Killed:
            raise Died("received interrupt") from None
        except (Died, OSError) as failure:
            for volume in made:
                storage, name = self.containers.storages.split(volume)
                storage.free(name)
            self.store.file(vmid).unlink(missing_ok=True)
            raise Died(f"unable to create CT {vmid} - {getattr(failure, 'text', failure)}") from None
        if work["start"] == "1":
            self.start(vmid)

    def _first_users(self, root, work):
        if work["password"]:
            said = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=work["password"], stdout=subprocess.PIPE,
                                  text=True, check=True).stdout.strip()
            lines = [f"root:{said}:{line.split(':', 2)[2]}" if line.startswith("root:") else line
                     for line in root.read("etc/shadow").splitlines()]
            root.write("etc/shadow", "".join(line + "\n" for line in lines), 0o640)
        if work["ssh-public-keys"]:
            root.write("root/.ssh/authorized_keys", work["ssh-public-keys"], 0o600)

    def check_destroy(self, vmid, force):
        config = self.store.load(vmid)
        config.check_protection(f"can't remove CT {vmid}")
        config.check_lock()
        if not force and self.running(vmid):
            raise Died(f"unable to destroy CT {vmid} - container is running")
        return config

    def destroy(self, task, vmid, force, purge):
        with self.store.locked(vmid):
            config = self.check_destroy(vmid, force)
            if self.running(vmid):
                print(f"forced to stop CT {vmid} before destroying!", file=sys.stderr)
                self.containers.kill(vmid)
            # All of them go, mpN and unusedN too (trap 12); binds are left alone.
            freed = set()
            for section in (config, config.pending):
                for _, volume in volumes(section.options, unused=True):
                    storage, name = self.containers.storages.split(volume)
                    if volume not in freed and os.path.exists(storage.path(name)):
                        storage.free(name)
                    freed.add(volume)
            self.containers.forget(vmid)
            (self.place.etc / "firewall" / f"{vmid}.fw").unlink(missing_ok=True)
            if purge:
                task.say(f"purging CT {vmid} from related configurations..")
            self.store.file(vmid).unlink()

    # The root on the host, while the container does not run.

    def mount_point(self, vmid):
        return self.place.lxc / str(vmid) / "rootfs"

    def mount_all(self, config):
        target = self.mount_point(config.vmid)
        target.mkdir(parents=True, exist_ok=True)
        self.containers.root(config).mount(target)
        return target

    def unmount_all(self, vmid):
        subprocess.run(["umount", "--recursive", str(self.mount_point(vmid))], stderr=subprocess.DEVNULL, check=False)


class _Killed(Exception):
    """The switch that ends a creation in its middle."""
