#!/usr/bin/env python3
"""Enrolment: the one-time code, and everything that can go wrong with it."""

import contextlib
import json
import signal

from support.case import LabCase, main
from support.lab import PING, phase, step, track
from support.programs import ROOT, wait_until


class Enrolment(LabCase):
    enrolled = False

    @contextlib.contextmanager
    def waiting(self, *more):
        """The agent's side, with its code in the file `code`."""
        self.code = self.agent.folder / "code"
        self.code.unlink(missing_ok=True)
        running = self.agent.spawn("enrol", "--code-file", self.code, *more)
        try:
            wait_until("the code", lambda: self.code.exists() and self.code.read_text())
            yield running
        finally:
            running.kill()

    def enrol(self, *more):
        return self.lab.relab("enrol", "alpha", "--code-file", self.code, "--patience", "2", *more)

    def assert_nothing_came_of_it(self):
        self.assert_ended(self.agent.run("trust"), 3, "no controller is pinned")
        ended = self.lab.relab("agents")
        self.assertEqual(ended.code, 1, str(ended))
        self.assertRegex(ended.err, "no agent is enrolled|there is no ledger yet")

    def test_it_makes_each_known_to_the_other(self):
        self.assert_ended(self.lab.enrol("alpha"), 0, "Enrolled 'alpha'", self.agent.fingerprint(), "role proxmox")
        self.assertIn("lab loop", self.agent.run("trust").out)
        self.agent.start()
        unasked = self.lab.relab_json("agents")[0]
        self.assertEqual((unasked["version"], "lastSeen" in unasked, "kinds" in unasked), ("", False, False))
        self.assert_ended(self.lab.relab("agents"), 0, "not known", "not asked", "never")
        self.assert_ended(self.lab.relab("agents", "--ping"), 0, "up, 0 task(s) held")
        asked = self.lab.relab_json("agents", "--ping")[0]
        self.assertRegex(asked["version"], r"^0\.")
        self.assertGreaterEqual(asked["lastSeen"], asked["enrolled"])
        self.assertIn("auditZfs", asked["kinds"])
        text = self.lab.relab("agents", "--ping").out
        self.assertNotRegex(text, "never|not known|not asked")
        self.assert_ended(self.lab.relab("agents", "show", "alpha"), 0, "role         proxmox", "task kinds   ping, audit_zfs",
                          self.agent.fingerprint(), "last seen    20")
        manifest = json.loads((ROOT / "packaging/roles/proxmox.json").read_text(encoding="utf-8"))
        told, = self.lab.relab_json("agents", "show", "alpha")["manifests"]
        self.assertEqual({name: told[name] for name in manifest}, manifest)
        shown = self.lab.relab("agents", "show", "alpha").out
        self.assertIn("The role 'proxmox' permits, as the agent itself says:", shown)
        for name in ("pools", "paths", "units", "packages", "mounts"):
            for value in manifest.get(name, []):
                self.assertIn(value, shown)
        self.assert_ended(self.lab.relab("agents", "show", "nobody"), 1, "no agent 'nobody' is enrolled")
        # What it said is remembered, whoever asked; without a file that can be read it is not, and nothing else happens.
        remembered = self.lab.state_dir / "greetings.json"
        self.assertIn("auditZfs", self.lab.relab_json("agents")[0]["kinds"])
        remembered.write_text("half of")
        self.assertNotIn("kinds", self.lab.relab_json("agents")[0])
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")
        self.assertEqual(self.lab.relab_json("agents")[0]["kinds"], asked["kinds"])
        # Of another key it says nothing.
        said = json.loads(remembered.read_text(encoding="utf-8"))
        said["alpha"]["fingerprint"] = "0000"
        remembered.write_text(json.dumps(said), encoding="utf-8")
        self.assertNotIn("kinds", self.lab.relab_json("agents")[0])

    def test_the_code_is_for_its_owner_alone(self):
        with self.waiting():
            self.assertEqual(self.code.stat().st_mode & 0o077, 0)

    def test_a_slip_in_the_code(self):
        with self.waiting():
            text = self.code.read_text().strip()
            for number in (0, 7, len(text) - 1):
                other = "0" if text[number] != "0" else "1"
                self.code.write_text(text[:number] + other + text[number + 1:])
                self.assert_ended(self.enrol(), 1, "the code has a slip in it")
            for short in ("", text[:-1], "hello", text + "00"):
                self.code.write_text(short)
                self.assert_ended(self.enrol(), 1, "36 hexadecimal digits")
        self.assert_nothing_came_of_it()

    def test_the_code_as_people_type_it(self):
        with self.waiting() as running:
            text = self.code.read_text().strip()
            self.code.write_text("  " + text.upper().replace("-", " ") + "\r\n")
            self.assert_ended(self.enrol(), 0, "Enrolled")
            self.assert_ended(running.wait(), 0, "this agent now obeys the controller 'tester'")

    def test_another_agents_code(self):
        """A whole code, but not the one that this agent shows."""
        with self.waiting():
            foreign = self.code.read_text()
        with self.waiting() as running:
            self.code.write_text(foreign)
            self.assert_ended(self.enrol(), 1, "does not wait for this code", "is this the code that it shows?")
            self.assertTrue(running.is_running())
        self.assert_nothing_came_of_it()

    def test_an_expired_code(self):
        with self.waiting("--ttl", "1") as running:
            self.assert_ended(running.wait(), 1, "nobody came with the code within 1 s", "for a new code")
            self.assert_ended(self.enrol(), 5, "nothing waits for an enrolment", "relab-agent enrol")
        self.assert_nothing_came_of_it()

    def test_a_code_is_good_once(self):
        with self.waiting() as running:
            self.assert_ended(self.enrol(), 0)
            self.assert_ended(running.wait(), 0)
            self.assert_ended(self.enrol(), 5, "nothing waits for an enrolment")

    def test_an_agent_that_serves_takes_no_enrolment(self):
        self.assert_ended(self.lab.enrol("alpha"), 0)
        with self.waiting():
            pass
        self.agent.start()
        self.assert_ended(self.enrol(), 1, "does not wait for this code")

    def test_no_code_is_shown_before_somebody_listens_for_it(self):
        self.assert_ended(self.lab.enrol("alpha"), 0)
        self.agent.start()
        code = self.agent.folder / "another-code"
        ended = self.agent.run("enrol", "--code-file", code)
        self.assert_ended(ended, 1, "another agent or program uses that port")
        self.assertEqual(ended.out, "")
        self.assertFalse(code.exists())

    def test_the_agent_starts_at_once_after_its_enrolment(self):
        """While the enrolment still holds the port."""
        with self.waiting() as running:
            self.assert_ended(self.enrol(), 0)
            self.agent.start()
            self.assert_ended(running.wait(), 0)
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")

    def test_enrolled_twice_it_is_the_same_agent(self):
        self.assert_ended(self.lab.enrol("alpha"), 0)
        first = self.lab.relab_json("agents")
        self.assert_ended(self.lab.enrol("alpha"), 0)
        self.assertEqual(self.lab.relab_json("agents"), first)
        self.assertEqual(len(self.agent.run("trust").out.splitlines()), 2)
        self.assert_ledger_holds()

    def test_a_reinstalled_host_may_be_said_to_be_the_same(self):
        with self.waiting():
            self.assert_ended(self.enrol("--reinstalled"), 1, "nothing was reinstalled")
        self.assert_ended(self.lab.enrol("alpha"), 0)
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.agent.stop()
        self.agent.forget_everything()
        hello = step("hello", PING)
        self.lab.describe(phase("one", track("t", "alpha", hello)),
                          phase("two", track("u", "alpha", hello), more='after = ["one"]'))
        self.assert_ended(self.lab.enrol("alpha"), 0, "once more with --reinstalled")
        self.assert_ended(self.lab.relab("gate", "two"), 3, "was carried out by another agent")
        with self.waiting():
            self.assert_ended(self.enrol("--reinstalled"), 0)
        self.assert_ended(self.lab.relab("gate", "two"), 0)

    def test_the_agents_side_ended_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), self.waiting() as running:
                running.signal(number)
                self.assert_ended(running.wait(), 1, "ended by a signal; nothing has changed")
                self.assert_nothing_came_of_it()

    def test_the_controllers_side_ended_by_a_signal(self):
        with self.waiting() as running:
            foreign = self.lab.start("enrol", "alpha", "--code-file", self.code, "--endpoint", "tcp://127.0.0.1:9",
                                     "--patience", "60")
            wait_until("it to hold the lab", lambda: "enrol" in self.lock_text())
            foreign.signal(signal.SIGINT)
            ended = foreign.wait()
            self.assertIn(ended.code, (1, 130), str(ended))
            self.assertIn("the enrolment was ended by a signal", ended.err)
            self.assertTrue(running.is_running())
        self.assert_nothing_came_of_it()

    def lock_text(self):
        lock = self.lab.state_dir / "lock"
        return lock.read_text() if lock.exists() else ""

    def test_an_agent_of_another_lab(self):
        self.assert_ended(self.lab.enrol("alpha"), 0)
        self.lab.file.write_text(self.lab.file.read_text().replace('name = "loop"', 'name = "other"', 1))
        self.lab.state_dir = self.lab.folder / "other-state"
        with self.waiting() as running:
            ended = self.enrol()
            self.assertNotEqual(ended.code, 0, str(ended))
            self.assert_ended(running.wait(), 1, "this agent belongs to the lab 'loop', not to 'other'")
        self.assertIn("lab loop", self.agent.run("trust").out)

    def test_a_name_that_the_lab_does_not_have(self):
        with self.waiting():
            ended = self.lab.relab("enrol", "alfa", "--code-file", self.code, "--patience", "1")
        self.assertNotEqual(ended.code, 0)
        self.assertIn("alfa", ended.err)
        self.assert_nothing_came_of_it()


if __name__ == "__main__":
    main()
