"""Reads the operator's handbook: what is typed where, and what is printed then.

    ```sh admin            runs on the machine `admin`, as it stands there; what it prints is in the `text` block behind it
    ```sh admin exit=3     the same, and it ends with 3 instead of 0
    ```sh vault &          goes on in a terminal of its own; the `text` block behind it is how it begins
    ```text vault          what that one prints from there to its end, which is awaited
    ```toml admin:lab.toml is this file on that machine; in any language

As the words behind the backquotes are not shown to a reader, the first line of a `sh` block says the same: `# admin`, `# admin, exit code 3`,
`# vault, in a terminal of its own`. One without a `text` block prints nothing.

In a `text` block a line `[...]` stands for any lines, `[...]` and `...` in a line for anything in it; `<code>` for something that each later
`<code>` repeats, also in what is typed. Runs of blanks count as one.

A block that is indented instead of fenced would be read by nobody, and is refused.

    <!-- slow: vault ip -->   from here on the agent's `ip` on vault ends no more ...
    <!-- fast: vault ip -->   ... until here; a task that takes long is needed where something happens meanwhile
"""

import dataclasses
import re

MORE = "[...]"
HOLE = re.compile(r"\[\.\.\.\]|\.\.\.|<[a-z][a-z0-9-]*>")
NAME = re.compile(r"<([a-z][a-z0-9-]*)>")
DIRECTIVE = re.compile(r"<!-- (slow|fast): (\w+) (\w+) -->")


class Damaged(Exception):
    """The handbook itself is not as it should be."""


@dataclasses.dataclass
class Step:
    """One thing that the operator does, or sees."""

    line: int
    kind: str  # run, begin, end, file, slow, fast
    machine: str
    text: str = ""
    shown: str = ""
    code: int = 0
    name: str = ""


def _blocks(text):
    """(number of its first line, info string, content) of each code block and directive; the info string is None for the latter."""
    opened, info, lines, blank = 0, "", [], True
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if opened:
                yield opened, info, "".join(f"{one}\n" for one in lines)
                opened = 0
            else:
                opened, info, lines = number, line[3:].strip(), []
        elif opened:
            lines.append(line)
        elif line.startswith(("    ", "\t")) and line.strip() and blank:
            raise Damaged(f"line {number}: a block that is indented is not read: put it between backquotes")
        elif line.startswith("<!-- ") and line.rstrip().endswith("-->"):
            yield number, None, line.strip()
        # Without an empty line before it, an indented one goes on with a paragraph.
        blank = not opened and (not line.strip() or line.startswith(("```", "#")))
    if opened:
        raise Damaged(f"line {opened}: a block without an end")


def steps(text):
    """All of the handbook, in order."""
    found, showable = [], None
    for number, info, content in _blocks(text):
        if info is None:
            directive = DIRECTIVE.fullmatch(content)
            if not directive:
                raise Damaged(f"line {number}: {content} is no directive")
            found.append(Step(number, directive[1], directive[2], name=directive[3]))
            showable = None
            continue
        language, *words = info.split() or [""]
        if language == "sh" and words:
            code = [int(word[5:]) for word in words[1:] if re.fullmatch(r"exit=\d+", word)]
            aside = words[1:] == ["&"]
            if len(words) - 1 != len(code) + aside:
                raise Damaged(f"line {number}: {info} is not understood")
            told = f"# {words[0]}" + (", in a terminal of its own" if aside else f", exit code {code[0]}" if code else "")
            if content.partition("\n")[0] != told:
                raise Damaged(f"line {number}: its first line is not '{told}'")
            showable = Step(number, "begin" if aside else "run", words[0], content, code=code[0] if code else 0)
            found.append(showable)
        elif language == "text" and not words:
            if showable is None:
                raise Damaged(f"line {number}: nothing is run before this output")
            showable.shown, showable = content, None
        elif language == "text" and len(words) == 1:
            found.append(Step(number, "end", words[0], shown=content))
            showable = None
        elif len(words) == 1 and ":" in words[0]:
            machine, _, name = words[0].partition(":")
            found.append(Step(number, "file", machine, content, name=name))
            showable = None
        else:
            raise Damaged(f"line {number}: the block '{info}' does not say where it belongs")
    return found


def fill(text, known):
    """What is typed, with the words that were seen before."""
    return NAME.sub(lambda found: known.get(found[1], found[0]), text)


def _single(line):
    """With one blank for each run of them: the columns of a table are as wide as what is in them."""
    return re.sub(r"\s+", " ", line).strip()


def pattern(shown, known):
    """The regular expression that such an output matches."""
    parts, seen = [], set()
    for line in map(_single, shown.splitlines()):
        if line == MORE:
            parts.append(r"(?:[^\n]*\n)*?")
            continue
        at, part = 0, ""
        for hole in HOLE.finditer(line):
            part += re.escape(line[at:hole.start()])
            at = hole.end()
            name = NAME.fullmatch(hole[0])
            if not name:
                part += r"[^\n]*?"
            elif name[1] in known:
                part += re.escape(known[name[1]])
            elif name[1] in seen:
                part += f"(?P={name[1].replace('-', '_')})"
            else:
                seen.add(name[1])
                part += rf"(?P<{name[1].replace('-', '_')}>[^\n]+?)"
        parts.append(part + re.escape(line[at:]) + r"\n")
    return re.compile("".join(parts))


def matches(shown, said, known, whole=True):
    """Whether this was said, or at least begun to be; what its names stand for is known afterwards. How many lines that were, or None."""
    tidy = "".join(f"{_single(line)}\n" for line in said.splitlines())
    expression = pattern(shown, known)
    found = expression.fullmatch(tidy) if whole else expression.match(tidy)
    if not found:
        return None
    known.update({name.replace("_", "-"): value for name, value in found.groupdict().items()})
    return found[0].count("\n")
