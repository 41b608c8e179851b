#!/usr/bin/env python3
"""Verifies protocol.pml with spin, and that spin finds every fault that can be planted in it.

docs/protocol-model.md tells what the properties are. One run is one set of -D; it holds only if spin
went through all of it. Exit codes: 0 all as expected, 1 a surprise, 2 wrong usage, 77 no spin, gcc or cc.
"""

import argparse
import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MODEL = pathlib.Path(__file__).resolve().with_name("protocol.pml")
SKIPPED = 77
MEGABYTES_MAX = 1900
DEPTH_MAX = 200_000
SECONDS_MAX = 900
SETTLES = 5
PROPERTIES = {
    1: "no task id is executed twice",
    2: "what was acknowledged is in the ledger",
    3: "the ledger says what the journal concluded",
    4: "what does not converge is executed once",
    5: "without more faults, all ends and is let go",
    6: "nothing that the ledger says is overwritten",
    7: "nothing is given up for a journal that is there",
    8: "three attempts at most",
    9: "what was refused was not begun",
}
REACHED = 10
# How pan is built and run for each kind of search.
SEARCHES = {
    "safety": (["-DSAFETY", "-DNOCLAIM"], []),
    "settles": ([], ["-a"]),
    "cycles": (["-DNP", "-DNOCLAIM"], ["-l"]),
}
# From so many states on, the time that the compiler takes to make pan faster comes back.
STATES_MANY = 1_000_000
INCOMPLETE = re.compile(r"max search depth too small|out of memory|reached -DMEMLIM|Search not completed|Interrupted|"
                        r"aborted|hash array|BITSTATE")


@dataclasses.dataclass(frozen=True)
class Run:
    name: str
    search: str
    defines: tuple = ()
    violates: int = 0  # a property, or 0 for none
    states_min: int = 1


def run(name, search="safety", violates=0, states_min=1, **budgets):
    return Run(name, search, tuple(f"{key}={value}" for key, value in budgets.items()), violates, states_min)


CALM = dict(DROPS=0, TIMEOUTS=0)
ONE_CRASH = dict(CONTROLLER_CRASHES=1, AGENT_CRASHES=1)
HOLDING = [
    run("crashes, a late order", states_min=1_000_000, **CALM),
    run("crashes, drops, timeouts", states_min=1_000_000, COPIES=0),
    run("late orders, drops, timeouts", states_min=1_000_000, **ONE_CRASH),
    run("three crashes of the agent", states_min=10_000, CONTROLLER_CRASHES=0, AGENT_CRASHES=3, COPIES=0, **CALM),
    run("hostile channel", states_min=100_000, HOSTILE=1, COPIES=0, **CALM, **ONE_CRASH),
    run("hostile channel, one that converges", states_min=100_000, HOSTILE=1, ALONE=0, CONTROLLER_CRASHES=1, **CALM),
    run("hostile channel, one that does not", states_min=1_000_000, HOSTILE=1, ALONE=1, COPIES=2, TIMEOUTS=0),
    run("a late order expires", states_min=1_000, EXPIRIES=1, TIMEOUTS=0, CONTROLLER_CRASHES=0, AGENT_CRASHES=0, EMPTYINGS=0),
    run("all settles: crashes", "settles", states_min=100_000, COPIES=0, **CALM),
    run("all settles: late orders", "settles", states_min=100_000, **CALM, **ONE_CRASH),
    run("all settles: drops, timeouts", "settles", states_min=100_000, COPIES=0, **ONE_CRASH),
    run("nothing goes round: crashes", "cycles", states_min=100_000, COPIES=0, **CALM),
    run("nothing goes round: drops, timeouts", "cycles", states_min=100_000, COPIES=0, **ONE_CRASH),
]
DEEP = [
    run("deep: crashes, late orders, drops", states_min=1_000_000, TIMEOUTS=0),
    run("deep: hostile channel, one that converges", states_min=1_000_000, HOSTILE=1, ALONE=0, **CALM),
    run("deep: all settles, late orders", "settles", states_min=1_000_000, **CALM),
    run("deep: all settles, drops, timeouts", "settles", states_min=1_000_000, COPIES=0),
]


def planted(fault, violates, search=None, **budgets):
    budgets = {**CALM, **budgets, fault: 1}
    if violates != SETTLES:
        budgets["ONLY"] = violates
    return run(fault, search or ("settles" if violates == SETTLES else "safety"), violates, **budgets)


PLANTED = [
    planted("SEND_BEFORE_LEDGER", 4),
    planted("ACK_BEFORE_LEDGER", 2),
    planted("START_BEFORE_JOURNAL", 1),
    planted("REPORT_BEFORE_JOURNAL", 3),
    planted("NO_NONCE", 1),
    planted("FORGET_DEDUPE", 1),
    planted("RELEASE_BEFORE_ACK", 2),
    planted("RERUN_AFTER_CRASH", 1),
    planted("IGNORE_JOURNAL_ID", 1),
    planted("RETRY_ANY_KIND", 4),
    planted("NO_LIMIT", 8, CONTROLLER_CRASHES=0, AGENT_CRASHES=3, COPIES=0),
    planted("RESUME_FORGETS_REPORTS", 6),
    planted("RESUME_FORGETS_WHY", 5, COPIES=0, **ONE_CRASH),
    planted("HELLO_OMITS_FINISHED", 7),
    planted("NO_REDELIVERY", 5, COPIES=0),
    planted("STALE_REFUSAL_COUNTS", 9, EXPIRIES=1, DROPS=1, CONTROLLER_CRASHES=0, AGENT_CRASHES=0, EMPTYINGS=0),
    planted("CUTS", 5, COPIES=0, CONTROLLER_CRASHES=0, AGENT_CRASHES=0, EMPTYINGS=0),
    planted("IMPATIENT", 5, COPIES=0),
    planted("IMPATIENT", 5, search="cycles", COPIES=0),
]
# That the model does what it is there for: each of these must come about.
REACHABLE = {
    1: "both steps succeed",
    2: "the third attempt succeeds",
    3: "the third attempt is the last",
    4: "a lost journal, then a new attempt",
    5: "a report after it was given up",
    6: "a task that waited for another",
}
REACHING = [run(f"reached: {name}", violates=REACHED, ONLY=REACHED, REACH=number, COPIES=0, DROPS=0,
                AGENT_CRASHES=3, CONTROLLER_CRASHES=0) for number, name in REACHABLE.items()]
# What the code does not bear, and ZeroMQ does not do. Whoever mends one changes the model with it, and then this list.
NO_CRASH = dict(CONTROLLER_CRASHES=0, AGENT_CRASHES=0, EMPTYINGS=0)
KNOWN = [
    run("known: a receipt before its hello", violates=7, ONLY=7, HOSTILE=1, COPIES=0, TIMEOUTS=0, **NO_CRASH),
]


@dataclasses.dataclass
class Verdict:
    surprise: str = ""
    states: int = 0
    depth: int = 0
    megabytes: float = 0
    seconds: float = 0
    events: str = ""


def command(arguments, folder, what):
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise RuntimeError(f"{what} failed with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def number_in(pattern, text):
    """Missing numbers are zero: whoever needs one checks that it is not."""
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else 0


def violated(text):
    """The property that pan's output says does not hold; 0 for none, -1 for what is no property."""
    if found := re.search(r"assertion violated \(*\d+!=0\)+&&\(+\d+!=(\d+)\)", text):
        return int(found[1])
    if re.search(r"^pan:\d+: (acceptance|non-progress) cycle", text, re.MULTILINE):
        return SETTLES
    return -1 if re.search(r"^pan:\d+:", text, re.MULTILINE) else 0


def judge(a_run, text):
    """What is not as expected, in words; empty if all is."""
    found = re.search(r"errors: (\d+)$", text, re.MULTILINE)
    if not found:
        return "pan did not tell how many errors there are"
    if a_run.violates == 0:
        if int(found[1]) or violated(text):
            return f"an error: {re.search(r'^pan:.*', text, re.MULTILINE)[0]}"
        if why := INCOMPLETE.search(text):
            return f"not searched to the end: {why[0]}"
        stored = number_in(r"^ *([\d.e+]+) states, stored", text)
        if stored < a_run.states_min:
            return f"only {stored:.0f} states, not {a_run.states_min}: this is not the model it was"
        return ""
    if not int(found[1]):
        return f"no error, where property {a_run.violates} should not hold" if a_run.violates != REACHED else "never comes about"
    if violated(text) != a_run.violates:
        return f"not property {a_run.violates}, but: {re.search(r'^pan:.*', text, re.MULTILINE)[0]}"
    return ""


def verify(a_run):
    flags, options = SEARCHES[a_run.search]
    defines = [f"-D{define}" for define in a_run.defines]
    with tempfile.TemporaryDirectory(prefix="relab-model-") as folder:
        shutil.copy(MODEL, folder)
        command(["spin", "-a", *defines, MODEL.name], folder, "spin -a")
        command(["cc", "-O1" if a_run.states_min >= STATES_MANY else "-O0", "-w", "-DCOLLAPSE", f"-DMEMLIM={MEGABYTES_MAX}", *flags,
                 "-o", "pan", "pan.c"], folder, "cc")
        began = time.monotonic()
        text = command(["./pan", f"-m{DEPTH_MAX}", *options], folder, "pan")
        verdict = Verdict(seconds=time.monotonic() - began)
        verdict.states = int(number_in(r"^ *([\d.e+]+) states, stored", text))
        verdict.depth = int(number_in(r"depth reached (\d+)", text))
        verdict.megabytes = number_in(r"^ *([\d.]+)\ttotal actual memory usage", text)
        verdict.surprise = judge(a_run, text)
        if pathlib.Path(folder, MODEL.name + ".trail").exists():
            replayed = command(["spin", "-t", "-T", *defines, MODEL.name], folder, "spin -t")
            verdict.events = "".join(line for line in replayed.splitlines(True) if re.match(r"--|C | A ", line))
    return verdict


def verify_safely(a_run):
    try:
        return verify(a_run)
    except (RuntimeError, subprocess.TimeoutExpired, OSError) as error:
        return Verdict(surprise=str(error))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deep", action="store_true", help="also the runs that take minutes")
    parser.add_argument("--jobs", type=int, default=2, help="searches at a time (default 2)")
    parser.add_argument("--only", metavar="WORD", help="runs that have WORD in their names")
    parser.add_argument("--trails", action="store_true", help="print the events that lead to each expected error")
    return parser.parse_args()


def chosen(arguments):
    runs = HOLDING + (DEEP if arguments.deep else []) + PLANTED + REACHING + KNOWN
    return [a_run for a_run in runs if not arguments.only or arguments.only in a_run.name]


def line_of(a_run, verdict):
    expected = {0: "holds", REACHED: "reached"}.get(a_run.violates, f"found {a_run.violates}")
    outcome = "SURPRISE" if verdict.surprise else expected
    return (f"{outcome:9} {a_run.name:42} {a_run.search:8} {verdict.states:>10} {verdict.depth:>6} "
            f"{verdict.megabytes:>6.0f} {verdict.seconds:>6.1f}")


def main():
    arguments = parse_arguments()
    # gcc, since that is what spin calls to read the -D.
    missing = [program for program in ("spin", "gcc", "cc") if not shutil.which(program)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (Debian: spin gcc libc6-dev)")
        return SKIPPED
    bare = set(PROPERTIES) - {a_run.violates for a_run in PLANTED + KNOWN}
    runs = chosen(arguments)
    if bare or not runs:
        print(f"no fault shows that these can fail: {sorted(bare)}" if bare else "there is no such run")
        return 1 if bare else 2
    print(f"{'outcome':9} {'run':42} {'search':8} {'states':>10} {'depth':>6} {'MB':>6} {'s':>6}", flush=True)
    surprises = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for a_run, verdict in zip(runs, pool.map(verify_safely, runs)):
            print(line_of(a_run, verdict), flush=True)
            if verdict.surprise:
                surprises += 1
                print(f"  {verdict.surprise}\n  spin -D: {' '.join(a_run.defines)}")
            if verdict.events and (verdict.surprise or arguments.trails):
                print("".join(f"    {line}\n" for line in verdict.events.splitlines()), end="")
    print(f"{len(runs)} searches, {surprises} surprises")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
