#!/usr/bin/env python3
"""Joins the page's parts into the one template that the report is put into. Usage: join.py OUT

OUT is HTML, or, where its name ends in .cpp, the same as a C++ source file that defines
`std::string_view relab::controller::page_template()`. `{{data}}` is left in it, once; docs/formats/report.md
tells what comes there.
"""

import base64
import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Each uses what is before it.
SCRIPTS = ("elements", "values", "states", "tables", "timescale", "timeline", "gates", "phases", "problems", "sections", "page")

# What compilers must be able to take in one literal.
LITERAL_MAX = 60000


def digest(text):
    """As a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def template(folder=HERE):
    style = (folder / "page.css").read_text()
    script = '\n"use strict";\n(() => {\n' + "\n".join((folder / f"{name}.js").read_text() for name in SCRIPTS) + "})();\n"
    page = (folder / "page.html").read_text()
    for mark, text in (("style-hash", digest(style)), ("script-hash", digest(script)), ("style", style), ("script", script)):
        if page.count("{{" + mark + "}}") != 1:
            raise ValueError(f"page.html must have {{{{{mark}}}}} once")
        page = page.replace("{{" + mark + "}}", text)
    if page.count("{{data}}") != 1:
        raise ValueError("the joined page must have {{data}} once")
    return page


def as_cpp(text):
    parts = [text[start : start + LITERAL_MAX] for start in range(0, len(text), LITERAL_MAX)]
    literals = "".join(f'constexpr std::string_view part_{number} = R"relabpage({part})relabpage";\n\n' for number, part in enumerate(parts))
    joined = "".join(f".append(part_{number})" for number in range(len(parts)))
    return (
        "// Made by controller/report/page/join.py.\n\n#include <string>\n#include <string_view>\n\n"
        "namespace relab::controller {\n\nstd::string_view page_template();\n\nnamespace {\n\n"
        f"{literals}}}  // namespace\n\nstd::string_view page_template() {{\n"
        f"  static const std::string page = std::string(){joined};\n  return page;\n}}\n\n}}  // namespace relab::controller\n"
    )


def main(out):
    text = template()
    pathlib.Path(out).write_text(as_cpp(text) if out.endswith(".cpp") else text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
