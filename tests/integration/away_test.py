#!/usr/bin/env python3
"""Agents that are away, are others than expected, or run on another machine."""

import signal
import socket
import threading

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.mounts import bind_file, own_mounts
from support.programs import wait_until


class Away(LabCase):
    agent_names = ("alpha", "beta")

    def run_soon(self, *more):
        return self.lab.relab("run", "one", "--patience", "1", *more)

    def test_an_agent_that_is_down_is_waited_for_and_the_run_carries_on_later(self):
        self.assert_ended(self.run_soon(), 5, f"the agent 'alpha' cannot be reached at {self.agent.endpoint}",
                          "systemctl status relab-agent", "Nothing is lost: `relab run one` carries on")
        run = self.last_run()
        self.agent.start()

        self.assert_ended(self.lab.relab("run", "one"), 0, "carrying on with run", "1 step(s) succeeded, 0 failed")

        self.assertEqual(self.last_run(), run)
        self.assert_ledger_holds()

    def test_an_agent_that_comes_while_it_is_waited_for(self):
        running = self.lab.start("run", "one", "--patience", "60")
        wait_until("the run to begin", lambda: self.lab.file.exists() and (self.lab.state_dir / "lock").exists())
        self.agent.start()
        self.assert_ended(running.wait(), 0, "1 step(s) succeeded")

    def test_one_of_two_agents_is_away_and_the_other_does_its_part(self):
        self.lab.describe(phase("one", track("a", "alpha", step("hello", PING)), track("b", "beta", step("hello", PING))))
        self.agent.start()

        self.assert_ended(self.run_soon(), 5, "the agent 'beta' cannot be reached")
        self.assertEqual([task["state"] for task in self.tasks()], ["succeeded"])
        self.lab["beta"].start()
        self.assert_ended(self.lab.relab("run", "one"), 0, "2 step(s) succeeded, 0 failed")

        self.assertEqual(len(self.agent.accepted()), 1)

    def test_an_agent_that_was_never_enrolled(self):
        self.assert_ended(self.lab.relab("agents", "remove", "alpha"), 0)
        self.assert_ended(self.run_soon(), 5, "no agent 'alpha' is enrolled", "relab enrol alpha")

    def test_something_else_listens_there(self):
        """It takes the connection and says nothing: the handshake runs out of time."""
        with socket.create_server(("127.0.0.1", self.agent.port)) as server:
            stop = threading.Event()
            held = []

            def hold():
                server.settimeout(0.1)
                while not stop.is_set():
                    try:
                        held.append(server.accept()[0])
                        held[-1].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                        held[-1].close()
                    except OSError:
                        pass

            thread = threading.Thread(target=hold)
            thread.start()
            try:
                ended = self.run_soon()
            finally:
                stop.set()
                thread.join()
        self.assert_ended(ended, 5, self.agent.endpoint, "alpha")

    def test_two_agents_swapped_are_named_by_their_keys(self):
        alpha, beta = self.lab["alpha"], self.lab["beta"]
        expected, came = alpha.fingerprint(), beta.fingerprint()
        alpha.state_dir, beta.state_dir = beta.state_dir, alpha.state_dir
        alpha.start()

        self.assert_ended(self.run_soon(), 5, "does not hold the key of the agent 'alpha'", f"expected {expected}",
                          f"came {came}, which is the key of 'beta'")
        self.assert_ended(self.lab.relab("agents", "--ping"), 5, expected, came)

        self.assertEqual(alpha.journal(), {})

    def test_an_agent_with_a_new_key(self):
        expected = self.agent.fingerprint()
        (self.agent.state_dir / "agent.key").unlink()
        self.agent.start()

        self.assert_ended(self.run_soon(), 5, "does not hold the key of the agent 'alpha'", f"expected {expected}",
                          "never seen", "relab-agent identity")

        self.agent.stop()
        self.assert_ended(self.lab.enrol("alpha"), 0, f"it was {expected}, it is {self.agent.fingerprint()}")
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")
        self.assert_ledger_holds()

    def test_an_agent_that_was_reinstalled_obeys_nobody(self):
        self.agent.forget_everything()
        ended = self.agent.run("run")
        self.assert_ended(ended, 1, "this agent obeys no controller yet", "relab-agent enrol")

    def test_a_controller_that_is_distrusted_while_the_agent_runs(self):
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0)
        trusted = self.agent.run("trust").out.splitlines()[1]
        self.assert_ended(self.agent.run("distrust", trusted.split("  ")[0]), 0)
        self.agent.running.signal(signal.SIGHUP)
        wait_until("the agent to read its list anew", lambda: "read the pinned controllers anew" in self.agent.log())

        self.assert_ended(self.run_soon(), 5, "does not obey this controller", "enrol")

        self.assertEqual(len(self.agent.accepted()), 1)

    def test_an_agent_on_another_machine(self):
        refused = own_mounts()
        if refused:
            self.skipTest(f"needs a mount namespace of its own: {refused}")
        identity = self.agent.run("identity").out
        other = self.lab.folder / "machine-id"
        other.write_text("0123456789abcdef0123456789abcdef\n")
        with bind_file(other, "/etc/machine-id"):
            self.agent.start()
            ended = self.run_soon()

        self.assert_ended(ended, 5, "the agent 'alpha' runs on another machine", "0123456789abcdef0123456789abcdef",
                          "enrol it anew")
        self.assertIn(identity.split("machine id")[1].split()[0], ended.err)
        self.assertEqual(self.agent.journal(), {})


class Steps(LabCase):
    def test_a_step_that_fails_blocks_those_behind_it_and_only_those(self):
        self.agent.tools.fake("lsblk", prints="no JSON", status=1)
        self.lab.describe(phase("one", track("bad", "alpha", step("disks", DISKS), step("after", PING)),
                                track("good", "alpha", step("hello", PING))))
        self.agent.start()

        ended = self.lab.relab("run", "one")

        self.assert_ended(ended, 1, "failed     one/bad/disks", "blocked    one/bad/after", "succeeded  one/good/hello",
                          "1 step(s) succeeded, 2 failed")
        self.assertEqual({task["step"]: task["state"].split(":")[0] for task in self.tasks()},
                         {"one/bad/disks": "failed", "one/good/hello": "succeeded"})

    def test_a_kind_that_the_role_forbids(self):
        self.agent.role = "vault"
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS))))
        self.agent.start()
        ended = self.lab.relab("run", "one")
        self.assert_ended(ended, 1, "the agent refused the order",
                          "the role 'vault' does not permit the task kind 'auditDisks'")
        self.assertEqual(self.agent.journal(), {})
        self.assert_ledger_holds()

    def test_a_changed_lab_file_ends_the_old_run(self):
        self.assert_ended(self.lab.relab("run", "one", "--patience", "1"), 5)
        first = self.last_run()
        self.lab.describe(phase("one", track("t", "alpha", step("again", PING))))
        self.agent.start()
        self.assert_ended(self.lab.relab("run", "one"), 0, "lab.toml has changed since run")
        self.assertNotEqual(self.last_run(), first)
        self.assert_ledger_holds()


if __name__ == "__main__":
    main()
