#!/usr/bin/env python3
"""Secrets: kept by the controller, sealed to the one agent that uses them, and found nowhere else."""

import base64
import json
import os
import pathlib
import pty
import resource
import select
import signal
import subprocess
import unittest

from support.canary import Canary, about
from support.case import LabCase, main
from support.lab import PING, phase, step, track
from support.programs import RELAB_AGENT, TookTooLong, is_alive, wait_until
from support.records import decode

KEY = 'zfs_key_check = { dataset = "tank/docs", key = "tank-key" }'
WAIT = 'disk_attached = { serial = "NONE" }'
ID = "0190a5e0c0de7000800000000000000{}"

# An encrypted pool that knows its key; of what it was given it keeps a record, which nothing else does.
ZFS = r"""case "$1" in
version) printf 'zfs-2.3.9-0+deb13u1\nzfs-kmod-2.3.9-0+deb13u1\n'; exit 0 ;;
get) for row in encryption:aes-256-gcm encryptionroot:tank keystatus:available keyformat:passphrase keylocation:prompt guid:42; do
    printf '%s\t%s\t%s\t-\n' "$4" "${row%%:*}" "${row#*:}"; done; exit 0 ;;
load-key)
    tr '\0' '\n' </proc/$$/environ >zfs.environ; tr '\0' '\n' </proc/$$/cmdline >zfs.cmdline
    cat >stdin.new; mv stdin.new zfs.stdin
    while [ -e stop ]; do sleep 0.05; done
    if cmp -s zfs.stdin zfs.key; then echo '1 / 1 key(s) successfully verified'; exit 0; fi
    echo "Key load error: Incorrect key provided for 'tank'." >&2; exit 255 ;;
esac"""


def is_sanitized():
    return any(name in pathlib.Path(RELAB_AGENT).read_bytes() for name in (b"__asan_init", b"__tsan_init"))


class Secrets(LabCase):
    def setUp(self):
        super().setUp()
        self.canary = Canary()
        self.tools = self.agent.tools
        self.tools.fake("zfs", before=ZFS, status=1)
        self.tools.fake("zpool", prints="tank\t4711\tONLINE\n")
        self.lab.describe(phase("one", track("t", "alpha", step("key", KEY))))

    def set(self, value=None, name="tank-key", *more):
        """As from a pipe."""
        file = self.lab.folder / "piped"
        file.write_bytes((self.canary.text + "\n").encode() if value is None else value)
        with open(file, "rb") as piped:
            file.unlink()
            return self.lab.relab("secret", "set", name, *more, stdin=piped)

    def given(self):
        """What ZFS was given."""
        path = self.tools.folder / "zfs.stdin"
        return path.read_bytes() if path.exists() else b""

    def forget(self):
        """All that ZFS noted."""
        for path in self.tools.folder.glob("zfs.stdin"):
            path.unlink()

    def let_zfs_know(self, text):
        (self.tools.folder / "zfs.key").write_text(text)

    def signed(self, kind, struct):
        """What the ledger has in entries of that kind, as the schema's own tool decodes it."""
        export = self.lab.relab("ledger", "export")
        self.assert_ended(export, 0)
        lines = [json.loads(line) for line in export.out.splitlines()]
        return decode([base64.b64decode(line["envelope"]["payload"]) for line in lines if line["kind"] == kind], struct)

    def reports(self):
        return self.signed("received", "Report")

    # ---- where it is found, and where not

    def test_a_canary_is_where_it_belongs_and_nowhere_else(self):
        self.assert_ended(self.set(), 0, "The secret 'tank-key' is stored; for one/t/key on alpha")
        (self.tools.folder / "stop").touch()
        self.agent.start("--log-level", "trace")
        running = self.lab.start("run", "one", "--output", "json")
        wait_until("ZFS to be given the key", self.given)
        caller, child = self.tools.calls("zfs")[-1]
        self.assertEqual(caller, self.agent.running.pid)
        # The search would find it: in the memory of the agent as long as it is used, and where ZFS keeps what it was given.
        self.assertEqual(self.given().decode(), self.canary.text)
        self.assertIn("tools/zfs.stdin", self.canary.files_with_it(self.agent.folder))
        self.assertGreater(self.canary.in_memory_of(self.agent.running.pid), 0)
        # The controller has let go of it.
        self.assertEqual(self.canary.in_memory_of(running.pid), 0)
        for pid in (self.agent.running.pid, running.pid, child):
            self.assertEqual(self.canary.found_in(about(pid)), [])
        self.forget()
        self.assertEqual(self.canary.files_with_it(self.lab.folder), {})
        (self.tools.folder / "stop").unlink()
        self.assertEqual(running.wait().code, 0)
        self.assertEqual(self.canary.in_memory_of(self.agent.running.pid), 0)
        self.look_everywhere()
        self.assertEqual(self.agent.stop().code, 0)
        self.forget()
        self.assertEqual(self.canary.files_with_it(self.lab.folder), {})

    def look_everywhere(self):
        """In all that the controller tells; each output is a file, too."""
        for command in (("status",), ("status", "--output", "json"), ("ledger", "show"), ("ledger", "show", "--output", "json"),
                        ("ledger", "export"), ("audit", "show"), ("audit", "show", "--output", "json"), ("secret", "list"),
                        ("secret", "list", "--output", "json"), ("plan",), ("plan", "--output", "json"), ("check",)):
            ended = self.lab.relab(*command)
            self.assertEqual(self.canary.found_in((ended.out + ended.err).encode()), [], command)
        for report in self.reports():
            self.assertEqual(self.canary.found_in(json.dumps(report).encode()), [])
        self.assertEqual(len(self.reports()), 1)
        # Yet it did travel, in a box that has the name on it.
        order, = self.signed("ordered", "Order")
        self.assertEqual([secret["name"] for secret in order["secrets"]], ["tank-key"])

    def test_a_tool_that_repeats_it_does_not_spread_it(self):
        self.tools.fake("zfs", before=ZFS.replace("    if cmp", "    cat zfs.stdin; cat zfs.stdin >&2; echo >&2\n    if cmp"), status=1)
        self.assert_ended(self.set(), 0)
        self.agent.start("--log-level", "trace")
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.assertIn("(secret)", self.reports()[0]["facts"]["zfsKeyCheck"]["words"])
        self.look_everywhere()
        self.forget()
        self.assertEqual(self.canary.files_with_it(self.lab.folder), {})

    @unittest.skipIf(is_sanitized(), "the sanitizer has to trace its own process")
    def test_no_core_holds_it(self):
        self.assert_ended(self.set(), 0)
        (self.tools.folder / "stop").touch()
        before = resource.getrlimit(resource.RLIMIT_CORE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, before)
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        self.agent.start()
        running = self.lab.start("run", "one")
        wait_until("ZFS to be given the key", self.given)
        _, child = self.tools.calls("zfs")[-1]
        for pid in (self.agent.running.pid, running.pid, child):
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
            core = next(line for line in limits if line.startswith("Max core file size"))
            self.assertEqual(core.split()[4:6], ["0", "0"], core)
        status = self.end_by_abort(self.agent.running.process)
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        self.assertFalse(os.WCOREDUMP(status))
        self.agent.end_tool(child)
        self.forget()
        self.assertEqual(self.canary.files_with_it(self.lab.folder), {})

    @staticmethod
    def end_by_abort(process):
        os.kill(process.pid, signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
        return status

    # ---- what comes of it

    def test_the_right_key_is_proven_and_a_wrong_one_is_a_finding(self):
        self.let_zfs_know(self.canary.text)
        self.agent.start()
        self.assert_ended(self.set(), 0)
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded, 0 failed")
        facts = self.reports()[0]["facts"]["zfsKeyCheck"]
        self.assertEqual((facts["proven"], facts["encryptionRoot"], facts["poolGuid"]), (True, "tank", "4711"))
        self.assert_ended(self.set(b"another passphrase"), 0)
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded, 0 failed")
        facts = self.reports()[1]["facts"]["zfsKeyCheck"]
        self.assertFalse(facts["proven"])
        self.assertEqual((facts["exitCode"], facts["words"]), (255, "Key load error: Incorrect key provided for 'tank'."))
        self.assert_ledger_holds()

    def test_a_check_has_its_secrets_too(self):
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "--check", "one"), 2, "no secret 'tank-key'")
        self.assert_ended(self.set(), 0)
        self.assert_ended(self.lab.relab("run", "--check", "one"), 0, "nothing was changed")
        self.assertEqual(self.given().decode(), self.canary.text)

    def test_a_secret_waits_sealed_in_the_journal_of_an_agent_that_dies(self):
        self.lab.describe(phase("one", track("t", "alpha", step("wait", WAIT, "30m")), track("u", "alpha", step("key", KEY))))
        self.assert_ended(self.set(), 0)
        self.agent.start("--tasks-max", "1")
        running = self.lab.start("run", "one")
        wait_until("both tasks to be held", lambda: sorted(self.agent.journal().values()) == [1, 2])
        self.assertEqual(self.given(), b"")
        self.assertEqual(self.canary.files_with_it(self.lab.folder), {})
        self.agent.kill()
        self.agent.start("--tasks-max", "1")
        wait_until("ZFS to be given the key", self.given)
        self.assertEqual(self.given().decode(), self.canary.text)
        running.kill()

    # ---- what is missing, damaged, or for somebody else

    def test_what_is_missing_is_told_before_anything_is_ordered(self):
        self.agent.start()
        self.lab.describe(phase("one", track("t", "alpha", step("hello", PING)), track("u", "alpha", step("key", KEY))))
        for command in (("check",), ("plan",), ("secret", "list")):
            self.assert_ended(self.lab.relab(*command), 0, "tank-key", "missing")
        ended = self.lab.relab("run", "one", "--output", "json")
        self.assert_ended(ended, 2, "no secret 'tank-key' (for one/u/key on alpha) is stored: nothing was ordered",
                          "relab secret set tank-key")
        self.assertEqual(json.loads(ended.out)["missingSecrets"], ["tank-key"])
        self.assertEqual(self.agent.journal(), {})
        self.assertIsNone(self.last_run())
        self.assert_ended(self.set(), 0)
        self.assert_ended(self.lab.relab("run", "one"), 0, "2 step(s) succeeded")

    def test_a_secret_that_was_removed_does_not_keep_anybody_from_collecting(self):
        self.assert_ended(self.set(), 0)
        (self.tools.folder / "stop").touch()
        self.agent.start()
        running = self.lab.start("run", "one")
        wait_until("ZFS to be given the key", self.given)
        running.kill()
        self.assert_ended(self.lab.relab("secret", "remove", "tank-key"), 0, "the plan still uses it: one/t/key on alpha")
        (self.tools.folder / "stop").unlink()
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")

    def test_a_damaged_store_orders_nothing(self):
        self.assert_ended(self.set(), 0)
        self.agent.start()
        path = self.lab.config_dir / "secrets"
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        self.assert_ended(self.lab.relab("run", "one"), 1, "the secret 'tank-key' in", "is damaged", "relab secret set tank-key")
        path.write_bytes(whole[:40])
        self.assert_ended(self.lab.relab("run", "one"), 1, "is not a whole file of secrets")
        self.assertEqual(self.agent.journal(), {})
        path.write_bytes(whole)
        path.chmod(0o644)
        self.assert_ended(self.lab.relab("run", "one"), 1, "by others than its owner")
        path.chmod(0o600)
        self.assert_ended(self.lab.relab("run", "one"), 0)

    def test_new_keys_do_not_open_the_secrets_of_the_old_ones(self):
        self.assert_ended(self.set(), 0)
        key_file = self.lab.config_dir / "controller.key"
        old = key_file.read_bytes()
        key_file.unlink()
        self.assert_ended(self.lab.relab("init", "--kdf", "interactive"), 1, "holds secrets that only the keys of before")
        self.assertFalse(key_file.exists())
        secrets = self.lab.config_dir / "secrets"
        secrets.rename(self.lab.folder / "aside")
        self.lab.init()
        (self.lab.folder / "aside").rename(secrets)
        for command in (("secret", "list"), ("secret", "set", "other")):
            self.assert_ended(self.lab.relab(*command), 1, "were encrypted by the controller", "put its key file back")
        key_file.write_bytes(old)
        self.assert_ended(self.lab.relab("secret", "list"), 0, "tank-key")

    def test_an_agent_takes_no_order_without_its_secret_or_with_that_of_another_task(self):
        self.agent.start()
        answers = self.lab.forge("alpha", "sync",
                                 f"order kind=zfsKeyCheck id={ID.format(1)}", "sync",
                                 f"order kind=zfsKeyCheck id={ID.format(2)} secret={self.canary.text} sealed_for={ID.format(1)}", "sync",
                                 f"order kind=zfsKeyCheck id={ID.format(3)} secret={self.canary.text}", f"await {ID.format(3)}")
        receipts = [answer["refusal"] for answer in answers if answer.get("answer") == "receipt"]
        self.assertEqual(receipts, ["secretUnusable", "secretUnusable", "none"], answers)
        self.assertIn("the order does not bring the secret(s) that its task names: tank-key", self.agent.log())
        self.assertIn("the secret 'tank-key' was sealed for another task, lab or name", self.agent.log())
        self.assertEqual(self.given().decode(), self.canary.text)

    # ---- relab secret

    def test_secrets_are_set_listed_and_removed(self):
        self.assert_ended(self.lab.relab("secret", "list"), 0, "tank-key", "missing", "one/t/key on alpha")
        self.assert_ended(self.set(), 0)
        self.assert_ended(self.set(b"unused\n", "other"), 0, "no step of the lab uses it")
        listed = {row["name"]: row for row in self.lab.relab_json("secret", "list")["secrets"]}
        self.assertEqual(sorted(listed), ["other", "tank-key"])
        self.assertEqual(listed["tank-key"]["usedBy"], [{"step": "one/t/key", "agent": "alpha"}])
        self.assertTrue(listed["tank-key"]["set"])
        self.assert_ended(self.lab.relab("secret", "remove", "other"), 0, "is removed")
        self.assert_ended(self.lab.relab("secret", "remove", "other"), 1, "no secret 'other'")
        self.assertEqual([row["name"] for row in self.lab.relab_json("secret", "list")["secrets"]], ["tank-key"])
        self.assertEqual((self.lab.config_dir / "secrets").stat().st_mode & 0o777, 0o600)

    def test_what_is_given_to_an_agent_is_what_was_set(self):
        self.agent.start()
        key = self.lab.folder / "key"
        for value, arguments, expected in ((b"one line\n", (), b"one line"), (b"no line", (), b"no line"),
                                           (b"two lines\n\n", (), b"two lines\n"), (b"dos\r\n", (), b"dos"),
                                           (b"", ("--file", key), b"\x00raw\xff\n"), (b"x" * 65536 + b"\n", (), b"x" * 65536)):
            with self.subTest(value=value[:20]):
                key.write_bytes(expected)
                self.forget()
                self.assert_ended(self.set(value, "tank-key", *arguments), 0)
                self.assert_ended(self.lab.relab("run", "one"), 0)
                self.assertEqual(self.given(), expected)

    def test_what_is_no_secret_is_refused(self):
        for value in (b"", b"\n", b"x" * 65537, b"x" * 200000):
            with self.subTest(value=value[:3]):
                self.assertEqual(self.set(value).code, 1)
        self.assert_ended(self.lab.relab("secret", "set", "tank-key", "--file", self.lab.folder / "none"), 1, "there is no")
        for name in ("Tank", "tank_key", "-x-", "x" * 33):
            self.assert_ended(self.lab.relab("secret", "set", "--", name), 2, "no name of a secret")
        for command in (("secret",), ("secret", "set"), ("secret", "show", "x"), ("secret", "list", "x")):
            self.assert_ended(self.lab.relab(*command), 2, "usage: relab secret")
        self.assertFalse((self.lab.config_dir / "secrets").exists())

    def test_no_value_stands_in_a_lab_file(self):
        self.lab.describe(phase("one", track("t", "alpha", step("key", KEY.replace("tank-key", "Correct horse!")))))
        self.assert_ended(self.lab.relab("check"), 2, "is not of the expected form")

    def typed(self, *answers):
        """`relab secret set` at a terminal: whatever was on it, and the exit code."""
        command = [str(word) for word in self.lab.command("secret", "set", "tank-key")]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(command[0], command, self.lab.environment)
        shown, waiting = b"", list(answers)
        while select.select([terminal], [], [], 60)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break  # it has ended
            if waiting and shown.endswith(b": "):
                os.write(terminal, waiting.pop(0).encode() + b"\n")
        else:
            raise TookTooLong(shown)
        os.close(terminal)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_at_a_terminal_it_is_typed_twice_and_not_shown(self):
        shown, code = self.typed(self.canary.text, "something else")
        self.assertEqual((code, "the two differ" in shown), (1, True), shown)
        shown, code = self.typed("", "")
        self.assertEqual((code, "the secret is empty" in shown), (1, True), shown)
        shown, code = self.typed(self.canary.text, self.canary.text)
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.canary.found_in(shown.encode()), [])
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.assertEqual(self.given().decode(), self.canary.text)


if __name__ == "__main__":
    main()
