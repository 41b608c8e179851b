"""pveversion: the version that the settings say, on the kernel that runs."""

import platform
import sys

from standin.errors import NotImitated
from standin.place import Place


def main(words):
    if words in (["--verbose"], ["-verbose"], ["-v"], ["--v"]):
        print(NotImitated("pveversion --verbose").text, file=sys.stderr)
        return 3
    if words:
        if words[0].startswith("-"):
            print(f"Unknown option: {words[0].lstrip('-').partition('=')[0]}", file=sys.stderr)
        print("USAGE: pveversion [--verbose]", file=sys.stderr)
        return 255
    place = Place()
    print(f"pve-manager/{place.version}/{place.repoid} (running kernel: {platform.release()})")
    return 0
