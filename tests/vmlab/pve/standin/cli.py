"""A program of commands with options, as Proxmox's PVE::CLIHandler runs it."""

import os
import sys

from standin import options
from standin.errors import BadRequest, Died, NotImitated
from standin.place import Place

# Proxmox's programs set it, and so what `pct exec` runs inherits it.
PATH = "/sbin:/bin:/usr/sbin:/usr/bin"


class Command:
    """`run` takes the place and the options; its result is the exit status, None for 0."""

    # No dataclass: under emulation the modules behind those cost each call a fifth of a second.
    def __init__(self, run, positionals=(), properties=None):
        self.run, self.positionals, self.properties = run, positionals, properties or {}

    def usage(self, prefix):
        return options.usage(prefix, self.properties, self.positionals)


def not_imitated(what):
    """A command that Proxmox has, and that fails in the stand-in's own words."""
    def run(place, values):
        raise NotImitated(what)
    anything = {"extra-args": {"type": "array", "optional": True}}
    return Command(run, ("extra-args",), anything)


class Program:
    """A program's name and its commands; a nested dict has commands below a command."""

    def __init__(self, name, commands):
        self.name = name
        self.commands = commands

    def _all(self, commands, prefix):
        for name, command in sorted(commands.items()):
            if isinstance(command, dict):
                yield from self._all(command, f"{prefix} {name}")
            else:
                yield command.usage(f"{prefix} {name}")

    def _abort(self, why):
        print(f"ERROR: {why}\nUSAGE: {self.name} <COMMAND> [ARGS] [OPTIONS]\n", file=sys.stderr)
        for line in self._all(self.commands, self.name):
            sys.stderr.write(f"       {line}")
        return 255

    def _resolve(self, words):
        """The command, how it is called in full, and the words behind it."""
        commands, called = self.commands, self.name
        while words:
            hits = [name for name in commands if name == words[0]] or \
                   [name for name in commands if name.startswith(words[0])]
            if len(hits) != 1:
                return None, f"{called} {words[0]}", words
            called, words = f"{called} {hits[0]}", words[1:]
            if isinstance(commands[hits[0]], Command):
                return commands[hits[0]], called, words
            commands = commands[hits[0]]
        return None, called, words

    def main(self, words):
        if not words:
            return self._abort("no command specified")
        if words[0] == "help":
            sys.stdout.writelines(self._all(self.commands, "USAGE: " + self.name))
            return 0
        command, called, rest = self._resolve(words)
        if command is None:
            return self._abort(f"unknown command '{called}'" if rest else f"incomplete command '{called}'")
        try:
            if list(command.properties) == ["extra-args"]:
                values = {"extra-args": rest}
            else:
                values = options.parse(rest, command.properties, command.positionals)
            return command.run(Place(), values) or 0
        except BadRequest as failure:
            sys.stdout.flush()
            sys.stderr.write(failure.text + command.usage(called))
            return failure.status
        except Died as failure:
            sys.stdout.flush()
            sys.stderr.write(failure.text if failure.text.endswith("\n") else failure.text + "\n")
            return failure.status


def run(program):
    os.environ["PATH"] = PATH
    sys.exit(program.main(sys.argv[1:]))
