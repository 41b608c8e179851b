#!/usr/bin/env python3
"""Runs that are looked at on a terminal, and what of it is left where there is none."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import termios
import time
import unittest

from support.case import main
from support.lab import PING, Lab, phase, step, track
from support.programs import wait_until

COLUMNS, ROWS = 70, 20
REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "z640" / "lab.toml"
ESCAPE = re.compile(r"\x1b\[(\d*)([AJm])")


class Terminal:
    """A program on a terminal of its own, and what is to be seen there."""

    def __init__(self, command, environment, folder):
        self.bytes = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            command = [str(word) for word in command]
            os.execve(command[0], command, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(self, patience=0.2):
        """False once the program has let go of it."""
        if not select.select([self.fd], [], [], patience)[0]:
            return True
        try:
            more = os.read(self.fd, 65536)
        except OSError:
            return False
        self.bytes += more
        return bool(more)

    def read_until(self, condition, patience=40):
        end = time.monotonic() + patience
        while not condition() and time.monotonic() < end:
            if not self.read():
                break
        assert condition(), self.text

    def wait(self):
        """Its exit code, once it has ended."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.read():
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    @property
    def text(self):
        return self.bytes.decode()

    def rows(self):
        """As a terminal shows it that has no end upwards."""
        rows, row, column, text = [""], 0, 0, self.text
        while text:
            found = ESCAPE.match(text)
            if found:
                if found[2] == "A":
                    row -= int(found[1])
                elif found[2] == "J":
                    rows[row:] = [rows[row][:column]]
                text = text[found.end():]
                continue
            letter, text = text[0], text[1:]
            assert letter != "\x1b", repr(text[:20])
            if letter == "\r":
                column = 0
                continue
            if letter == "\n" or column == COLUMNS:
                row += 1
                rows += [""] * (row + 1 - len(rows))
                column = column if letter == "\n" else 0
            if letter != "\n":
                rows[row] = rows[row].ljust(column)
                rows[row] = rows[row][:column] + letter + rows[row][column + 1:]
                column += 1
        return [one.rstrip() for one in rows]


class Live(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(("alpha", "beta"))
        self.addCleanup(self.lab.close)
        self.lab.init()
        for name in ("alpha", "beta"):
            self.assertEqual(self.lab.enrol(name).code, 0)
        self.lab["alpha"].start()
        self.lab.describe(phase("one", track("here", "alpha", step("hello", PING)), track("there", "beta", step("hello", PING))),
                          phase("two", track("later", "alpha", step("hello", PING)), more='after = ["one"]'))

    def terminal(self, *arguments, **more):
        environment = {**self.lab.environment, "TERM": "xterm", **more}
        terminal = Terminal(self.lab.command(*arguments), environment, self.lab.folder)
        self.addCleanup(self.end, terminal)
        return terminal

    def end(self, terminal):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(terminal.pid, 9)
            os.waitpid(terminal.pid, 0)

    def test_a_run_is_to_be_seen_and_leaves_its_events(self):
        terminal = self.terminal("run", "one", "--patience", "40")
        terminal.read_until(lambda: any("0/1  hello  waits for beta" in row for row in terminal.rows())
                            and any("1/1  done" in row for row in terminal.rows()))
        shown = terminal.rows()
        self.assertTrue(any(row.startswith("one  Phase one") for row in shown), shown)
        self.assertTrue(any("still open for two: phase.complete" in row for row in shown), shown)
        self.lab["beta"].start()
        self.assertEqual(terminal.wait(), 0)
        rows = terminal.rows()
        for line in ("succeeded  one/here/hello", "succeeded  one/there/hello"):
            self.assertEqual(rows.count(line), 1, rows)
        # What was drawn is gone: nobody wants to copy it out of a terminal.
        self.assertFalse(any("waits for beta" in row or row.startswith("one  Phase one") for row in rows), rows)

    def test_rehearsals_are_to_be_seen_while_they_go_on(self):
        self.lab.file.write_text(REFERENCE.read_text(encoding="utf-8"), encoding="utf-8")
        many = self.rehearsal("--chaos", "3")
        self.assertEqual(many.wait(), 0)
        self.assertIn("of 3 rehearsals: ", many.text)
        rows = many.rows()
        self.assertTrue(any(row.startswith("3 rehearsals of z640") for row in rows), rows)
        # What was drawn is gone.
        self.assertFalse(any(" of 3 rehearsals: " in row for row in rows), rows)
        one = self.rehearsal()
        self.assertEqual(one.wait(), 3)
        self.assertIn("Rehearsal of 0b  ", one.text)
        self.assertRegex(one.text, r"  write  \[=*>? *\] \d+ %, [0-9.]+ MiB/s, [^\r]* left")
        self.assertIn("  agents: z640", one.text)
        self.assertIn("still open for 1: ", one.text)
        rows = one.rows()
        self.assertFalse(any(row.startswith("Rehearsal of 0b") for row in rows), rows)
        self.assertTrue(any(row.startswith("Rehearsal of z640, on ") for row in rows), rows)

    def rehearsal(self, *arguments):
        return self.terminal("rehearse", "--described", *arguments)

    def test_without_colours_there_are_none(self):
        self.lab["beta"].start()
        terminal = self.terminal("run", "one", NO_COLOR="1")
        self.assertEqual(terminal.wait(), 0)
        kinds = {kind for _, kind in ESCAPE.findall(terminal.text)}
        self.assertNotIn("m", kinds, terminal.text)
        self.assertIn("J", kinds, terminal.text)

    def test_where_nothing_can_be_drawn_there_are_lines(self):
        self.lab["beta"].start()
        plain = self.lab.relab("run", "one")
        self.assertEqual(plain.code, 0, plain)
        self.assertNotIn("\x1b", plain.out + plain.err)
        terminal = self.terminal("run", "two", TERM="dumb")
        self.assertEqual(terminal.wait(), 0)
        self.assertNotIn("\x1b[J", terminal.text)

    def test_another_run_is_watched_to_its_end(self):
        running = self.lab.start("run", "one", "--patience", "60", start_new_session=True)
        try:
            wait_until("the first step", lambda: "succeeded  one/here/hello" in running.err())
            watching = self.terminal("watch")
            watching.read_until(lambda: any("here" in row and "1/1" in row for row in watching.rows()))
            # What no ledger tells: who is there, what is waited for, and what gates still lack.
            for words in ("  agents: alpha", "waits for beta", "still open for two: phase.complete"):
                watching.read_until(lambda: any(words in row for row in watching.rows()))
            self.lab["beta"].start()
            self.assertEqual(watching.wait(), 0)
            self.assertEqual(running.wait().code, 0)
        finally:
            running.kill()
        rows = watching.rows()
        self.assertIn("succeeded  one/there/hello", rows)
        self.assertEqual(list(self.lab.folder.rglob("live.json")), [])
        self.assertTrue(any(row.startswith("run ") and row.endswith("of one has ended") for row in rows), rows)
        nothing = self.lab.relab("watch")
        self.assertEqual((nothing.code, nothing.out), (0, "No run is open: there is nothing to watch.\n"))


if __name__ == "__main__":
    main()
