#!/usr/bin/env python3
"""The ledger: whoever changes it is found out, and an export can be verified without our code."""

import base64
import contextlib
import json
import pathlib
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys

from support import verifier
from support.case import LabCase, main
from support.lab import PING, phase, step, track
from support.message import Malformed, Message
from support.records import decode
from support.verifier import Export, Wrong, chain

CHANGED = "somebody or something changed the ledger"


def chained(text):
    """The export with numbers and hashes made anew, as somebody does who has no keys."""
    head, lines = bytes(32), []
    for number, line in enumerate(map(json.loads, text.splitlines()), 1):
        head = chain(head, base64.b64decode(line["entry"]))
        lines.append(json.dumps(line | {"number": number, "hash": head.hex()}))
    return "\n".join(lines)


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

    def shown(self, *filters):
        return json.loads(self.lab.relab("--output", "json", "ledger", "show", *filters).out)

    def test_what_a_filter_names_is_there_or_is_an_error(self):
        whole = self.shown()
        runs = [line["run"] for line in whole if line["kind"] == "runStarted"]
        self.assertEqual(len(set(runs)), 2)
        of_run = self.shown("--run", runs[0])
        self.assertEqual([line["kind"] for line in of_run], ["runStarted", "ordered", "received", "runEnded"])
        self.assertEqual(self.shown("--run", runs[0][24:]), of_run)
        self.assertEqual(self.shown("--since", "2020-01-01", "--until", "2999-01-01T00:00Z"), whole)
        self.assertEqual(self.shown("--since", whole[-1]["time"]), [line for line in whole if line["time"] == whole[-1]["time"]])
        self.assertEqual(self.shown("--until", "2020-01-01"), [])
        self.assert_ended(self.lab.relab("ledger", "show", "--until", "2020-01-01"), 0, f"None of the {len(whole)} entries is like that.")
        for filters, sentence in ((("--kind", "recieved"), "did you mean 'received'?"), (("--agent", "alhpa"), "did you mean 'alpha'?"),
                                  (("--phase", "nine"), "there is no phase 'nine'"), (("--task", "77x"), "the ledger has no task '77x'"),
                                  (("--run", "77x"), "the ledger has no run '77x'"), (("--since", "yesterday"), "'yesterday' is no time"),
                                  (("--until", "2024-02-30"), "'2024-02-30' is no time"), (("--last", "-1"), "'-1' is no number"),
                                  (("--last", "0"), "'0' is no number")):
            with self.subTest(filters):
                self.assert_ended(self.lab.relab("ledger", "show", *filters), 2, sentence)

    @property
    def kept_head(self):
        """The head that lies beside the keys."""
        head, = self.lab.config_dir.glob("head-loop-????????")
        return head

    def forget_head(self):
        """Of a controller that lost its keys' folder, too, and restored the keys alone."""
        self.kept_head.unlink()

    def test_the_controller_misses_the_end_of_its_own_ledger(self):
        kept = self.kept_head
        self.assertEqual(kept.read_text(), self.lab.relab("ledger", "head").out)
        whole = self.lab.folder / "whole.db"
        shutil.copy(self.lab.ledger_file, whole)
        commands = (("ledger", "verify"), ("ledger", "head"), ("gate",), ("status",), ("audit", "show"), ("agents",), ("run", "one"),
                    ("attach",), ("cancel", "one"), ("agents", "remove", "alpha"), ("run", "one", "--check"))
        entries = len(self.rows())
        self.change(f"DELETE FROM entry WHERE number = {entries}")
        for command in commands:
            with self.subTest(command):
                self.assert_ended(self.lab.relab(*command), 1, "its end is cut off", f"entry {entries - 1} is the last now", "head-loop",
                                  "restore the newest copy")
        self.assertEqual(len(self.rows()), entries - 1, "something was written")
        self.assert_ended(self.lab.relab("ledger", "show"), 0)

        for path in self.lab.state_dir.glob("ledger.db*"):
            path.unlink()
        for command in commands:
            with self.subTest(command):
                self.assert_ended(self.lab.relab(*command), 1, "the ledger is gone", "head-loop", "restore the newest copy")
        self.assertFalse(self.lab.ledger_file.exists())

        shutil.copy(whole, self.lab.ledger_file)
        self.assert_ended(self.lab.relab("ledger", "verify"), 0, "holds")
        for text, sentence in (("", "the file is empty"), ("head", "it is no JSON object")):
            kept.write_text(text)
            self.assert_ended(self.lab.relab("run", "one"), 1, "head-loop", sentence)

    def test_whatever_a_run_comes_to_is_marked(self):
        """The end of a run that stalled, or only checked, is not cut off unnoticed either."""
        for command, code in ((("run", "one", "--patience", "1"), 5), (("run", "one", "--check"), 0)):
            with self.subTest(command):
                if code == 0:
                    alpha = self.lab["alpha"].start()
                    self.addCleanup(alpha.stop)
                self.assert_ended(self.lab.relab(*command), code)
                kinds = [json.loads(line)["kind"] for line in self.lab.relab("ledger", "export").out.splitlines()]
                self.assertEqual(kinds[-1], "checkpoint")
        ordered = len(kinds) - kinds[::-1].index("ordered")
        self.change(f"DELETE FROM entry WHERE number > {ordered}")
        self.assert_ended(self.lab.relab("ledger", "verify"), 1, "its end is cut off")

    def test_another_ledger_is_told_by_whatever_reads_it(self):
        other = type(self.lab)(("alpha",))
        self.addCleanup(other.close)
        other.init()
        self.assert_ended(other.enrol("alpha"), 0)
        own = self.lab.state_dir
        self.lab.state_dir = other.state_dir
        for command in (("ledger", "verify"), ("ledger", "head"), ("gate",), ("status",), ("agents",), ("run", "one")):
            with self.subTest(command):
                self.assert_ended(self.lab.relab(*command), 1, "the ledger was begun by the controller key")
        self.lab.state_dir = own
        self.lab.file.write_text(self.lab.file.read_text().replace('name = "loop"', 'name = "other"', 1))
        for command in (("ledger", "verify"), ("gate",), ("status",), ("run", "one")):
            with self.subTest(command):
                self.assert_ended(self.lab.relab(*command), 1, "the ledger is of the lab 'loop', not 'other'")

    def test_a_head_is_kept_elsewhere_and_compared(self):
        file = self.lab.folder / "elsewhere" / "head.json"
        file.parent.mkdir()
        self.assert_ended(self.lab.relab("ledger", "head", "--write", file), 0, "The head of")
        text = self.lab.relab("ledger", "head").out
        self.assertEqual(file.read_text(), text)
        self.assertEqual(text.count("\n"), 1)
        self.assertEqual([path.name for path in file.parent.iterdir()], ["head.json"], "a temporary file was left")
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(json.loads(text), json.loads(self.lab.relab("ledger", "export").out.splitlines()[-1])["envelope"])
        self.assert_ended(self.lab.relab("ledger", "verify", "--against", file), 0, "holds")
        self.assert_ended(self.lab.relab("ledger", "head", "--write", file.parent / "no" / "head.json"), 1, "no/head.json")
        self.assert_ended(self.lab.relab("ledger", "verify", "--against", file.parent / "none"), 1, "none")

        # One run more: the old head is a part of it, the new one is not of the old ledger.
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.agent.stop()
        self.assert_ended(self.lab.relab("ledger", "verify", "--against", file), 0)
        self.assert_ended(self.lab.relab("ledger", "head", "--write", file), 0)
        entries = len(self.rows())
        self.change(f"DELETE FROM entry WHERE number > {entries - 3}")
        self.forget_head()
        self.assert_ended(self.lab.relab("ledger", "verify"), 0, "no head of it is kept beside the keys")
        self.assert_ended(self.lab.relab("ledger", "verify", "--against", file), 1, "its end is cut off",
                          f"It had {entries} entries", f"entry {entries - 3} is the last now")
        self.assert_ended(self.lab.relab("ledger", "head"), 0, "entries after it have no signed head yet")

    def test_a_cut_off_checkpoint_is_missed_itself(self):
        alpha = self.lab["alpha"].start()
        self.addCleanup(alpha.stop)
        file = self.lab.folder / "head.json"
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.assert_ended(self.lab.relab("ledger", "head", "--write", file), 0)
        self.change(f"DELETE FROM entry WHERE number = {len(self.rows())}")
        self.forget_head()
        self.assert_ended(self.lab.relab("ledger", "verify", "--against", file), 1, "its end is cut off")
        self.assert_ended(self.lab.relab("run", "one"), 1, "this is not the whole ledger")

    def test_a_ledger_that_was_replaced_is_not_the_one_of_the_head(self):
        """By its own controller, who alone can: the same command over an older copy."""
        file = self.lab.folder / "head.json"
        old = self.lab.folder / "old.db"
        shutil.copy(self.lab.ledger_file, old)
        self.assert_ended(self.lab.relab("agents", "remove", "alpha"), 0)
        self.assert_ended(self.lab.relab("ledger", "head", "--write", file), 0)
        shutil.copy(old, self.lab.ledger_file)
        for tail in ("-wal", "-shm"):
            pathlib.Path(f"{self.lab.ledger_file}{tail}").unlink(missing_ok=True)
        self.forget_head()
        self.assert_ended(self.lab.relab("agents", "remove", "alpha"), 0)
        self.assert_ended(self.lab.relab("ledger", "verify", "--against", file), 1, "the ledger was replaced: entry", "is another than at")

    def test_an_option_that_would_not_be_looked_at_is_an_error(self):
        for command, sentence in ((("verify", "--against", ""), "--against has no value"), (("verify", "--head", ""), "--head has no value"),
                                  (("head", "--write", ""), "--write has no value"),
                                  (("export", "--against", "head.json"), "--against is for `relab ledger verify`"),
                                  (("verify", "--write", "head.json"), "--write is for `relab ledger head`")):
            with self.subTest(command):
                self.assert_ended(self.lab.relab("ledger", *command), 2, sentence)

    def test_what_is_no_head_of_this_ledger_is_told(self):
        good = json.loads(self.lab.relab("ledger", "head").out)
        other = type(self.lab)(("alpha",))
        self.addCleanup(other.close)
        other.init()
        self.assertEqual(other.enrol("alpha").code, 0)
        elsewhere = other.relab("ledger", "head").out
        ordered = next(json.loads(line)["envelope"] for line in self.lab.relab("ledger", "export").out.splitlines()
                       if json.loads(line)["kind"] == "ordered")
        file = self.lab.folder / "head.json"
        for text, sentence in (("", "the file is empty"), ("head\n", "it is no JSON object"), ("{}", "it is no DSSE envelope"),
                               (json.dumps(good)[:-20], "it is no JSON object"), (elsewhere, "the head is signed with the key"),
                               (json.dumps(good | {"payload": ordered["payload"]}), "its signature does not verify"),
                               (json.dumps(ordered), "is no checkpoint, but application/vnd.relab.order.v1+capnp")):
            with self.subTest(sentence):
                file.write_text(text)
                ended = self.lab.relab("ledger", "verify", "--against", file)
                self.assert_ended(ended, 1, sentence)
                self.assertEqual(ended.out, "")

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
        self.forget_head()
        self.assert_ended(self.lab.relab("ledger", "verify"), 0)
        self.assert_ended(self.lab.relab("ledger", "verify", "--head", newest), 1, "no entry of the ledger has the hash")
        tasks = alpha.journal()
        # However much is added to it, and shown.
        for _ in range(4):
            self.assert_ended(self.lab.relab("run", "one"), 1, "this is not the whole ledger: the agent 'alpha' was shown a ledger",
                              "restore the newest one")
        self.assertEqual(alpha.journal(), tasks)

        for tail in ("-wal", "-shm"):
            pathlib.Path(f"{self.lab.ledger_file}{tail}").unlink(missing_ok=True)
        shutil.copy(new, self.lab.ledger_file)
        self.forget_head()
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

    def test_a_ledger_that_swallows_entries_is_no_ledger(self):
        with contextlib.closing(sqlite3.connect(self.lab.ledger_file)) as database:
            database.execute("CREATE TRIGGER swallow BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END")
            database.commit()
        agent = self.lab["alpha"]
        agent.start()
        before = agent.journal()
        self.assert_ended(self.lab.relab("run", "one"), 1, "the ledger did not take entry")
        self.assertEqual(agent.journal(), before)

    def test_a_filter_that_names_nothing_is_a_mistake(self):
        for name in ("run", "task", "kind", "agent", "phase", "since", "until", "last"):
            self.assert_ended(self.lab.relab("ledger", "show", f"--{name}", ""), 2, f"--{name} names nothing")

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
                why = "it, or one before it, was changed" if number == len(rows) else "what it says was changed"
                self.assert_ended(self.lab.relab("ledger", "verify"), 1, f"entry {number} of the ledger does not fit the chain: {why}", CHANGED)

    def test_every_command_stops_at_a_changed_byte(self):
        body = self.rows()[4][1]
        self.change(("UPDATE entry SET body = ? WHERE number = 5", (body[:-1] + bytes([body[-1] ^ 1]),)))
        self.assert_found_out("entry 5 of the ledger does not fit the chain", CHANGED)

    def test_a_changed_hash(self):
        self.change("UPDATE entry SET hash = zeroblob(32) WHERE number = 3")
        self.assert_found_out("entry 3 of the ledger does not fit the chain: its hash was changed, what it says was not")

    def test_a_deleted_entry(self):
        self.change("DELETE FROM entry WHERE number = 4")
        self.assert_found_out("entry 4 of the ledger is missing", CHANGED)

    def test_a_deleted_entry_with_the_rest_renumbered(self):
        self.change("DELETE FROM entry WHERE number = 4", "UPDATE entry SET number = -number WHERE number > 4",
                    "UPDATE entry SET number = -number - 1 WHERE number < 0")
        self.assert_found_out("entry 4 of the ledger does not fit the chain: what it says was changed, or an entry before it was taken out")

    def test_two_entries_swapped(self):
        self.change("UPDATE entry SET number = -6 WHERE number = 6", "UPDATE entry SET number = 6 WHERE number = 5",
                    "UPDATE entry SET number = 5 WHERE number = -6")
        self.assert_found_out("entry 5 of the ledger does not fit the chain: it is out of order, what belongs there is entry 6 now")

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
        self.forget_head()
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
        self.forget_head()
        for path in self.lab.state_dir.glob("ledger.db*"):
            path.unlink()
        for command in (("ledger", "verify"), ("ledger", "export"), ("status",), ("agents",), ("audit", "show")):
            with self.subTest(command):
                self.assert_ended(self.lab.relab(*command), 1, "there is no ledger yet", "relab enrol")
        # What will be asked for can be told all the same.
        self.lab.describe(phase("one", track("t", "alpha", step("hello", PING))),
                          phase("two", track("u", "alpha", step("hello", PING)), more='after = ["one"]'))
        self.assert_ended(self.lab.relab("gate", "two"), 3, "there is no ledger yet", "Gate of two: CLOSED")
        self.assertFalse(self.lab.ledger_file.exists())

    def export(self):
        ended = self.lab.relab("ledger", "export")
        self.assertEqual(ended.code, 0, str(ended))
        return ended.out

    def test_an_export_is_verified_by_another_program(self):
        export = self.export()
        verified, told = Export(export), self.lab.relab_json("ledger", "verify")
        self.assertEqual(len(verified.lines), told["entries"])
        self.assertEqual(verified.lines[-1]["hash"], told["head"])
        self.assertEqual(verified.checkpoints, told["checkpoints"])
        self.assertEqual(verified.signatures, 2 + told["orders"] + told["reports"] + told["checkpoints"])
        self.assertGreaterEqual(told["reports"], 2)
        head = self.lab.folder / "head.json"
        self.assert_ended(self.lab.relab("ledger", "head", "--write", head), 0)
        (self.lab.folder / "export").write_text(export)
        done = subprocess.run([sys.executable, verifier.__file__, self.lab.folder / "export", head], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"{told['entries']} entries, ", done.stdout)

    def test_the_other_program_reads_what_the_tool_of_the_format_reads(self):
        texts = [json.loads(line) for line in self.export().splitlines()]
        payloads = [base64.b64decode(text["envelope"]["payload"]) for text in texts if text["kind"] == "checkpoint"]
        told = decode(payloads, "Checkpoint", "ledger")
        self.assertEqual([(int(one["entries"]), int(one["time"]), bytes(one["head"]), one["lab"].encode() + b"\0") for one in told],
                         [(one.uint64(0), one.uint64(1), one.data(1), one.data(0))
                          for one in (Message(payload).root() for payload in payloads)])
        whole = payloads[0]
        for size in range(len(whole)):
            with self.subTest(size), self.assertRaises(Malformed):
                Message(whole[:size])
        # The same struct in a second segment, by a far pointer and by a double-far one; and a pointer to nowhere.
        body = whole[16:]
        for pad, landing in ((2, [whole[8:16]]), (6, [struct.pack("<Q", 2 | 2 << 3 | 1 << 32), whole[8:16]])):
            far = struct.pack("<Q", pad | 1 << 32)
            moved = struct.pack("<IIII", 1, 1, len(body) // 8 + len(landing), 0) + far + b"".join(landing) + body
            self.assertEqual(Message(moved).root().data(1), Message(whole).root().data(1))
        with self.assertRaises(Malformed):
            Message(whole[:8] + struct.pack("<Q", 1 << 20 | 2 << 32 | 2 << 48) + body).root().data(0)

    def test_the_other_program_notices_changes(self):
        """Otherwise its approval would prove nothing."""
        texts = self.export().splitlines()
        lines = [json.loads(text) for text in texts]
        last = {line["kind"]: index for index, line in enumerate(lines)}
        received, mark = last["received"], last["checkpoint"]

        def with_line(index, **change):
            return "\n".join([*texts[:index], json.dumps(lines[index] | change), *texts[index + 1:]])

        def what(index):
            return {"entry": lines[index]["entry"], "envelope": lines[index]["envelope"]}

        signed = lines[received]["envelope"]
        signature = bytearray(base64.b64decode(signed["signatures"][0]["sig"]))
        signature[5] ^= 1
        broken = signed | {"signatures": [signed["signatures"][0] | {"sig": base64.b64encode(signature).decode()}]}
        first_report = next(index for index, line in enumerate(lines) if line["kind"] == "received")
        first_mark = next(index for index, line in enumerate(lines) if line["kind"] == "checkpoint")
        for sentence, text in (
                ("entry 3 is missing", "\n".join(texts[:2] + texts[3:])),
                ("entry 3 is missing", "\n".join([*texts[:2], texts[3], texts[2], *texts[4:]])),
                ("there is no beginning", ""),
                (f"entry {received + 1} does not fit", with_line(received, entry=lines[received - 1]["entry"])),
                (f"entry {received + 1}: signature", with_line(received, envelope=broken)),
                (f"entry {received + 1}: another payload", with_line(received, envelope=lines[last["ordered"]]["envelope"])),
                (f"entry {received + 1}: another time or kind", chained(with_line(received, **what(last["ordered"])))),
                (f"entry {received + 1}: another time or kind", with_line(received, time=lines[received]["time"] + 1)),
                (f"entry {received + 1}: another time or kind", "\n".join(
                    json.dumps({key: value for key, value in (line | {"kind": "noted"}).items() if key != "envelope"})
                    if line["number"] == received + 1 else json.dumps(line) for line in lines)),
                (f"entry {received + 1}: no envelope", "\n".join(
                    json.dumps({key: value for key, value in line.items() if key != "envelope" or line["number"] != received + 1})
                    for line in lines)),
                (f"entry {mark + 1}: not a checkpoint of what is before", chained(
                    with_line(mark, **what(first_mark), time=lines[first_mark]["time"]))),
                (f"entry {first_report}: signed by nobody who may", chained("\n".join(
                    text for index, text in enumerate(texts) if index != last["enrolled"])))):
            with self.subTest(sentence), self.assertRaisesRegex(Wrong, sentence):
                Export(text)

    def test_the_other_program_says_of_what_is_no_export_that_it_is_none(self):
        for text in ("{}", "no JSON", "[1]", "null"):
            with self.subTest(text):
                (self.lab.folder / "export").write_text(text)
                done = subprocess.run([sys.executable, verifier.__file__, self.lab.folder / "export"], capture_output=True,
                                      text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, "^this is no export of a ledger")

    def test_the_other_program_notices_that_the_end_is_missing(self):
        texts = self.export().splitlines()
        kept = self.lab.relab("ledger", "head").out
        Export("\n".join(texts)).check_head(kept)
        Export("\n".join(texts[:-1])).check_head(kept)
        with self.assertRaisesRegex(Wrong, "the end is cut off"):
            Export("\n".join(texts[:-2])).check_head(kept)


if __name__ == "__main__":
    main()
