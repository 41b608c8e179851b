#!/usr/bin/env python3
"""Options, outputs and error texts of the stand-in, against what is known of Proxmox's."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import host  # noqa: E402
from frame import HostCase, golden, main  # noqa: E402
from standin import config, options, properties, schema, treachery  # noqa: E402
from standin.errors import BadRequest  # noqa: E402


class Options(unittest.TestCase):
    """The command line, without a host."""

    def refused(self, words, properties_, positionals):
        with self.assertRaises(BadRequest) as caught:
            options.parse(words.split(), properties_, positionals)
        return caught.exception.text

    def test_a_key_that_the_schema_of_a_network_does_not_have_is_named(self):
        self.assertEqual(self.refused("112 --net0 name=eth0,vlan=60", properties.SET, ["vmid"]),
                         "400 Parameter verification failed.\nnet0: invalid format - format error\nnet0.vlan: property is not "
                         "defined in schema and the schema does not allow additional properties\n\n")

    def test_values_are_held_against_the_schema(self):
        for words, complaint in (
                ("99 --cores 1", "vmid: invalid format - value does not look like a valid VM ID"),
                ("x", "vmid: type check ('integer') failed - got 'x'"),
                ("112 --cores 0", "cores: value must have a minimum value of 1"),
                ("112 --memory 8", "memory: value must have a minimum value of 16"),
                ("112 --hostname a_b", "hostname: invalid format - value does not look like a valid DNS name"),
                ("112 --lock foo", "lock: value 'foo' does not have a value in the enumeration 'backup, create,"),
                ("112 --mp0 /tank,mp=/a/../b", "mp0.mp: invalid format - /a/../b contains illegal character sequences"),
                ("112 --mp0 /tank", "mp0.mp: property is missing and it is not optional"),
                ("112 --net0 name=eth0,tag=4095", "net0.tag: value must have a maximum value of 4094"),
                ("112 --net0 name=eth0,ip=10.0.0.1", "net0.ip: invalid format - value does not look like a valid ipv4 network"),
                ("112 --net0 name=eth0,hwaddr=01:00:00:00:00:00", "value does not look like a valid unicast MAC address"),
                ("112 --dev0 /dev/x,mode=660", "dev0.mode: value does not match the regex pattern"),
                ("112 --startup foo=1", "startup: invalid format - unable to parse startup options"),
                ("112 --onboot maybe", "unable to parse boolean option"),
                ("112 113", "too many arguments"), ("", "not enough arguments")):
            with self.subTest(words):
                self.assertIn(complaint, self.refused(words, properties.SET, ["vmid"]))

    def test_a_flag_swallows_the_word_behind_it(self):
        self.assertIn("not enough arguments", self.refused("--onboot 112", properties.SET, ["vmid"]))
        self.assertEqual(options.parse(["112", "--onboot"], properties.SET, ["vmid"]), {"vmid": "112", "onboot": "1"})

    def test_dashes_and_short_names_are_read_as_perl_reads_them(self):
        for words in (["-hostname", "a"], ["--hostname=a"], ["--host", "a"], ["--HOSTNAME", "a"]):
            self.assertEqual(options.parse(["112", *words], properties.SET, ["vmid"])["hostname"], "a")

    def test_sizes(self):
        self.assertEqual([schema.parse_size(text) for text in ("32G", "512M", "8T", "1000", "1.5K", "x")],
                         [32 << 30, 512 << 20, 8 << 40, 1000, 1536, None])
        self.assertEqual([schema.format_size(size) for size in (32 << 30, 1536, 1000, 8 << 40)], ["32G", "1536", "1000", "8T"])

    def test_configurations_are_written_as_they_were_read(self):
        for name in ("112", "120", "130"):
            self.assertEqual(config.Config.parse(name, golden(f"{name}.conf")).whole_text(), golden(f"{name}.conf"))

    def test_a_description_survives(self):
        text = "colon: and 100 %, a tab\t, 'Grüße'"
        written = config.Config(100)
        written.options["description"] = text
        self.assertEqual(config.Config.parse(100, written.whole_text()).options["description"], text + "\n")
        self.assertIn("#colon%3A and 100 %25, a tab%09, 'Gr%C3%BC%C3%9Fe'", written.whole_text())

    def test_every_switch_is_described(self):
        table = (HERE / "README.md").read_text(encoding="utf-8")
        for name in treachery.SWITCHES:
            self.assertIn(f"| `{name}` |", table)


class Outputs(HostCase):
    """Formats, held against the golden samples."""

    def test_configurations(self):
        self.plant("112.conf", "120.conf", "130.conf")
        for vmid in ("112", "120"):
            self.assertEqual(self.host.must("pct", "config", vmid), golden(f"pct-config-{vmid}.txt"))
        self.assertIn("\nmemory: 4096\n", self.host.must("pct", "config", "130"))
        self.assertNotIn("swap", self.host.must("pct", "config", "130"))
        self.assertIn("\nmemory: 2048\n", self.host.must("pct", "config", "130", "--current", "1"))
        self.assertIn("\nlxc.idmap: u 1000 1000 1\n", self.host.must("pct", "config", "130"))
        self.assertIn("snaptime: 1791230400\n", self.host.must("pct", "config", "112", "--snapshot", "before_docker"))
        pending = self.host.must("pct", "pending", "130")
        self.assertIn("cur memory: 2048\nnew memory: 4096\n", pending)
        self.assertIn("del swap: 512\n", pending)

    def get(self, path):
        return json.loads(self.host.must("pvesh", "get", path, "--output-format", "json"))

    def test_json(self):
        self.plant("120.conf")
        told = json.loads(self.host.must("pvesh", "get", "/nodes/pve/lxc/120/config", "--output-format", "json"))
        known = json.loads(golden("pvesh-lxc-120-config.json"))
        self.assertEqual({**told, "digest": ""}, {**{key: known[key] for key in known if key != "lxc"}, "digest": ""})
        self.assertEqual(self.host.must("pvesh", "get", "/version", "--output-format", "json"), golden("pvesh-version.json"))
        stopped = json.loads(golden("pvesh-nodes-node-lxc.json"))[0]
        told = json.loads(self.host.must("pvesh", "get", "/nodes/pve/lxc", "--output-format", "json"))[0]
        self.assertEqual(set(told), set(stopped))
        self.assertEqual({*self.get("/nodes/pve/storage")[0]}, {*json.loads(golden("pvesh-nodes-node-storage.json"))[0]})
        self.assert_refused(self.host.pct("start", "120"), "startup for container '120' failed")
        task = self.get(f"/nodes/pve/tasks/{self.get('/nodes/pve/tasks')[0]['upid']}/status")
        self.assertEqual({*task}, {*json.loads(golden("pvesh-task-status-failed.json"))})
        self.assertEqual({type(told[key]) for key in told if key not in ("name", "status", "tags", "type")}, {int})

    def test_lists(self):
        self.assertEqual(self.host.must("pct", "list"), "")
        self.assertEqual(self.host.must("qm", "list"), "")
        self.plant("112.conf", "120.conf")
        self.host.must("pct", "set", "120", "--lock", "backup")
        self.assertEqual(self.host.must("pct", "list").splitlines()[:2],
                         [golden("pct-list.txt").splitlines()[0], golden("pct-list.txt").splitlines()[3]])
        self.assertIn("120        stopped    backup       pbs                 \n", self.host.must("pct", "list"))
        machines = self.host.root / "etc/pve/qemu-server"
        (machines / "200.conf").write_text("name: homeassistant\nmemory: 4096\nboot: order=scsi0\nscsi0: local-zfs:vm-200-disk-0,"
                                           "size=32G\n", encoding="utf-8")
        (machines / "201.conf").write_text("name: win11-a-very-long-name-over-20\nmemory: 8192\nscsi0: a:b,size=64G\n",
                                           encoding="utf-8")
        pid = self.host.root / "var/lib/pve-standin/qemu/200.pid"
        pid.parent.mkdir()
        pid.write_text("214877", encoding="utf-8")
        self.assertEqual(self.host.must("qm", "list"), golden("qm-list.txt"))
        self.assertLessEqual({*self.get("/nodes/pve/qemu")[0]}, {*json.loads(golden("pvesh-nodes-node-qemu.json"))[0]})
        self.assert_refused(self.host.pct("create", "200", self.host.get_template()), "VM 200 already exists on node 'pve'")

    def test_storages(self):
        text = golden("storage.cfg").replace("/var/lib/vz", f"{self.host.root}/var/lib/vz").replace(
            "/tank/dump", f"{self.host.root}/tank/dump")
        (self.host.root / "etc/pve/storage.cfg").write_text(text, encoding="utf-8")
        known = golden("pvesm-status.txt").splitlines()
        told = self.host.must("pvesm", "status").splitlines()
        self.assertEqual(told[0], known[0])
        self.assertEqual([line for line in told if line[:7] in ("old-nfs", "tank-gu")],
                         [line for line in known if line[:7] in ("old-nfs", "tank-gu")])
        self.assertRegex(told[1], r"^local               dir     active +\d+ +\d+ +\d+ +\d+\.\d\d%$")
        # What is not mounted is not written to, since the entry says so.
        self.assertIn("tank-dump           dir   inactive", "\n".join(told))
        self.assertFalse((self.host.root / "tank/dump").exists())

    def test_a_storage_on_a_pool_that_is_not_mounted_is_made_on_the_root_disk(self):
        path = self.host.root / "tank/dump"
        with (self.host.root / "etc/pve/storage.cfg").open("a", encoding="utf-8") as file:
            file.write(f"\ndir: careless\n\tpath {path}\n\tcontent backup\n")
        self.host.must("pvesm", "status")
        self.assertTrue((path / "dump").is_dir())

    def test_templates(self):
        shelf = pathlib.Path(self.host.place.shelf)
        lies = {name: {"architecture": "amd64"} for name in re.findall(r"^system +(\S+)", golden("pveam-available-system.txt"),
                                                                      re.MULTILINE)}
        (shelf / "index.json").write_text(json.dumps(lies), encoding="utf-8")
        self.addCleanup((shelf / "index.json").unlink)
        self.assertEqual(self.host.must("pveam", "update"), "update successful\n")
        self.assertEqual(self.host.must("pveam", "available", "--section", "system"), golden("pveam-available-system.txt"))
        self.assert_refused(self.host.run("pveam", "available", "--section", "foo"), "in the enumeration 'system, mail,")
        self.host.must("pveam", "download", "local", host.TEMPLATE)
        told, known = self.host.must("pveam", "list", "local").splitlines(), golden("pveam-list-local.txt").splitlines()
        self.assertEqual(told[0], known[0])
        self.assertEqual(re.sub(r"[\d.]+MB", "MB", told[1]), re.sub(r"[\d.]+MB", "MB", known[1]))
        self.host.must("pveam", "remove", f"local:vztmpl/{host.TEMPLATE}")
        self.assertEqual(self.host.must("pveam", "list", "local").splitlines(), known[:1])

    def test_answers_that_a_test_gives(self):
        file = HERE / "golden/pvesh-hardware-pci.json"
        subprocess.run([sys.executable, HERE / "pve-standin", "answer", "/nodes/pve/hardware/pci", file], check=True,
                       env={**os.environ, "RELAB_PVE_ROOT": str(self.host.root)})
        for node in ("pve", "localhost"):
            told = self.host.must("pvesh", "get", f"/nodes/{node}/hardware/pci", "--output-format", "json")
            self.assertEqual(json.loads(told), json.loads(file.read_text(encoding="utf-8")))

    def test_numbers_as_strings(self):
        self.plant("112.conf")
        self.host.throw("numbers-as-strings")
        self.assertIn('"vmid":"112"', self.host.must("pvesh", "get", "/nodes/pve/lxc", "--output-format", "json"))

    def test_versions(self):
        self.assertRegex(self.host.must("pveversion"), r"^pve-manager/9\.2\.11/[0-9a-f]{16} \(running kernel: \S+\)$")
        self.assertEqual(self.host.run("pveversion", "--foo").code, 255)

    def test_resources(self):
        self.plant("112.conf")
        told = json.loads(self.host.must("pvesh", "get", "/cluster/resources", "--output-format", "json"))
        self.assertEqual({entry["id"] for entry in told}, {"node/pve", "lxc/112", "storage/pve/local", "storage/pve/local-zfs"})
        for entry in told:
            sample = next(each for each in json.loads(golden("pvesh-cluster-resources.json")) if each["type"] == entry["type"])
            self.assertLessEqual(set(entry), {*sample, "level", "maxcpu", "maxmem", "uptime"})
        self.host.throw("resources-lag")
        told = json.loads(self.host.must("pvesh", "get", "/cluster/resources", "--type", "vm", "--output-format", "json"))
        self.assertEqual([entry["status"] for entry in told], ["unknown"])


class Errors(HostCase):
    def test_what_is_not_there(self):
        gone = "Configuration file 'nodes/pve/lxc/999.conf' does not exist"
        for words in (["config", "999"], ["status", "999"], ["set", "999", "--cores", "1"], ["start", "999"],
                      ["exec", "999", "--", "true"], ["destroy", "999"]):
            self.assert_refused(self.host.pct(*words), gone)
        self.assert_ended(self.host.run("pvesh", "get", "/nodes/pve/nosuch"), 1,
                          "No 'get' handler defined for '/nodes/pve/nosuch'\n")
        self.assert_refused(self.host.run("pvesm", "list", "nosuch"), "storage 'nosuch' does not exist")
        self.assert_refused(self.host.run("pvesm", "path", "nosuch"),
                            "volume: invalid format - unable to parse volume ID 'nosuch'\n")

    def test_words_that_are_not_understood(self):
        self.assert_ended(self.host.pct("exec", "112", "ls", "-la"), 255, "Unknown option: la\n400 unable to parse option\n")
        self.assert_ended(self.host.pct("list", "--all"), 255, "Unknown option: all\n400 unable to parse option\npct list \n")
        self.assert_ended(self.host.pct("frob"), 255,
                          "ERROR: unknown command 'pct frob'\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]\n")
        self.assert_ended(self.host.pct(), 255, "ERROR: no command specified\n")
        self.assert_ended(self.host.pct("set", "112"), 255, "no options specified")

    def test_what_the_stand_in_does_not_do_it_says_in_its_own_words(self):
        for words in (["pct", "restore", "112", "x"], ["pvesh", "create", "/nodes"], ["qm", "start", "200"]):
            self.assert_ended(self.host.run(*words), 3, f"pve-standin: {words[0]} {words[1]} is not imitated")

    def test_locks(self):
        self.plant("120.conf")
        self.host.must("pct", "set", "120", "--lock", "backup")
        for words in (["set", "120", "--cores", "2"], ["start", "120"], ["destroy", "120"], ["mount", "120"]):
            self.assert_refused(self.host.pct(*words), "CT is locked (backup)")
        self.host.must("pct", "unlock", "120")
        self.host.must("pct", "set", "120", "--cores", "2")
        self.host.throw("backup-lock", "120")
        self.assert_refused(self.host.pct("set", "120", "--cores", "3"), "CT is locked (backup)")
        self.assertIn("lock: backup\n", self.host.must("pct", "config", "120"))
        self.host.take_back("backup-lock")
        self.assertNotIn("lock", self.host.must("pct", "config", "120"))

    def test_a_lock_that_another_holds(self):
        self.plant("120.conf")
        subprocess.run([sys.executable, HERE / "pve-standin", "set", "lock_timeout_s=0.3"], check=True,
                       env={**os.environ, "RELAB_PVE_ROOT": str(self.host.root)})
        self.host.throw("slow-locks", "0.1")
        self.assert_ended(self.host.pct("set", "120", "--cores", "2"), 0, "trying to acquire lock...\n OK\n")
        self.host.throw("slow-locks", "60 120")
        self.assert_refused(self.host.pct("set", "120", "--cores", "3"),
                            "can't lock file '/run/lock/lxc/pve-config-120.lock' - got timeout")

    def test_a_digest_that_is_old(self):
        self.plant("120.conf")
        digest = json.loads(self.host.must("pvesh", "get", "/nodes/pve/lxc/120/config", "--output-format", "json"))["digest"]
        self.host.must("pct", "set", "120", "--cores", "2", "--digest", digest)
        self.assert_refused(self.host.pct("set", "120", "--cores", "3", "--digest", digest), "detected modified configuration")

    def test_protection_and_what_cannot_be_deleted(self):
        self.plant("120.conf")
        self.host.must("pct", "set", "120", "--protection", "1")
        self.assert_refused(self.host.pct("destroy", "120"), "can't remove CT 120 - protection mode enabled")
        self.assert_refused(self.host.pct("set", "120", "--delete", "mp0"), "can't remove CT 120 drive 'mp0' - protection mode")
        self.assert_refused(self.host.pct("set", "120", "--delete", "memory"), "unable to delete required option 'memory'")
        self.assert_refused(self.host.pct("set", "120", "--unprivileged", "0"),
                            "unable to modify read-only option: 'unprivileged'")
        self.assert_refused(self.host.pct("set", "120", "--delete", "foo"), "delete: unknown option 'foo'")
        self.assert_refused(self.host.pct("set", "120", "--dev0", "/dev/dri/nosuch"), "Device /dev/dri/nosuch does not exist")
        self.assert_ended(self.host.pct("set", "120", "--delete", "cpulimit"), 0, "cannot delete 'cpulimit' - not set")

    def test_a_container_with_a_bind_mount_has_no_snapshots(self):
        self.plant("112.conf", "120.conf")
        self.assert_refused(self.host.pct("snapshot", "120", "before"), "snapshot feature is not available")
        self.assert_refused(self.host.pct("snapshot", "112", "before_docker"), "snapshot name 'before_docker' already used")

    def test_creations_that_are_refused(self):
        template = self.host.get_template()
        self.assert_refused(self.host.pct("create", "300", template, "--mp0", "local-zfs:1,mp=/data"),
                            "mount points configured, but 'rootfs' not set - aborting")
        self.assert_refused(self.host.pct("create", "300", template), "storage 'local' does not support container directories")
        self.assert_refused(self.host.pct("create", "300", template, "--rootfs", "nosuch:1"), "storage 'nosuch' does not exist")
        self.assert_refused(self.host.pct("create", "300", "local:vztmpl/no.tar.zst", "--rootfs", "local-zfs:1"),
                            "unable to create CT 300 - failed to open '", "no.tar.zst': No such file or directory")
        self.assertFalse(self.host.conf(300).exists())
        self.assertEqual(os.listdir(self.host.root / "rpool/data"), [])


if __name__ == "__main__":
    main()
