#!/usr/bin/env python3
"""Small rules of the house that no compiler knows. Usage: house.py ROOT"""

import pathlib
import re
import sys

import tree

LAYERS = ("common", "agent", "controller")
LINES_MAX = 400
# Written so that this file does not find itself.
FOREIGN = re.compile("/wor" r"k/|\bregistr" r"y\.[a-z-]+\.[a-z]+|\bproxy\.golan" r"g\.org|\bpypi\.or" r"g\b|"
                     r"\bcrates\.i" r"o\b|\bdocker\.i" r"o/")


def header_says_what_for(path, text):
    """The first comment after #pragma once is a `///` line."""
    if path.suffix != ".h" or path.parts[0] not in LAYERS:
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    if lines[:1] != ["#pragma once"]:
        return "a header begins with #pragma once"
    if not lines[1:2] or not lines[1].startswith("/// "):
        return "a header says in a `///` line below #pragma once what it is for"
    return None


def is_not_too_long(path, text):
    if path.suffix not in tree.SOURCES or path.parts[0] not in LAYERS:
        return None
    count = len(text.splitlines())
    return f"{count} lines, more than {LINES_MAX}: a noun is missing" if count > LINES_MAX else None


def names_no_foreign_place(path, text):
    """Neither folders of the machine that it was written on, nor hosts that serve packages."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := FOREIGN.search(line):
            return f"line {number} names {found[0]!r}"
    return None


def unfuzzed(root, paths):
    """Every parser that the agent declares is fuzzed."""
    fuzzer = pathlib.Path("tests/fuzz/tool_output_fuzz.cpp")
    fuzzed = pathlib.Path(root, fuzzer).read_text() if fuzzer in paths else ""
    for path in paths:
        if path.suffix == ".h" and path.parts[0] == "agent":
            for name in re.findall(r"^[A-Z]?[\w:<>, *]+ (parse_\w+)\(", pathlib.Path(root, path).read_text(), re.MULTILINE):
                if f"{name}(" not in fuzzed:
                    yield f"{path}: {name} is not in {fuzzer}"


RULES = (header_says_what_for, is_not_too_long, names_no_foreign_place)


def check(root):
    """How many files were read, and the findings in them."""
    paths = tree.files(root)
    findings = []
    for path in paths:
        try:
            text = pathlib.Path(root, path).read_text()
        except UnicodeDecodeError:
            continue
        findings += [f"{path}: {why}" for rule in RULES if (why := rule(path, text))]
    return len(paths), findings + list(unfuzzed(root, paths))


if __name__ == "__main__":
    tree.finish("house", *check(sys.argv[1]))
