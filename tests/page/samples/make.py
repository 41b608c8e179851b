#!/usr/bin/env python3
"""Makes runs.json anew, from what the real programs say of a small lab: an audit, a failed step, a person's step, closed gates.

Usage: RELAB=... RELAB_AGENT=... make.py OUT. It takes a minute, and is no test: the sample is looked through before it is kept.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import viewer  # noqa: F401  it says where the others are
from viewer.compose import compose

from support.lab import DISKS, PING, Lab, phase, step, track
from support.tools import LSBLK

ATTACH = "Plug the backup disk into a rear port."
WAIT = (
    f'{{ name = "disk", task = {{ usb_disk = {{ serial = "NAAB0001", folder = "/mnt/usb" }} }}, deadline = "2m", '
    f'instruction = "{ATTACH}" }}'
)


def describe(lab):
    lab.describe(
        phase(
            "0a",
            track("0a-disks", "z640", step("disks", DISKS)),
            track("0a-guests", "z640", step("guests", "audit_guests = {}")),
            track("0a-zfs", "z640", step("zfs", "audit_zfs = {}")),
            track("0a-network", "z640", step("network", "audit_network = {}")),
            more='proves = [{ name = "audit.complete", max_age = "24h" }]',
        ),
        phase(
            "ready",
            track(
                "folders",
                "z640",
                step("folder", f'directory = {{ path = "{lab.folder}/srv/media", parents = true, mode = "0750" }}'),
                step("note", f'file = {{ path = "{lab.folder}/srv/media/README", content = "Films and series\\n" }}'),
            ),
            track("agents", "jellyfin", step("hello", PING)),
        ),
        phase(
            "0b",
            track(
                "0b",
                "z640",
                step("health", 'pool_health = { pool = "datapool" }'),
                step("snapshot", 'zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" }'),
            ),
            track("usb", "z640", WAIT),
            more='after = ["ready"]',
        ),
        phase(
            "1",
            track("1", "z640", step("wipe", 'wipe_disk = { serial = "OLD1" }')),
            more='after = ["0a", "0b"]\ninstalls = ["z640"]',
        ),
        phase("2", track("2a", "z640"), more='after = ["1"]'),
    )
    text = lab.file.read_text()
    pool = """
[[disks]]
name = "data1"
host = "z640"
serial = "ZDH1A001"
role = "data"
size = "2TB"

[[pools]]
name = "datapool"
host = "z640"
layout = "single"
disks = ["data1"]

[[keep]]
path = "/root"
host = "z640"
why = "Scripts and notes"

"""
    lab.file.write_text(text.replace("[[plan.phases]]", pool + "[[plan.phases]]", 1))


def roles_of(lab):
    """Those of the packages, for whose agent the lab's folder is its own, too."""
    roles = lab.folder / "roles"
    roles.mkdir()
    for path in lab["z640"].roles_dir.glob("*.json"):
        role = json.loads(path.read_text())
        role["paths"] = [*role.get("paths", []), str(lab.folder)]
        (roles / path.name).write_text(json.dumps(role))
    return roles


def main(out):
    lab = Lab(("z640", "jellyfin"))
    try:
        roles = roles_of(lab)
        for agent in lab.agents.values():
            agent.roles_dir = roles
        describe(lab)
        lab.init()
        for name in lab.agents:
            ended = lab.enrol(name)
            assert ended.code == 0, ended
        shown = json.loads(LSBLK)
        disk = dict(
            shown["blockdevices"][0],
            name="sdq",
            kname="sdq",
            path="/dev/sdq",
            serial="OLD1",
            model="Portable",
            pttype="gpt",
            children=[],
        )
        shown["blockdevices"].append(disk)
        lab["z640"].tools.fake("lsblk", prints=json.dumps(shown))
        for agent in lab.agents.values():
            agent.start()
        for name in ("0a", "ready", "0b"):
            ended = lab.relab("run", name, "--patience", "5", "--output", "json")
            print(ended)
        waiting = {row["step"]: row for row in json.loads(ended.out).get("waiting", [])}
        lab["jellyfin"].kill()
        report = compose(
            lab,
            {
                "state": "failed",
                "sentence": "Phase 0b failed at health; its disk waits for you.",
                "next": [{"command": "relab run 0b", "why": "once the pool can be read, and the disk is there"}],
            },
            made="",
            more={
                "0b": {"after": ["ready"]},
                "1": {"after": ["0a", "0b"], "installs": ["z640"]},
                "2": {"after": ["1"]},
                "2 0": {"track": "2a", "agent": "z640"},
                "0b/usb/disk": {"instruction": ATTACH},
                "1/1/wipe": {"destroys": ["disk OLD1: Portable"]},
            },
            waiting=waiting,
        )
        report["made"] = report["history"][-1]["time"]
        text = json.dumps(report, indent=1).replace(str(lab.folder), "/tmp/lab")
        pathlib.Path(out).write_text(text + "\n")
    finally:
        lab.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
