"""pve-standin: what a test does to the host that the stand-in plays."""

import json
import pathlib
import sys

from standin import scene, treachery
from standin.errors import Died
from standin.place import Place

USAGE = """\
pve-standin: a Proxmox host for tests, over real LXC containers; README.md beside it tells all.

  pve-standin make ROOT [KEY=VALUE...]     a host in a folder: netns=NAME bridges=A,B shelf=DIR bases=DIR node=NAME
                                           version=N.N.N rootfs=overlay|unpacked vlan_aware=0|1
  pve-standin remove ROOT                  ends its containers; removes folder, namespace and bridges
  pve-standin enter ROOT PROGRAM [ARG...]  runs a program for which this machine is that host
  pve-standin install [SBIN]               in a machine of its own: programs in /usr/sbin, state in /etc/pve
  pve-standin set KEY=VALUE...             changes a setting
  pve-standin throw SWITCH [ARGUMENT...]   pve-standin take-back SWITCH    pve-standin switches
  pve-standin answer PATH FILE.json        what pvesh answers to a path from now on

The last three lines mean the host that RELAB_PVE_ROOT names, else this machine.
"""


def _settings(words):
    settings = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise Died(f"'{word}' is not KEY=VALUE")
        if key == "vlan_aware":
            settings[key] = value in ("1", "true", "yes")
        elif key == "bridges":
            settings[key] = [name for name in value.split(",") if name]
        else:
            settings[key] = float(value) if key == "lock_timeout_s" else value
    return settings


def _set(*words):
    place = Place()
    kept = json.loads(place.settings_file.read_text(encoding="utf-8")) if place.settings_file.exists() else {}
    place.settings_file.parent.mkdir(parents=True, exist_ok=True)
    place.settings_file.write_text(json.dumps({**kept, **_settings(words)}, indent=1), encoding="utf-8")


def _switches():
    place = Place()
    for name, about in treachery.SWITCHES.items():
        print(f"{'*' if treachery.thrown(place, name) else ' '} {name:20} {about}")


def _answer(path, file):
    text = pathlib.Path(file).read_text(encoding="utf-8")
    json.loads(text)
    kept = Place().answers / (path.strip("/") + ".json")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(text, encoding="utf-8")


VERBS = {
    "make": lambda root, *words: scene.make(root, **_settings(words)),
    "remove": scene.remove,
    "enter": lambda root, *argv: scene.enter(root, argv),
    "install": scene.install,
    "set": _set,
    "throw": lambda name, *argument: treachery.throw(Place(), name, " ".join(argument)),
    "take-back": lambda name: treachery.take_back(Place(), name),
    "switches": _switches,
    "answer": _answer,
}


def main(words):
    if not words or words[0] in ("-h", "--help") or words[0] not in VERBS:
        print(USAGE, end="", file=sys.stdout if words[:1] in (["-h"], ["--help"]) else sys.stderr)
        return 0 if words[:1] in (["-h"], ["--help"]) else 2
    try:
        VERBS[words[0]](*words[1:])
        return 0
    except Died as failure:
        print(f"pve-standin: {failure.text}", file=sys.stderr)
        return 1
