#!/usr/bin/env python3
"""Runs clang-tidy over the sources, what changed first, until a budget of time is used up.

A file that was clean is not looked at again until it, or a header of ours that it includes, or the
checks change. Usage: tidy.py ROOT BUILD [--budget SECONDS] [--jobs N] [--since COMMIT] [FILE...]

Prints `tidy: N clean, N with findings, N not looked at`. Exit: 0 no findings, 1 findings.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import tree

TIDY = "clang-tidy-14"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--budget", type=float, default=1e9)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--since", help="what changed since this commit comes first, whatever it costs")
    parser.add_argument("files", nargs="*")
    return parser.parse_intermixed_args()


class Sources:
    """What a file consists of, as far as it is ours."""

    def __init__(self, root):
        self.root = root
        version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
        self.rules = version + (root / ".clang-tidy").read_bytes()

    @functools.lru_cache(maxsize=None)
    def reach(self, name):
        """The file, and all of ours that it includes, itself or through others."""
        path = self.root / (name[:-2] if name.endswith(".capnp.h") else name)
        if not path.is_file():
            return frozenset()
        found = {str(path)}
        for included in INCLUDE.findall(path.read_text()) if path.suffix in tree.SOURCES else ():
            found |= self.reach(included)
        return frozenset(found)

    def digest(self, name, command):
        sha = hashlib.sha256(self.rules + command.encode())
        for path in sorted(self.reach(name)):
            sha.update(path.encode() + b"\0" + pathlib.Path(path).read_bytes())
        return sha.hexdigest()


def changed_since(root, commit, sources, names):
    """Names of the sources that changed since a commit, and one source for each header that did:
    findings in a header show in whatever includes it."""
    diff = subprocess.run(["git", "-C", root, "diff", "--name-only", "-z", commit, "--"],
                          check=True, capture_output=True).stdout.decode()
    changed = set(diff.split("\0")) - {""}
    chosen = {name for name in names if name in changed}
    for header in sorted(str(root / name) for name in changed if name.endswith(".h")):
        users = [name for name in names if header in sources.reach(name)]
        if users and not chosen & set(users):
            chosen.add(min(users, key=lambda name: len(sources.reach(name))))
    return sorted(chosen)


def run(build, root, name):
    done = subprocess.run([TIDY, "--quiet", "-p", build, root / name], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + ("" if done.returncode == 0 else done.stderr)


class Tidy:
    def __init__(self, args):
        self.args, self.root = args, args.root.resolve()
        self.sources = Sources(self.root)
        entries = json.loads((args.build / "compile_commands.json").read_text())
        commands = {os.path.relpath(entry["file"], self.root): entry["command"] for entry in entries}
        self.commands = {name: command for name, command in commands.items()
                         if not name.startswith(("build", ".."))}
        self.stamps = args.build / "tidy-clean"
        self.stamps.mkdir(exist_ok=True)
        self.clean, self.bad, self.left = 0, 0, 0
        self.until = time.monotonic() + args.budget

    def look_at(self, name, must):
        """One file: True clean, False findings, None no time."""
        stamp = self.stamps / self.sources.digest(name, self.commands[name])
        if stamp.exists():
            return True, ""
        if not must and time.monotonic() > self.until:
            return None, ""
        is_clean, output = run(self.args.build, self.root, name)
        if is_clean:
            stamp.touch()
        return is_clean, output

    def note(self, name, result):
        is_clean, output = result
        if is_clean is None:
            self.left += 1
        elif is_clean:
            self.clean += 1
        else:
            self.bad += 1
            print(f"--- {name}\n{output}", flush=True)

    def run(self):
        names = sorted(self.commands)
        if self.args.files:
            wanted = {os.path.relpath(file, self.root) for file in self.args.files}
            names = [name for name in names if name in wanted]
        first = changed_since(self.root, self.args.since, self.sources, names) if self.args.since else []
        order = first + [name for name in names if name not in first]
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            musts = [name in first for name in order]
            for name, result in zip(order, pool.map(self.look_at, order, musts)):
                self.note(name, result)
        print(f"tidy: {self.clean} clean, {self.bad} with findings, {self.left} not looked at")
        return 0 if order and not self.bad else 1


if __name__ == "__main__":
    sys.exit(Tidy(options()).run())
