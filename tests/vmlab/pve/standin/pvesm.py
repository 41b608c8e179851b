"""pvesm: storages and what is on them."""

from standin import formats, tasks
from standin.cli import Command, Program, not_imitated
from standin.errors import BadRequest, Died
from standin.properties import STORAGE, VMID, boolean, string
from standin.storage import Storages


def statuses(place, values):
    """Of the storages that the options choose, by name."""
    storages = Storages(place)
    if "storage" in values:
        storages[values["storage"]]
    found = [storage.status() for name, storage in sorted(storages.by_name.items())
             if values.get("storage", name) == name
             and ("content" not in values or set(values["content"].split(",")) & set(storage.content))
             and (values.get("enabled") != "1" or storage.enabled)]
    return found


def status(place, values):
    found = statuses(place, values)
    wide = max([len(entry["storage"]) for entry in found], default=0) + 1
    print(f"{'Name':<{wide}} {'Type':>10} {'Status':>10} {'Total (KiB)':>15} {'Used (KiB)':>15} {'Available (KiB)':>15} {'%':>8}")
    for entry in found:
        share = f"{entry['used'] * 100 / entry['total'] if entry['total'] else 0: 7.2f}%"
        if not entry["enabled"]:
            share = f"{'N/A':>8}"
        word = "disabled" if not entry["enabled"] else "active" if entry["active"] else "inactive"
        print(f"{entry['storage']:<{wide}} {entry['type']:>10} {word:>10} {entry['total'] // 1024:>15} "
              f"{entry['used'] // 1024:>15} {entry['avail'] // 1024:>15} {share}")


def contents(place, values):
    return [entry for entry in Storages(place).contents(values["storage"])
            if values.get("content", entry["content"]) in (entry["content"], "images" if entry["content"] == "rootdir" else "")
            and str(entry.get("vmid", "")) == values.get("vmid", str(entry.get("vmid", "")))]


def listed(place, values):
    found = contents(place, values)
    name = max([len(entry["volid"]) for entry in found], default=0)
    size = max([len(str(entry["size"])) for entry in found], default=1)

    def line(volid, form, kind, bytes_count):
        return f"{volid:<{name}} {form:<7} {kind:<9} {bytes_count:>{size}}"
    print(line("Volid", "Format", "Type", "Size") + " VMID")
    for entry in found:
        if "vmid" in entry:
            print(line(entry["volid"], entry["format"], entry["content"], entry["size"]) + f" {entry['vmid']}")
    for entry in sorted((entry for entry in found if "vmid" not in entry), key=lambda entry: entry["format"]):
        print(line(entry["volid"], entry["format"], entry["content"], entry["size"]))


def path(place, values):
    print(Storages(place).path(values["volume"]))


def alloc(place, values):
    text = values["size"]
    size = int(text.rstrip("MG")) * {"M": 1024 ** 2, "G": 1024 ** 3}.get(text[-1], 1024)
    storage = Storages(place).enabled(values["storage"])
    if values["filename"] not in ("", "''"):
        wanted = values["filename"]
        if f"-{values['vmid']}-" not in wanted:
            raise Died(f"illegal name '{wanted}' - should be 'subvol-{values['vmid']}-*'" if storage.kind == "zfspool"
                       else f"illegal name '{wanted}' - should be 'vm-{values['vmid']}-*'")
    if "format" in values and values["format"] not in ("raw", "subvol"):
        raise BadRequest(errors={"format": f"unsupported format '{values['format']}'"})
    print(f"successfully created '{storage.allocate(values['vmid'], size)}'")


def free(place, values):
    storages = Storages(place)
    storages.split(values["volume"])
    # There is no hook for the exit status (trap 19).
    return tasks.run_unheeded(place, "imgdel", values["volume"], lambda task: storages.free(values["volume"]))


# Beside what is in the path of the API.
STATUSES = {"storage": {**STORAGE, "optional": True}, "content": string(formats.content, list=True), "enabled": boolean(),
            "target": string(formats.node), "format": boolean()}
CONTENTS = {"content": string(formats.content), "vmid": {**VMID, "optional": True}}
PROGRAM = Program("pvesm", {
    "status": Command(status, (), STATUSES),
    "list": Command(listed, ("storage",), {"storage": STORAGE, **CONTENTS}),
    "path": Command(path, ("volume",), {"volume": {"type": "string", "format": formats.volume_id}}),
    "alloc": Command(alloc, ("storage", "vmid", "filename", "size"), {
        "storage": STORAGE, "vmid": VMID, "filename": {"type": "string"}, "size": {"type": "string", "pattern": r"\d+[MG]?"},
        "format": string(enum=["raw", "qcow2", "vmdk", "subvol"])}),
    "free": Command(free, ("volume",), {"volume": {"type": "string", "format": formats.volume_id},
                                        "delay": {"type": "integer", "optional": True, "minimum": 1, "maximum": 30},
                                        "storage": {**STORAGE, "optional": True}}),
    **{name: not_imitated(f"pvesm {name}") for name in ("add", "apiinfo", "export", "extractconfig", "import", "prune-backups",
                                                        "remove", "scan", "set")},
})
