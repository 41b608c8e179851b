#!/usr/bin/env python3
"""What destroys is begun when it was asked for, once, on what was there then, and not behind anybody's back."""

import json
import time

from support.case import main
from support.disk_case import BLANK, ID, DiskCase
from support.lab import DISKS, PING, phase, step, track
from support.programs import wait_until
from support.tools import LSBLK

OTHER = 'wipe_disk = { serial = "OLD2" }'
WAIT = 'disk_attached = {{ serial = "NONE{}" }}'


class Deeds(DiskCase):
    def show_disks(self, *disks):
        """Beyond those of the machine: the keys in which each differs from an empty one with a table."""
        shown = json.loads(LSBLK)
        model = next(device for device in shown["blockdevices"] if device["name"] == "vda")
        for more in disks:
            disk = {key: value for key, value in model.items() if key != "children"}
            disk.update(kname=more["name"], path=f"/dev/{more['name']}", model="Portable", fstype=None, label=None, pttype="gpt",
                        mountpoints=[None])
            disk.update(more)
            shown["blockdevices"].append(disk)
        self.agent.tools.fake("lsblk", prints=json.dumps(shown))

    def fake_wipefs(self, *names):
        """One table on each disk until it was wiped; the file `stop` holds it up, `bad` makes it fail."""
        cases = "".join(f"""--no-act*{name}*) [ -e wiped-{name} ] || echo '{json.dumps({"signatures": [
            {"device": name, "offset": "0x200", "type": "gpt", "uuid": None, "label": None}]})}'; exit 0 ;;
--all*{name}*) [ -e bad-{name} ] && exit 1; touch wiped-{name} wiped; exit 0 ;;
""" for name in names)
        self.agent.tools.fake("wipefs", before=f"""while [ -e stop ]; do sleep 0.05; done
case "$*" in
{cases}esac""", status=1)

    def touch(self, name):
        (self.agent.tools.folder / name).touch()

    def remove(self, name):
        (self.agent.tools.folder / name).unlink()

    def approved(self):
        self.assert_ended(self.lab.relab("run", "look"), 0)
        self.assert_ended(self.approve("alpha"), 0)

    # ---- what nobody wants any more

    def test_what_is_taken_out_of_the_plan_is_not_done_any_more(self):
        self.fake_wipefs("sdq")
        self.describe()
        self.approved()
        self.touch("stop")
        running = self.lab.start("run", "two")
        self.agent.tools.wait_for_calls("wipefs", 1)
        running.kill()
        self.describe(step("hello", PING))
        self.assert_ended(self.lab.relab("run", "two"), 0, "two/t/wipe", "1 step(s) succeeded")
        self.remove("stop")
        time.sleep(2)
        self.assertFalse(self.wiped())
        self.assert_ledger_holds()

    def test_what_waits_behind_others_is_not_done_any_more_either(self):
        self.describe()
        self.approved()
        waiting = [track(f"w{i}", "alpha", step("wait", WAIT.format(i))) for i in range(8)]
        look = phase("look", track("disks", "alpha", step("disks", DISKS)))
        busy = phase("busy", *waiting)
        self.lab.describe(look, phase("two", track("t", "alpha", step("wipe", BLANK))), busy)
        self.approved()
        holding = self.lab.start("run", "busy")
        self.wait_for_states(2, 8)
        holding.kill()
        running = self.lab.start("run", "two")
        self.wait_for_states(1, 1)
        running.kill()
        self.lab.describe(look, phase("two", track("t", "alpha", step("hello", PING))), busy)
        running = self.lab.start("run", "two")
        # The wipe is cancelled, and what is to be done instead waits in its place.
        wait_until("the run before to be ended", lambda: "a new one begins" in running.err())
        self.wait_for_states(1, 1)
        self.assert_ended(self.lab.relab("cancel", "busy"), 0)
        self.assertEqual(running.wait(60).code, 0)
        time.sleep(1)
        self.assertFalse(self.wiped())

    def begin_and_leave(self):
        """A run that waits for a disk, with the wipe behind it approved and not ordered; its controller is gone."""
        self.fake_wipefs("sdq")
        self.behind_a_wait()
        self.approved()
        running = self.lab.start("run", "two")
        self.wait_for_states(2, 1)
        running.kill()

    def behind_a_wait(self, *wipe, name="two"):
        look = phase("look", track("disks", "alpha", step("disks", DISKS)))
        steps = wipe or (step("wipe", BLANK),)
        self.lab.describe(look, phase(name, track("t", "alpha", step("wait", WAIT.format(1)), *steps)))

    def attach_the_disk(self):
        self.show_disks({"name": "sdq", "serial": "OLD1"}, {"name": "sdr", "serial": "NONE1"})

    def test_attaching_does_not_do_what_was_taken_out_of_the_plan(self):
        self.begin_and_leave()
        self.behind_a_wait(step("hello", PING))
        self.attach_the_disk()
        self.assert_ended(self.lab.relab("attach"), 0, "the plan of two in lab.toml has changed", "that run is ended")
        self.assertFalse(self.wiped())
        self.assert_ended(self.lab.relab("attach"), 0, "No run is open")
        self.assert_ended(self.lab.relab("run", "two"), 0, "2 step(s) succeeded")
        self.assertFalse(self.wiped())
        self.assert_ledger_holds()

    def test_another_lab_file_with_the_same_plan_is_no_reason_to_end_a_run(self):
        self.begin_and_leave()
        self.lab.file.write_text('description = "The same, explained"\n' + self.lab.file.read_text())
        self.attach_the_disk()
        ended = self.lab.relab("attach")
        self.assert_ended(ended, 0, "carrying on with run")
        self.assertTrue(self.wiped(), ended)

    def test_attaching_ends_the_run_of_a_phase_that_is_no_more(self):
        self.end_the_run_of_no_phase("attach")

    def test_a_run_of_another_phase_ends_the_run_of_a_phase_that_is_no_more(self):
        self.end_the_run_of_no_phase("run", "look")

    def test_the_run_of_a_phase_that_is_no_more_can_be_cancelled(self):
        self.end_the_run_of_no_phase("cancel", "two")

    def end_the_run_of_no_phase(self, *command):
        self.begin_and_leave()
        self.behind_a_wait(step("hello", PING), name="three")
        self.assert_ended(self.lab.relab("status"), 0, "two", "no longer in lab.toml", "two/t/wait")
        ended = self.lab.relab(*command)
        self.assert_ended(ended, 0)
        self.assertEqual(self.open_runs("two"), [], ended)
        self.attach_the_disk()
        self.assert_ended(self.lab.relab("run"), 0, "phase look is done")
        self.assertFalse(self.wiped())
        self.assert_ledger_holds()

    def open_runs(self, name):
        shown = json.loads(self.lab.relab("--output", "json", "status").out)
        return [row for row in shown["phases"] if row["phase"] == name and row["lastRun"] and not row["lastRun"]["ended"]]

    def test_what_is_done_is_done_once(self):
        self.describe()
        self.fake_wipefs("sdq")
        self.approved()
        self.assert_ended(self.lab.relab("run", "two"), 0)
        self.assertTrue(self.wiped())
        before = self.agent.tools.calls("wipefs")
        self.assert_ended(self.lab.relab("run", "two"), 0, "two/t/wipe was done in run", "it is not done again")
        self.assertEqual(self.agent.tools.calls("wipefs"), before)
        self.assert_ended(self.lab.relab("run"), 0, "phase two is done")

    def wait_for_states(self, state, count):
        wait_until(f"{count} tasks in state {state}", lambda: list(self.agent.journal().values()).count(state) == count)

    # ---- what is there

    def test_a_partition_that_nobody_saw_is_left_alone(self):
        self.show_disks({"name": "sdq", "serial": "OLD1"})
        self.describe()
        self.approved()
        self.show_disks({"name": "sdq", "serial": "OLD1"},
                        {"name": "sdq1", "serial": None, "type": "part", "pkname": "sdq", "start": 2048, "size": 1000000})
        self.assert_ended(self.lab.relab("run", "two"), 1, "the partition sdq1 was not there then")
        self.assertFalse(self.wiped())

    def test_another_table_is_left_alone(self):
        self.show_disk(pttype="dos")
        self.describe()
        self.approved()
        self.assert_ended(self.lab.relab("run", "two"), 1, "gpt on sdq was not there then, or not this one")
        self.assertFalse(self.wiped())

    # ---- what was done

    def test_what_is_done_is_not_asked_for_again_before_the_rest_is(self):
        self.fake_wipefs("sdq", "sdr")
        self.touch("bad-sdr")
        self.show_disks({"name": "sdq", "serial": "OLD1"}, {"name": "sdr", "serial": "OLD2"})
        self.lab.describe(phase("look", track("disks", "alpha", step("disks", DISKS))),
                          phase("two", track("t", "alpha", step("wipe", BLANK)), track("u", "alpha", step("wipe", OTHER))))
        self.approved()
        self.assert_ended(self.lab.relab("run", "two"), 1)
        self.assertTrue(self.wiped())
        # It is used by now, as the plan wants it.
        self.remove("bad-sdr")
        self.show_disks({"name": "sdq", "serial": "OLD1", "fstype": "zfs_member", "label": "new"}, {"name": "sdr", "serial": "OLD2"})
        self.assert_ended(self.lab.relab("run", "look"), 0)
        approved = self.approve("alpha")
        self.assert_ended(approved, 0, "disk OLD2")
        self.assertNotIn("OLD1", approved.out)
        self.assert_ended(self.lab.relab("run", "two"), 0, "two/t/wipe was done in run")
        self.assertTrue((self.agent.tools.folder / "wiped-sdr").exists())
        self.assert_ended(self.lab.relab("gate", "two"), 0)

    def test_a_task_that_is_known_is_answered_whatever_became_of_its_grounds(self):
        wipe = f"order kind=wipeDisk id={ID.format(2)} evidence={ID.format(1)} approved"
        answers = self.lab.forge("alpha", "sync", *self.looked(1), wipe, f"await {ID.format(2)}", "repeat", "sync")
        receipts = [answer["refusal"] for answer in answers if answer.get("answer") == "receipt"]
        self.assertEqual(receipts, ["none"] * 3, answers)


if __name__ == "__main__":
    main()
