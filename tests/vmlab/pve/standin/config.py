"""A container's configuration: etc/pve/nodes/NODE/lxc/VMID.conf, its pending section, snapshots and locks."""

import contextlib
import fcntl
import hashlib
import os
import re
import sys
import time

from standin import treachery
from standin.errors import Died
from standin.properties import CONFIG
from standin.schema import parse_boolean, value_error

_RAW_KEYS = re.compile(r"lxc\.(apparmor|arch|autodev|cap|cgroup2?|console|devtty|environment|group|hook|idmap|include|init|kmsg"
                       r"|log|mount|net|prlimit|pty|rootfs\.mount|seccomp|selinux|signal|start|sysctl|tty|uts)(\.|$)")


def encode(text):
    """Bytes that would break a line of the file, and `:` and `%`, as %XX."""
    return re.sub(rb"[\x00-\x1f\x7f-\xff:%]", lambda found: b"%%%02X" % found[0][0], text.encode()).decode()


def decode(text):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode()).decode(errors="replace")


class Section:
    """One section of the file: options by name, and raw lines for LXC in their order."""

    def __init__(self, options=None, raw=None):
        self.options = dict(options or {})
        self.raw = list(raw or [])

    def text(self):
        lines = ["#" + encode(line) for line in self.options.get("description", "").split("\n")]
        if lines[-1] == "#":
            lines.pop()
        lines += [f"{key}: {value}" for key, value in sorted(self.options.items()) if key not in ("description", "digest")]
        lines += [f"{key}: {value}" for key, value in self.raw]
        return "".join(line + "\n" for line in lines)


def _warn(text):
    print(text, file=sys.stderr)


def _parse_line(vmid, name, section, line):
    if found := re.fullmatch(r"(lxc\.[a-z0-9_\-.]+)(?::|\s*=)\s*(.*?)\s*", line):
        if found[1] in ("lxc.rootfs.path", "lxc.rootfs.options"):
            _warn(f"vm {vmid} - {found[1]}: {found[1]} is auto generated from rootfs")
        elif _RAW_KEYS.match(found[1]):
            section.raw.append((found[1], found[2]))
        else:
            _warn(f"vm {vmid} - unable to parse config: {line}")
    elif found := re.fullmatch(r"snapstate:\s*(prepare|delete)\s*", line):
        section.options["snapstate"] = found[1]
    elif found := re.fullmatch(r"delete:\s*(.*\S)\s*", line):
        if name == "pve:pending":
            section.options["delete"] = found[1]
        else:
            _warn(f"vm {vmid} - property 'delete' is only allowed in [pve:pending]")
    elif found := re.fullmatch(r"([a-z][a-z_]*\d*):\s*(.+?)\s*", line):
        key, value = found[1], found[2]
        if key in CONFIG and CONFIG[key]["type"] == "boolean":
            value = parse_boolean(value) or value
        wrong = "unknown setting '%s'" % key if key not in CONFIG else value_error(value, CONFIG[key], key)
        if wrong:
            _warn(f"vm {vmid} - unable to parse value of '{key}' - {wrong.strip()}")
        section.options[key] = value
    else:
        _warn(f"vm {vmid} - unable to parse config: {line}")


class Config(Section):
    """The current section, with the others hanging on it."""

    def __init__(self, vmid):
        super().__init__()
        self.vmid = int(vmid)
        self.pending = Section()
        self.snapshots = {}
        self.digest = ""
        # By a switch: it is not to be written.
        self.lock_is_lent = False

    @staticmethod
    def parse(vmid, text):
        config = Config(vmid)
        config.digest = hashlib.sha1(text.encode()).hexdigest()
        name, section = "", config
        for line in text.splitlines():
            if not line.strip():
                continue
            if found := re.fullmatch(r"\[(pve:pending|[a-z][a-z0-9_\-]+)\]\s*", line, re.IGNORECASE):
                name = found[1].lower() if ":" in found[1] else found[1]
                section = Section()
                if name == "pve:pending":
                    config.pending = section
                else:
                    config.snapshots[name] = section
            elif line.startswith("#"):
                section.options["description"] = section.options.get("description", "") + decode(line[1:]) + "\n"
            else:
                _parse_line(vmid, name, section, line)
        return config

    def whole_text(self):
        text = self.text()
        if self.pending.options:
            text += "\n[pve:pending]\n" + self.pending.text()
        for name, section in sorted(self.snapshots.items()):
            text += f"\n[{name}]\n" + section.text()
        return text

    # Deletions that wait for a restart.
    def deletions(self):
        return [name.lstrip("!") for name in re.split(r"[,;\s]+", self.pending.options.get("delete", "")) if name]

    def set_deletions(self, names):
        if names:
            self.pending.options["delete"] = ",".join(sorted(set(names)))
        else:
            self.pending.options.pop("delete", None)

    def tidy_pending(self):
        """Changes that change nothing are forgotten."""
        for name, value in list(self.pending.options.items()):
            if name != "delete" and self.options.get(name) == value:
                del self.pending.options[name]
        self.set_deletions([name for name in self.deletions() if name in self.options])

    def with_pending(self):
        """The options as they will be after the next start."""
        options = {**self.options, **{key: value for key, value in self.pending.options.items() if key != "delete"}}
        for name in self.deletions():
            options.pop(name, None)
        return options

    def check_lock(self):
        if "lock" in self.options:
            raise Died(f"CT is locked ({self.options['lock']})")

    def check_protection(self, what):
        if self.options.get("protection") == "1":
            raise Died(f"{what} - protection mode enabled")

    @property
    def unprivileged(self):
        return self.options.get("unprivileged") == "1" or any(key == "lxc.idmap" for key, _ in self.raw)

    def id_map(self):
        """(kind, inside, outside, count) of each range; empty with privileges."""
        custom = [value.split() for key, value in self.raw if key == "lxc.idmap"]
        if custom:
            return [(kind, int(inside), int(outside), int(count)) for kind, inside, outside, count in custom]
        return [(kind, 0, 100000, 65536) for kind in "ug"] if self.unprivileged else []

    def outside(self, kind, number):
        """The host's id for one of the container."""
        for each, inside, outside, count in self.id_map():
            if each == kind and inside <= number < inside + count:
                return outside + number - inside
        return number


class Store:
    """The configurations of a host's containers."""

    def __init__(self, place):
        self.place = place

    def file(self, vmid):
        return self.place.guests("lxc") / f"{vmid}.conf"

    def ids(self):
        return sorted(int(file.stem) for file in self.place.guests("lxc").glob("*.conf") if file.stem.isdigit())

    def load(self, vmid):
        try:
            text = self.file(vmid).read_text(encoding="utf-8")
        except FileNotFoundError:
            # Perl's `die` ends with the errno that is around.
            raise Died(f"Configuration file 'nodes/{self.place.node}/lxc/{vmid}.conf' does not exist", 2) from None
        config = Config.parse(vmid, text)
        if "lock" not in config.options and treachery.applies(self.place, "backup-lock", vmid):
            config.options["lock"] = "backup"
            config.lock_is_lent = True
        return config

    def save(self, config):
        if config.lock_is_lent and config.options.get("lock") == "backup":
            del config.options["lock"]
        file = self.file(config.vmid)
        new = file.with_name(f".{config.vmid}.conf.tmp.{os.getpid()}")
        new.write_text(config.whole_text(), encoding="utf-8")
        new.chmod(0o640)
        new.rename(file)

    def check_unused(self, vmid):
        for kind, what in (("lxc", "CT"), ("qemu-server", "VM")):
            if (self.place.guests(kind) / f"{vmid}.conf").exists():
                raise Died(f"{what} {vmid} already exists on node '{self.place.node}'")

    @contextlib.contextmanager
    def locked(self, vmid):
        """The lock of the file, not the one in it; one process that has it already does not wait for itself."""
        path = self.place.root / f"run/lock/lxc/pve-config-{vmid}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        timeout = float(self.place.lock_timeout_s)
        with open(path, "a", encoding="utf-8") as file:
            begun, said = time.monotonic(), False
            held_s = treachery.seconds(self.place, "slow-locks", vmid)
            while True:
                waited = time.monotonic() - begun
                try:
                    if waited >= held_s:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                except BlockingIOError:
                    pass
                if not said:
                    print("trying to acquire lock...", file=sys.stderr, flush=True)
                    said = True
                if waited >= timeout:
                    raise Died(f"can't lock file '{self.place.shown(path)}' - got timeout")
                time.sleep(0.02)
            if said:
                print(" OK", file=sys.stderr, flush=True)
            yield

    def set_lock(self, vmid, lock):
        config = self.load(vmid)
        config.check_lock()
        config.options["lock"] = lock
        self.save(config)
        return config

    def remove_lock(self, vmid, lock=None):
        config = self.load(vmid)
        found = config.options.get("lock")
        if found is None:
            raise Died(f"no lock found trying to remove {repr(lock) + ' ' if lock else 'any'} lock")
        if lock and found != lock:
            raise Died(f"found lock '{found}' trying to remove '{lock}' lock")
        del config.options["lock"]
        self.save(config)
