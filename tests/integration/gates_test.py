#!/usr/bin/env python3
"""Gates that tell where their evidence comes from, waivers, and what must come together before anything is destroyed."""

import base64
import hashlib
import json

from support.case import main
from support.disk_case import BLANK, ID, DiskCase
from support.lab import DISKS, PING, phase, step, track
from support.programs import wait_until
from support.records import Records


def after(*names, more=""):
    return f"after = {json.dumps(names)}\n{more}"


class Gates(DiskCase):
    def entries(self, kind):
        """The signed payloads of all entries of that kind."""
        lines = [json.loads(line) for line in self.lab.relab("ledger", "export").out.splitlines()]
        return [base64.b64decode(line["envelope"]["payload"]) for line in lines if line["kind"] == kind]

    # ---- gates

    def test_every_finding_tells_where_its_evidence_comes_from(self):
        self.describe(step("hello", PING), gate=after("look"))
        self.assert_ended(self.lab.relab("gate", "two"), 3, "missing", "it was never run", "relab run look")

        self.assert_ended(self.lab.relab("run", "look"), 0)

        finding, = self.lab.relab_json("gate", "two")[0]["entry"]["conditions"][0]["findings"]
        task, = self.tasks("look")
        self.assertEqual((finding["standing"], finding["agent"], finding["task"]), ("met", "alpha", task["task"]))
        report, = self.entries("received")
        self.assertEqual(finding["digest"], hashlib.blake2b(report, digest_size=32, person=b"relab-content-v1").hexdigest())
        self.assert_ended(self.lab.relab("gate", "two"), 0, finding["task"], finding["digest"], finding["ended"])

    def test_a_later_failure_contradicts_and_another_lab_file_makes_stale(self):
        self.describe(step("hello", PING), gate=after("look"))
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.agent.tools.fake("lsblk", status=1)
        self.assert_ended(self.lab.relab("run", "look"), 1)
        self.assert_ended(self.lab.relab("gate", "two"), 3, "contradicted", "did not succeed when it was run last")

        self.lab.describe(phase("look", track("disks", "alpha", step("disks", PING))),
                          phase("two", track("t", "alpha", step("hello", PING)), more=after("look")))
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.lab.relab("gate", "two"), 0)
        self.describe(step("hello", PING), gate=after("look"))
        self.assert_ended(self.lab.relab("gate", "two"), 3, "stale", "lab.toml asks for another look/disks/disks")

    def test_a_waiver_opens_what_is_not_absolute_and_stays_in_the_ledger(self):
        self.describe(step("hello", PING), gate=after("look"))
        self.assert_ended(self.lab.relab("run", "two"), 3)
        for wrong in (("two",), ("two", "--reason", " "), ("two", "--reason", "x", "--for", "8d"), ("three", "--reason", "x"),
                      ("--reason", "x")):
            with self.subTest(wrong):
                self.assertIn(self.lab.relab("gate", "waive", *wrong).code, (1, 2))
                self.assert_ended(self.lab.relab("run", "two"), 3)

        self.assert_ended(self.lab.relab("gate", "waive", "two", "--reason", "the disks are new"), 0,
                          "WAIVED: the disks are new")

        self.assert_ended(self.lab.relab("run", "two"), 0, "Phase two: 1 step(s) succeeded")
        self.assert_ended(self.lab.relab("gate", "waive", "two", "--reason", "again"), 1, "there is nothing to waive")
        self.assert_ledger_holds()
        waiver, = self.entries("waived")
        self.assertIn(b"the disks are new", waiver)

    def test_attach_orders_nothing_behind_a_gate_that_has_closed_since(self):
        self.describe(step("disks", DISKS), step("hello", PING), gate=after("look"))
        self.assert_ended(self.lab.relab("gate", "waive", "two", "--reason", "for a moment", "--for", "6s"), 0)
        self.agent.tools.hold("lsblk")
        calls = len(self.agent.tools.calls("lsblk"))
        running = self.lab.start("run", "two")
        self.agent.tools.wait_for_calls("lsblk", calls + 1)
        running.kill()
        self.agent.tools.release("lsblk")
        wait_until("the waiver to be over", lambda: self.lab.relab("gate", "two").code == 3)
        self.assert_ended(self.lab.relab("attach"), 3, "Gate of two")
        records = Records(self.lab.relab("ledger", "export").out)
        self.assertEqual([task.outcomes for task in records.tasks.values() if task.step.startswith("two/")], [["succeeded"]])

    def test_nobody_waives_an_absolute_condition_or_the_gate_before_destruction(self):
        self.describe(gate=after("look"))
        self.assert_ended(self.lab.relab("gate", "waive", "two", "--reason", "x"), 1, "nobody can waive")
        self.describe(step("hello", PING), gate='gate = [{ name = "audit.complete", absolute = true }]')
        self.assert_ended(self.lab.relab("gate", "waive", "two", "--reason", "x"), 1,
                          "nobody can waive what keeps the gate of two shut: audit.complete of two")
        self.assert_ended(self.lab.relab("run", "two"), 3, "nobody can waive it")

    # ---- evidence and approval

    def test_what_destroys_waits_for_evidence_then_for_a_person_and_then_is_done(self):
        self.describe()
        self.assert_ended(self.lab.relab("run", "two"), 3, "disk.unused of alpha: missing", "supply it: relab run look")
        self.assert_ended(self.approve("alpha"), 3, "Nothing was approved")

        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.lab.relab("run", "two"), 4, "nobody has approved of it", "relab approve two")
        self.assertFalse(self.wiped())
        self.assert_ended(self.lab.relab("approve", "two"), 1, "an approval takes a person at a terminal")
        self.assert_ended(self.approve("beta"), 1, "nothing was approved")
        self.assert_ended(self.lab.relab("run", "two"), 4)
        self.assert_ended(self.approve("alpha"), 0, "DESTROYS disk OLD1: Portable", "Approved for 1 h")

        self.assert_ended(self.lab.relab("run", "two"), 0, "Phase two: 1 step(s) succeeded")
        self.assertTrue(self.wiped())
        self.assert_ledger_holds()

    def test_an_approval_is_void_once_plan_or_evidence_change(self):
        self.describe()
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.approve("alpha"), 0)
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.lab.relab("run", "two"), 4, "on other evidence")
        self.assert_ended(self.approve("alpha"), 0)
        self.describe(step("wipe", BLANK), step("hello", PING))
        self.assert_ended(self.lab.relab("run", "two"), 4, "the plan was changed since it was approved")
        self.assertFalse(self.wiped())

    def test_an_approval_counts_once(self):
        """What was wiped and filled again is not what a person approved of."""
        self.describe()
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.lab.relab("gate", "two"), 3, "approval of two/t/wipe", "relab approve two")
        self.assert_ended(self.approve("alpha"), 0)
        self.assert_ended(self.lab.relab("run", "two"), 0)
        (self.agent.tools.folder / "wiped").unlink()
        self.assert_ended(self.lab.relab("run", "two"), 0, "it is not done again")
        # By another name it is asked for once more, and on what was seen before the first time.
        self.describe(step("again", BLANK))
        self.assert_ended(self.lab.relab("run", "two"), 3, "disk.unused of alpha: stale", "supply it: relab run look")
        self.assertFalse(self.wiped())

    def test_what_came_onto_the_disk_since_is_left_alone(self):
        self.describe()
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.approve("alpha"), 0)
        photos = {"device": "sdq", "offset": "0x438", "type": "ext4", "uuid": "9593be6b", "label": "photos"}
        self.agent.tools.fake("wipefs", before='case "$*" in --all*) touch wiped ;; esac',
                              prints=json.dumps({"signatures": [photos]}))
        self.assert_ended(self.lab.relab("run", "two"), 1, "it is not as the evidence shows it: ext4 photos on sdq")
        self.assertFalse(self.wiped())

    def test_a_disk_that_is_used_by_then_is_left_alone(self):
        self.describe()
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.approve("alpha"), 0)
        self.show_disk(fstype="zfs_member", label="tank")
        self.assert_ended(self.lab.relab("run", "two"), 1, "the disk OLD1 is not wiped: sdq belongs to zfs tank")
        self.assertFalse(self.wiped())
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.lab.relab("run", "two"), 3, "disk.unused of alpha: unmet", "the disk OLD1 is used")

    def test_a_check_of_what_destroys_needs_nobody_and_touches_nothing(self):
        self.describe()
        self.assert_ended(self.lab.relab("run", "two", "--check"), 0, "- gpt on sdq of the disk OLD1")
        self.assertFalse(self.wiped())

    def test_a_phase_that_destroys_nothing_needs_no_approval(self):
        self.describe(step("hello", PING))
        self.assert_ended(self.approve("alpha"), 1, "phase two destroys nothing")
        self.assert_ended(self.lab.relab("approve"), 2, "approve what?")
        self.assert_ended(self.approve("alpha", more=("--for", "2d")), 2, "at most 24h")

    # ---- a controller that has the keys, and no conscience

    def test_no_controller_makes_the_agent_destroy_without_its_own_evidence(self):
        wipe = f"order kind=wipeDisk id={ID.format(9)} approved"
        for orders, reason in (
                ((wipe,), "needUnmet"),
                ((f"order id={ID.format(1)}", f"await {ID.format(1)}", f"{wipe} evidence={ID.format(1)}"), "needUnmet"),
                ((*self.looked(2), *self.looked(3), f"{wipe} evidence={ID.format(2)}"), "needUnmet"),
                ((*self.looked(4), f"{wipe} evidence={ID.format(4)} serial=OLD2"), "needUnmet"),
                ((*self.looked(5), f"order kind=wipeDisk id={ID.format(9)} evidence={ID.format(5)}"), "notApproved")):
            with self.subTest(orders):
                self.assertEqual(self.forge(*orders)[-1]["refusal"], reason)
                self.assertFalse(self.wiped())

    def test_with_its_own_newest_evidence_and_an_approval_it_obeys(self):
        """Otherwise the refusals of the other test would prove nothing."""
        answers = self.lab.forge("alpha", "sync", *self.looked(1),
                                 f"order kind=wipeDisk id={ID.format(2)} evidence={ID.format(1)} approved",
                                 f"await {ID.format(2)}", "sync")
        self.assertEqual([answer["outcome"] for answer in answers if answer.get("answer") == "report"],
                         ["succeeded", "succeeded"], answers)
        self.assertTrue(self.wiped())
        # But once.
        (self.agent.tools.folder / "wiped").unlink()
        self.assertEqual(self.forge(f"await {ID.format(1)}",
                                    f"order kind=wipeDisk id={ID.format(3)} evidence={ID.format(1)} approved")[-1]["refusal"],
                         "needUnmet")
        self.assertFalse(self.wiped())


if __name__ == "__main__":
    main()
