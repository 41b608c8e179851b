#!/usr/bin/env python3
"""The ledger: whoever changes it is found out, and an export can be verified without our code."""

import base64
import contextlib
import hashlib
import json
import pathlib
import shutil
import sqlite3

from support import ed25519
from support.case import LabCase, main

CHANGED = "somebody or something changed the ledger"


def part(data):
    return len(data).to_bytes(8, "little") + data


def chain(before, entry):
    return hashlib.blake2b(part(before) + part(entry), digest_size=32, person=b"relab-ledger-v1").digest()


def encoding(envelope):
    """DSSE's pre-authentication encoding."""
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def verify_export(text):
    """By the documented format alone; returns how many entries and signatures there were."""
    head, signatures, keys = bytes(32), 0, set()
    lines = [json.loads(line) for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        assert line["number"] == number, f"entry {number} is missing"
        head = chain(head, base64.b64decode(line["entry"]))
        assert head.hex() == line["hash"], f"entry {number} does not fit"
        if "envelope" not in line:
            continue
        envelope = line["envelope"]
        assert base64.b64decode(envelope["payload"]) in base64.b64decode(line["entry"]), "another payload than in the entry"
        for signature in envelope["signatures"]:
            key = bytes.fromhex(signature["keyid"])
            # Only `created` and `enrolled` bring keys in: they sign what they state.
            if line["kind"] in ("created", "enrolled"):
                keys.add(key)
            assert key in keys, f"entry {number} is signed by nobody known"
            assert ed25519.verify(key, encoding(envelope), base64.b64decode(signature["sig"])), f"entry {number}: signature"
            signatures += 1
    return len(lines), signatures


class Ledger(LabCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template["alpha"].start()
        for _ in range(2):
            ended = cls.template.relab("run", "one")
            assert ended.code == 0, ended
        cls.template["alpha"].stop()

    def change(self, *statements):
        """As somebody would who has the file and sqlite3."""
        with contextlib.closing(sqlite3.connect(self.lab.ledger_file)) as database:
            database.execute("DROP TRIGGER entry_is_never_changed")
            database.execute("DROP TRIGGER entry_is_never_removed")
            for statement in statements:
                database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)
            database.commit()

    def rows(self):
        with contextlib.closing(sqlite3.connect(self.lab.ledger_file)) as database:
            return database.execute("SELECT number, body, hash FROM entry ORDER BY number").fetchall()

    def test_it_is_read_entry_by_entry(self):
        shown = self.lab.relab("ledger", "show")
        self.assert_ended(shown, 0, "enrolled", "signed head of the")
        entries = len(self.rows())
        self.assertIn(f"{entries} of {entries} entries", shown.out)
        received = json.loads(self.lab.relab("--output", "json", "ledger", "show", "--kind", "received", "--agent", "alpha").out)
        self.assertTrue(received)
        self.assertEqual({line["kind"] for line in received}, {"received"})
        task = received[-1]["task"]
        of_task = json.loads(self.lab.relab("--output", "json", "ledger", "show", "--task", task[24:]).out)
        self.assertEqual([line["kind"] for line in of_task], ["ordered", "received"])
        self.assert_ended(self.lab.relab("ledger", "show", "--last", "2"), 0, f"2 of {entries} entries")
        self.assert_ended(self.lab.relab("ledger", "show", "--kind", "recieved"), 2, "did you mean 'received'?")

    def test_an_agent_notices_that_the_end_of_the_ledger_is_missing(self):
        old = self.lab.folder / "old.db"
        shutil.copy(self.lab.ledger_file, old)
        kept = json.loads(self.lab.relab("--output", "json", "ledger", "verify").out)["head"]
        alpha = self.lab["alpha"].start()
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.assert_ended(self.lab.relab("ledger", "verify", "--head", kept), 0)
        newest = json.loads(self.lab.relab("--output", "json", "ledger", "verify").out)["head"]
        new = self.lab.folder / "new.db"
        shutil.copy(self.lab.ledger_file, new)

        shutil.copy(old, self.lab.ledger_file)
        self.assert_ended(self.lab.relab("ledger", "verify"), 0)
        self.assert_ended(self.lab.relab("ledger", "verify", "--head", newest), 1, "no entry of the ledger has the hash")
        tasks = alpha.journal()
        self.assert_ended(self.lab.relab("run", "one"), 1, "this is not the whole ledger: the agent 'alpha' was shown a ledger of",
                          "restore the newest one")
        self.assertEqual(alpha.journal(), tasks)

        for tail in ("-wal", "-shm"):
            pathlib.Path(f"{self.lab.ledger_file}{tail}").unlink(missing_ok=True)
        shutil.copy(new, self.lab.ledger_file)
        self.assert_ended(self.lab.relab("run", "one"), 0)
        alpha.stop()

    def assert_found_out(self, *sentences):
        commands = (("ledger", "verify"), ("ledger", "export"), ("run", "one"), ("status",), ("gate",), ("audit", "show"),
                    ("agents",), ("agents", "remove", "alpha"))
        before = self.rows()
        for command in commands:
            with self.subTest(command=command):
                ended = self.lab.relab(*command)
                self.assert_ended(ended, 1, *sentences)
                self.assertEqual(ended.out, "", "something was told from a ledger that does not verify")
        self.assertEqual(self.rows(), before)

    def test_the_triggers_keep_honest_hands_off(self):
        with contextlib.closing(sqlite3.connect(self.lab.ledger_file)) as database:
            for statement in ("UPDATE entry SET body = x'00' WHERE number = 2", "DELETE FROM entry WHERE number = 2"):
                with self.assertRaisesRegex(sqlite3.Error, "append-only"):
                    database.execute(statement)

    def test_a_changed_byte_in_any_entry(self):
        rows = self.rows()
        self.assertGreater(len(rows), 8)
        for number, body, _ in rows:
            with self.subTest(number):
                self.lab.close()
                self.lab = self.template.copy()
                self.addCleanup(self.lab.close)
                at = len(body) // 2
                self.change(("UPDATE entry SET body = ? WHERE number = ?", (body[:at] + bytes([body[at] ^ 1]) + body[at + 1:], number)))
                self.assert_ended(self.lab.relab("ledger", "verify"), 1, f"entry {number} of the ledger does not fit the chain", CHANGED)

    def test_every_command_stops_at_a_changed_byte(self):
        body = self.rows()[4][1]
        self.change(("UPDATE entry SET body = ? WHERE number = 5", (body[:-1] + bytes([body[-1] ^ 1]),)))
        self.assert_found_out("entry 5 of the ledger does not fit the chain", CHANGED)

    def test_a_changed_hash(self):
        self.change("UPDATE entry SET hash = zeroblob(32) WHERE number = 3")
        self.assert_found_out("entry 3 of the ledger does not fit the chain")

    def test_a_deleted_entry(self):
        self.change("DELETE FROM entry WHERE number = 4")
        self.assert_found_out("entry 4 of the ledger is missing", CHANGED)

    def test_a_deleted_entry_with_the_rest_renumbered(self):
        self.change("DELETE FROM entry WHERE number = 4", "UPDATE entry SET number = -number WHERE number > 4",
                    "UPDATE entry SET number = -number - 1 WHERE number < 0")
        self.assert_found_out("entry 4 of the ledger does not fit the chain")

    def test_two_entries_swapped(self):
        self.change("UPDATE entry SET number = -6 WHERE number = 6", "UPDATE entry SET number = 6 WHERE number = 5",
                    "UPDATE entry SET number = 5 WHERE number = -6")
        self.assert_found_out("entry 5 of the ledger does not fit the chain")

    def test_a_chain_made_anew_without_the_keys(self):
        """Whoever removes an order and computes all hashes anew still meets a signature: the report's or a checkpoint's."""
        kinds = [json.loads(line)["kind"] for line in self.lab.relab("ledger", "export").out.splitlines()]
        gone = kinds.index("ordered")
        kept = [body for index, (_, body, _) in enumerate(self.rows()) if index != gone]
        statements, head = ["DELETE FROM entry"], bytes(32)
        for number, body in enumerate(kept, 1):
            head = chain(head, body)
            statements.append(("INSERT INTO entry VALUES(?, ?, ?)", (number, body, head)))
        self.change(*statements)
        self.assert_found_out("reading entry", "of the ledger")

    def test_another_file_in_its_place(self):
        for path in self.lab.state_dir.glob("ledger.db*"):
            path.unlink()
        for content, sentence in ((b"no database " * 1000, "not a database"), (b"", None)):
            with self.subTest(sentence):
                self.lab.ledger_file.write_bytes(content)
                # Nobody is enrolled in a ledger that begins anew.
                for code, command in ((1, ("ledger", "verify")),
                                      (1 if content else 5, ("run", "one", "--patience", "1"))):
                    ended = self.lab.relab(*command)
                    self.assertEqual(ended.code, code, str(ended))
                    if sentence:
                        self.assertIn(sentence, ended.err)

    def test_no_ledger_yet(self):
        for path in self.lab.state_dir.glob("ledger.db*"):
            path.unlink()
        for command in (("ledger", "verify"), ("ledger", "export"), ("status",), ("gate",), ("agents",), ("audit", "show")):
            with self.subTest(command):
                self.assert_ended(self.lab.relab(*command), 1, "there is no ledger yet", "relab enrol")
        self.assertFalse(self.lab.ledger_file.exists())

    def test_an_export_is_verified_by_another_program(self):
        ended = self.lab.relab("ledger", "export")
        self.assertEqual(ended.code, 0, str(ended))
        entries, signatures = verify_export(ended.out)
        verified = self.lab.relab_json("ledger", "verify")
        self.assertEqual(entries, verified["entries"])
        self.assertEqual(json.loads(ended.out.splitlines()[-1])["hash"], verified["head"])
        self.assertGreaterEqual(signatures, 2 + verified["orders"] + verified["reports"] + verified["checkpoints"])
        self.assertGreaterEqual(verified["reports"], 2)

    def test_the_other_program_notices_changes(self):
        """Otherwise its approval would prove nothing."""
        lines = self.lab.relab("ledger", "export").out.splitlines()
        with self.assertRaises(AssertionError):
            verify_export("\n".join(lines[:2] + lines[3:]))
        signed = next(index for index, line in enumerate(lines) if json.loads(line)["kind"] == "received")
        changed = json.loads(lines[signed])
        signature = bytearray(base64.b64decode(changed["envelope"]["signatures"][0]["sig"]))
        signature[5] ^= 1
        changed["envelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
        with self.assertRaises(AssertionError):
            verify_export("\n".join([*lines[:signed], json.dumps(changed), *lines[signed + 1:]]))


if __name__ == "__main__":
    main()
