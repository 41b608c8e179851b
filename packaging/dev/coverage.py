#!/usr/bin/env python3
"""Judges gcovr's summary: of each folder, how many lines the tests ran. Usage: coverage.py SUMMARY_JSON PERCENT FOLDER...

Prints a line for each folder. Exit codes: 0 each has at least so many, 1 one has not, or was not measured.
"""

import json
import sys


def lines_of(summary, folder):
    """(run, all) of the folder's files; (0, 0) if none was measured."""
    files = [file for file in summary["files"] if file["filename"].startswith(folder + "/")]
    return sum(file["line_covered"] for file in files), sum(file["line_total"] for file in files)


def main(path, percent, folders):
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    short = False
    for folder in folders:
        run, total = lines_of(summary, folder)
        share = 100 * run / total if total else 0
        enough = share >= float(percent)
        short = short or not enough
        print(f"{folder}: {run} of {total} lines, {share:.1f} %" + ("" if enough else f": fewer than {percent} %"))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
