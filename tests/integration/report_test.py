#!/usr/bin/env python3
"""The report of a lab as one page: what the programs say is in it, and a browser shows it in peace."""

import json
import pathlib
import re
import sys
import unittest

from support.case import main
from support.lab import DISKS, PING, Lab, phase, step, track

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "page"))

from viewer.browser import Browser, chromium  # noqa: E402

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
HOSTILE = "/nowhere/</script><script>alert(1)"


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(("alpha", "beta"))
        cls.addClassCleanup(cls.lab.close)
        cls.lab.init()
        assert cls.lab.enrol("alpha").code == 0
        cls.lab["alpha"].start()
        cls.lab.describe(
            phase("0a", track("looks", "alpha", step("hello", PING), step("disks", DISKS)),
                  track("fails", "alpha", step("mount", f'mount_check = {{ path = "{HOSTILE}" }}'), step("never", PING)),
                  more='proves = [{ name = "audit.complete", absolute = true }]'),
            phase("1", track("later", "beta", step("hello", PING)), more='after = ["0a"]'))
        cls.empty = cls.report(cls.lab.folder / "before.html")
        cls.lab.relab("run", "0a")
        cls.file = cls.lab.folder / "lab.html"
        cls.data = cls.report(cls.file)

    @classmethod
    def report(cls, file):
        """What is in the page."""
        ended = cls.lab.relab("report", "--html", file)
        assert ended.code == 0, ended
        found = DATA.findall(file.read_text(encoding="ascii"))
        assert len(found) == 1
        return json.loads(found[0])

    def steps(self, data):
        return {one["step"]: one for part in data["phases"] for row in part["tracks"] for one in row["steps"]}

    def test_before_anything_was_run_it_says_what_comes(self):
        self.assertEqual(self.empty["verdict"]["state"], "ready")
        self.assertEqual(self.empty["verdict"]["next"], [{"command": "relab run 0a", "why": ""}])
        self.assertEqual({one["state"] for one in self.steps(self.empty).values()}, {"never"})
        self.assertEqual(self.empty["agents"][0]["name"], "alpha")
        self.assertIn("no agent 'beta' is enrolled", [one["what"] for one in self.empty["problems"]])

    def test_it_tells_what_the_other_commands_tell(self):
        self.assertEqual(self.data["verdict"]["state"], "failed")
        steps = self.steps(self.data)
        self.assertEqual({path: one["state"] for path, one in steps.items()},
                         {"0a/looks/hello": "succeeded", "0a/looks/disks": "succeeded", "0a/fails/mount": "failed",
                          "0a/fails/never": "blocked", "1/later/hello": "never"})
        self.assertIn(HOSTILE, steps["0a/fails/mount"]["failure"]["what"])
        self.assertTrue(steps["0a/looks/disks"]["log"])
        self.assertLessEqual(steps["0a/looks/disks"]["started"], steps["0a/looks/disks"]["ended"])
        gates = {gate["phase"]: gate for gate in self.lab.relab_json("gate")}
        for part in self.data["phases"]:
            conditions = [one["condition"] for one in part["gate"]["entry"]["conditions"]]
            self.assertEqual(conditions, [one["condition"] for one in gates[part["phase"]]["entry"]["conditions"]])
            self.assertEqual(part["gate"]["entry"]["open"], gates[part["phase"]]["entry"]["open"])
        self.assertEqual(self.data["ledger"]["entries"], self.lab.relab_json("ledger", "verify")["entries"])
        self.assertEqual(len(self.data["history"]), self.data["ledger"]["entries"])
        disks = next(one for one in self.data["audit"] if (one["section"], one["agent"]) == ("disks", "alpha"))
        self.assertTrue(any(table["rows"] for table in disks["tables"]), disks)
        unread = next(one for one in self.data["audit"] if (one["section"], one["agent"]) == ("zfs", "alpha"))
        self.assertEqual((unread["whole"], unread["result"]), (False, "never read"))
        again = self.lab.relab_json("report")
        for key in ("made", "survival", "phases"):
            again.pop(key)
        self.assertEqual(again, {key: value for key, value in self.data.items() if key in again})

    def assert_refused(self, ended, sentence):
        self.assertEqual(ended.code, 1, ended)
        self.assertIn(sentence, ended.err)

    def test_nothing_but_a_page_is_written_over(self):
        folder = self.lab.folder / "folder.html"
        folder.mkdir()
        self.assertEqual(self.lab.relab("report", "--html", folder).code, 1)
        link = self.lab.folder / "link.html"
        link.symlink_to(self.lab.file)
        before = self.lab.file.read_text()
        self.assertEqual(self.lab.relab("report", "--html", link).code, 1)
        self.assertEqual(self.lab.file.read_text(), before)
        for precious in (self.lab.file, self.lab.config_dir / "controller.key", self.lab.ledger_file):
            kept = precious.read_bytes()
            self.assert_refused(self.lab.relab("report", "--html", precious), "relab did not write it")
            self.assertEqual(precious.read_bytes(), kept)
        self.assertEqual(self.lab.relab("report", "--html", self.lab.file.parent / "lab.html").code, 0)
        missing = self.lab.relab("report", "--html", self.lab.folder / "none" / "x.html")
        self.assert_refused(missing, "there is no folder")
        full = self.lab.relab("report", "--html", "/dev/full")
        self.assertEqual(full.code, 1)
        nowhere = self.lab.relab("report")
        self.assertEqual((nowhere.code, nowhere.out), (2, ""))

    @unittest.skipUnless(chromium(), "there is no Chromium here: apt-get install --no-install-recommends chromium")
    def test_a_browser_shows_it_in_peace(self):
        browser = Browser()
        self.addCleanup(browser.close)
        for width in (1200, 360):
            page = browser.page(width=width)
            page.open(self.file)
            page.wait_for("document.documentElement.dataset.whole")
            text = page.run("document.body.innerText")
            self.assertIn("Phase 0a has failed steps.", text)
            self.assertIn(HOSTILE, text)
            self.assertEqual(page.run("document.documentElement.scrollWidth - window.innerWidth"), 0)
            self.assertEqual((page.noted, page.requests), ([], [self.file.as_uri()]))
            page.close()


if __name__ == "__main__":
    main()
