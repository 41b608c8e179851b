"""qm list: virtual machines are configurations only; which of them run, a test says by a file with a process id."""

import re

from standin.cli import Command, Program, not_imitated
from standin.properties import boolean
from standin.schema import parse_size


def machines(place):
    """As the API tells them. A machine runs while var/lib/pve-standin/qemu/VMID.pid is there."""
    found = []
    for file in sorted(place.guests("qemu-server").glob("*.conf"), key=lambda file: int(file.stem)):
        vmid = int(file.stem)
        options = dict(re.findall(r"^([a-z]+\d*):\s*(.+?)\s*$", file.read_text(encoding="utf-8").split("\n[")[0], re.MULTILINE))
        boot = re.search(r"order=([^;\s]+)", options.get("boot", ""))
        disk = options.get(boot[1] if boot else options.get("bootdisk", "scsi0"), "")
        size = re.search(r"size=([0-9.]+[KMGT]?)", disk)
        pid = place.state / "qemu" / f"{vmid}.pid"
        running = pid.exists()
        entry = {"vmid": vmid, "name": options.get("name", f"VM {vmid}"), "status": "running" if running else "stopped",
                 "cpus": int(options.get("cores", 1)) * int(options.get("sockets", 1)), "cpu": 0, "mem": 0, "uptime": 0,
                 "maxmem": int(re.sub(r"^current=", "", options.get("memory", "512"))) * 1024 ** 2,
                 "maxdisk": parse_size(size[1]) if size else 0, "disk": 0, "diskread": 0, "diskwrite": 0, "netin": 0, "netout": 0}
        if running:
            entry["pid"] = int(pid.read_text(encoding="utf-8").strip() or 1)
        entry.update({key: options[key] for key in ("tags", "lock") if key in options})
        if options.get("template") == "1":
            entry["template"] = 1
        found.append(entry)
    return found


def listed(place, values):
    found = machines(place)
    if found:
        print("%10s %-20s %-10s %-10s %12s %-10s" % ("VMID", "NAME", "STATUS", "MEM(MB)", "BOOTDISK(GB)", "PID"))
    for entry in found:
        print("%10s %-20s %-10s %-10s %12.2f %-10s" % (
            entry["vmid"], entry["name"], entry["status"], entry["maxmem"] // 1024 ** 2, entry["maxdisk"] / 1024 ** 3,
            entry.get("pid", 0)))


PROGRAM = Program("qm", {
    "list": Command(listed, (), {"full": boolean()}),
    **{name: not_imitated(f"qm {name}") for name in ("clone", "config", "create", "destroy", "guest", "migrate", "monitor",
                                                     "pending", "reboot", "reset", "resize", "resume", "set", "shutdown",
                                                     "snapshot", "start", "status", "stop", "suspend", "template", "unlock")},
})
