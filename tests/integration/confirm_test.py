#!/usr/bin/env python3
"""Changes of an agent's own addresses, on a network of its own: what cuts the agent off is undone, and nothing else is.

The addresses are read by `ip` from outside of relab. The agent's own `ip` is the real one, which can be held.
"""

import json
import pathlib
import shutil
import subprocess
import time
import unittest

from support import netns
from support.case import main
from support.lab import phase, track
from support.netlab import NetLab
from support.programs import wait_until

REFUSED = netns.missing()
OWN, MORE, ELSEWHERE = "10.42.7.3/24", "10.42.77.5/24", "10.42.99.9/24"
UNCONFIRMED = 5


def change(addresses, confirm):
    listed = ", ".join(f'"{address}"' for address in addresses)
    return (f'{{ name = "change", task = {{ ip_addresses = {{ interface = "e0", addresses = [{listed}] }} }}, '
            f'deadline = "1m", confirm = "{confirm}s" }}')


@unittest.skipIf(REFUSED, f"needs network namespaces: {REFUSED}")
class Confirm(unittest.TestCase):
    def setUp(self):
        self.lab = NetLab(("node",), 1)
        self.addCleanup(self.lab.close)
        self.agent = self.lab["node"]
        (self.agent.tools.folder / "ip").unlink()
        self.agent.tools.fake("ip", before=f'while [ -e ip.hold ]; do sleep 0.02; done; exec {shutil.which("ip")} "$@"')
        self.lab.init()
        self.describe([OWN], 5)
        ended = self.lab.enrol("node")
        self.assertEqual(ended.code, 0, str(ended))
        self.agent.start()
        self.assertEqual(self.addresses(), [OWN])

    def tearDown(self):
        if any(case is self for case, _ in self._outcome.result.failures + self._outcome.result.errors):
            print(self.agent.log())

    def describe(self, addresses, confirm):
        self.lab.describe(phase("one", track("t", "node", change(addresses, confirm))))

    def addresses(self):
        """As the kernel has them, in its order."""
        done = subprocess.run(self.lab.network.at("node", "ip", "-json", "-4", "address", "show", "dev", "e0"), check=True,
                              capture_output=True, text=True, timeout=30)
        return [f"{info['local']}/{info['prefixlen']}" for info in json.loads(done.stdout)[0]["addr_info"]]

    def wait_for(self, addresses):
        wait_until(f"the addresses {addresses}", lambda: self.addresses() == addresses)

    def kinds(self):
        return [line["kind"] for line in self.lab.relab_json("ledger", "show")]

    def task(self):
        phases = {row["phase"]: row["lastRun"] for row in self.lab.relab_json("status")["phases"]}
        return phases["one"]["tasks"][-1]

    def leave_unconfirmed(self, addresses, confirm):
        """The change is made, and the controller that ordered it is gone."""
        self.describe(addresses, confirm)
        calls = len(self.agent.tools.calls("ip"))
        self.agent.tools.hold("ip")
        running = self.lab.start("run", "one")
        self.agent.tools.wait_for_calls("ip", calls + 1)
        running.kill()
        self.agent.tools.release("ip")
        wait_until("the change to be made", lambda: UNCONFIRMED in self.agent.journal().values())
        self.assertEqual(self.addresses(), addresses)

    def assert_no_success(self, ended, *sentences):
        self.assertEqual(ended.code, 1, str(ended))
        self.assertEqual(self.addresses(), [OWN])
        failure = json.dumps(self.task())
        for sentence in sentences:
            self.assertIn(sentence, failure)
        self.assert_ledger_holds()

    def assert_undone(self, ended, *sentences):
        self.assert_no_success(ended, *sentences)
        self.assertNotIn("confirmed", self.kinds())

    def assert_ledger_holds(self):
        ended = self.lab.relab("ledger", "verify")
        self.assertEqual(ended.code, 0, str(ended))

    # ---- the tests

    def test_what_leaves_the_agent_reachable_is_confirmed_and_stays(self):
        self.describe([OWN, MORE], 5)
        ended = self.lab.relab("run", "one")
        self.assertEqual(ended.code, 0, str(ended))
        kinds = self.kinds()
        self.assertLess(kinds.index("confirmed"), kinds.index("received"))
        time.sleep(6)  # past the moment at which it would have been undone
        self.assertEqual(self.addresses(), [OWN, MORE])
        self.assertIn("succeeded", json.dumps(self.task()))
        self.assert_ledger_holds()
        # Nothing to change is nothing to confirm.
        self.assertEqual(self.lab.relab("run", "one").code, 0)
        self.assertEqual(self.kinds().count("confirmed"), 1)

    def test_what_cuts_the_agent_off_is_undone_and_says_so(self):
        self.describe([ELSEWHERE], 5)
        running = self.lab.start("run", "one", start_new_session=True)
        self.wait_for([ELSEWHERE])
        self.assert_undone(running.wait(60), "the change was not confirmed within 5 s")

    def test_a_line_that_is_cut_meanwhile_confirms_nothing(self):
        """The change is harmless, but nobody can know that: the agent was not reached."""
        self.describe([OWN, MORE], 5)
        self.agent.tools.hold("ip")
        running = self.lab.start("run", "one", start_new_session=True)
        self.agent.tools.wait_for_calls("ip", 1)
        self.lab.network.unplug("node")
        self.agent.tools.release("ip")
        self.wait_for([OWN, MORE])
        self.wait_for([OWN])
        self.lab.network.plug("node")
        self.assert_undone(running.wait(90), "the change was not confirmed within 5 s")

    def test_an_agent_that_dies_undoes_it_in_its_next_life_in_time(self):
        self.describe([ELSEWHERE], 6)
        running = self.lab.start("run", "one", start_new_session=True)
        wait_until("the change to be made", lambda: UNCONFIRMED in self.agent.journal().values())
        self.agent.kill()
        self.assertEqual(self.addresses(), [ELSEWHERE])
        # What it listens on is not there, and comes back only if it does its work without.
        self.agent.running = self.agent.spawn("run")
        self.assert_undone(running.wait(90), "the change was not confirmed within 6 s")

    def test_an_agent_that_dies_while_it_changes_undoes_it_at_once(self):
        """The first half was made; what the second would have been is unknown."""
        self.describe([ELSEWHERE, MORE], 3600)
        cut = self.agent.tools.folder / "cut"
        self.agent.tools.fake("ip", before=f'case "$*" in *"add {MORE}"*) touch cut; sleep 60;; esac; '
                                           f'exec {shutil.which("ip")} "$@"')
        running = self.lab.start("run", "one", start_new_session=True)
        wait_until("the second half of the change", cut.exists)
        self.assertEqual(self.addresses(), [OWN, ELSEWHERE])
        self.agent.kill()
        self.agent.start()
        self.assert_undone(running.wait(90), "the agent stopped while the change was made")

    def test_what_waits_outlives_the_agent_and_is_confirmed_by_who_comes(self):
        self.leave_unconfirmed([OWN, MORE], 120)
        self.agent.kill()
        self.agent.start()
        self.assertEqual(self.addresses(), [OWN, MORE])
        self.assertIn(UNCONFIRMED, self.agent.journal().values())
        ended = self.lab.relab("attach")
        self.assertEqual(ended.code, 0, str(ended))
        self.assertEqual(self.addresses(), [OWN, MORE])
        self.assertEqual(self.kinds().count("confirmed"), 1)
        self.assertNotIn(UNCONFIRMED, self.agent.journal().values())
        self.assert_ledger_holds()

    def test_after_a_restart_of_the_machine_it_is_undone_at_once(self):
        self.leave_unconfirmed([OWN, MORE], 3600)
        self.agent.kill()
        another = pathlib.Path(self.lab.folder, "boot_id")
        another.write_text("01234567-89ab-4cde-8f01-23456789abcd\n")
        # Each namespace of `ip netns exec` has mounts of its own.
        self.agent.wrapper = [*self.lab.network.at("node"), "sh", "-c",
                              f'mount --bind {another} /proc/sys/kernel/random/boot_id && exec "$@"', "sh"]
        self.agent.start()
        self.wait_for([OWN])
        self.assert_undone(self.lab.relab("attach"), "the machine was restarted")

    def test_what_is_cancelled_while_it_waits_is_undone(self):
        self.leave_unconfirmed([OWN, MORE], 3600)
        ended = self.lab.relab("cancel", "one")
        self.assertEqual(self.addresses(), [OWN], str(ended))
        self.assertNotIn("confirmed", self.kinds())
        self.assertIn("one/t/change was cancelled", ended.out)
        self.assertEqual(self.task()["state"], "cancelled")
        self.assert_ledger_holds()

    def test_a_way_back_that_fails_is_taken_until_it_works(self):
        """Nothing is told of a change that is neither there nor undone, but that it is so."""
        self.leave_unconfirmed([OWN, MORE], 5)
        calls = len(self.agent.tools.calls("ip"))
        self.agent.tools.fake("ip", prints="no", status=1)
        # Three times at once, and again after a pause.
        self.agent.tools.wait_for_calls("ip", calls + 4)
        self.assertEqual(self.addresses(), [OWN, MORE])
        self.assertNotIn("received", self.kinds())
        self.agent.tools.fake("ip", before=f'exec {shutil.which("ip")} "$@"')
        self.wait_for([OWN])
        self.assert_undone(self.lab.relab("attach"), "the change was not confirmed within 5 s; undone")

    def test_an_agent_that_is_stopped_undoes_what_nobody_confirmed(self):
        self.leave_unconfirmed([OWN, MORE], 3600)
        self.agent.stop()
        self.assertEqual(self.addresses(), [OWN])
        self.agent.start()
        self.assert_undone(self.lab.relab("attach"), "the agent stopped before the change was confirmed")

    def test_what_is_not_so_any_more_when_it_is_confirmed_is_no_success(self):
        self.leave_unconfirmed([OWN, MORE], 3600)
        subprocess.run(self.lab.network.at("node", "ip", "address", "del", MORE, "dev", "e0"), check=True, timeout=30)
        self.assert_no_success(self.lab.relab("attach"), "it was confirmed, but is not so any more")

    def test_a_damaged_journal_does_not_lose_the_way_back(self):
        self.leave_unconfirmed([OWN, MORE], 3600)
        self.agent.kill()
        for name in ("journal.db", "journal.db-wal"):
            pathlib.Path(self.agent.state_dir, name).write_bytes(b"nothing of use" * 400)
        self.agent.start()
        self.wait_for([OWN])

    def test_what_waits_to_be_confirmed_makes_no_success_of_what_asks_for_the_same(self):
        """Another run asks for what is there already, and would not be there for long."""
        self.leave_unconfirmed([OWN, MORE], 5)
        self.lab.describe(phase("one", track("other", "node", change([OWN, MORE], 60))))
        ended = self.lab.relab("run", "one")
        self.assertEqual(ended.code, 0, str(ended))
        time.sleep(6)  # past the moment at which the first one would have been undone
        self.assertEqual(self.addresses(), [OWN, MORE])
        self.assert_ledger_holds()


if __name__ == "__main__":
    main()
