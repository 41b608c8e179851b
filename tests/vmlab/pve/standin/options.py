"""The command line as Perl's Getopt::Long reads it for Proxmox, and its checks.

Both dashes are the same, names may be shortened as long as they stay unique, options may stand anywhere before
`--`, and a boolean without a value swallows a following word.
"""

import re
import sys

from standin.errors import BadRequest
from standin.schema import object_errors, parse_boolean


def _find(name, known):
    """The option that a word means, or None after a complaint in Getopt's words."""
    if name in known:
        return name
    hits = [option for option in known if option.lower().startswith(name.lower())]
    exact = [option for option in hits if option.lower() == name.lower()]
    if len(exact) == 1 or len(hits) == 1:
        return (exact or hits)[0]
    said = f"Option {name} is ambiguous ({', '.join(sorted(hits))})" if hits else f"Unknown option: {name}"
    print(said, file=sys.stderr)
    return None


def _read(words, properties):
    """Options and the other words; None where an option is wrong, which was said already."""
    words = list(words)
    options, others, wrong = {}, [], False
    while words:
        word = words.pop(0)
        if word == "--":
            others += words
            break
        found = re.fullmatch(r"(?:--|-)([^=]+)(?:=(.*))?", word, re.DOTALL)
        if not found:
            others.append(word)
            continue
        name = _find(found[1], properties)
        if name is None:
            wrong = True
            continue
        kind, value = properties[name], found[2]
        if kind["type"] == "boolean":
            if value is None:
                value = words.pop(0) if words and not re.match(r"-.+", words[0]) else ""
        elif value == "" or (value is None and not words):
            print(f"Option {name} requires an argument", file=sys.stderr)
            wrong = True
            continue
        elif value is None:
            value = words.pop(0)
        if kind.get("list") or kind["type"] == "array":
            options.setdefault(name, []).append(value)
        else:
            options[name] = value
    return None if wrong else (options, others)


def _positionals(options, others, names, properties):
    others = list(others)
    for name in names:
        if name == "extra-args":
            options[name], others = others, []
        elif others:
            options[name] = others.pop(0)
        elif not properties[name].get("optional"):
            raise BadRequest("not enough arguments")
    if others:
        raise BadRequest("too many arguments")


def parse(words, properties, positionals):
    """The values of options and positional words by name, checked; all are strings, or lists of strings."""
    read = _read(words, {name: kind for name, kind in properties.items() if name != "extra-args"})
    if read is None:
        raise BadRequest("unable to parse option")
    options, others = read
    _positionals(options, others, positionals, properties)
    for name, value in options.items():
        kind = properties[name]
        if kind["type"] == "boolean":
            options[name] = "1" if value == "" else parse_boolean(value)
            if options[name] is None:
                raise BadRequest("unable to parse boolean option")
        elif kind.get("list") and isinstance(value, list):
            options[name] = ",".join(value)
    errors = object_errors(options, properties)
    if errors:
        raise BadRequest(errors=errors)
    return options


def usage(prefix, properties, positionals):
    """The short usage, which follows every complaint about options."""
    words = [prefix]
    words += [f"[<{name}>]" if properties[name].get("optional") else f"<{name}>" for name in positionals]
    rest = [name for name in sorted(properties) if name not in positionals]
    words += [f"--{name} <{properties[name]['type']}>" for name in rest if not properties[name].get("optional")]
    # Proxmox puts a blank between the name and the words, even where there are none.
    line = " ".join(words) if len(words) > 1 else prefix + " "
    return line + (" [OPTIONS]" if rest else "") + "\n"
