#!/usr/bin/env python3
"""The command line as people and scripts meet it: help, mistakes, JSON, terminals, full outputs."""

import json
import os
import pty
import re
import select
import subprocess

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.programs import RELAB, RELAB_AGENT

ESCAPE = "\x1b["


def commands():
    overview = subprocess.run([RELAB, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+) .{3,}$", overview.partition("Options of every command")[0], re.MULTILINE)


class Help(LabCase):
    enrolled = False

    def test_the_overview(self):
        ended = self.lab.relab("--help")
        self.assert_ended(ended, 0, "Exit codes: 0 done", "130 detached", "Example: relab ")
        self.assertEqual(ended.err, "")
        self.assertGreaterEqual(len(commands()), 12)

    def test_every_command_has_an_example_and_its_exit_codes(self):
        for command in commands():
            with self.subTest(command):
                ended = self.lab.relab(command, "--help")
                self.assert_ended(ended, 0, f"relab {command}", f"Example: relab {command}", "Exit codes: 0 done",
                                  "2 usage or lab file invalid", "130 detached")
                self.assertEqual(ended.err, "")

    def test_every_example_is_understood(self):
        """Its command and options exist: whatever goes wrong, it is not the usage."""
        for command in commands():
            line = re.search(r"^Example: relab (.*?)( >.*)?$", self.lab.relab(command, "--help").out, re.MULTILINE)[1]
            with self.subTest(line):
                ended = self.lab.relab(*line.split(), secret=False)
                for sentence in ("unrecognised option", "there is no command", "too many arguments", "usage:"):
                    self.assertNotIn(sentence, ended.err)

    def test_without_a_command(self):
        ended = self.lab.relab(secret=False)
        self.assert_ended(ended, 2, "Exit codes:")

    def test_unknown_commands_get_the_nearest_name(self):
        for typed, meant in (("staus", "status"), ("chekc", "check"), ("ruN", "run"), ("enroll", "enrol"), ("legder", "ledger")):
            with self.subTest(typed):
                self.assert_ended(self.lab.relab(typed), 2, f"there is no command '{typed}'", f"did you mean '{meant}'?")
        self.assert_ended(self.lab.relab("frobnicate"), 2, "there is no command 'frobnicate'", "relab --help")

    def test_wrong_options_and_arguments(self):
        for arguments, sentence in ((("status", "--frob"), "frob"), (("status", "more"), "too many arguments"),
                                    (("check", "a", "b"), "too many arguments"), (("run", ""), "an argument of `relab run` is empty"),
                                    (("gate", ""), "is empty"), (("run", "two"), "no phase 'two'"), (("gate", "two"), "no phase 'two'"),
                                    (("run", "--until", "two"), "no phase 'two'"),
                                    (("run", "one", "--until", "one"), "--until goes with no phase"),
                                    (("enrol",), "which agent?"), (("ledger",), "relab ledger verify"),
                                    (("ledger", "burn"), "relab ledger verify"), (("audit",), "relab audit show"),
                                    (("agents", "burn"), "relab agents show | remove NAME"), (("run", "one", "--patience", "soon"), "patience"),
                                    (("run", "one", "--patience", "-1"), "patience"), (("run", "one", "--patience"), "patience"),
                                    (("plan", "--output", "xml"), "--output is text or json, not 'xml'"),
                                    (("init", "--kdf", "none"), "--kdf is moderate or interactive, not 'none'"),
                                    (("kinds", "audit_zsf"), "audit_zfs")):
            with self.subTest(arguments):
                self.assert_ended(self.lab.relab(*arguments), 2, sentence)

    def test_the_version(self):
        for program in (RELAB, RELAB_AGENT):
            done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
            self.assertRegex(done.stdout, r"^relab(-agent)? \d+\.\d+\.\d+\n$")

    def test_the_agents_own_mistakes(self):
        for arguments, code, sentence in ((["--help"], 0, "Exit codes"), (["frob"], 2, "there is no command 'frob'"),
                                          (["--frob"], 2, "frob"), (["run", "--ttl", "soon"], 2, "ttl"),
                                          (["run", "--ttl", "-1"], 2, "ttl"), (["run", "--tasks-max", "0"], 2, "tasks-max"),
                                          (["run", "--tasks-max", "-1"], 2, "tasks-max")):
            with self.subTest(arguments):
                done = subprocess.run([RELAB_AGENT, *arguments], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(sentence, done.stdout + done.stderr)

    def test_as_a_condition_only_an_agent_that_obeys_nobody_is_left_out(self):
        """systemd skips a unit for 1 to 254, and takes 255 for a failure."""
        self.assert_ended(self.agent.run("trust", "--as-condition"), 3, "no controller is pinned")
        self.assert_ended(self.agent.run("trust", "--as-condition", "--listne", "x"), 255, "--listne")
        self.assert_ended(self.agent.run("trust", "--as-condition", "--tasks-max", "0"), 255, "tasks-max")
        self.lab.enrol("alpha")
        self.assert_ended(self.agent.run("trust", "--as-condition"), 0)
        (self.agent.state_dir / "trust").write_bytes(b"damaged")
        self.assert_ended(self.agent.run("trust", "--as-condition"), 255, "trust")
        self.assert_ended(self.agent.run("trust"), 1, "trust")

    def test_an_agent_with_a_role_that_is_not_there(self):
        self.lab.enrol("alpha")
        self.agent.role = "king"
        self.assert_ended(self.agent.run("run"), 1, "king")
        self.agent.role = "proxmox"
        self.agent.endpoint = "tcp://127.0.0.1"
        self.assert_ended(self.agent.run("run"), 1, "cannot listen on tcp://127.0.0.1", "tcp://ADDRESS:PORT")


class Output(LabCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.describe(cls.template)
        cls.template["alpha"].start()
        ended = cls.template.relab("run", "one")
        assert ended.code == 0, ended
        cls.template["alpha"].stop()

    @staticmethod
    def describe(lab):
        lab.describe(phase("one", track("t", "alpha", step("hello", PING), step("disks", DISKS))))

    def setUp(self):
        super().setUp()
        self.describe(self.lab)
        self.agent.start()

    # What each says, in the order in which it may be said; the last ones change something.
    COMMANDS = (("check",), ("kinds",), ("kinds", "audit_zfs"), ("schema",), ("agents",), ("agents", "--ping"), ("plan",),
                ("plan", "one"), ("status",), ("gate",), ("gate", "one"), ("audit", "show"), ("audit", "show", "disks"),
                ("ledger", "verify"), ("run", "one"), ("agents", "remove", "alpha"))

    def test_json_is_json_and_nothing_else(self):
        for command in self.COMMANDS:
            with self.subTest(command):
                ended = self.lab.relab(*command, "--output", "json")
                self.assertIn(ended.code, (0, 1, 3), str(ended))
                json.loads(ended.out)

    def test_an_export_is_a_line_of_json_an_entry(self):
        for line in self.lab.relab("ledger", "export").out.splitlines():
            self.assertIn("hash", json.loads(line))

    def test_mistakes_in_a_lab_file_as_json(self):
        self.lab.file.write_text(self.lab.file.read_text().replace("supernet", "supernett"))
        ended = self.lab.relab("check", "--output", "json")
        self.assertEqual(ended.code, 2)
        checked = json.loads(ended.out)
        self.assertFalse(checked["valid"])
        self.assertTrue(checked["mistakes"])

    def test_a_section_that_the_audit_does_not_have(self):
        self.assert_ended(self.lab.relab("audit", "show", "zsf"), 2, "the audit has no section 'zsf'", "zfs")

    def test_an_output_that_cannot_be_written_is_a_failure(self):
        for command in (("--help",), ("--version",), *self.COMMANDS):
            for form in ("text", "json"):
                with self.subTest(command=command, form=form), open("/dev/full", "wb") as full:
                    done = subprocess.run([str(word) for word in self.lab.command(*command, "--output", form)], stdout=full,
                                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False,
                                          env=self.lab.environment)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    if command != ("agents", "remove", "alpha"):
                        self.assertIn("the output could not be written", done.stderr)

    def test_the_agents_output_that_cannot_be_written_is_a_failure(self):
        for arguments in (["--help"], ["--version"], ["identity"], ["trust"]):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([*map(str, self.agent.arguments(*arguments))], stdout=full, stderr=subprocess.PIPE, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 1, done.stderr)

    def test_a_reader_that_went_away_is_no_success(self):
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "wb") as out:
            done = subprocess.run([str(word) for word in self.lab.command("plan")], stdout=out, stderr=subprocess.PIPE, check=False,
                                  env=self.lab.environment)
        self.assertNotEqual(done.returncode, 0)

    def on_a_terminal(self, *arguments, **environment):
        main_end, other = pty.openpty()
        process = subprocess.Popen([str(word) for word in self.lab.command(*arguments)], stdin=other, stdout=other, stderr=other,
                                   env=self.lab.environment | environment)
        os.close(other)
        text = b""
        while select.select([main_end], [], [], 60)[0]:
            try:
                piece = os.read(main_end, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(main_end)
        return process.wait(60), text.decode(errors="replace")

    def test_colours_are_for_terminals_and_can_be_switched_off(self):
        self.assertIn(ESCAPE, self.on_a_terminal("plan")[1])
        self.assertNotIn(ESCAPE, self.on_a_terminal("plan", NO_COLOR="1")[1])
        self.assertIn(ESCAPE, self.on_a_terminal("plan", NO_COLOR="")[1])
        self.assertNotIn(ESCAPE, self.lab.relab("plan").out)
        self.assertNotIn(ESCAPE, self.on_a_terminal("plan", "--output", "json")[1])

    def test_the_same_words_on_a_terminal_and_off_it(self):
        code, text = self.on_a_terminal("status", NO_COLOR="1")
        self.assertEqual(code, 0)
        words = self.lab.relab("status").out.split()
        self.assertEqual([word for word in words if word not in text], [])

    def test_control_characters_in_names_do_not_reach_the_terminal(self):
        ended = self.lab.relab("run", "on\x1b[2Je\x07")
        self.assertEqual(ended.code, 2)
        self.assertNotIn("\x1b", ended.err)
        self.assertNotIn("\x07", ended.err)

    def test_secrets_are_nowhere(self):
        """Neither the passphrase nor the agent's key is in what was said or kept in clear."""
        self.lab.relab("run", "one")
        passphrase = self.lab.passphrase_file.read_bytes().strip()
        key = (self.agent.state_dir / "agent.key").read_bytes()
        for path in self.lab.folder.rglob("*"):
            if not path.is_file() or path == self.lab.passphrase_file or path.name == "agent.key":
                continue
            with self.subTest(path=path):
                content = path.read_bytes()
                self.assertNotIn(passphrase, content)
                for part in range(0, len(key), 32):
                    self.assertNotIn(key[part:part + 32], content)


if __name__ == "__main__":
    main()
