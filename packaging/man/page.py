#!/usr/bin/env python3
"""Writes a manual page from what a program says of itself, so that neither can say what the other does not.

Usage: page.py PROGRAM SECTION NOTES. The program is run with --help, and so is each of its commands that has a help of its own.
NOTES is a file in roff with what only a manual tells, put before SEE ALSO. The page goes to standard output."""

import pathlib
import re
import subprocess
import sys

OPTION = re.compile(r"^  (-\S(?:.*?\S)?)(?:  +(\S.*))?$")
COMMAND = re.compile(r"^  ([a-z]\S*(?: \S+)*)(?:  +(\S.*))?$")
CONTINUED = re.compile(r"^ {8,}(\S.*)$")


def ask(program, *words):
    ended = subprocess.run([program, *words], capture_output=True, text=True, check=True,
                           env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    if ended.stderr or not ended.stdout.strip():
        raise SystemExit(f"{program} {' '.join(words)}: {ended.stderr or 'it says nothing'}")
    return ended.stdout


def quoted(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\`").replace("^", "\\(ha").replace("~", "\\(ti")
    return "\\&" + text if text.startswith(".") else text


class Help:
    """A help, cut at its empty lines: lists of options and commands, and sentences."""

    def __init__(self, text):
        self.options, self.commands, self.words = [], [], []
        into = None
        for line in text.splitlines():
            option, command, continued = OPTION.match(line), COMMAND.match(line), CONTINUED.match(line)
            if option:
                into = self.options
                into.append([option[1], (option[2] or "").strip()])
            elif command:
                into = self.commands
                into.append([command[1], (command[2] or "").strip()])
            elif continued and into:
                into[-1][1] = f"{into[-1][1]} {continued[1].strip()}".strip()
            else:
                into = None
                self.words.append(line.strip())


def entry(term, text):
    return [".TP", f".B {quoted(term)}", quoted(text) or "."]


def sentences(words):
    """Those that stand before the first list, without headings."""
    taken = []
    for word in words:
        if word.startswith(("Exit codes:", "Example:", "Options")) or (taken and not word):
            break
        if word:
            taken.append(word)
    return " ".join(taken)


def after(text, heading):
    """The paragraph that begins so: 'Exit codes: 0 done; ...'."""
    found = re.search(rf"^{heading}: (.*(?:\n(?!\n|[A-Z][a-z ]+:).+)*)", text, re.MULTILINE)
    return " ".join(found[1].split()).rstrip(".") if found else ""


def exit_codes(text):
    lines = [".SH EXIT STATUS"]
    for code, what in re.findall(r"(\d+) ([^;,]+(?:\([^)]*\))?)", after(text, "Exit codes")):
        lines += entry(code, what.strip())
    return lines


def main(path, section, notes):
    program = pathlib.Path(path).name
    text = ask(path, "--help")
    version = ask(path, "--version").split()[1]
    help_ = Help(text)
    about = sentences(help_.words)
    if not about or not help_.commands or not help_.options:
        raise SystemExit(f"{program} --help is not as a manual page is made of")
    lines = [f".TH {program.upper()} {section} \"\" \"relab {version}\" \"relab\"", ".SH NAME",
             f"{quoted(program)} \\- {quoted(about.removeprefix(program).strip().partition(':')[0].rstrip('.'))}",
             ".SH SYNOPSIS", f".B {quoted(program)}", "[\\fIoption\\fR ...] \\fIcommand\\fR [\\fIargument\\fR ...]",
             ".SH DESCRIPTION", quoted(about), ".SH COMMANDS"]
    for usage, what in help_.commands:
        usage = usage.removeprefix(program + " ")
        lines += entry(usage, what)
        own = Help(ask(path, usage.split()[0], "--help")) if section == "1" else None
        if own is None:
            continue
        known = {option for option, _ in help_.options}
        more = [option for option in own.options if option[0] not in known]
        if more:
            lines.append(".RS")
            for option, meaning in more:
                lines += entry(option, meaning)
            lines.append(".RE")
    lines.append(".SH OPTIONS")
    for option, what in help_.options:
        lines += entry(option, what)
    lines += exit_codes(text)
    lines += pathlib.Path(notes).read_text(encoding="utf-8").rstrip().splitlines()
    lines += [".SH EXAMPLES", ".nf", quoted(after(text, "Example")), ".fi"]
    print("\n".join(lines))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
