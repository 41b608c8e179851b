#!/usr/bin/env python3
"""Rehearsals of a real machine as its audit found it, of the same as the lab file describes it, and of a saved one."""

import copy
import json
import pathlib
import re
import shutil
import signal
import unittest

from support.case import LabCase, main
from support.lab import Lab, phase, step, track
from support.programs import wait_until

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "z640"
SECTIONS = ("zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules", "services", "pci", "packages")


def add_spare_disk(world):
    spare = dict(world["disks"]["disks"][2], name="sdi", serial="SPARE0001", byId="ata-Spare_SPARE0001", wwn="0x5000a39e47b0ffff",
                 aliases=["ata-Spare_SPARE0001"])
    world["disks"]["disks"].append(spare)


def complete(done):
    return [one["phase"] for one in done["phases"] if one["complete"]]


class Rehearse(LabCase):
    def setUp(self):
        super().setUp()
        self.lab.describe(
            phase("0a", *(track(section, "alpha", step(section, f"audit_{section} = {{}}")) for section in SECTIONS)),
            phase("1", track("later", "alpha", step("folder", 'directory = { path = "/srv/relab-rehearsal" }')), more='after = ["0a"]'))

    def test_of_a_machine_that_nobody_audited_it_takes_the_description(self):
        ended = self.lab.relab("rehearse")
        self.assertIn("on alpha as lab.toml describes it: nobody has audited yet", ended.out, str(ended))
        self.assertNotIn("unknown", ended.out, str(ended))

    def test_of_what_a_real_audit_found(self):
        self.agent.start()
        ran = self.lab.relab("run", "0a")
        self.assertEqual(ran.code, 0, str(ran))
        said = self.lab.relab("rehearse")
        self.assertIn("on the newest audit", said.out, str(said))
        done = self.lab.relab_json("rehearse")
        self.assertEqual(done["problems"], [])
        self.assertEqual(complete(done), ["0a", "1"])
        self.assertEqual([one["step"] for one in done["changes"]], ["1/later/folder"])
        # Nothing of it was done.
        self.assertEqual(self.tasks("1"), [])

    def test_a_world_is_saved_and_taken_again_and_a_folder_kept(self):
        world, kept = self.lab.folder / "world.json", self.lab.folder / "kept"
        first = self.lab.relab_json("rehearse", "--described", "--save-world", world, "--keep", kept)
        again = self.lab.relab_json("rehearse", "--world", world)
        self.assertEqual(complete(first), complete(again))
        self.assertTrue((kept / "ledger.db").is_file())
        self.assert_ended(self.lab.relab("rehearse", "--described", "--keep", kept), 1, "is there already")

    def test_a_world_beside_the_lab_file_is_the_machine_as_it_stands(self):
        world = self.lab.file.parent / "alpha.world.json"
        self.assert_ended(self.lab.relab("rehearse", "--described", "--save-world", world), 0)
        self.assert_ended(self.lab.relab("rehearse"), 0, "on alpha as alpha.world.json has it: nobody has audited yet")
        self.assert_ended(self.lab.relab("rehearse", "--described"), 0, "on the machines as lab.toml describes them.")
        world.write_text("{", encoding="utf-8")
        self.assert_ended(self.lab.relab("rehearse"), 1, "alpha.world.json")

    def test_what_cannot_be_is_refused_with_what_there_is(self):
        self.assert_ended(self.lab.relab("rehearse", "--fault", "disk burns"), 2, "no fault is called 'disk burns'", "usb full at 1.2 TB")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--fault", "agent:nobody dies during folder"), 2,
                          "there is no host or guest 'nobody'")
        self.assert_ended(self.lab.relab("rehearse", "--chaos", "0"), 2, "from 1 to")
        page = self.lab.folder / "page.html"
        self.assert_ended(self.lab.relab("rehearse", "--chaos", "2", "--html", page), 2, "--html does not go with --chaos")
        self.assertFalse(page.exists())
        self.assert_ended(self.lab.relab("rehearse", "--seed", "5"), 2, "--seed goes with --chaos alone")
        before = self.lab.file.read_text(encoding="utf-8")
        for option in ("--svg", "--mermaid", "--html"):
            self.assert_ended(self.lab.relab("rehearse", option, self.lab.file), 1, "is there, and relab did not write it")
            self.assert_ended(self.lab.relab("rehearse", option, self.lab.folder / "none" / "x"), 1, "there is no folder")
        self.assertEqual(self.lab.file.read_text(encoding="utf-8"), before)
        world = self.lab.folder / "saved.json"
        self.assert_ended(self.lab.relab("rehearse", "--described", "--save-world", world), 0)
        self.assert_ended(self.lab.relab("rehearse", "--world", world, "--world", world), 1, "is the second world of alpha")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--audit", "x"), 2, "--described does not go with --audit")
        self.assert_ended(self.lab.relab("rehearse", "--described", "--chaos", "2"), 1, "nothing can go wrong here")
        self.assert_ended(self.lab.relab("rehearse", "--world", self.lab.folder / "none.json"), 1, "none.json")


class Reference(LabCase):
    """Nobody has a controller yet, but for the plan and the machine as it stands."""

    @classmethod
    def setUpClass(cls):
        """No keys are made."""

    def setUp(self):
        self.lab = Lab(("z640",))
        self.addCleanup(self.lab.close)
        for file in (REFERENCE / "lab.toml", REFERENCE / "z640.world.json"):
            shutil.copy(file, self.lab.file.parent)

    def test_a_signal_breaks_it_off_and_leaves_nothing(self):
        passing = self.lab.folder / "passing"
        passing.mkdir()
        self.lab.environment["TMPDIR"] = str(passing)
        running = self.lab.start("rehearse", "--chaos", "100000")
        wait_until("it has begun", lambda: any(passing.glob("*/rehearsal")) or not running.is_running())
        running.signal(signal.SIGINT)
        self.assert_ended(running.wait(60), 130, "broken off by a signal")
        self.assertEqual(list(passing.iterdir()), [])

    def reference(self, edit_world=None, more=""):
        """The plan up to the installation, with what is to follow, on the machine as it stands, edited."""
        lab = self.lab.file.read_text(encoding="utf-8")
        at = lab.index("\n[[plan.phases]]\nname = \"1\"")
        self.lab.file.write_text(lab[:at] + more, encoding="utf-8")
        file = self.lab.file.parent / "z640.world.json"
        world = json.loads(file.read_text(encoding="utf-8"))
        if edit_world is not None:
            edit_world(world)
        file.write_text(json.dumps(world), encoding="utf-8")

    def report_of(self, *arguments):
        page = self.lab.folder / "page.html"
        ended = self.lab.relab("rehearse", "--html", page, *arguments)
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
        return ended, json.loads(data.group(1))

    def destroys(self, before=""):
        self.reference(add_spare_disk, f"""
[[keep]]
path = "/mnt/old-usb"
lose = true
why = "Nothing of it is needed"

[[keep]]
vmid = 900
path = "/"
lose = true
why = "A test of long ago"

[[plan.phases]]
name = "0c"
title = "The old disk"
after = ["0b"]
tracks = [{{ name = "0c", agent = "z640", steps = [{before}{{ name = "wipe", task.wipe_disk = {{ serial = "SPARE0001" }} }}] }}]
""")

    def test_what_destroys_is_told_with_what_it_destroys(self):
        self.destroys('{ name = "look", task = { audit_disks = {} } }, ')
        done = self.lab.relab_json("rehearse")
        self.assertEqual(complete(done), ["0a", "0b", "0c"], done["problems"])
        wipes = [one for one in done["people"] if one["step"] == "0c/0c/wipe"]
        self.assertEqual([one["command"] for one in wipes], ["relab approve 0c"])
        self.assertIn("SPARE0001", wipes[0]["what"])
        self.assertIn("0b/0b/disk", [one["step"] for one in done["people"]])
        ended, report = self.report_of()
        self.assertEqual(ended.code, 0, str(ended))
        self.assertIn("What people have to do", ended.out)
        self.assertIn("relab approve 0c", ended.out)
        self.assertEqual(report["rehearsal"]["people"], done["people"])
        self.assertEqual(report["verdict"]["state"], "done")

    def test_what_nobody_can_approve_of_comes_to_a_standstill(self):
        # The disks were looked at before the backup, which took hours.
        self.destroys()
        ended, report = self.report_of()
        self.assertEqual(ended.code, 3, str(ended))
        self.assertIn("waits for evidence: disk.unused of z640: stale", ended.out)
        self.assertEqual(report["verdict"]["sentence"], "Phase 0c came to a standstill.")
        self.assertEqual([(one["kind"], one["what"]) for one in report["problems"]], [("unmet", "0c/0c/wipe")])

    def test_the_page_and_the_code_say_the_same(self):
        self.reference()
        ended, report = self.report_of()
        self.assertEqual((ended.code, report["verdict"]["state"]), (0, "done"), str(ended))
        self.assertEqual(report["problems"], [])
        self.assertEqual(report["survival"]["installed"], [])
        ended, report = self.report_of("--fault", "disk:NAAB0001 fails during health-again")
        self.assertEqual((ended.code, report["verdict"]["state"]), (1, "problem"), str(ended))
        self.assertIn("1 problem(s) left", report["verdict"]["sentence"])
        ended, report = self.report_of("--fault", "disk:NAAB0001 is pulled during health-again")
        self.assertEqual((ended.code, report["verdict"]["state"]), (1, "problem"), str(ended))
        self.assertIn("was pulled out, and nobody has plugged it in again", ended.out)
        ended, report = self.report_of("--fault", "download fails")
        self.assertEqual((ended.code, report["verdict"]["state"]), (1, "problem"), str(ended))

    def rehearsed_with(self, steps, edit_world=None, agent="z640"):
        """The pre-audit, and then a phase x with these steps: in one track, or by tracks."""
        self.setUp()
        self.reference(edit_world)
        lab = self.lab.file.read_text(encoding="utf-8")
        tracks = steps if isinstance(steps, dict) else {"t": steps}
        shown = ", ".join(f'{{ name = "{name}", agent = "{agent}", steps = [{some}] }}' for name, some in tracks.items())
        at = lab.index('\n[[plan.phases]]\nname = "0b"')
        self.lab.file.write_text(f'{lab[:at]}\n[[plan.phases]]\nname = "x"\nafter = ["0a"]\ntitle = "What is tried"\ntracks = [{shown}]\n',
                                 encoding="utf-8")
        return self.lab.relab("rehearse")

    def test_a_copy_in_another_pool_breaks_off_where_its_disk_does(self):
        def with_pool(world):
            world["disks"]["partitions"].append({"disk": "sdg", "name": "sdg1", "start": "2048", "size": "7990000000000", "fileSystem": "zfs_member",
                                                 "typeName": "Solaris /usr & Apple ZFS", "label": "usbpool", "uuid": "8001", "partUuid": "sdg-1"})
        self.assert_ended(self.rehearsed_with(
            '{ name = "disk", task.usb_pool = { serial = "NAAB0001", pool = "usbpool" } }, '
            '{ name = "snapshot", task = { zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" } } }, '
            '{ name = "write", deadline = "3d", task.zfs_pool_backup = { dataset = "datapool", snapshot = "pre-rebuild", target = "usbpool/datapool" } }',
            with_pool), 0)

        def seconds(*arguments):
            done = self.lab.relab_json("rehearse", *arguments)
            return next(bar["seconds"] for bar in done["timeline"] if bar["step"] == "x/t/write")
        whole = seconds()
        for part in (10, 50, 90):
            with self.subTest(part=part):
                took = seconds("--fault", f"disk:NAAB0001 is pulled at {part}% of write")
                # Two datasets of one size go one after the other, and each tells how far it is itself.
                self.assertAlmostEqual(took / whole, part / 100 / 2, delta=0.03)

    def test_an_address_that_is_taken_away_cuts_the_agent_off_and_comes_back(self):
        steps = '{ name = "ip", task.ip_addresses = { interface = "vmbr0.10", addresses = ["%s/24"] } }, { name = "ping", task = { ping = {} } }'
        self.assert_ended(self.rehearsed_with(steps % "10.42.10.99"), 1, "x/t/ip: the change was not confirmed within 1 min 0 s; undone",
                          "1 behind them never began")
        ended = self.rehearsed_with(steps.replace("%s/24", "10.42.10.2/24\", \"10.42.10.10/24").replace('\\"', '"'))
        self.assert_ended(ended, 1, "address 10.42.10.10: pbs and z640 both have it by the end")

    def test_the_agent_of_a_container_that_was_shut_down_does_nothing(self):
        steps = {"t": '{ name = "off", task.guest_power = { name = "jellyfin", stopped = true } }'}
        self.rehearsed_with(steps)
        lab = self.lab.file.read_text(encoding="utf-8")
        self.lab.file.write_text(lab + '\n[[plan.phases]]\nname = "y"\nafter = ["x"]\ntitle = "In it"\n'
                                 'tracks = [{ name = "u", agent = "jellyfin", steps = [{ name = "ping", task = { ping = {} } }] }]\n', encoding="utf-8")
        self.assert_ended(self.lab.relab("rehearse"), 5, "y/u/ping: waits for agent: the agent 'jellyfin' is away")

    def test_what_goes_on_side_by_side_on_one_thing_is_not_played(self):
        tracks = {"a": '{ name = "scrub", deadline = "2d", task.zfs_scrub = { pool = "datapool" } }',
                  "b": '{ name = "health", task = { pool_health = { pool = "datapool" } } }'}
        self.assert_ended(self.rehearsed_with(tracks), 1, "x/b/health: is at work on datapool beside x/a/scrub")
        self.assert_ended(self.rehearsed_with(", ".join(tracks.values())), 0, "Nothing was found to be wrong.")

    def test_nothing_is_written_to_what_may_only_be_read(self):
        def read_only(world):
            next(one for one in world["zfs"]["datasets"] if one["name"] == "datapool/media")["readonly"] = True
        self.assert_ended(self.rehearsed_with('{ name = "m", task.mount_check = { path = "/datapool/media", access = "read_write" } }', read_only), 1,
                          "/datapool/media is mounted read-only")

        def protected(world):
            add_spare_disk(world)
            world["disks"]["disks"][-1]["readOnly"] = True
            world["disks"]["disks"][-1]["partitionTable"] = "gpt"
        ended = self.rehearsed_with(f'{{ name = "look", task = {{ audit_disks = {{}} }} }}, '
                                    '{ name = "wipe", task.wipe_disk = { serial = "SPARE0001" } }', protected)
        self.assertNotEqual(ended.code, 0, str(ended))

    def test_people_who_are_asked_are_told_without_an_instruction_too(self):
        self.assert_ended(self.rehearsed_with('{ name = "disk", task.disk_attached = { serial = "NAAB0001" } }'), 0,
                          "x/t/disk on z640: attach the disk NAAB0001")

    def test_pools_and_disks_that_nobody_declared_are_told_when_they_are_not_well(self):
        def failing(world):
            next(one for one in world["disks"]["smart"] if one["serial"] == "WXOLD0001")["health"] = "failed"
        self.assert_ended(self.rehearsed_with('{ name = "ping", task = { ping = {} } }', failing), 1, "SMART says that WXOLD0001 is failing")

        def taken(world):
            next(one for one in world["guests"]["guests"] if one["vmid"] == 900)["vmid"] = 113
        self.assert_ended(self.rehearsed_with('{ name = "ping", task = { ping = {} } }', taken), 1, "its number 113 is that of win10-test")

    def test_a_pool_that_is_online_and_not_well_is_told(self):
        def edit(world):
            next(vdev for vdev in world["zfs"]["vdevs"] if vdev.get("serial") == "ZDH1A002")["checksumErrors"] = "4"
        self.reference(edit)
        ended, _ = self.report_of()
        self.assertNotEqual(ended.code, 0, str(ended))
        self.assertIn("with 4 error(s) so far", ended.out)

    def test_chaos_tells_apart_what_was_touched_and_what_is_well(self):
        self.reference()
        done = self.lab.relab_json("rehearse", "--chaos", "5", "--seed", "705")
        self.assertEqual(done["recovered"] + done["untouched"] + done["stopped"] + len(done["unwell"]), 5)
        self.assertEqual(done["wrong"], [])
        # The only copy is lost after it was read back.
        lost = next(one for one in done["unwell"] if one["seed"] == 708)
        self.assertIn("disk NAAB0001: has failed by the end", lost["what"])
        self.assertIn("disk:NAAB0001 fails during 0b/0b/health-again", lost["faults"])

    def test_a_machine_that_cannot_be_is_refused(self):
        def serial(world):
            world["unplugged"] = ["NAAB0002"]

        def speed(world):
            world["speeds"] = [{"serial": "NOBODY", "read": "1", "write": "1"}]

        def pool(world):
            world["zfs"]["pools"].append(world["zfs"]["pools"][1])

        def size(world):
            one = world["zfs"]["pools"][1]
            one["size"] = "80000000000000"
            one["free"] = str(80000000000000 - int(one["allocated"]))

        def allocated(world):
            world["zfs"]["pools"][1]["allocated"] = "8000000000001"

        def used(world):
            next(one for one in world["zfs"]["datasets"] if one["name"] == "datapool")["used"] = "0"

        def dataset(world):
            world["zfs"]["datasets"].append(world["zfs"]["datasets"][0])

        def stray(world):
            world["zfs"]["datasets"][0]["name"] = "ropol"

        def vdev(world):
            world["zfs"]["vdevs"][0]["pool"] = "ropol"

        def file(world):
            world["files"][0]["vmid"] = 4711
        before = json.loads((self.lab.file.parent / "z640.world.json").read_text(encoding="utf-8"))
        world = self.lab.folder / "edited.json"
        for edit, said in ((serial, "unplugged: no disk has the serial number 'NAAB0002'"), (speed, "speeds: no disk has the serial number 'NOBODY'"),
                           (pool, "two pools are called 'datapool'"), (size, "its disks have 7.3 TiB together"),
                           (allocated, "of it are allocated"), (used, "the dataset datapool uses 0 B, and those in it 1.5 TiB"),
                           (dataset, "two datasets are called"), (stray, "which is not there"), (vdev, "which is not there"),
                           (file, "is in 4711, which is no container")):
            with self.subTest(edit=edit.__name__):
                edited = copy.deepcopy(before)
                edit(edited)
                world.write_text(json.dumps(edited), encoding="utf-8")
                self.assert_ended(self.lab.relab("rehearse", "--world", world), 1, said)

    def test_a_kept_rehearsal_is_taken_for_one(self):
        kept, page = self.lab.folder / "kept", self.lab.folder / "page.html"
        shown = self.lab.folder / "shown.html"
        self.assert_ended(self.lab.relab("rehearse", "--keep", kept, "--html", shown), 3)
        self.lab.state_dir = kept
        self.assert_ended(self.lab.relab("report", "--html", page), 0, "This is the ledger of a rehearsal: nothing of it was done.")
        self.assertEqual(page.read_text(encoding="utf-8"), shown.read_text(encoding="utf-8"))
        # By its own clock, which is hours ahead.
        self.assert_ended(self.lab.relab("gate", "0b"), 0, "This is the ledger of a rehearsal")
        self.assert_ended(self.lab.relab("rehearse"), 1, "its audit is one of a simulated machine")
        self.assert_ended(self.lab.relab("init", "--name", "rehearsal"), 2, "the controller of every rehearsal is called 'rehearsal'")

    def test_files_that_are_one_are_refused(self):
        self.assert_ended(self.lab.relab("rehearse", "--svg", "x", "--html", "./x"), 2, "--html and --svg name the same file")

    def test_the_reference_machine_has_grown_and_the_rehearsal_tells_what_of_it_is_nobodys(self):
        done = self.lab.relab_json("rehearse")
        self.assertEqual(complete(done), ["0a", "0b"])
        self.assertEqual([one["where"] for one in done["problems"] if one["kind"] != "lost"],
                         ["phase 1"] + ["gate of phase 1: data.survives"] * 2)
        self.assertEqual([(one["vmid"], one["path"]) for one in done["survival"]["things"]
                          if one["ending"] == "lost" and one["wanted"] and not one["givenUp"]],
                         [(0, "/mnt/old-usb"), (900, "/")])
        lost = {(one["vmid"], one["what"], one["path"]) for one in done["survival"]["things"]
                if one["ending"] == "lost" and not one["wanted"] and not one["givenUp"]}
        for one in ((150, "root file system of 'pihole-old'", "/"), (0, "dataset rpool/scratch", "/rpool/scratch")):
            self.assertIn(one, lost)
        said = self.lab.relab("rehearse")
        self.assertEqual(said.code, 3, str(said))
        self.assertIn("guest 150 of z640, which lab.toml does not know: root file system of 'pihole-old'", said.out)
        self.assertIn("no steps in lab.toml, installs anew: its gate is shut\n", said.out)


if __name__ == "__main__":
    main()
