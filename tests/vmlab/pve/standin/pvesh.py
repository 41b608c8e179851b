"""pvesh get: the API's answers, from the same state as the commands.

What a test has put below the folder of answers (`pve-standin answer PATH FILE`) is told before all else: so a
test gives what no stand-in can know, such as disks and cards.
"""

import json
import os
import re
import sys

from standin import options, pct, pvesm, qm, tasks, treachery
from standin import network as networks
from standin.cli import Command, Program, not_imitated
from standin.errors import BadRequest, Died
from standin.guests import Guests
from standin.properties import STORAGE, VMID, boolean, string
from standin.schema import object_errors
from standin.storage import Storages

NUMBERS = ("cores", "memory", "swap", "onboot", "unprivileged", "protection", "tty", "console", "cpuunits", "template", "debug")
SNAPSHOT = {"snapshot": string(), "current": boolean()}


def version(place, values):
    return {"release": ".".join(place.version.split(".")[:2]), "repoid": place.repoid, "version": place.version}


def nodes(place, values):
    with open("/proc/uptime", encoding="utf-8") as file:
        uptime = int(float(file.read().split()[0]))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return [{"id": f"node/{place.node}", "level": "", "maxcpu": os.cpu_count(), "maxmem": memory, "node": place.node,
             "status": "online", "type": "node", "uptime": uptime}]


def lxc_list(place, values):
    return pct.entries(Guests(place))


def lxc_config(place, values):
    found = Guests(place).store.load(values["vmid"])
    chosen, raw = pct.chosen(found, values)
    answer = {key: int(value) if key in NUMBERS and value.isdigit() else value for key, value in chosen.items()}
    if raw:
        answer["lxc"] = [list(pair) for pair in raw]
    return {**answer, "digest": found.digest}


def lxc_status(place, values):
    guests = Guests(place)
    return {**guests.containers.status(guests.store.load(values["vmid"])), "ha": {"managed": 0}}


def lxc_pending(place, values):
    return [{**entry, "value": entry["value"]} if "value" in entry else entry
            for entry in pct.pending_entries(Guests(place).store.load(values["vmid"]))]


def lxc_interfaces(place, values):
    guests = Guests(place)
    guests.store.load(values["vmid"])
    pid = guests.containers.pid(values["vmid"])
    if pid is None:
        raise Died(f"CT {values['vmid']} not running")
    return networks.addresses(pid)


def lxc_snapshots(place, values):
    found = Guests(place).store.load(values["vmid"])
    return [*({"name": name, "description": section.options.get("description", ""),
               "snaptime": int(section.options.get("snaptime", 0))} for name, section in sorted(found.snapshots.items())),
            {"name": "current", "description": "You are here!", "digest": found.digest,
             "running": int(Guests(place).running(values["vmid"]))}]


def storage_config(place, values):
    return [{"storage": name, "type": storage.kind, **storage.options}
            for name, storage in sorted(Storages(place).by_name.items())]


def one_storage(place, values):
    storage = Storages(place)[values["storage"]]
    return {"storage": storage.name, "type": storage.kind, **storage.options}


def storage_status(place, values):
    entry = Storages(place).enabled(values["storage"]).status()
    del entry["storage"]
    return entry


def resources(place, values):
    kinds = {"vm": ("lxc", "qemu")}.get(values.get("type"), (values.get("type"),))
    found = []
    for kind, entries in (("lxc", lxc_list(place, {})), ("qemu", qm.machines(place))):
        found += [{**{key: value for key, value in entry.items() if key not in ("swap", "maxswap", "cpus", "pid")},
                   "id": f"{kind}/{entry['vmid']}", "maxcpu": entry["cpus"], "node": place.node,
                   "template": entry.get("template", 0), "type": kind} for entry in entries]
    found += [{"content": entry["content"], "disk": entry["used"], "id": f"storage/{place.node}/{entry['storage']}",
               "maxdisk": entry["total"], "node": place.node, "plugintype": entry["type"], "shared": entry["shared"],
               "status": "available" if entry["active"] else "unknown", "storage": entry["storage"], "type": "storage"}
              for entry in pvesm.statuses(place, {})]
    found = nodes(place, {}) + found
    if treachery.thrown(place, "resources-lag"):
        found = [{**entry, "status": "unknown"} for entry in found]
    return [entry for entry in found if values.get("type") is None or entry["type"] in kinds]


def task_list(place, values):
    return [{key: value for key, value in {**entry["record"], "endtime": entry["endtime"],
                                           "status": entry["record"]["exitstatus"]}.items() if key != "exitstatus"}
            for entry in tasks.kept(place)][:int(values.get("limit", 50))]


def _task(place, values):
    for entry in tasks.kept(place):
        if entry["record"]["upid"] == values["upid"]:
            return entry
    raise Died(f"unable to parse worker upid '{values['upid']}'")


def task_status(place, values):
    return _task(place, values)["record"]


def task_log(place, values):
    return [{"n": number, "t": line} for number, line in enumerate(_task(place, values)["log"], 1)]


def next_id(place, values):
    taken = {int(file.stem) for kind in ("lxc", "qemu-server") for file in place.guests(kind).glob("*.conf")}
    return str(next(number for number in range(100, 10 ** 9) if number not in taken))


def index(*names, key="subdir"):
    return lambda place, values: [{key: name} for name in names]


NODE = r"/nodes/(?P<node>[^/]+)"
LXC = NODE + r"/lxc/(?P<vmid>[^/]+)"
# The path, what answers, and which options it knows.
PATHS = [
    ("/", index("access", "cluster", "nodes", "pools", "storage", "version"), {}),
    ("/version", version, {}),
    ("/nodes", nodes, {}),
    (NODE, index("lxc", "qemu", "storage", "tasks", "version", key="name"), {}),
    (NODE + "/version", version, {}),
    (NODE + "/lxc", lxc_list, {}),
    (LXC, index("config", "pending", "status", "snapshot", "interfaces"), {}),
    (LXC + "/config", lxc_config, SNAPSHOT),
    (LXC + "/status", index("current", "start", "stop", "shutdown", "suspend", "resume", "reboot"), {}),
    (LXC + "/status/current", lxc_status, {}),
    (LXC + "/pending", lxc_pending, {}),
    (LXC + "/interfaces", lxc_interfaces, {}),
    (LXC + "/snapshot", lxc_snapshots, {}),
    (NODE + "/qemu", lambda place, values: qm.machines(place), {"full": boolean()}),
    (NODE + "/storage", pvesm.statuses, pvesm.STATUSES),
    (NODE + r"/storage/(?P<storage>[^/]+)", index("content", "status"), {}),
    (NODE + r"/storage/(?P<storage>[^/]+)/content", pvesm.contents, pvesm.CONTENTS),
    (NODE + r"/storage/(?P<storage>[^/]+)/status", storage_status, {}),
    (NODE + "/tasks", task_list, {"limit": {"type": "integer", "optional": True, "minimum": 0}}),
    (NODE + r"/tasks/(?P<upid>UPID:[^/]+)/status", task_status, {}),
    (NODE + r"/tasks/(?P<upid>UPID:[^/]+)/log", task_log, {}),
    ("/storage", storage_config, {}),
    (r"/storage/(?P<storage>[^/]+)", one_storage, {}),
    ("/cluster/resources", resources, {"type": string(enum=["vm", "storage", "node", "sdn"])}),
    ("/cluster/nextid", next_id, {}),
]
IN_PATH = {"vmid": VMID, "storage": STORAGE}
OUTPUT = {"output-format": string(enum=["text", "json", "json-pretty", "yaml"]), "noborder": boolean(), "noheader": boolean(),
          "quiet": boolean(), "human-readable": boolean(), "noproxy": boolean()}


def _given(place, path):
    """What a test has put there, for this node or for `localhost`."""
    names = {path.strip("/"), re.sub(r"^nodes/localhost(/|$)", rf"nodes/{place.node}\1", path.strip("/"))}
    for name in names:
        file = place.answers / f"{name or 'root'}.json"
        if file.exists():
            return json.loads(file.read_text(encoding="utf-8"))
    return None


def _resolve(path):
    normal = "/" + path.strip("/")
    for pattern, answer, known in PATHS:
        if found := re.fullmatch(pattern, normal):
            return answer, known, found.groupdict()
    return None


def _strings(value):
    if isinstance(value, dict):
        return {key: _strings(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_strings(each) for each in value]
    return str(value) if isinstance(value, (int, float)) else value


def _show(place, answer, form):
    if treachery.thrown(place, "numbers-as-strings"):
        answer = _strings(answer)
    if form == "json":
        print(json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    elif form == "json-pretty":
        print(json.dumps(answer, sort_keys=True, indent=3, separators=(",", " : "), ensure_ascii=False))
    else:
        raise Died(f"pve-standin: pvesh's output format '{form}' is not imitated", 3)


def get(place, values):
    words = values["extra-args"]
    # As with the real one the path comes first; it is looked up before the options are read.
    if not words:
        raise BadRequest("not enough arguments")
    path = words[0]
    given = _given(place, path)
    resolved = _resolve(path)
    if given is None and resolved is None:
        raise Died(f"No 'get' handler defined for '{path}'", 1)
    answer, known, in_path = resolved or (None, {}, {})
    chosen = options.parse(words[1:], {**OUTPUT, **known}, ())
    form = chosen.get("output-format", "text")
    arguments = {key: value for key, value in chosen.items() if key not in OUTPUT}
    if given is None:
        arguments.update({key: value for key, value in in_path.items() if key != "node"})
        errors = object_errors({key: value for key, value in in_path.items() if key in IN_PATH},
                               {key: kind for key, kind in IN_PATH.items() if key in in_path})
        if errors:
            raise BadRequest(errors=errors)
        if in_path.get("node", place.node) not in (place.node, "localhost"):
            raise Died(f"hostname lookup '{in_path['node']}' failed - failed to get address info for: {in_path['node']}: Name or "
                       "service not known", 2)
        given = answer(place, arguments)
    sys.stdout.flush()
    if chosen.get("quiet") != "1":
        _show(place, given, form)


class _Get(Command):
    def usage(self, prefix):
        return f"{prefix} <api_path> [OPTIONS] [FORMAT_OPTIONS]\n"


PROGRAM = Program("pvesh", {
    "get": _Get(get, ("extra-args",), {"extra-args": {"type": "array", "optional": True}}),
    **{name: not_imitated(f"pvesh {name}") for name in ("create", "delete", "ls", "set", "usage")},
})
