#!/usr/bin/env python3
"""Includes go along the arrows: schema <- common <- {agent, controller}; tests may include all.

agent and controller never include each other, rehearsal aside; agent/kinds/<domain> never include
one another, but for what is in kinds/support. Usage: layers.py ROOT
"""

import pathlib
import re
import sys

import tree

MAY_INCLUDE = {"schema": {"schema"},
               "common": {"schema", "common"},
               "agent": {"schema", "common", "agent"},
               "controller": {"schema", "common", "controller"},
               "tests": {"schema", "common", "agent", "controller", "tests"}}
REHEARSAL = ("controller", "rehearsal")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def domain(path):
    """The <domain> of agent/kinds/<domain>/..., if the path is one."""
    parts = pathlib.PurePath(path).parts
    return parts[2] if parts[:2] == ("agent", "kinds") and len(parts) > 3 else None


def why_not(source, included):
    """What is wrong with this include, or None."""
    layer, target = source.parts[0], included.split("/")[0]
    if target not in MAY_INCLUDE or ".." in included:
        return "includes are written from the root of the project"
    allowed = MAY_INCLUDE[layer] | ({"agent"} if source.parts[:2] == REHEARSAL else set())
    if target not in allowed:
        return f"{layer} may not include {target}"
    here, there = domain(source), domain(included)
    if here and there not in (None, here, "support"):
        return f"kinds/{here} may not include kinds/{there}"
    return None


def check(root):
    """How many files were read, and the findings in them."""
    sources = [path for path in tree.files(root)
               if path.suffix in tree.SOURCES and path.parts[0] in MAY_INCLUDE]
    findings = []
    for source in sources:
        for included in INCLUDE.findall(pathlib.Path(root, source).read_text()):
            if why := why_not(source, included):
                findings.append(f'{source}: #include "{included}": {why}')
    return len(sources), findings


if __name__ == "__main__":
    tree.finish("layers", *check(sys.argv[1]))
