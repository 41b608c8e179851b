#!/usr/bin/env python3
"""Configuring a second time changes no compiler's command line: else every ./quickstart would compile all.

Usage: configure.py SOURCE_FOLDER"""
import pathlib, subprocess, sys, tempfile


def commands(source, build):
    subprocess.run(["cmake", "--preset", "release", "-B", build], cwd=source, check=True, stdout=subprocess.DEVNULL)
    return (build / "compile_commands.json").read_text().splitlines()


def main(source):
    with tempfile.TemporaryDirectory(prefix="relab-configure-") as folder:
        build = pathlib.Path(folder)
        first, second = commands(source, build), commands(source, build)
    changed = [(a, b) for a, b in zip(first, second) if a != b]
    if len(first) == len(second) and not changed:
        return 0
    print(f"{len(changed)} lines of compile_commands.json differ after configuring again; the first:")
    for line in changed[0] if changed else (len(first), len(second)):
        print(f"  {line}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
