"""pct: the commands for containers."""

import os
import re
import subprocess

from standin import tasks, transfer, treachery
from standin.cli import Command, Program, not_imitated
from standin.config import encode
from standin.containers import mounts
from standin.errors import Died
from standin.guests import Guests
from standin.properties import CREATE, DIGEST, ROOTFS, SET, SKIPLOCK, SNAPNAME, VMID, boolean, integer, string
from standin.schema import format_size, parse_property_string, parse_size, print_property_string
from standin.changes import volume_properties

ONE = {"vmid": VMID}
OWNER = {"user": string(), "group": string(), "perms": string()}


def entries(guests):
    return [guests.containers.status(guests.store.load(vmid)) for vmid in guests.store.ids()]


def list_all(place, values):
    found = entries(Guests(place))
    if found:
        for row in [("VMID", "Status", "Lock", "Name"),
                    *((entry["vmid"], entry["status"], entry.get("lock", ""), entry["name"]) for entry in found)]:
            print("%-10s %-10s %-12s %-20s" % row)


def status(place, values):
    guests = Guests(place)
    entry = guests.containers.status(guests.store.load(values["vmid"]))
    if values.get("verbose") == "1":
        for key in sorted(entry):
            if key != "cpu":
                print(f"{key}: {entry[key]}")
    else:
        print(f"status: {entry['status']}")


def chosen(config, values):
    """The options and raw lines that config shows: with what is pending unless `current`, or of a snapshot."""
    if "snapshot" in values:
        if values["snapshot"] not in config.snapshots:
            raise Died(f"snapshot '{values['snapshot']}' does not exist")
        section = config.snapshots[values["snapshot"]]
        return section.options, section.raw
    return (config.options if values.get("current") == "1" else config.with_pending()), config.raw


def config(place, values):
    options, raw = chosen(Guests(place).store.load(values["vmid"]), values)
    for key, value in sorted(options.items()):
        print(f"{key}: {encode(value) if key == 'description' else value}")
    for key, value in raw:
        print(f"{key}: {value}")


def pending_entries(config):
    """As the API has them, by key."""
    found = []
    waiting, deletions = config.pending.options, config.deletions()
    for key in sorted({*config.options, *waiting, *deletions} - {"delete"}):
        entry = {"key": key}
        if key in config.options:
            entry["value"] = config.options[key]
        if key in waiting:
            entry["pending"] = waiting[key]
        if key in deletions:
            entry["delete"] = 1
        found.append(entry)
    return found


def pending(place, values):
    for entry in pending_entries(Guests(place).store.load(values["vmid"])):
        show = encode if entry["key"] == "description" else str
        if "value" in entry:
            print(f"{'del' if 'delete' in entry else 'cur'} {entry['key']}: {show(entry['value'])}")
        if "pending" in entry and "delete" not in entry:
            print(f"new {entry['key']}: {show(entry['pending'])}")


def create(place, values):
    guests = Guests(place)
    prepared = guests.prepare_create(values)
    return tasks.run(place, "vzcreate", values["vmid"], lambda task: guests.create(task, *prepared))


def destroy(place, values):
    guests = Guests(place)
    force, purge = (values.get(name) == "1" for name in ("force", "purge"))
    guests.check_destroy(values["vmid"], force)
    return tasks.run(place, "vzdestroy", values["vmid"], lambda task: guests.destroy(task, values["vmid"], force, purge))


def start(place, values):
    guests, vmid = Guests(place), values["vmid"]
    if guests.running(vmid):
        raise Died(f"CT {vmid} already running")
    return tasks.run(place, "vzstart", vmid, lambda task: guests.start(vmid, values.get("skiplock") == "1"))


def stop(place, values):
    guests, vmid = Guests(place), values["vmid"]
    guests.must_run(vmid)
    return tasks.run(place, "vzstop", vmid, lambda task: guests.stop(vmid, values.get("skiplock") == "1"))


def shutdown(place, values):
    guests, vmid = Guests(place), values["vmid"]
    guests.must_run(vmid)
    return tasks.run(place, "vzshutdown", vmid, lambda task: guests.shut_down(vmid, int(values.get("timeout", 60)),
                                                                            values.get("forceStop") == "1"))


def reboot(place, values):
    guests, vmid = Guests(place), values["vmid"]
    if not guests.running(vmid):
        raise Died(f"VM {vmid} not running")
    return tasks.run(place, "vzreboot", vmid, lambda task: guests.reboot(vmid, int(values.get("timeout", 60))))


def execute(place, values):
    guests, vmid = Guests(place), values["vmid"]
    guests.store.load(vmid)
    if not guests.running(vmid):
        raise Died(f"container '{vmid}' not running!")
    if not values["extra-args"]:
        raise Died("missing command at /usr/share/perl5/PVE/CLI/pct.pm line 241.")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)
    keep = values.get("keep-env", "1") == "1"
    if treachery.applies(place, "exec-swallows", vmid):
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return 0
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
    return guests.containers.attach(vmid, values["extra-args"], keep)


def _transfer(place, values, kind, how, refusal):
    guests, vmid = Guests(place), values["vmid"]
    with guests.store.locked(vmid):
        pid = guests.containers.pid(vmid)
        if pid is None:
            raise Died(refusal)
        found = guests.store.load(vmid)
        return tasks.run_unheeded(place, kind, vmid, lambda task: how(place, found, pid, values))


def push(place, values):
    return _transfer(place, values, "push_file", transfer.push, "can only push files to a running CT")


def pull(place, values):
    return _transfer(place, values, "pull_file", transfer.pull,
                     "can only pull files from a running VM at /usr/share/perl5/PVE/CLI/pct.pm line 669.")


def resize(place, values):
    guests, vmid = Guests(place), values["vmid"]
    disk, text = values["disk"], values["size"]
    wanted = parse_size(text.lstrip("+"))

    def check():
        found = guests.store.load(vmid)
        found.check_lock()
        if "digest" in values and values["digest"] != found.digest:
            raise Died("detected modified configuration - file changed by other user? Try again.")
        parsed = parse_property_string(found.options.get(disk, ""), volume_properties(disk))
        if "volume" not in parsed or parsed["volume"].startswith("/"):
            raise Died(f"unable to parse volume ID '{parsed.get('volume', '')}'")
        now = parse_size(parsed.get("size", "4G"))
        size = now + wanted if text.startswith("+") else wanted
        if size < now:
            raise Died("unable to shrink disk size")
        if size == now:
            raise Died("disk is already at specified size")
        return found, parsed, size

    def work(task):
        with guests.store.locked(vmid):
            found, parsed, size = check()
            if treachery.thrown(place, "resize-fails"):
                raise Died(f"zfs error: cannot set property for '{parsed['volume']}': out of space")
            storage, name = guests.containers.storages.split(parsed["volume"])
            if storage.zfs:
                subprocess.run(["zfs", "set", f"refquota={size}", f"{storage.options['pool']}/{name}"], check=True)
            parsed["size"] = format_size(size)
            found.options[disk] = print_property_string(parsed, volume_properties(disk))
            guests.store.save(found)
    if wanted is None:
        raise Died("invalid size string at /usr/share/perl5/PVE/API2/LXC.pm line 2530.")
    check()
    return tasks.run_unheeded(place, "resize", vmid, work)


def unlock(place, values):
    guests = Guests(place)
    with guests.store.locked(values["vmid"]):
        guests.store.remove_lock(values["vmid"])


def mount(place, values):
    guests, vmid = Guests(place), values["vmid"]
    with guests.store.locked(vmid):
        found = guests.store.set_lock(vmid, "mounted")
        guests.mount_all(found)
    print(f"mounted CT {vmid} in '/var/lib/lxc/{vmid}/rootfs'")


def unmount(place, values):
    guests, vmid = Guests(place), values["vmid"]
    with guests.store.locked(vmid):
        guests.store.load(vmid)
        guests.unmount_all(vmid)
        guests.store.remove_lock(vmid, "mounted")


def _readable(size):
    for unit in ("", "K", "M", "G"):
        if size < 1024:
            return f"{size:.1f}{unit}" if unit else str(size)
        size /= 1024
    return f"{size:.1f}T"


def df(place, values):
    guests, vmid = Guests(place), values["vmid"]
    with guests.store.locked(vmid):
        pid = guests.containers.pid(vmid)
        found = guests.store.load(vmid) if pid else guests.store.set_lock(vmid, "mounted")
        top = f"/proc/{pid}/root" if pid else str(guests.mount_all(found))
        rows = [["MP", "Volume", "Size", "Used", "Avail", "Use%", "Path"]]
        try:
            root = {**parse_property_string(found.options["rootfs"], ROOTFS), "mp": "/"}
            for key, entry in [("rootfs", root), *mounts(found.options)]:
                space = os.statvfs(f"{top}/{entry['mp']}")
                total, avail = space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize
                used = (space.f_blocks - space.f_bfree) * space.f_frsize
                rows.append([key, entry["volume"], _readable(total), _readable(used), _readable(avail),
                             f"{100 * used / total if total else 0:.1f}", entry["mp"]])
        finally:
            if not pid:
                guests.unmount_all(vmid)
                guests.store.remove_lock(vmid, "mounted")
    wide = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        cells = [f"{cell:<{wide[n]}}" if n < 2 else f"{cell:>{wide[n]}}" for n, cell in enumerate(row[:6])]
        print(" ".join([*cells, row[6]]))


def snapshot(place, values):
    """Refused for binds and devices as Proxmox refuses it (trap 23); otherwise a copy is not made here."""
    guests = Guests(place)
    found = guests.store.load(values["vmid"])
    found.check_lock()
    if values["snapname"] in found.snapshots:
        raise Died(f"snapshot name '{values['snapname']}' already used")
    if any(entry["volume"].startswith("/") for _, entry in mounts(found.options)):
        raise Died("snapshot feature is not available")
    return not_imitated("pct snapshot of a container without bind mounts").run(place, values)


def listsnapshot(place, values):
    found = Guests(place).store.load(values["vmid"])
    for depth, name in enumerate([*sorted(found.snapshots), "current"]):
        about = found.snapshots[name].options.get("description", "no-description") if name != "current" else "You are here!"
        print(f"{'  ' * depth}`-> {name:<25} {about.strip()}")


def cpusets(place, values):
    guests = Guests(place)
    lines = {}
    for vmid in guests.store.ids():
        if pid := guests.containers.pid(vmid):
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                text = re.search(r"^Cpus_allowed_list:\s*(\S+)", file.read(), re.MULTILINE)[1]
            allowed = {cpu for part in text.split(",") for cpu in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)}
            lines[vmid] = ": " + "".join(f" {cpu if cpu in allowed else ' ' * len(str(cpu))}" for cpu in range(max(allowed) + 1))
    if not lines:
        print("no running containers")
        return
    ids = max(len(str(vmid)) for vmid in lines)
    rule = "-" * (ids + max(map(len, lines.values())))
    print("\n".join([rule, *(f"{vmid:{ids}d}{line}" for vmid, line in lines.items()), rule]))


COMMANDS = {
    "list": Command(list_all),
    "status": Command(status, ("vmid",), {**ONE, "verbose": boolean()}),
    "config": Command(config, ("vmid",), {**ONE, "current": boolean(), "snapshot": {**SNAPNAME, "optional": True}}),
    "pending": Command(pending, ("vmid",), ONE),
    "set": Command(lambda place, values: Guests(place).set(values), ("vmid",), SET),
    "resize": Command(resize, ("vmid", "disk", "size"), {
        **ONE, "digest": DIGEST, "disk": {"type": "string", "enum": ["rootfs", *(f"mp{n}" for n in range(256))]},
        "size": {"type": "string", "pattern": r"\+?\d+(\.\d+)?[KMGT]?"}}),
    "create": Command(create, ("vmid", "ostemplate"), CREATE),
    "destroy": Command(destroy, ("vmid",), {**ONE, "force": boolean(), "purge": boolean(),
                                            "destroy-unreferenced-disks": boolean()}),
    "start": Command(start, ("vmid",), {**ONE, "skiplock": SKIPLOCK, "debug": boolean()}),
    "stop": Command(stop, ("vmid",), {**ONE, "skiplock": SKIPLOCK, "overrule-shutdown": boolean()}),
    "shutdown": Command(shutdown, ("vmid",), {**ONE, "timeout": integer(0), "forceStop": boolean()}),
    "reboot": Command(reboot, ("vmid",), {**ONE, "timeout": integer(0)}),
    "exec": Command(execute, ("vmid", "extra-args"), {**ONE, "keep-env": boolean(),
                                                      "extra-args": {"type": "array", "optional": True}}),
    "push": Command(push, ("vmid", "file", "destination"), {**ONE, "file": {"type": "string"},
                                                            "destination": {"type": "string"}, **OWNER}),
    "pull": Command(pull, ("vmid", "path", "destination"), {**ONE, "path": {"type": "string"},
                                                            "destination": {"type": "string"}, **OWNER}),
    "unlock": Command(unlock, ("vmid",), ONE),
    "mount": Command(mount, ("vmid",), ONE),
    "unmount": Command(unmount, ("vmid",), ONE),
    "df": Command(df, ("vmid",), ONE),
    "snapshot": Command(snapshot, ("vmid", "snapname"), {**ONE, "snapname": SNAPNAME, "description": string()}),
    "listsnapshot": Command(listsnapshot, ("vmid",), ONE),
    "cpusets": Command(cpusets),
    **{name: not_imitated(f"pct {name}") for name in (
        "clone", "console", "delsnapshot", "enter", "fsck", "fstrim", "migrate", "move-volume", "remote-migrate", "rescan",
        "restore", "resume", "rollback", "suspend", "template")},
}
PROGRAM = Program("pct", COMMANDS)
