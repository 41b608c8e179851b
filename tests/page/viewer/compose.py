"""A report composed of what the programs print with `--output json`, as docs/formats/report.md tells: true data for the page."""

import base64
import hashlib
import json

from support.records import decode, id_of

STATES = ("succeeded", "failed", "refused", "cancelled", "unknown")


def instant(milliseconds):
    """As relab writes times, with the milliseconds that a report has."""
    from datetime import datetime, timezone

    moment = datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def reports_of(lab):
    """{task id: (digest, report)} of the ledger."""
    lines = [json.loads(line) for line in lab.relab("ledger", "export").out.splitlines()]
    payloads = [base64.b64decode(line["envelope"]["payload"]) for line in lines if line["kind"] == "received"]
    digest = lambda payload: hashlib.blake2b(payload, digest_size=32, person=b"relab-content-v1").hexdigest()
    return {id_of(report["taskId"]): (digest(payload), report) for payload, report in zip(payloads, decode(payloads, "Report"))}


def step_of(planned, task, reports, waiting):
    step = planned | {"state": "never"}
    if waiting:
        step |= {"state": "waiting", "wait": {"for": waiting["for"], "why": waiting["why"]}}
    if not task:
        return step
    step |= {key: task[key] for key in ("task", "attempt", "ordered")}
    word = task["state"].split(":")[0]
    step["state"] = word if word in STATES else {"given up": "given_up"}.get(word, "running")
    if task["task"] not in reports:
        return step
    digest, report = reports[task["task"]]
    step |= {
        "started": instant(report["startedAt"]),
        "ended": instant(report["endedAt"]),
        "digest": digest,
        "mode": report["mode"],
        "changes": report.get("changes", []),
        "log": report.get("log", []),
    }
    if step["state"] != "succeeded":
        step["failure"] = {key: value for key, value in report.get("failure", {}).items() if value}
    return step


def phase_state(phase, gate, tasks, waiting):
    steps = [step for track in phase["tracks"] for step in track["steps"]]
    if not steps:
        return "empty"
    if any(step["state"] in STATES[1:] for step in steps):
        return "failed"
    if all(step["state"] == "succeeded" for step in steps):
        return "complete"
    if any(waiting.get(step["step"]) for step in steps):
        return "person"
    return "running" if tasks else "ready" if gate["entry"]["open"] else "closed"


def phases_of(lab, more, waiting, reports):
    gates = {gate["phase"]: gate for gate in lab.relab_json("gate")}
    runs = {row["phase"]: row["lastRun"] for row in lab.relab_json("status")["phases"]}
    phases = []
    for plan in lab.relab_json("plan"):
        name, run = plan["phase"], runs.get(plan["phase"])
        tasks = {task["step"]: task for task in run["tasks"]} if run else {}
        phase = {"phase": name, "title": plan["title"]} | more.get(name, {})
        phase["gate"] = {side: gates[name][side] for side in ("entry", "steps", "proof")}
        if run:
            phase["run"] = {key: run[key] for key in ("run", "started", "ended")}
        failed = any(task["state"].split(":")[0] in STATES[1:] for task in tasks.values())
        phase["tracks"] = []
        for number, track in enumerate(plan["tracks"]):
            if not track:
                phase["tracks"].append(more[f"{name} {number}"] | {"steps": []})
                continue
            steps = [
                step_of(step | more.get(step["step"], {}), tasks.get(step["step"]), reports, waiting.get(step["step"]))
                for step in track
            ]
            stopped = False
            for step in steps:
                if stopped and step["state"] == "never" and failed:
                    step["state"] = "blocked"
                stopped = stopped or step["state"] in STATES[1:]
            phase["tracks"].append({"track": track[0]["step"].split("/")[1], "agent": track[0]["agent"], "steps": steps})
        phase["state"] = phase_state(phase, gates[name], tasks, waiting)
        phases.append(phase)
    return phases


def flat(value):
    """A fact as a cell; what the program itself knows to show better."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {flat(inner)}" for key, inner in value.items() if inner not in ("", None, {}))
    if isinstance(value, list):
        return ", ".join(flat(inner) for inner in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def tables_of(facts):
    tables = []
    for name, value in facts.items():
        if name == "coverage" or not (isinstance(value, list) and value and isinstance(value[0], dict)):
            continue
        columns = list(dict.fromkeys(key for row in value for key in row))
        tables.append(
            {
                "title": name,
                "columns": [
                    {"title": column, "number": all(str(row.get(column, 0)).isdigit() for row in value)} for column in columns
                ],
                "rows": [[flat(row.get(column, "")) for column in columns] for row in value],
            }
        )
    return tables


def audit_of(lab):
    sections = []
    for name, answers in lab.relab_json("audit", "show").items():
        for answer in answers:
            facts = answer.get("facts") or {}
            coverage = facts.get("coverage", {})
            sections.append(
                {"section": name}
                | {key: answer[key] for key in ("agent", "result", "whole", "taken_at", "failure") if key in answer}
                | {
                    "absent": coverage.get("absent", ""),
                    "problems": coverage.get("problems", []),
                    "parts": coverage.get("parts", []),
                    "tables": tables_of(facts),
                }
            )
    return sections


def compose(lab, verdict, made, more=None, waiting=None):
    """`more`: what only the lab file tells of phases and steps; `waiting`: {step: {for, why}} as `relab run` says."""
    head = json.loads(lab.relab("ledger", "head").out)
    count, moment = (int.from_bytes(base64.b64decode(head["payload"])[at : at + 8], "little") for at in (16, 24))
    return {
        "format": 1,
        "lab": "loop",
        "made": made,
        "version": lab.relab("--version").out.split()[-1],
        "basis": "runs",
        "verdict": verdict,
        "phases": phases_of(lab, more or {}, waiting or {}, reports_of(lab)),
        "survival": lab.relab_json("audit", "survive"),
        "audit": audit_of(lab),
        "agents": lab.relab_json("agents", "--ping"),
        "ledger": lab.relab_json("ledger", "verify") | {"checkpoint": {"entries": count, "time": instant(moment)}},
        "history": lab.relab_json("ledger", "show"),
    }
