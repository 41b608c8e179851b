"""Switches for the ways in which Proxmox's commands lie, or a host behaves badly.

A switch is a file of its name in the folder of switches; it is thrown while the file exists. What is in it is
its argument: a number or VMIDs, as the switch wants it; empty: for every container.
"""

from standin.errors import Died

# Each with what it does. What needs no switch, since it is always so, is in README.md.
SWITCHES = {
    "push-disk-full": "pct push writes only the first N bytes (the argument, 0 without), says nothing and exits 0",
    "pull-disk-full": "pct pull writes only the first N bytes (the argument, 0 without), says nothing and exits 0",
    "download-fails": "pveam download: wget fails; the reason is on standard error, the exit status 0, no file",
    "download-truncated": "pveam download gets half of the file: checksum mismatch on standard error, exit 0, no file",
    "update-fails": "pveam update cannot reach the index: 'update failed' on standard error, exit 0",
    "start-dies": "pct start exits 0, and the container's init ends a moment later",
    "start-fails": "pct start of the container fails: startup for container 'VMID' failed",
    "device-missing": "devN is accepted and stored, and the device is not in the container",
    "bind-missing": "mpN with a directory is accepted and stored, and the running container does not have it",
    "exec-swallows": "pct exec runs the command, its output is lost and the exit status is 0",
    "backup-lock": "a backup holds the container: CT is locked (backup)",
    "slow-locks": "another process holds the lock of the configuration for N seconds (the argument)",
    "create-fails": "pct create fails while it unpacks, and tidies up after itself",
    "create-leaves-half": "pct create is killed while it unpacks: a configuration with lock: create, half a root",
    "hotplug-pends": "pct set of a running container leaves every change pending and exits 0",
    "shutdown-ignored": "the guest does not shut down: container did not stop",
    "resize-fails": "pct resize: the task fails; the reason is on standard error, the exit status 0, nothing grew",
    "free-fails": "pvesm free: the task fails; the reason is on standard error, the exit status 0",
    "warnings": "tasks end with a warning: Task finished with 1 warning(s)! on standard error, exit 0",
    "resources-lag": "cluster/resources knows nothing new: every guest and storage has the status unknown",
    "numbers-as-strings": "pvesh prints every number as a string",
}


def _argument(place, name):
    assert name in SWITCHES, name
    try:
        return (place.switches / name).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return None


def thrown(place, name):
    return _argument(place, name) is not None


def applies(place, name, vmid):
    """Whether a switch whose argument is VMIDs is thrown for this container."""
    argument = _argument(place, name)
    return argument is not None and (not argument or str(vmid) in argument)


def number(place, name):
    """The number that a switch carries, 0 without one; None while it is not thrown."""
    argument = _argument(place, name)
    return None if argument is None else int((argument + ["0"])[0])


def seconds(place, name, vmid):
    """`SECONDS [VMID...]` of a switch, 0 while it is not thrown."""
    argument = _argument(place, name)
    if not argument or (argument[1:] and str(vmid) not in argument[1:]):
        return 0.0
    return float(argument[0])


def throw(place, name, argument=""):
    if name not in SWITCHES:
        raise Died(f"there is no switch '{name}'")
    place.switches.mkdir(parents=True, exist_ok=True)
    (place.switches / name).write_text(argument, encoding="utf-8")


def take_back(place, name):
    if name not in SWITCHES:
        raise Died(f"there is no switch '{name}'")
    (place.switches / name).unlink(missing_ok=True)
