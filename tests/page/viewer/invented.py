"""Reports that nobody's lab gave: a rehearsal of the reference lab, a large lab, and one full of hostile texts."""

from datetime import datetime, timedelta, timezone

BEGAN = datetime(2026, 12, 4, 18, 0, tzinfo=timezone.utc)
MADE = "2026-12-01T20:15:02Z"
DIGEST = "4a34028d823e27e00fdd453421f953628004810bfd09734b46ae1bcbca93583d"


def at(minutes):
    return (BEGAN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def task_id(number):
    return f"01a228f1-d164-733b-93fd-{number:012x}"


class Clock:
    """Gives each step of a track its time, one after the other."""

    def __init__(self, minutes=0):
        self.now, self.latest, self.count = minutes, minutes, 0

    def step(self, path, agent, kind, minutes, **more):
        self.count += 1
        waits = [wait | {"from": at(self.now), "to": at(self.now + wait.pop("minutes"))} for wait in more.pop("waits", [])]
        begin = max(
            [self.now]
            + [(datetime.fromisoformat(wait["to"].replace("Z", "+00:00")) - BEGAN).total_seconds() / 60 for wait in waits]
        )
        self.now = begin + minutes
        self.latest = max(self.latest, self.now)
        return {
            "step": path,
            "agent": agent,
            "kind": kind,
            "state": "succeeded",
            "task": task_id(self.count),
            "attempt": 1,
            "deadlineSeconds": 86400,
            "mode": "apply",
            "ordered": at(begin),
            "started": at(begin),
            "ended": at(self.now),
            "digest": DIGEST,
            "waits": waits,
            "changes": [],
            "log": [f"{kind}: exit 0, 512 bytes, 13 ms"],
        } | more


def finding(subject, standing="met", why="read 3 h ago", **more):
    met = standing == "met"
    origin = {"agent": "z640", "task": task_id(1), "ended": at(3), "digest": DIGEST} if met else {}
    return {"subject": subject, "met": met, "standing": standing, "why": why} | origin | more


def condition(name, of, *findings, **more):
    return {
        "condition": name,
        "of": of,
        "met": bool(findings) and all(one["met"] for one in findings),
        "absolute": False,
        "findings": list(findings),
    } | more


def gate(*conditions):
    return {"open": all(one["met"] or one.get("waived") for one in conditions), "conditions": list(conditions)}


def phase(name, title, state, tracks, after=(), entry=gate(), proof=gate(), steps=gate(), **more):
    return {
        "phase": name,
        "title": title,
        "state": state,
        "after": list(after),
        "tracks": tracks,
        "gate": {"entry": entry, "steps": steps, "proof": proof},
    } | more


def track(name, agent, title, *steps):
    return {"track": name, "agent": agent, "title": title, "steps": list(steps)}


SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services", "pci", "packages")


def audit_phase(clock):
    begin, tracks = clock.now, []
    for number, section in enumerate(SECTIONS):
        clock.now = begin
        tracks.append(
            track(
                f"0a-{section}",
                "z640",
                "",
                clock.step(f"0a/0a-{section}/{section}", "z640", f"audit_{section}", 0.2 + number * 0.3),
            )
        )
    clock.now = clock.latest
    proof = gate(condition("audit.complete", "0a", *(finding(f"{section} of z640") for section in SECTIONS)))
    return phase("0a", "Pre-audit of everything, before anything is touched", "complete", tracks, proof=proof)


def backup_phase(clock):
    path = lambda name: f"0b/0b/{name}"
    steps = [
        clock.step(
            path("scrub"),
            "z640",
            "zfs_scrub",
            312,
            bytes=5_400_000_000_000,
            expected={"seconds": 19000, "basis": "the last scrub took 5 h 16 min"},
        ),
        clock.step(path("health"), "z640", "pool_health", 0.1),
        clock.step(path("key"), "z640", "zfs_key_check", 0.1, secrets=["datapool-key"]),
        clock.step(
            path("disk"),
            "z640",
            "usb_disk",
            2,
            instruction="Plug the backup disk (usb1) into a rear port.",
            destroys=["disk NAAB0001: Seagate Expansion Desktop 8TB, blank"],
            waits=[{"for": "person", "why": "Plug the backup disk (usb1) into a rear port.", "minutes": 540}],
            changes=["+ ext4 on NAAB0001", "+ /mnt/usb: mounted"],
        ),
        clock.step(
            path("keep"),
            "z640",
            "preserve",
            4,
            changes=["+ /mnt/usb/z640-config.tar.zst: /etc, /etc/pve, /root, /var/spool/cron"],
        ),
        clock.step(path("snapshot"), "z640", "zfs_snapshot", 0.1, changes=["+ datapool@pre-rebuild and 5 below it, held"]),
        clock.step(
            path("write"),
            "z640",
            "zfs_backup",
            742,
            bytes=5_400_000_000_000,
            expected={"seconds": 44500, "basis": "at 121 MB/s, as the disk writes"},
        ),
        clock.step(path("verify"), "z640", "zfs_backup_verify", 905, bytes=5_400_000_000_000, secrets=["datapool-key"]),
    ]
    proof = gate(
        condition("pools.intact", "0b", finding("health of datapool", why="ONLINE, scrubbed 27 h ago without errors")),
        condition("key.proven", "0b", finding("key of datapool", why="tried 26 h ago"), absolute=True),
        condition("backup.verified", "0b", finding("copy of datapool", why="read back 5 min ago"), absolute=True),
    )
    return phase(
        "0b",
        "Backup of the encrypted pool to USB",
        "complete",
        [track("0b", "z640", "datapool to usb1", *steps)],
        ["0a"],
        entry=gate(condition("phase.complete", "0a", finding("phase 0a", why="every step has succeeded"))),
        proof=proof,
    )


def install_phase(clock):
    steps = [
        clock.step(
            "1/1/install",
            "z640",
            "host_reinstalled",
            25,
            instruction="Install Proxmox VE on os1 and os2, and enrol the agent anew.",
            destroys=["disk S2RANX0H500001A: Samsung SSD 850 EVO 500GB", "disk S2RANX0H500002B: Samsung SSD 850 EVO 500GB"],
            waits=[{"for": "approval", "why": "nobody has approved of it: relab approve 1", "minutes": 35}],
        ),
        clock.step("1/1/import", "z640", "pool_import", 1, changes=["+ pool datapool: imported, 0 errors"]),
        clock.step(
            "1/1/network",
            "z640",
            "file",
            0.2,
            changes=[
                "~ /etc/network/interfaces",
                "- iface vmbr0 inet dhcp",
                "+ iface vmbr0 inet static",
                "+   bridge-vlan-aware yes",
            ],
        ),
    ]
    entry = gate(
        condition("phase.complete", "0b", finding("phase 0b", why="every step has succeeded")),
        condition(
            "pools.intact",
            "1",
            finding("health of datapool", "stale", "looked at 8 d ago, not within 7 d", supply="relab run 0b"),
            waived="scrubbed by hand yesterday",
        ),
        condition(
            "data.survives",
            "1",
            finding("what must not be lost of z640", why="14 of it survive, or are preserved and were read back"),
            absolute=True,
        ),
    )
    return phase(
        "1",
        "Clean Proxmox on the OS mirror, import of the data pool, VLANs",
        "complete",
        [track("1", "z640", "Installation that never touches data1 to data4", *steps)],
        ["0b"],
        entry=entry,
        installs=["z640"],
    )


def media_phase(clock):
    begin = clock.now
    media = [
        clock.step("3/3a/container", "z640", "guest", 3, changes=["+ container 110 jellyfin"]),
        clock.step("3/3a/packages", "jellyfin", "packages", 4),
        clock.step(
            "3/3a/answers",
            "jellyfin",
            "http_probe",
            5,
            state="failed",
            changes=None,
            failure={
                "fault": "unreachable",
                "what": "http://10.42.20.10:8096/health answered 503, not 200, for 5 min",
                "hint": "look at `journalctl -u jellyfin` in guest 110; the render node of the Arc was not there",
                "during": ["probing jellyfin"],
            },
            log=["GET http://10.42.20.10:8096/health: 503, 3 ms"] * 6,
        ),
        {"step": "3/3a/library", "agent": "jellyfin", "kind": "restore", "state": "blocked", "deadlineSeconds": 3600},
    ]
    clock.now = begin
    arr = [
        clock.step("3/3b/container", "z640", "guest", 3),
        clock.step("3/3b/restore", "arr", "restore", 11, bytes=3_200_000_000),
    ]
    return phase(
        "3",
        "Media",
        "failed",
        [track("3a", "jellyfin", "Jellyfin on the Intel Arc", *media), track("3b", "arr", "Sonarr, Radarr, Prowlarr", *arr)],
        ["2"],
        entry=gate(condition("phase.complete", "2", finding("phase 2", why="every step has succeeded"))),
    )


def later_phases():
    shut = lambda name, why="it was never run": gate(
        condition("phase.complete", name, finding(f"phase {name}", "unmet" if name == "3" else "missing", why))
    )
    expected = {"seconds": 600, "basis": "as long as the reference lab took"}
    return [
        phase(
            "4a",
            "VLANs, firewall, tunnel",
            "closed",
            [
                track(
                    "4a-firewall",
                    "z640",
                    "VLAN 60 may open nothing",
                    *(
                        {
                            "step": f"4a/4a-firewall/{name}",
                            "agent": "z640",
                            "kind": kind,
                            "state": "never",
                            "deadlineSeconds": 600,
                            "expected": expected,
                        }
                        for name, kind in (("rules", "file"), ("blocked", "tcp_probe"), ("control", "tcp_probe"))
                    ),
                )
            ],
            ["3"],
            entry=shut("3", "3/3a/answers did not succeed"),
        ),
        phase(
            "4b",
            "trillian: Docker, Ollama and Open WebUI on the RTX 3060, behind Caddy",
            "closed",
            [track("4b", "trillian", "")],
            ["4a"],
            entry=shut("4a"),
        ),
        phase(
            "5",
            "Terraform, Ansible, Vault",
            "empty",
            [track("5-vault", "vault", "Secrets move into Vault"), track("5-code", "z640", "Terraform and Ansible take over")],
            ["4b"],
            entry=shut("4b"),
        ),
    ]


def thing(path, what, ending, why, wanted=True, given_up=False, vmid=0, supply=""):
    return {
        "host": "z640",
        "vmid": vmid,
        "path": path,
        "what": what,
        "wanted": wanted,
        "givenUp": given_up,
        "ending": ending,
        "why": why,
        "supply": supply,
    }


def survival():
    archive = "in /mnt/usb/z640-config.tar.zst, read back 3 h ago"
    things = [
        thing(
            "/var/lib/sonarr",
            "configuration of sonarr",
            "lost",
            "its volume lies on rpool, which the installation overwrites",
            vmid=101,
            supply="relab run 0b",
        ),
        thing(
            "/var/lib/grafana",
            "kept by lab.toml: three years of dashboards",
            "lost",
            "its volume lies on rpool, which the installation overwrites",
            vmid=131,
            supply="give a phase before it a step `preserve` of that path",
        ),
        *(
            thing(path, what, "preserved", archive)
            for path, what in (
                ("/etc/pve", "configuration of Proxmox"),
                ("/etc/network", "configuration of the network"),
                ("/etc/crontab", "cron jobs"),
                ("/root", "kept by lab.toml: Scripts and notes of the administrator"),
            )
        ),
        *(
            thing(f"/{name}", f"dataset {name}", "survives", "on the pool of data 'datapool'", wanted=False)
            for name in ("datapool", "datapool/documents", "datapool/media")
        ),
        thing(
            "/etc/cron.d/zfsutils-linux",
            "cron jobs",
            "lost",
            "the pool 'rpool' lies on os1, which is no disk of data",
            given_up=True,
        ),
        thing("", "dataset rpool/data", "lost", "the pool 'rpool' lies on os1, which is no disk of data", wanted=False),
    ]
    return {"things": things, "notRead": [], "lost": 2, "installed": ["z640"]}


def table(title, columns, rows, numbers=(), **more):
    return {
        "title": title,
        "columns": [{"title": column, "number": column in numbers} for column in columns],
        "rows": rows,
    } | more


def audit():
    pools = table(
        "pools",
        ["name", "health", "size", "allocated", "last scrub"],
        [["datapool", "ONLINE", "7.3 TiB", "4.9 TiB", "12 d ago"], ["rpool", "DEGRADED", "464.0 GiB", "88.2 GiB", "41 d ago"]],
        ("size", "allocated"),
        alarms=[1],
        notes=["rpool: one of its two disks does not answer"],
    )
    disks = table(
        "disks",
        ["name", "serial", "model", "size", "SMART", "used by"],
        [[f"data{i}", f"ZDH1A00{i}", "Seagate ST2000DM008", "1.8 TiB", "passed", "datapool"] for i in range(1, 5)]
        + [["os1", "S2RANX0H500001A", "Samsung SSD 850 EVO 500GB", "465.8 GiB", "passed", "rpool"]],
        ("size",),
    )
    guests = table(
        "guests",
        ["vmid", "name", "type", "state", "cores", "memory"],
        [["101", "wireguard", "lxc", "running", "1", "512 MiB"], ["110", "jellyfin", "lxc", "running", "4", "4 GiB"]],
        ("vmid", "cores"),
    )
    section = (
        lambda name, *tables, **more: {
            "section": name,
            "agent": "z640",
            "result": "succeeded",
            "whole": True,
            "taken_at": "2026-12-01T19:58:12Z",
            "failure": "",
            "absent": "",
            "problems": [],
            "parts": [],
            "tables": list(tables),
        }
        | more
    )
    return [
        section("zfs", pools),
        section(
            "disks",
            disks,
            whole=False,
            problems=[{"part": "SMART of /dev/sde", "why": "smartctl ended with 2: the device does not answer"}],
        ),
        section("guests", guests),
        section("pbs", absent="no Proxmox Backup Server and no storage of that type was found"),
        section(
            "network",
            table("bridges", ["name", "ports"], [["vmbr0", "eno1"]]),
            parts=[{"part": "ufw", "why": "no ufw on this machine"}],
        ),
    ]


def rehearsal():
    clock = Clock()
    phases = [audit_phase(clock), backup_phase(clock), install_phase(clock)]
    phases.append(
        phase(
            "2",
            "Containers for backup, tunnel and monitoring",
            "complete",
            [
                track(
                    "2a",
                    "z640",
                    "Proxmox Backup Server",
                    clock.step("2/2a/container", "z640", "guest", 3),
                    clock.step("2/2a/agent", "z640", "agent_install", 2),
                )
            ],
            ["1"],
        )
    )
    phases += [media_phase(clock), *later_phases()]
    return {
        "format": 1,
        "lab": "z640",
        "description": "HP Z640: media, backups, AI agents",
        "made": MADE,
        "version": "0.1.0",
        "basis": "rehearsal",
        "timezone": "Europe/Berlin",
        "verdict": {
            "state": "failed",
            "sentence": "The rehearsal stopped in phase 3: Jellyfin did not answer. Two things that must be kept would be lost.",
            "next": [
                {"command": "relab audit survive", "why": "tells what to preserve first"},
                {"command": "", "why": "Then rehearse once more."},
            ],
        },
        "rehearsal": {
            "began": at(0),
            "seed": 7,
            "people": [
                {"step": "0b/0b/disk", "agent": "z640", "what": "Plug the backup disk into a rear port.", "command": ""},
                {
                    "step": "1/1/wipe",
                    "agent": "z640",
                    "what": "Approve of what it destroys: the disk S2RANX0H500001A",
                    "command": "relab approve 1",
                },
            ],
            "assumptions": [
                "Disks are as fast as the audit measured: 121 MB/s to the USB disk.",
                "A person comes the next morning.",
            ],
        },
        "figures": [{"what": "Host is away", "value": "1 h 1 min", "note": "in phase 1"}],
        "problems": [
            {
                "kind": "missing",
                "what": "the secret datapool-key is not stored",
                "command": "relab secret set datapool-key",
                "phase": "0b",
            }
        ],
        "phases": phases,
        "survival": survival(),
        "audit": audit(),
        "auditChanges": {
            "from": task_id(77),
            "to": task_id(78),
            "changes": [
                {"change": "changed", "path": ["zfs", "pools", "rpool", "health"], "before": "ONLINE", "after": "DEGRADED"},
                {"change": "added", "path": ["guests", "131"], "after": "grafana, running"},
                {"change": "removed", "path": ["disks", "os2"], "before": "Samsung SSD 850 EVO 500GB"},
            ],
        },
        "agents": [
            {
                "name": "z640",
                "endpoint": "tcp://10.42.10.2:7460",
                "fingerprint": "a1b2 c3d4 e5f6 0718",
                "machineId": "0123456789abcdef0123456789abcdef",
                "role": "proxmox",
                "enrolled": "2026-11-28T10:00:00Z",
                "version": "0.1.0",
                "lastSeen": "2026-12-01T20:00:00Z",
                "kinds": ["ping", "auditZfs"],
            }
        ],
        "ledger": {
            "lab": "z640",
            "entries": 53,
            "orders": 19,
            "reports": 19,
            "checkpoints": 5,
            "head": DIGEST,
            "valid": True,
            "checkpoint": {"entries": 52, "time": "2026-12-01T20:00:01Z"},
        },
        "history": [
            {
                "number": 1,
                "time": "2026-11-28T09:59:00Z",
                "kind": "created",
                "agent": "",
                "phase": "",
                "task": "",
                "run": "",
                "what": "the ledger of z640",
            }
        ],
    }


def large(guests=1000, steps=200):
    """As much as the page has to bear."""
    report, clock = rehearsal(), Clock(5000)
    columns = ["vmid", "name", "type", "state", "cores", "memory", "disk", "address"]
    rows = [
        [str(100 + i), f"guest-{i:04}", "lxc", "running", "4", "4.0 GiB", "32.0 GiB", f"10.42.{i // 250}.{i % 250}"]
        for i in range(guests)
    ]
    report["audit"].append(
        {
            "section": "guests",
            "agent": "z641",
            "result": "succeeded",
            "whole": True,
            "taken_at": MADE,
            "tables": [table("guests", columns, rows, ("vmid", "cores"))],
        }
    )
    report["survival"]["things"] += [
        thing(
            f"/var/lib/app-{i}",
            "configuration of app",
            "lost" if i % 50 == 0 else "survives",
            "on the pool of data 'datapool'",
            vmid=100 + i,
        )
        for i in range(guests)
    ]
    tracks = [
        track(
            f"t{t}",
            "z640",
            "",
            *(
                clock.step(f"bulk/t{t}/step-{i}", "z640", "guest", 7, log=["pct create: exit 0, 0 bytes, 900 ms"] * 40)
                for i in range(10)
            ),
        )
        for t in range(steps // 10)
    ]
    report["phases"].append(phase("bulk", "All at once", "complete", tracks))
    return report


HOSTILE = {
    "script": "<script>window.harmed = 1</script>",
    "end": "</script><img src=x onerror='window.harmed = 2'>",
    "comment": "<!-- <script> -->",
    "quotes": "\"'`\\ & &lt; &#x3c;",
    "backwards": "safe\u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "control": "bell \x07 escape \x1b[31m null \x00 line\u2028end",
    "long": "w" * 3000,
    "url": "javascript:window.harmed = 3",
    "template": "{{data}} ${window.harmed = 4}",
    "hebrew": "\u05e9\u05dc\u05d5\u05dd of z640",
    "proto": "__proto__",
    "ticks": "`unbalanced `ticks` here",
}


def hostile():
    """The rehearsal with every text of a program or a lab file replaced by one of the hostile ones, in turn."""
    texts, count = list(HOSTILE.values()), [0]
    kept = {"format", "basis", "state", "standing", "ending", "made", "timezone", "change", "mode", "kind", "for"}
    times = {"ordered", "started", "ended", "from", "to", "time", "began", "enrolled", "lastSeen", "taken_at", "start", "end"}

    def spoil(value, key=""):
        if isinstance(value, dict):
            return {name: spoil(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner, key) for inner in value]
        if not isinstance(value, str) or key in kept:
            return value
        # A time that is none, once in a while.
        count[0] += 1
        return value if key in times and count[0] % 5 else texts[count[0] % len(texts)]

    return spoil(rehearsal())
