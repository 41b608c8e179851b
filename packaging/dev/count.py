#!/usr/bin/env python3
"""Counts the tests in ctest's JUnit files: prints "PASSED FAILED SKIPPED".

A program that reports its own count (Catch2, unittest) counts as that many, any other as one. One
that failed counts at least one failure, whatever it printed. Usage: count.py FILE...
"""

import re
import sys
import xml.etree.ElementTree

CATCH_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.MULTILINE)
CATCH_MIXED = re.compile(r"^test cases:\s*(\d+)\s*\|(.*)$", re.MULTILINE)
UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
UNITTEST_BAD = re.compile(r"^FAILED \((.*)\)$", re.MULTILINE)
UNITTEST_SKIPPED = re.compile(r"^(?:OK|FAILED) \(.*?skipped=(\d+)", re.MULTILINE)


def counted(text):
    """(passed, failed, skipped) that the output of one program tells, or None."""
    if found := CATCH_PASSED.search(text):
        return int(found[1]), 0, 0
    if found := CATCH_MIXED.search(text):
        failed = sum(int(number) for number in re.findall(r"(\d+) failed", found[2]))
        return int(found[1]) - failed, failed, 0
    if found := UNITTEST.search(text):
        bad = UNITTEST_BAD.search(text)
        failed = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", bad[1])) if bad else 0
        skipped = UNITTEST_SKIPPED.search(text)
        skipped = int(skipped[1]) if skipped else 0
        return int(found[1]) - failed - skipped, failed, skipped
    return None


def count(case):
    status = case.get("status")
    if status in ("notrun", "disabled") and case.find("skipped") is not None:
        return 0, 0, 1
    own = counted(case.findtext("system-out") or "")
    if status == "run":
        return own or (1, 0, 0)
    passed, failed, skipped = own or (0, 1, 0)
    return passed, max(failed, 1), skipped


def main():
    cases = [case for file in sys.argv[1:]
             for case in xml.etree.ElementTree.parse(file).iter("testcase")]
    print(*(sum(column) for column in zip((0, 0, 0), *map(count, cases))))


if __name__ == "__main__":
    main()
