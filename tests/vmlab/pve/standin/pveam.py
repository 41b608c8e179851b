"""pveam: templates come from a shelf, a folder that stands for Proxmox's server.

On the shelf are archives NAME.tar.zst and, if the test wants to lie, `index.json`: {NAME: {"sha512sum": ..., "section":
..., "architecture": ...}} with what differs from the truth. `pveam update` reads the shelf, `pveam download` copies from it.
"""

import hashlib
import json
import os
import pathlib
import sys

from standin import tasks, treachery
from standin.cli import Command, Program
from standin.errors import BadRequest, Died
from standin.properties import STORAGE, string
from standin.storage import TEMPLATE, Storages

SERVER = "http://download.proxmox.com/images"
HOST = "download.proxmox.com"


def _index_file(place):
    return place.root / "var/lib/pve-manager/apl-info" / HOST


def _sum(path):
    with open(path, "rb") as file:
        digest = hashlib.sha512()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_shelf(place):
    shelf = pathlib.Path(place.shelf)
    lies = json.loads((shelf / "index.json").read_text(encoding="utf-8")) if (shelf / "index.json").exists() else {}
    index = {}
    for file in sorted(shelf.iterdir()):
        if TEMPLATE.fullmatch(file.name):
            truth = {"section": "system", "architecture": "amd64", "sha512sum": _sum(file)}
            index[file.name] = {**truth, **lies.get(file.name, {})}
    return {**index, **{name: lie for name, lie in lies.items() if name not in index}}


def _record(name, about):
    """As in Proxmox's aplinfo.dat: lines of `Key: value`; what continues one is indented; an empty line ends the record."""
    package, version, *_ = name.split("_")
    section = about.get("section", "system")
    lines = {"Package": package, "Version": version, "Type": "lxc", "OS": "-".join(package.split("-")[:2]), "Section": section,
             "Architecture": about.get("architecture"), "Location": f"{section}/{name}", "sha512sum": about.get("sha512sum"),
             "Description": f"{package}\n A small system."}
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value)


def update(place, values):
    try:
        if treachery.thrown(place, "update-fails") or not place.shelf:
            raise OSError
        index = _read_shelf(place)
    except OSError:
        # And exits 0 (trap 20).
        print("update failed - see /var/log/pveam.log for details", file=sys.stderr)
        return
    file = _index_file(place)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(_record(name, about) for name, about in sorted(index.items())), encoding="utf-8")
    print("update successful")


def _index(place):
    file = _index_file(place)
    if not file.exists():
        print(f"unable to open file '{place.shown(file)}' - No such file or directory", file=sys.stderr)
        return {}
    index = {}
    for record in file.read_text(encoding="utf-8").split("\n\n"):
        about = dict(line.split(": ", 1) for line in record.splitlines() if ": " in line and not line.startswith(" "))
        index[about["Location"].split("/")[-1]] = {key.lower(): value for key, value in about.items()}
    return index


def available(place, values):
    rows = sorted((about.get("section", "system"), name, about.get("architecture", "unknown"))
                  for name, about in _index(place).items())
    for section, name, architecture in rows:
        if values.get("section", section) == section:
            # The column of architectures came with Proxmox VE 9.2.
            print("%-15s %-60s %s" % (section, name, architecture) if place.major >= 9 else "%-15s %-60s" % (section, name))


def listed(place, values):
    storages = Storages(place)
    storage = storages.enabled(values["storage"])
    if "vztmpl" not in storage.content:
        raise Died("Storage does not support templates!")
    print("%-60s %-6s" % ("NAME", "SIZE"))
    for entry in storages.contents(values["storage"]):
        if entry["content"] == "vztmpl":
            print("%-60s %-4.2fMB" % (entry["volid"], entry["size"] / (1024 * 1024)))


def _fetch(place, task, name, about, target):
    """What the task of a download does, step by step."""
    source = pathlib.Path(place.shelf or "/nonexistent") / name
    task.say(f"downloading {SERVER}/{about.get('section', 'system')}/{name} to {target}")
    expected = about.get("sha512sum")
    if not expected:
        raise Died("checksum required but not specified")
    if target.exists():
        task.say("calculating checksum of existing file...", end="")
        got = _sum(target)
        if got == expected:
            task.say("OK, got correct file already, no need to download")
            return
        task.say("")
        raise Died(f"checksum mismatch: got '{got}' != expect '{expected}', aborting")
    if treachery.thrown(place, "download-fails") or not source.exists():
        raise Died("download failed: exit code 4" if source.exists() else "download failed: exit code 8")
    part = target.with_name(f"{name}.tmp_dwnl.{os.getpid()}")
    left = source.stat().st_size // (2 if treachery.thrown(place, "download-truncated") else 1)
    try:
        with open(source, "rb") as reader, open(part, "wb") as writer:
            while left > 0 and (block := reader.read(min(left, 1 << 20))):
                writer.write(block)
                left -= len(block)
        task.say("calculating checksum...", end="")
        got = _sum(part)
        if got != expected:
            task.say("")
            raise Died(f"checksum mismatch: got '{got}' != expect '{expected}'")
        task.say("OK, checksum verified")
        part.rename(target)
    except OSError as error:
        raise Died(f"download failed: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    task.say(f"download of '{SERVER}/{about.get('section', 'system')}/{name}' to '{target}' finished")


def download(place, values):
    name = values["template"]
    about = _index(place).get(name)
    if about is None:
        raise BadRequest(errors={"template": "no such template"})
    storage = Storages(place).enabled(values["storage"])
    storage.must("vztmpl")
    storage.activate()
    target = pathlib.Path(storage.folder("vztmpl")) / name
    # There is no hook for the exit status (trap 19).
    return tasks.run_unheeded(place, "download", name, lambda task: _fetch(place, task, name, about, target))


def remove(place, values):
    storage, name = Storages(place).split(values["template_path"])
    if not name.startswith("vztmpl/"):
        raise Died(f"unable to use volume {values['template_path']} - content type needs to be 'vztmpl'")
    pathlib.Path(storage.path(name)).unlink(missing_ok=True)


PROGRAM = Program("pveam", {
    "update": Command(update),
    "available": Command(available, (), {"section": string(enum=["system", "mail", "turnkeylinux"])}),
    "download": Command(download, ("storage", "template"), {"storage": STORAGE,
                                                            "template": {"type": "string", "max_length": 255}}),
    "list": Command(listed, ("storage",), {"storage": STORAGE}),
    "remove": Command(remove, ("template_path",), {"template_path": {"type": "string", "max_length": 255}}),
})
