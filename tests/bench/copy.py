#!/usr/bin/env python3
"""A copy of a synthetic stream by relab, pv, cat and dd onto the same disk, and reading it back, in one run.

Usage: copy.py RELAB_BENCH_COPY FOLDER [GIB [ROUNDS]]. The folder is on the disk that is measured; the stream itself lies in
memory (/dev/shm). Everything that is written is on the disk before the clock stops. Medians; needs root, to drop caches.
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time


def measure(argv, **options):
    """(seconds, seconds of CPU in all its processes, most memory of one of them in MiB)."""
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(argv, stdout=options.pop("stdout", subprocess.DEVNULL), **options)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{argv} failed: {status}")
    took, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, usage.ru_maxrss / 1024


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def main(bench, folder, gib=4, rounds=3):
    stream, folder = pathlib.Path("/dev/shm/relab-bench.zfs"), pathlib.Path(folder)
    target = folder / "copy"
    shell = {"pv": f"cat {stream} | pv -q > {target} && sync {target}",
             "cat": f"cat {stream} > {target} && sync {target}",
             "dd": f"cat {stream} | dd of={target} bs=1M iflag=fullblock conv=fsync status=none"}
    writers = {name: ["sh", "-c", line] for name, line in shell.items()} | {"relab": [bench, "write", stream, target]}
    results = {}
    try:
        subprocess.run([bench, "stream", stream, str(int(float(gib) * 2**30))], check=True)
        for _ in range(int(rounds)):
            for name, argv in writers.items():
                for path in (target, folder / "copy.manifest"):
                    path.unlink(missing_ok=True)
                drop_caches()
                results.setdefault(f"write {name}", []).append(measure(argv))
            for name, argv in {"cat": ["cat", target], "relab": [bench, "verify", target]}.items():
                drop_caches()
                results.setdefault(f"read {name}", []).append(measure(argv))
            results.setdefault("digest alone", []).append(measure([bench, "digest", stream]))
    finally:
        for path in (stream, target, folder / "copy.manifest", folder / "copy.part"):
            path.unlink(missing_ok=True)
    median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in results.items()}
    for name, (took, cpu, memory) in median.items():
        print(f"{name:14} {took:7.2f} s {cpu:7.2f} s CPU {memory:7.1f} MiB")
    best = min(median[f"write {name}"][0] for name in shell)
    least = min(median[f"write {name}"][1] for name in shell)
    extra = median["write relab"][1] - median["digest alone"][1]
    print(f"write: {best / median['write relab'][0]:.2f} of the best of the others (aim 0.97)")
    print(f"write: {extra / least:.2f} of the least CPU of the others, beyond the digest (aim 0.5)")
    print(f"read:  {median['read cat'][0] / median['read relab'][0]:.2f} of cat (aim 0.95)")


if __name__ == "__main__":
    main(*sys.argv[1:])
