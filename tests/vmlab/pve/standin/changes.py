"""Changes of a configuration: what waits for a restart, what is taken over at once, and what a running container gets.

The rules are those of update_pct_config, vmconfig_hotplug_pending and vmconfig_apply_pending in PVE/LXC/Config.pm.
"""

import re
import sys

from standin import network, treachery
from standin.containers import device_numbers, kind_of, unified
from standin.errors import BadRequest, Died, NotImitated
from standin.properties import AT_ONCE, DEVICE, MOUNT, ROOTFS, UNUSED
from standin.schema import format_size, parse_property_string, print_property_string, split_list
from standin.storage import NEW_DISK


class _Skip(Exception):
    """It cannot be changed while the container runs."""


def volume_properties(key):
    return ROOTFS if key == "rootfs" else UNUSED if key.startswith("unused") else MOUNT


def volumes(options, unused=False):
    """(key, volid) of each volume of a section; neither binds nor devices."""
    for key in sorted(options):
        if key == "rootfs" or re.fullmatch(r"mp\d+", key) or (unused and re.fullmatch(r"unused\d+", key)):
            volume = parse_property_string(options[key], volume_properties(key))["volume"]
            if kind_of(volume) == "volume":
                yield key, volume


def _add_unused(config, volume):
    in_use = [volid for section in (config, config.pending, *config.snapshots.values())
              for _, volid in volumes(section.options, unused=True)]
    if volume not in in_use:
        number = next(n for n in range(256) if f"unused{n}" not in config.options)
        config.options[f"unused{number}"] = volume


def make_disk(containers, vmid, key, text):
    """`STORAGE:GIB,...` becomes a volume; the text that is stored."""
    values = parse_property_string(text, volume_properties(key))
    found = NEW_DISK.fullmatch(values["volume"])
    if found:
        size = int(float(found[2]) * 1024 ** 2) * 1024
        values["volume"] = containers.storages.for_roots(found[1]).allocate(vmid, size)
        values["size"] = format_size(size)
    return print_property_string(values, volume_properties(key))


class Changes:
    def __init__(self, containers, config):
        self.containers = containers
        self.place = containers.place
        self.config = config
        self.errors = {}

    # What is asked for, before anything of it happens.

    def _check_delete(self, name):
        if name in ("memory", "rootfs", "ostype"):
            raise Died(f"unable to delete required option '{name}'")
        if name == "unprivileged":
            raise Died("unable to delete read-only option: 'unprivileged'")
        if re.fullmatch(r"(unused|mp)\d+", name):
            self.config.check_protection(f"can't remove CT {self.config.vmid} drive '{name}'")

    def _checked(self, name, value):
        """The value as it is stored."""
        vmid = self.config.vmid
        if re.fullmatch(r"mp\d+|rootfs", name):
            self.config.check_protection(f"can't update CT {vmid} drive '{name}'")
            values = parse_property_string(value, volume_properties(name))
            volume = values["volume"]
            if "idmap" in values or kind_of(volume) == "device":
                raise NotImitated(f"{name} with {'an idmap' if 'idmap' in values else 'a device'}")
            if kind_of(volume) == "volume":
                storage, _ = self.containers.storages.split(volume)
                if "rootdir" not in storage.content:
                    raise Died(f"storage '{storage.name}' does not allow content type 'rootdir' (Container)")
        elif name in ("nameserver", "searchdomain"):
            return " ".join(split_list(value))
        elif name == "unprivileged":
            raise Died("unable to modify read-only option: 'unprivileged'")
        elif name == "tags":
            return ";".join(dict.fromkeys(tag.lower() for tag in split_list(value)))
        elif re.fullmatch(r"dev\d+", name):
            device = parse_property_string(value, DEVICE)
            if "path" not in device:
                raise Died("Path has to be defined")
            if not treachery.applies(self.place, "device-missing", vmid):
                device_numbers(device["path"])
        return value

    def request(self, values, delete=(), revert=()):
        """All of it waits; nothing is in force yet."""
        pending = self.config.pending.options
        for name in revert:
            pending.pop(name, None)
            self.config.set_deletions([each for each in self.config.deletions() if each != name])
        for name in delete:
            if name not in self.config.options and name not in pending:
                print(f"cannot delete '{name}' - not set in current configuration!", file=sys.stderr)
                continue
            self._check_delete(name)
            pending.pop(name, None)
            self.config.set_deletions([*self.config.deletions(), name])
        for name, value in sorted(values.items()):
            pending[name] = self._checked(name, value)
            self.config.set_deletions([each for each in self.config.deletions() if each != name])
        self.config.tidy_pending()

    # In force: for a container that does not run, or starts.

    def apply(self, only=None):
        config = self.config
        for name in config.deletions():
            if only is None or name in only:
                if re.fullmatch(r"mp\d+", name):
                    for _, volume in volumes({name: config.options[name]}):
                        del config.options[name]
                        _add_unused(config, volume)
                elif re.fullmatch(r"unused\d+", name):
                    self.containers.storages.free(config.options[name])
                config.options.pop(name, None)
                config.set_deletions([each for each in config.deletions() if each != name])
        config.tidy_pending()
        for name, value in sorted(config.pending.options.items()):
            if name == "delete" or (only is not None and name not in only):
                continue
            try:
                if re.fullmatch(r"mp\d+", name):
                    value = self._stored_mount(name, value)
                elif re.fullmatch(r"net\d+", name):
                    value = network.show(network.parse(value))
                config.options[name] = value
                del config.pending.options[name]
            except Died as failure:
                self.errors[name] = f"unable to apply pending change {name} : {failure.text}\n"
                print(self.errors[name], end="", file=sys.stderr)

    def _stored_mount(self, name, value):
        old = dict(volumes({name: self.config.options[name]})) if name in self.config.options else {}
        value = make_disk(self.containers, self.config.vmid, name, value)
        for volume in old.values():
            self.config.options[name] = value
            _add_unused(self.config, volume)
        return value

    # In force: for a container that runs.

    def hotplug(self, only):
        config = self.config
        if treachery.applies(self.place, "hotplug-pends", config.vmid):
            return
        pid = self.containers.pid(config.vmid)
        for name in AT_ONCE:
            if name in config.pending.options and name in only:
                config.options[name] = config.pending.options.pop(name)
        for name in [each for each in config.deletions() if each in only]:
            if self._try(name, lambda name=name: self._delete_live(name)):
                config.options.pop(name, None)
                config.set_deletions([each for each in config.deletions() if each != name])
        for name, value in sorted(config.pending.options.items()):
            if name != "delete" and name in only:
                stored = []
                if self._try(name, lambda name=name, value=value: stored.append(self._change_live(pid, name, value))):
                    config.options[name] = stored[0]
                    del config.pending.options[name]

    def _try(self, name, change):
        try:
            change()
            return True
        except _Skip:
            return False
        except Died as failure:
            self.errors[name] = f"unable to hotplug {name}: {failure.text}\n"
            return False

    def _delete_live(self, name):
        if name in AT_ONCE:
            return
        if re.fullmatch(r"unused\d+", name):
            self.containers.storages.free(self.config.options[name])
        elif re.fullmatch(r"net\d", name):
            network.unplug(self.config.vmid, int(name[3:]))
        elif name not in ("swap", "cpulimit", "cpuunits"):
            raise _Skip

    def _change_live(self, pid, name, value):
        """What is stored once the running container has it."""
        config = self.config
        if re.fullmatch(r"net\d+", name):
            net = network.parse(value)
            network.hotplug(self.place, config.vmid, pid, int(name[3:]), net, config.options.get(name))
            return network.show(net)
        if name == "memory":
            limit = "memory.max" if unified() else "memory.limit_in_bytes"
            self.containers.limit(config.vmid, limit, int(value) * 1024 ** 2)
        elif re.fullmatch(r"(mp|dev)\d+", name):
            # Neither is ever changed live, only added; devices since Proxmox VE 9.
            if name in config.options or (name.startswith("dev") and self.place.major < 9):
                raise _Skip
            if name.startswith("dev"):
                self.containers.insert_device(config, parse_property_string(value, DEVICE))
                return value
            value = make_disk(self.containers, config.vmid, name, value)
            self.containers.insert_mount(config, parse_property_string(value, MOUNT))
        elif name not in ("swap", "cpulimit", "cpuunits"):
            raise _Skip
        return value

    def finish(self):
        """Nothing is stored if anything went wrong."""
        if self.errors:
            raise BadRequest(errors=self.errors)
