#!/usr/bin/env python3
"""What a run of ./test tried, in figures, read from its logs. Usage: figures.py LOGS

`./test` removes the logs of earlier runs when it begins: what has no log here was not measured, and
that is what is said of it.
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree

from coverage import lines_of

NOT_MEASURED = "not measured in this run"
CORES = ("agent/core", "controller/engine")
KILLS = ("agent killed", "controller killed")


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def output_of(path, test):
    """What a test printed, by ctest's JUnit file; empty if there is none."""
    if not path.exists():
        return ""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.get("name") == test:
            return case.findtext("system-out") or ""
    return ""


def found(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else NOT_MEASURED


def kills(text):
    """Of processes, by SIGKILL, in the storm of integration_netns."""
    storm = re.search(r"^\d+ faults: (.*)$", text, re.MULTILINE)
    if not storm:
        return NOT_MEASURED
    counts = {what: int(count) for count, what in re.findall(r"(\d+) ([^,]+)", storm[1])}
    return f"{sum(counts.get(what, 0) for what in KILLS)} ({', '.join(f'{counts.get(what, 0)} {what}' for what in KILLS)})"


def simulated(logs):
    seeds = output_of(logs / "simulation.xml", "simulation_seeds")
    plants = output_of(logs / "simulation.xml", "simulation_planted_bugs")
    yield "seeds simulated that hold", found(r"^(\d+) seeds hold$", seeds)
    yield "events in them", found(r"^(\d+) events, ", seeds)
    yield "crashes in them", found(r", (\d+) crashes ", seeds)
    yield "planted bugs found", found(r"^(\d+ of \d+) planted bugs found$", plants)


def falsified(logs):
    for suite in ("bookworm", "trixie"):
        told = output_of(logs / "vmlab.xml", f"vmlab_falsify_{suite}")
        yield f"false copies refused, {suite}", found(r"^falsified: (\d+ ways.*)$", told)
        told = output_of(logs / "vmlab.xml", f"vmlab_killed_{suite}")
        yield f"runs of 0b broken off, {suite}", found(r"^killed: (\d+ moments.*)$", told)


def fuzzed(logs):
    runs = sorted(logs.glob("*_fuzz.log"))
    if not runs:
        yield "inputs of the fuzzers", NOT_MEASURED
    for log in runs:
        executed = found(r"^stat::number_of_executed_units: *(\d+)", read(log))
        yield f"inputs of {log.stem}", executed


def covered(logs):
    path = logs / "coverage.json"
    summary = json.loads(read(path)) if path.exists() else None
    for core in CORES:
        run, total = lines_of(summary, core) if summary else (0, 0)
        yield f"lines run of {core}", f"{100 * run / total:.1f} % ({run} of {total})" if total else NOT_MEASURED


def figures(logs):
    yield from simulated(logs)
    yield "kills in the storm", kills(output_of(logs / "integration.xml", "integration_netns"))
    yield from falsified(logs)
    yield "searches of the model", found(r"^(\d+ searches, \d+ surprises)$", read(logs / "model.log"))
    yield from fuzzed(logs)
    yield from covered(logs)


def main(logs):
    print("\nFigures")
    for what, figure in figures(pathlib.Path(logs)):
        print(f"  {what:36} {figure}")


if __name__ == "__main__":
    main(sys.argv[1])
