#!/usr/bin/env python3
"""The controller's keys and the passphrase over them."""

import os

from support.case import LabCase, main
from support.lab import PASSPHRASE

NEEDS_KEYS = (("run", "one"), ("agents", "--ping"), ("agents", "remove", "alpha"), ("enrol", "alpha"))


class Keys(LabCase):
    def setUp(self):
        super().setUp()
        self.key_file = self.lab.config_dir / "controller.key"
        self.before = self.lab.ledger_file.read_bytes()

    def assert_refused(self, code, *sentences):
        for command in NEEDS_KEYS:
            with self.subTest(command=command):
                self.assert_ended(self.lab.relab(*command), code, *sentences)
        self.assertEqual(self.lab.ledger_file.read_bytes(), self.before)
        self.assertEqual(self.agent.journal(), {})

    def test_a_wrong_passphrase(self):
        self.lab.passphrase_file.write_text(PASSPHRASE + "r\n")
        self.assert_refused(1, f"the passphrase does not open {self.key_file}")

    def test_an_empty_passphrase_file(self):
        for text in ("", "\n", "\r\n"):
            with self.subTest(text=text):
                self.lab.passphrase_file.write_text(text)
                self.assert_refused(1, "the passphrase is empty")

    def test_a_missing_passphrase_file(self):
        self.lab.passphrase_file.unlink()
        self.assert_refused(1, f"there is no {self.lab.passphrase_file}")

    def test_no_passphrase_and_no_terminal(self):
        for command in NEEDS_KEYS:
            with self.subTest(command=command):
                self.assert_ended(self.lab.relab(*command, secret=False), 1, "no terminal", "--passphrase-file")

    def test_a_passphrase_by_descriptor(self):
        self.agent.start()
        reading, writing = os.pipe()
        os.write(writing, PASSPHRASE.encode() + b"\n")
        os.close(writing)
        self.addCleanup(os.close, reading)
        ended = self.lab.relab("--passphrase-fd", str(reading), "run", "one", secret=False, pass_fds=[reading])
        self.assert_ended(ended, 0, "1 step(s) succeeded, 0 failed")

    def test_a_descriptor_that_is_not_open(self):
        ended = self.lab.relab("--passphrase-fd", "77", "run", "one", secret=False)
        self.assert_ended(ended, 1, "descriptor 77")

    def test_missing_keys(self):
        self.key_file.unlink()
        self.assert_refused(1, f"there are no controller keys: {self.key_file} does not exist", "relab init")

    def test_damaged_key_files(self):
        whole = self.key_file.read_bytes()
        for name, text in (("empty", b""), ("cut", whole[:-9]), ("half", whole[:len(whole) // 2]), ("other", b"x" * 300)):
            with self.subTest(name):
                self.key_file.write_bytes(text)
                self.assert_refused(1, f"{self.key_file} is not a whole key file", "backup")

    def test_a_key_file_with_one_bit_changed_opens_nothing(self):
        whole = self.key_file.read_bytes()
        for byte in range(0, len(whole), 23):
            with self.subTest(byte=byte):
                self.key_file.write_bytes(whole[:byte] + bytes([whole[byte] ^ 4]) + whole[byte + 1:])
                ended = self.lab.relab("agents", "remove", "nobody")
                if "no agent 'nobody' is enrolled" not in ended.err:  # a bit that means nothing, such as padding
                    self.assert_ended(ended, 1, str(self.key_file))
        self.assertEqual(self.lab.ledger_file.read_bytes(), self.before)

    def test_keys_are_never_written_over(self):
        whole = self.key_file.read_bytes()
        self.assert_ended(self.lab.relab("init"), 1, f"{self.key_file} exists already")
        self.key_file.write_bytes(whole[:40])
        self.assert_ended(self.lab.relab("init"), 1, f"{self.key_file} exists already")
        self.assertEqual(self.key_file.read_bytes(), whole[:40])

    def test_a_short_passphrase_is_refused(self):
        self.key_file.unlink()
        self.lab.passphrase_file.write_text("secret\n")
        self.assert_ended(self.lab.relab("init"), 1, "fewer than 8 characters")
        self.assertFalse(self.key_file.exists())

    def test_the_ledger_of_other_keys(self):
        self.key_file.unlink()
        self.lab.init()
        self.assert_refused(1, "the ledger was begun by the controller key")

    def test_only_the_owner_can_read_keys_and_ledger(self):
        for path in (self.lab.config_dir, self.lab.state_dir, self.key_file, self.agent.state_dir,
                     self.agent.state_dir / "agent.key"):
            with self.subTest(path=path):
                self.assertEqual(path.stat().st_mode & 0o077, 0)


if __name__ == "__main__":
    main()
