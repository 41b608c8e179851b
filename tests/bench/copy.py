#!/usr/bin/env python3
"""A copy of a synthetic stream by relab, pv, cat and dd onto the same disk, and reading it back, in one run.

Usage: copy.py RELAB_BENCH_COPY FOLDER [GIB [ROUNDS]]. The folder is on the disk that is measured; the stream itself lies in
memory (/dev/shm), and comes to each of them through a pipe from a `cat`, whose CPU time does not count. Everything that is
written is on the disk before the clock stops. Medians; needs root, to drop caches, and a machine that does nothing else. Exit code 1
if an aim is missed.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

STREAM = pathlib.Path("/dev/shm/relab-bench.zfs")


def measure(argv, given=None, then=None, **options):
    """(seconds, seconds of CPU of this process alone, its most memory in MiB)."""
    begin = time.monotonic()
    sender = subprocess.Popen(["cat", given], stdout=subprocess.PIPE) if given else None
    process = subprocess.Popen(argv, stdin=sender.stdout if sender else subprocess.DEVNULL, **options)
    if sender:
        sender.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status or (sender and sender.wait()):
        raise SystemExit(f"{argv} failed: {status}")
    if then:
        subprocess.run(then, check=True)
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure_ours(argv):
    """It starts the sender itself, and tells its own CPU time."""
    read, write = os.pipe()
    took, _, memory = measure(argv, stdout=write)
    os.close(write)
    with open(read, encoding="utf-8") as pipe:
        return took, float(pipe.read()), memory


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def write_with(name, bench, target):
    if name == "relab":
        return measure_ours([bench, "write", STREAM, target])
    if name == "dd":
        return measure(["dd", f"of={target}", "bs=1M", "iflag=fullblock", "conv=fsync", "status=none"], STREAM)
    with open(target, "wb") as file:
        return measure([name, *(["-q"] if name == "pv" else [])], STREAM, ["sync", target], stdout=file)


def main(bench, folder, gib=4, rounds=3):
    folder, size = pathlib.Path(folder), int(float(gib) * 2**30)
    target = folder / "copy"
    others = ("pv", "cat", "dd")
    results = {}
    try:
        subprocess.run([bench, "stream", STREAM, str(size)], check=True)
        for _ in range(int(rounds)):
            for name in (*others, "relab"):
                for path in (target, folder / "copy.manifest"):
                    path.unlink(missing_ok=True)
                drop_caches()
                results.setdefault(f"write {name}", []).append(write_with(name, bench, target))
            drop_caches()
            results.setdefault("read cat", []).append(measure(["cat", target], stdout=subprocess.DEVNULL))
            drop_caches()
            results.setdefault("read relab", []).append(measure_ours([bench, "verify", target]))
            results.setdefault("digest alone", []).append(measure_ours([bench, "digest", str(size)]))
    finally:
        for path in (STREAM, target, folder / "copy.manifest", folder / "copy.part"):
            path.unlink(missing_ok=True)
    median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in results.items()}
    for name, (took, cpu, memory) in median.items():
        print(f"{name:14} {took:7.2f} s {size / 2**20 / took:7.0f} MiB/s {cpu:7.2f} s CPU {memory:7.1f} MiB")
    best = min(median[f"write {name}"][0] for name in others)
    least = min(median[f"write {name}"][1] for name in others)
    extra = median["write relab"][1] - median["digest alone"][1]
    memory = max(median[f"{verb} relab"][2] for verb in ("write", "read"))
    aims = [("write, of the best of the others", best / median["write relab"][0], 0.97, True),
            ("write, of the least CPU of the others, beyond the digest", extra / least, 0.5, False),
            ("read, of cat", median["read cat"][0] / median["read relab"][0], 0.95, True),
            ("memory in MiB", memory, 40, False)]
    missed = 0
    for what, figure, aim, at_least in aims:
        met = figure >= aim if at_least else figure <= aim
        missed += not met
        print(f"{what}: {figure:.2f} (aim: {'at least' if at_least else 'at most'} {aim}){'' if met else ' MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
