#!/usr/bin/env python3
"""Orders that no honest controller sends: each is declined for its own reason, and nothing is run.

What is not signed by the pinned key of the very peer gets no answer at all: answers come in order,
so that a hello that was asked for afterwards shows that none came.
"""

import signal
import socket

from support.case import LabCase, main
from support.lab import DISKS, phase, step, track
from support.programs import is_alive, wait_until
from support.tools import LSBLK

ID = "0190a5e0c0de7000800000000000000{}"


class Orders(LabCase):
    def setUp(self):
        super().setUp()
        self.agent.start()

    def forge(self, *commands):
        answers = self.lab.forge("alpha", "sync", *commands, "sync")
        return [answer for answer in answers if answer.get("answer") not in (None, "hello")]

    def assert_refused(self, order, reason, *sentences):
        receipts = self.forge(order)
        self.assertEqual([receipt["answer"] for receipt in receipts], ["receipt"], receipts)
        self.assertEqual(receipts[0]["refusal"], reason)
        for sentence in sentences:
            self.assertIn(sentence, receipts[0]["what"])
            self.assertIn(sentence, self.agent.log())
        self.assertEqual(self.agent.journal(), {})
        self.assertEqual(self.agent.accepted(), [])

    def assert_unanswered(self, reason, *commands):
        self.assertEqual(self.forge(*commands), [])
        self.assertIn(reason, self.agent.log())
        self.assertEqual(self.agent.journal(), {})

    def test_an_honest_order_is_taken(self):
        """Otherwise the refusals of the other tests would prove nothing."""
        answers = self.lab.forge("alpha", "sync", f"order id={ID.format(1)} echo=hi", f"await {ID.format(1)}",
                                 f"ack {ID.format(1)}", "sync")
        self.assertEqual([answer.get("answer") for answer in answers], ["hello", None, "receipt", "report", "hello"])
        self.assertEqual(answers[3]["outcome"], "succeeded")
        self.assertEqual(answers[3]["digest"], answers[1]["digest"])
        self.assertEqual(list(self.agent.journal().values()), [4])

    def test_for_another_agent(self):
        self.assert_refused(f"order audience={'07' * 32}", "wrongAudience", "the order is for another agent")

    def test_for_another_session(self):
        self.assert_refused(f"order nonce={'07' * 16}", "wrongSession", "another session of this agent")

    def test_without_a_session(self):
        self.assert_refused("order nonce=", "wrongSession", "another session")

    def test_expired(self):
        self.assert_refused("order good_for_ms=-1000", "expired", "the order expired at")

    def test_for_another_lab(self):
        self.assert_refused("order lab=other", "wrongLab", "'other'", "'loop'")

    def test_of_a_kind_that_its_role_forbids(self):
        self.agent.stop()
        self.agent.role = "vault"
        self.agent.start()
        self.assert_refused("order kind=auditZfs", "kindForbidden", "the role 'vault' does not permit")

    def test_of_no_kind(self):
        self.assert_refused("order kind=none", "unknownKind", "no task kind 'unset'")

    def test_malformed(self):
        for order in ("order id=", "order id=0102", "order run=", "order mode=unset", "order deadline=0"):
            with self.subTest(order):
                self.assert_refused(order, "malformed")

    def test_signed_by_an_unknown_key(self):
        self.assert_unanswered("unknown key", "order key=stranger")

    def test_signed_as_something_else(self):
        self.assert_unanswered("does not expect", "order type=application/vnd.relab.report.v1+capnp")

    def test_too_big_for_the_door(self):
        self.assertEqual(self.forge("size 4300000"), [])
        self.assertEqual(self.agent.journal(), {})
        self.assertTrue(self.agent.running.is_running())

    def test_noise(self):
        self.assert_unanswered("malformed", *(f"size {size}" for size in (0, 1, 7, 8, 16, 64, 1000, 100_000)))

    def test_cut_short(self):
        (sent, *_), = [self.lab.forge("alpha", "sync", f"order good_for_ms=-1 id={ID.format(1)}")[1:]]
        cuts = [f"cut {size}" for size in range(sent["sent"])]
        answers = self.forge(f"order good_for_ms=-1 id={ID.format(1)}", *cuts)
        self.assertEqual([answer["refusal"] for answer in answers], ["expired"], "a part of an order was answered")
        self.assertEqual(self.agent.journal(), {})

    def test_altered_in_any_byte(self):
        """Bits that no signature covers (padding) leave the very same order; all others get no answer."""
        order = f"order good_for_ms=-1 id={ID.format(1)} run={ID.format(2)}"
        sent = self.lab.forge("alpha", "sync", order)[1]
        flips = [f"flip {byte} {byte % 8}" for byte in range(sent["sent"])]
        done = self.lab.forge("alpha", "sync", order, "sync", *flips, "sync")

        digest = done[1]["digest"]
        answers = [answer for answer in done if answer.get("answer") == "receipt"]
        self.assertGreaterEqual(len(answers), 1)
        self.assertEqual({answer["digest"] for answer in answers}, {digest})
        self.assertEqual({answer["refusal"] for answer in answers}, {"expired"})
        self.assertLess(len(answers), 64, "more bits than padding can explain do not matter")
        self.assertEqual(self.agent.journal(), {})

    def test_replayed_it_is_the_same_task(self):
        answers = self.lab.forge("alpha", "sync", f"order id={ID.format(1)}", f"await {ID.format(1)}", "repeat", "repeat",
                                 "sync")
        receipts = [answer for answer in answers if answer.get("answer") == "receipt"]
        self.assertEqual([(receipt["refusal"], receipt["state"]) for receipt in receipts],
                         [("none", "running"), ("none", "finished"), ("none", "finished")])
        self.assertEqual(len(self.agent.accepted()), 1)
        self.assertEqual(self.agent.journal(), {ID.format(1): 3})

    def test_replayed_to_the_agents_next_life_it_is_of_another_session(self):
        self.agent.tools.hold("lsblk")
        nonce = "00" * 16
        self.lab.forge("alpha", "sync", f"order kind=auditDisks id={ID.format(1)}")
        self.agent.tools.wait_for_calls("lsblk", 1)
        self.agent.kill()
        self.agent.start()
        self.assertEqual(self.forge(f"order kind=auditDisks id={ID.format(1)} nonce={nonce}")[-1]["refusal"], "wrongSession")
        self.assertEqual(len(self.agent.tools.calls("lsblk")), 1)

    def test_a_known_task_id_with_another_task(self):
        self.lab.forge("alpha", "sync", f"order id={ID.format(1)} run={ID.format(2)} echo=one", f"await {ID.format(1)}")
        for other in ("echo=two", "echo=one attempt=2", "echo=one mode=check", "kind=auditDisks"):
            with self.subTest(other):
                run = f"run={ID.format(2)}"
                receipt = next(answer for answer in self.forge(f"order id={ID.format(1)} {run} {other}")
                               if answer["answer"] == "receipt")
                self.assertEqual(receipt["refusal"], "taskConflict")
        self.assertEqual(len(self.agent.accepted()), 1)
        self.assertEqual(self.agent.tools.calls("lsblk"), [])

    def test_a_false_acknowledgement_does_not_lose_the_report(self):
        self.lab.forge("alpha", "sync", f"order id={ID.format(1)}", "sync")
        self.lab.forge("alpha", f"ack {ID.format(1)}", f"ack {ID.format(2)}", "sync")
        self.assertEqual(self.agent.journal(), {ID.format(1): 3})
        answers = self.lab.forge("alpha", "sync", f"await {ID.format(1)}", f"ack {ID.format(1)}", "sync")
        self.assertEqual([answer["answer"] for answer in answers][:2], ["hello", "report"])
        self.assertEqual(self.agent.journal(), {ID.format(1): 4})

    def test_more_tasks_than_the_agent_holds(self):
        """The surplus is declined for now; what was taken is neither lost nor forgotten."""
        self.agent.tools.hold("lsblk")
        answers = self.forge(*(f"order kind=auditDisks id={number:032x}" for number in range(1, 261)))
        refusals = [answer["refusal"] for answer in answers if answer["answer"] == "receipt"]
        self.assertEqual((refusals.count("none"), refusals.count("busy")), (256, 4))
        self.assertEqual(len(self.agent.journal()), 256)
        self.assertEqual(list(self.agent.journal().values()).count(2), 8, "tasks that run at a time")
        self.agent.tools.wait_for_calls("lsblk", 8)
        self.agent.kill()

    def test_what_was_turned_away_is_counted_and_told(self):
        self.forge("order key=stranger", "size 100", "size 200", "order good_for_ms=-1")
        self.agent.stop()
        self.assertRegex(self.agent.log(), r"relab-agent leaves; handshakes turned away: \d+, frames not opened: 3")


class Cancelling(LabCase):
    """Whatever a task started ends with it, wherever it hid."""

    # A grandchild in a session of its own, which holds on to nothing of its parents.
    HIDES = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >>grandchildren"

    def setUp(self):
        super().setUp()
        self.agent.tools.fake("lsblk", before=self.HIDES)
        self.agent.tools.hold("lsblk")
        self.agent.start()

    def children(self):
        grandchildren = (self.agent.tools.folder / "grandchildren").read_text().split()
        return [pid for _, pid in self.agent.tools.calls("lsblk")] + [int(pid) for pid in grandchildren]

    def assert_children_are_gone(self):
        children = self.children()
        self.assertEqual(len(children), 2)
        wait_until("the task's processes to end", lambda: not any(is_alive(pid) for pid in children))

    def wait_for_the_grandchild(self):
        self.agent.tools.wait_for_calls("lsblk", 1)
        path = self.agent.tools.folder / "grandchildren"
        wait_until("the grandchild", lambda: path.exists() and path.read_text().strip())
        self.assertTrue(all(is_alive(pid) for pid in self.children()))

    def test_a_cancelled_task_ends_with_all_its_processes(self):
        self.lab.forge("alpha", "sync", f"order kind=auditDisks id={ID.format(1)}", "sync")
        self.wait_for_the_grandchild()
        answers = self.lab.forge("alpha", "sync", f"cancel {ID.format(1)}", f"await {ID.format(1)}")
        self.assertEqual(answers[-1]["outcome"], "cancelled")
        self.assert_children_are_gone()
        self.assertIn("the task was cancelled", self.agent.log())

    def test_a_cancellation_of_another_session_is_not_heard(self):
        self.lab.forge("alpha", "sync", f"order kind=auditDisks id={ID.format(1)}", "sync")
        self.wait_for_the_grandchild()
        self.lab.forge("alpha", f"cancel {ID.format(1)}", "sync")
        self.assertNotIn("is to be cancelled", self.agent.log())
        self.assertTrue(all(is_alive(pid) for pid in self.children()))
        self.lab.forge("alpha", "sync", f"cancel {ID.format(1)}", f"await {ID.format(1)}")
        self.assert_children_are_gone()

    def test_a_task_out_of_time_ends_with_all_its_processes(self):
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS, deadline="1s"))))
        running = self.lab.start("run", "one")
        self.wait_for_the_grandchild()
        self.assert_ended(running.wait(), 1, "failed     one/t/disks: the task did not end before its deadline", "0 step(s) succeeded, 1 failed")
        self.assert_children_are_gone()
        self.assertEqual([task["state"] for task in self.tasks()], ["failed: the task did not end before its deadline"])

    def test_an_agent_told_to_stop_lets_its_tasks_end(self):
        self.lab.describe(phase("one", track("t", "alpha", step("disks", DISKS))))
        self.agent.tools.fake("lsblk", prints=LSBLK)
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)
        self.agent.running.signal(signal.SIGTERM)
        wait_until("the agent to drain", lambda: "told to stop by signal 15" in self.agent.log())
        self.agent.tools.release("lsblk")
        self.assert_ended(running.wait(), 0, "1 step(s) succeeded")
        self.assert_ended(self.agent.running.wait(), 0, "relab-agent leaves")
        self.assertEqual(len(self.agent.accepted()), 1)

    def test_an_agent_that_drains_takes_no_new_task(self):
        self.lab.forge("alpha", "sync", f"order kind=auditDisks id={ID.format(1)}", "sync")
        self.wait_for_the_grandchild()
        self.agent.running.signal(signal.SIGTERM)
        wait_until("the agent to drain", lambda: "told to stop by signal 15" in self.agent.log())
        answers = self.lab.forge("alpha", "sync", f"order id={ID.format(2)}", "sync",
                                 f"cancel {ID.format(1)}", f"await {ID.format(1)}")
        self.assertIn("draining", [answer.get("refusal") for answer in answers])
        self.assert_ended(self.agent.running.wait(), 0)
        self.assert_children_are_gone()
        self.assertEqual(len(self.agent.accepted()), 1)


class Noise(LabCase):
    """Whoever can reach the port can waste its time, and nothing else."""

    CONNECTIONS = 300

    def test_an_honest_run_works_amid_garbage_and_half_open_connections(self):
        self.agent.start()
        opened = []
        self.addCleanup(lambda: [connection.close() for connection in opened])
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(48)
        garbage = (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\xff" * 64, greeting[:10], greeting, greeting + b"\x04\xff" * 50,
                   greeting + b"\x06" + b"\xff" * 8 + b"x" * 2000, greeting.replace(b"CURVE", b"NULL\0"))
        for number in range(self.CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", self.agent.port), timeout=10)
            opened.append(connection)
            try:
                connection.sendall(garbage[number % len(garbage)])
            except OSError:
                pass  # turned away already
            if number % 3 == 0:
                connection.close()

        self.assert_ended(self.lab.relab("run", "one"), 0, "1 step(s) succeeded")

        self.assertTrue(self.agent.running.is_running())
        self.assertEqual(len(self.agent.accepted()), 1)
        self.assert_ended(self.agent.stop(), 0, "relab-agent leaves")


if __name__ == "__main__":
    main()
