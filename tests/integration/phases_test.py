#!/usr/bin/env python3
"""Phases in their order, through their gates; one track; checks; what waits for a person or for an agent."""

import json
import os
import signal

from support.case import LabCase, main
from support.lab import DISKS, PING, phase, step, track
from support.programs import wait_until
from support.tools import LSBLK

WAIT_FOR_DISK = 'disk_attached = { serial = "USB123" }'


def with_usb_disk():
    """What lsblk shows once the disk is plugged in."""
    shown = json.loads(LSBLK)
    disk = dict(next(device for device in shown["blockdevices"] if device["name"] == "vda"))
    disk.update(name="sdq", kname="sdq", path="/dev/sdq", serial="USB123", model="Portable", mountpoints=[None])
    shown["blockdevices"].append(disk)
    return json.dumps(shown)


def after(*names):
    return f"after = {json.dumps(names)}"


def person(name, instruction, kind):
    return f'{{ name = "{name}", task = {{ {kind} }}, deadline = "2m", instruction = "{instruction}" }}'


class Phases(LabCase):
    agent_names = ("alpha", "beta")

    def setUp(self):
        super().setUp()
        for agent in self.lab.agents.values():
            agent.start()

    def test_programs_make_files_as_in_a_shell_whatever_the_agent_keeps_to_itself(self):
        agent = self.lab["alpha"]
        agent.stop()
        own = os.umask(0o077)
        try:
            agent.start()
        finally:
            os.umask(own)
        agent.tools.fake("lsblk", prints=LSBLK, before="umask >umask.seen")
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS))))
        self.assert_ended(self.lab.relab("run", "one"), 0)
        self.assertEqual((agent.tools.folder / "umask.seen").read_text().strip(), "0022")
        self.assertEqual(agent.state_dir.stat().st_mode & 0o077, 0)

    def states(self, name):
        return {task["step"]: task["state"].split(":")[0] for task in self.tasks(name)}

    def test_a_run_goes_through_all_phases_in_order(self):
        self.lab.describe(phase("last", track("last-t", "alpha", step("hello", PING)), more=after("first", "second")),
                          phase("second", track("second-t", "beta", step("hello", PING)), more=after("first")),
                          phase("first", track("first-t", "alpha", step("hello", PING))))

        ended = self.lab.relab("run")

        self.assert_ended(ended, 0)
        said = [ended.out.index(f"Phase {name}: 1 step(s) succeeded") for name in ("first", "second", "last")]
        self.assertEqual(said, sorted(said))
        again = self.lab.relab("run")
        self.assert_ended(again, 0, "phase first is done", "phase second is done", "phase last is done")
        self.assertNotIn("succeeded", again.out)
        self.assert_ledger_holds()

    def test_a_failure_stops_what_depends_on_it_and_nothing_else(self):
        self.agent.tools.fake("lsblk", status=1)
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS), step("hello", PING)),
                                track("b", "alpha", step("hello", PING))),
                          phase("two", track("two-t", "alpha", step("hello", PING)), more=after("one")),
                          phase("three", track("three-t", "beta", step("hello", PING))))

        ended = self.lab.relab("run")

        self.assert_ended(ended, 1, "failed     one/a/disks", "blocked    one/a/hello",
                          "Phase one: 1 step(s) succeeded, 2 failed", "Phase three: 1 step(s) succeeded, 0 failed")
        self.assertEqual(self.tasks("two"), [])
        self.assert_ended(self.lab.relab("run", "two"), 3, "unmet", "one/a/disks did not succeed")

    def test_a_run_until_a_gate_does_no_more_than_that_gate_needs(self):
        self.lab.describe(phase("one", track("one-t", "alpha", step("hello", PING))),
                          phase("aside", track("aside-t", "alpha", step("hello", PING))),
                          phase("two", track("two-t", "alpha", step("hello", PING)), more=after("one")))

        self.assert_ended(self.lab.relab("run", "--until", "two"), 0, "Gate of two: open")

        self.assertEqual(self.states("one"), {"one/one-t/hello": "succeeded"})
        self.assertEqual((self.tasks("aside"), self.tasks("two")), ([], []))

    def test_tracks_one_by_one_make_the_phase_complete(self):
        self.lab.describe(phase("one", track("1a", "alpha", step("hello", PING)), track("1b", "beta", step("hello", PING))),
                          phase("two", track("two-t", "alpha", step("hello", PING)), more=after("one")))

        self.assert_ended(self.lab.relab("run", "1b"), 0, "Phase one/1b: 1 step(s) succeeded")
        self.assert_ended(self.lab.relab("run", "two"), 3, "one/1a/hello was never ordered")
        self.assert_ended(self.lab.relab("run", "one/1a"), 0, "Phase one/1a: 1 step(s) succeeded")
        self.assert_ended(self.lab.relab("run", "two"), 0, "Phase two: 1 step(s) succeeded")
        self.assert_ended(self.lab.relab("run", "two-t"), 0)
        self.assert_ended(self.lab.relab("run", "1c"), 2, "no phase '1c', and no track of that name")

    def test_a_check_tells_what_would_be_changed_and_shows_nothing(self):
        self.lab.describe(phase("one", track("one-t", "alpha", step("usb", WAIT_FOR_DISK))),
                          phase("two", track("two-t", "beta", step("hello", PING)), more=after("one")))

        ended = self.lab.relab("run", "--check")

        self.assert_ended(ended, 0, "Phase one, checked: nothing was changed", "a person attaches the disk USB123",
                          "two/two-t/hello on beta: nothing would change")
        self.assert_ended(self.lab.relab("run", "two"), 3, "it was never run")
        checked = self.lab.relab_json("run", "--check")["phases"]
        self.assertEqual(checked[0]["steps"][0]["changes"], ["a person attaches the disk USB123"])

    def test_a_person_is_waited_for_and_seen_to_have_done_it(self):
        self.lab.describe(phase("one", track("one-t", "alpha", person("usb", "Plug in the disk.", WAIT_FOR_DISK),
                                             step("hello", PING)), track("b", "beta", step("hello", PING))))

        ended = self.lab.relab("run", "one", "--patience", "1")

        self.assert_ended(ended, 4, "PLEASE     one/one-t/usb: Plug in the disk.")
        self.assertEqual(self.states("one"), {"one/one-t/usb": "ordered, no report yet", "one/b/hello": "succeeded"})
        self.agent.tools.fake("lsblk", prints=with_usb_disk())
        self.assert_ended(self.lab.relab("attach"), 0, "Phase one: 3 step(s) succeeded")
        self.assert_ended(self.lab.relab("attach"), 0, "there is nothing to carry on with")

    def test_an_agent_that_is_away_parks_its_track_only(self):
        self.lab["beta"].stop()
        self.lab.describe(phase("one", track("a", "alpha", step("hello", PING)), track("b", "beta", step("hello", PING))))

        ended = self.lab.relab("run", "one", "--patience", "1")

        self.assert_ended(ended, 5, "parked     one/b/hello: the agent 'beta' is away for longer than 1 s")
        self.assertEqual(self.states("one"), {"one/a/hello": "succeeded"})
        self.lab["beta"].start()
        self.assert_ended(self.lab.relab("run", "one"), 0, "Phase one: 2 step(s) succeeded")

    def test_what_was_begun_is_ended_before_another_part_of_the_phase(self):
        self.agent.tools.hold("lsblk")
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS)), track("b", "beta", step("hello", PING))))
        running = self.lab.start("run", "a")
        self.agent.tools.wait_for_calls("lsblk", 1)
        running.signal(signal.SIGINT)
        self.assert_ended(running.wait(), 130, "Detached")

        self.assert_ended(self.lab.relab("run", "one"), 1, "of one/a has not ended", "relab attach")

        self.agent.tools.release("lsblk")
        wait_until("the end of the task", lambda: "ended: succeeded" in self.agent.log())
        self.assert_ended(self.lab.relab("attach"), 0, "Phase one/a: 1 step(s) succeeded")
        self.assert_ended(self.lab.relab("run", "one"), 0, "Phase one: 2 step(s) succeeded")

    def test_a_task_is_cancelled_and_its_run_goes_on_some_other_time(self):
        self.agent.tools.hold("lsblk")
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS)),
                                track("b", "beta", step("hello", PING), step("again", PING))))
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)
        running.signal(signal.SIGINT)
        self.assert_ended(running.wait(), 130)

        self.assert_ended(self.lab.relab("cancel", "one/a/disks"), 0, "one/a/disks was cancelled")

        self.assert_ended(self.lab.relab("cancel", "one/a/disks"), 1, "one/a/disks has ended already")
        self.assert_ended(self.lab.relab("attach"), 1, "Phase one: 2 step(s) succeeded, 1 failed")
        self.assertEqual(self.states("one")["one/a/disks"], "cancelled")
        self.assert_ended(self.lab.relab("cancel", "one"), 1, "nothing of one is open")
        self.assert_ended(self.lab.relab("cancel", "three"), 2, "no phase 'three'")
        self.assert_ledger_holds()

    def test_a_phase_is_cancelled_while_it_runs(self):
        self.agent.tools.hold("lsblk")
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS), step("hello", PING))))
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)

        self.assert_ended(self.lab.relab("cancel", "one"), 0, "has taken it on")

        self.assert_ended(running.wait(), 1, "is to be cancelled", "failed     one/a/disks", "one/a/hello: it was cancelled before it was ordered")
        self.assertEqual(self.states("one"), {"one/a/disks": "cancelled"})

    def test_a_request_that_comes_too_late_is_no_success(self):
        self.agent.tools.hold("lsblk")
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS)),
                                track("b", "beta", person("usb", "Attach the disk.", WAIT_FOR_DISK))))
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)
        running.signal(signal.SIGSTOP)
        cancelling = self.lab.start("cancel", "one/a/disks")
        request, = wait_until("the request to be there", lambda: list(self.lab.state_dir.glob("request-" + "?" * 36)))
        cancelling.signal(signal.SIGSTOP)
        # As if it came a moment later: when the report is in the ledger already.
        aside = request.rename(self.lab.folder / "aside")
        running.signal(signal.SIGCONT)
        self.agent.tools.release("lsblk")
        wait_until("the report to be in the ledger", lambda: self.states("one")["one/a/disks"] == "succeeded")
        aside.rename(request)
        wait_until("the request to be settled", lambda: not request.exists())
        cancelling.signal(signal.SIGCONT)

        self.assert_ended(cancelling.wait(), 1, "it had come to its end before it could be cancelled")

        self.assertEqual(list(self.lab.state_dir.glob("request-*")), [])
        self.assert_ended(self.lab.relab("cancel", "one"), 0, "has taken it on")
        self.assert_ended(running.wait(), 1, "succeeded  one/a/disks")

    def test_what_is_cancelled_while_its_agent_is_away_is_ended_when_it_is_back(self):
        self.lab["beta"].stop()
        self.agent.tools.hold("lsblk")
        self.lab.describe(phase("one", track("a", "alpha", step("disks", DISKS)), track("b", "beta", step("hello", PING))))
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("lsblk", 1)
        running.kill()
        self.agent.stop()  # its task has some seconds to end, and is told to then
        self.agent.tools.release("lsblk")

        self.assert_ended(self.lab.relab("cancel", "one", "--patience", "1"), 5, "is told when its agent is back")

        self.agent.start()
        ended = self.lab.relab("attach", "--patience", "5")
        self.assert_ended(ended, 1, "one/b/hello: it was cancelled before it was ordered")
        self.assert_ledger_holds()


if __name__ == "__main__":
    main()
