#!/usr/bin/env python3
"""Rehearsals by the program as it is shipped: the reference plan, the same with faults by chance, and a lab with a thousand guests."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vmlab")]

from bed.chroot import ROOT  # noqa: E402
from built import PACKAGES  # noqa: E402

REFERENCE = ROOT / "examples" / "z640" / "lab.toml"
REHEARSALS = int(os.environ.get("RELAB_CHAOS", "300"))
FIRST_SEED = int(os.environ.get("RELAB_SEED", "1"))
GUESTS, PLANNED, FOLDERS = 1000, 60, 68
VLANS, EACH_VLAN, FIRST_HOST, FIRST_VMID = 5, 240, 10, 1000
SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services", "pci", "packages")
DISKS = [("os", "8TB")] * 2 + [("data", "4TB")] * 4 + [("backup", "16TB")]


def say(words):
    print(f"    {words}", file=sys.stderr, flush=True)


def large_lab():
    """A thousand guests, of which sixty are made and started; two hundred steps."""
    lines = ['name = "large"', "[network]", 'supernet = "10.42.0.0/16"']
    for vlan in range(1, VLANS + 1):
        lines += ["[[network.vlans]]", f'name = "v{vlan}"', f"id = {vlan}", f'subnet = "10.42.{vlan}.0/24"', f'gateway = "10.42.{vlan}.1"']
    lines += ["[[hosts]]", 'name = "pve"', 'vlan = "v1"', 'ip = "10.42.1.2"', 'memory = "1024GiB"']
    for number, (role, size) in enumerate(DISKS):
        lines += ["[[disks]]", f'name = "d{number}"', f'serial = "SER{number:04}"', f'size = "{size}"', f'role = "{role}"']
    lines += ["[[pools]]", 'name = "rpool"', 'layout = "mirror"', 'disks = ["d0", "d1"]',
              "[[pools]]", 'name = "datapool"', 'layout = "raidz2"', 'disks = ["d2", "d3", "d4", "d5"]']
    for guest in range(GUESTS):
        vlan, host = 1 + guest // EACH_VLAN, FIRST_HOST + guest % EACH_VLAN
        lines += ["[[guests]]", f'name = "g{guest}"', f"vmid = {FIRST_VMID + guest}", 'type = "lxc"', 'template = "debian-12-standard"',
                  f'vlan = "v{vlan}"', f'ip = "10.42.{vlan}.{host}"', "cores = 1", 'memory = "512MiB"', 'disk = "4GiB"']
        if guest >= GUESTS - PLANNED:
            lines.append("planned = true")
    lines += ["[[plan.phases]]", 'name = "0a"', 'title = "Audit"', "tracks = ["]
    lines += [f'  {{ name = "0a-{section}", agent = "pve", steps = [{{ name = "{section}", task = {{ audit_{section} = {{}} }}, deadline = "2h" }}] }},'
              for section in SECTIONS]
    lines += ["]", "[[plan.phases]]", 'name = "1"', 'title = "Sixty containers"', 'after = ["0a"]', "tracks = [",
              '  { name = "guests", agent = "pve", steps = [', '    { name = "template", task = { guest_template = { name = "debian-12-standard" } } },']
    for guest in range(GUESTS - PLANNED, GUESTS):
        lines += [f'    {{ name = "make-{guest}", task = {{ guest = {{ name = "g{guest}" }} }} }},',
                  f'    {{ name = "start-{guest}", task = {{ guest_power = {{ name = "g{guest}" }} }} }},']
    lines += ["  ] },", '  { name = "folders", agent = "pve", steps = [']
    lines += [f'    {{ name = "folder-{number}", task = {{ directory = {{ path = "/srv/folder-{number}" }} }} }},' for number in range(FOLDERS)]
    return "\n".join(lines + ["  ] },", "]", ""])


class Rehearsal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        package, = PACKAGES.glob("relab-controller_*.deb")
        subprocess.run(["dpkg-deb", "-x", str(package), str(cls.folder)], check=True)

    def rehearse(self, lab, *options):
        """What it prints as JSON, with its exit code and how long it took."""
        begun = time.monotonic()
        done = subprocess.run([f"{self.folder}/usr/bin/relab", "--lab", str(lab), "--config-dir", f"{self.folder}/config",
                               "--state-dir", f"{self.folder}/state", "--output", "json", "rehearse", *options],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        self.assertIn(done.returncode, (0, 3), done.stdout[-4000:] + done.stderr)
        return json.loads(done.stdout), done.returncode, time.monotonic() - begun

    def test_the_reference_plan_comes_as_far_as_it_is_automated(self):
        done, code, took = self.rehearse(REFERENCE, "--html", f"{self.folder}/page.html")
        say(f"the reference plan: {took:.1f} s")
        self.assertEqual(code, 3)
        complete = [phase["phase"] for phase in done["phases"] if phase["complete"]]
        self.assertEqual(complete, ["0a", "0b"])
        self.assertEqual([problem["where"] for problem in done["problems"] if problem["kind"] != "lost"],
                         ["phase 1"] + ["gate of phase 1: data.survives"] * 2)
        self.assertTrue(any("pihole-old" in problem["what"] for problem in done["problems"]))
        self.assertIn("<!DOCTYPE html>", pathlib.Path(f"{self.folder}/page.html").read_text(encoding="utf-8")[:80])

    def test_no_fault_makes_a_success_of_what_is_none(self):
        done, code, took = self.rehearse(REFERENCE, "--chaos", str(REHEARSALS), "--seed", str(FIRST_SEED))
        say(f"{done['rehearsals']} rehearsals with faults by chance: {done['recovered']} came to their end all the same, "
            f"{done['untouched']} were touched by none, {done['stopped']} stopped at a gate, {len(done['unwell'])} ended with a disk or pool "
            f"that is not well; {took:.0f} s")
        self.assertEqual((done["rehearsals"], done["wrong"], done["sound"]), (REHEARSALS, [], True))
        # What is lost when the last step has begun, nobody looks at any more.
        for one in done["unwell"]:
            self.assertTrue(any(fault.endswith("health-again") for fault in one["faults"]), one)
        self.assertEqual(code, 1 if done["unwell"] else 0)
        self.assertGreater(done["recovered"], 0)
        self.assertGreater(done["stopped"], 0)
        self.assertEqual(done["recovered"] + done["untouched"] + done["stopped"] + len(done["unwell"]), REHEARSALS)

    def test_a_thousand_guests_and_two_hundred_steps(self):
        lab = self.folder / "large.toml"
        lab.write_text(large_lab(), encoding="utf-8")
        done, code, took = self.rehearse(lab)
        steps = sum(phase["steps"] for phase in done["phases"])
        say(f"{GUESTS} guests, {steps} steps: {took:.1f} s")
        self.assertEqual(steps, 200)
        self.assertEqual((code, done["problems"]), (0, []))
        self.assertEqual(len([bar for bar in done["timeline"] if bar["outcome"] == "succeeded"]), steps)


if __name__ == "__main__":
    unittest.main(verbosity=2)
