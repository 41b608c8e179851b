#!/usr/bin/env python3
"""Containers that the stand-in's commands make, change and end: real ones, with systemd inside."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import host  # noqa: E402
from frame import HostCase, main  # noqa: E402


def net(number, vlan=60):
    return (f"name=eth0,bridge=vmbr0,tag={vlan},ip=10.42.{vlan}.{number}/24,gw=10.42.{vlan}.1,"
            f"hwaddr=BC:24:11:00:{vlan}:{number}")


class Life(HostCase):
    def test_from_a_template_to_the_end(self):
        volid = self.host.get_template()
        made = self.host.pct("create", 101, volid, "--hostname", "web", "--rootfs", "local-zfs:2", "--unprivileged", 1,
                             "--memory", 256, "--cores", 1, "--features", "nesting=1", "--net0", net(12), "--tags", "Web relab",
                             "--mp0", "local-zfs:0.5,mp=/data,backup=1")
        self.assert_ended(made, 0, "extracting archive '")
        self.assertEqual(self.host.must("pct", "config", 101), (
            "arch: amd64\ncores: 1\nfeatures: nesting=1\nhostname: web\nmemory: 256\n"
            "mp0: local-zfs:subvol-101-disk-1,mp=/data,backup=1,size=512M\n"
            "net0: name=eth0,bridge=vmbr0,gw=10.42.60.1,hwaddr=BC:24:11:00:60:12,ip=10.42.60.12/24,tag=60,type=veth\n"
            "ostype: debian\nrootfs: local-zfs:subvol-101-disk-0,size=2G\nswap: 512\ntags: web;relab\nunprivileged: 1\n"))
        self.assertEqual(self.host.must("pct", "status", 101), "status: stopped\n")
        self.assertEqual(self.host.must("pct", "start", 101), "")
        self.assertEqual(self.host.wait_until_up(101), "degraded")
        self.assertEqual(self.inside(101, "systemctl --failed --plain --no-legend | cut -d' ' -f1"), "sys-kernel-debug.mount\n")
        self.assertEqual(self.inside(101, "hostname; cat /sys/class/net/eth0/address; ip -4 -br address show eth0 | tr -s ' '"),
                         "web\nbc:24:11:00:60:12\neth0@if" + self.inside(101, "cat /sys/class/net/eth0/iflink").strip() +
                         " UP 10.42.60.12/24 \n")
        self.assertEqual(self.inside(101, "grep web /etc/hosts; grep -c . /proc/self/uid_map; stat -c %u /data /etc"),
                         "10.42.60.12 web\n1\n0\n0\n")
        self.assert_refused(self.host.pct("start", 101), "CT 101 already running")
        self.assert_refused(self.host.pct("destroy", 101), "unable to destroy CT 101 - container is running")
        self.assertEqual(self.host.must("pct", "shutdown", 101), "")
        self.assertEqual(self.host.must("pct", "status", 101), "status: stopped\n")
        for verb in ("stop", "shutdown"):
            self.assert_refused(self.host.pct(verb, 101), "CT 101 not running")
        self.assert_refused(self.host.pct("exec", 101, "--", "true"), "container '101' not running!")
        self.assert_refused(self.host.pct("push", 101, "/etc/hostname", "/x"), "can only push files to a running CT")
        self.host.must("pct", "destroy", 101)
        self.assertEqual(os.listdir(self.host.root / "rpool/data"), [])
        self.assertFalse(self.host.conf(101).exists())

    def test_a_privileged_one_is_up_without_a_complaint(self):
        self.host.create(102, "--unprivileged", "0", "--net0", net(13), "--start", "1")
        self.assertEqual(self.host.wait_until_up(102), "running")
        self.assertNotIn("unprivileged", self.host.must("pct", "config", 102))
        self.assertEqual(self.inside(102, "cat /proc/self/uid_map | tr -s ' '"), " 0 0 4294967295\n")

    def test_networks_reach_each_other_on_their_own_vlan_only(self):
        for vmid, vlan in ((101, 60), (102, 60), (103, 20)):
            self.host.create(vmid, "--net0", net(vmid - 90, vlan), start=True)
        self.inside(103, "ip address add 10.42.60.99/24 dev eth0")
        self.inside(101, "ping -c 1 -W 5 10.42.60.12")
        self.assertEqual(self.host.pct("exec", 103, "--", "ping", "-c", 1, "-W", 1, "-I", "10.42.60.99", "10.42.60.11").code, 1)
        told = json.loads(self.host.must("pvesh", "get", "/nodes/pve/lxc/101/status/current", "--output-format", "json"))
        self.assertEqual([told[key] for key in ("status", "name", "maxmem", "ha")],
                         ["running", "CT101", 256 << 20, {"managed": 0}])
        self.assertGreater(told["mem"], 0)
        told = json.loads(self.host.must("pvesh", "get", "/nodes/pve/lxc/101/interfaces", "--output-format", "json"))
        self.assertEqual([(entry["name"], entry["hwaddr"], entry.get("inet")) for entry in told if entry["name"] != "lo"],
                         [("eth0", "bc:24:11:00:60:11", "10.42.60.11/24")])

    def test_exec_passes_everything_through(self):
        self.host.create(101, start=True)
        self.assertEqual(self.host.pct("exec", 101, "--", "sh", "-c", "exit 7").code, 7)
        self.assertEqual(self.host.pct("exec", 101, "--", "/no/such").code, 127)
        self.assertEqual(self.host.must("pct", "exec", 101, "--", "printf", "%s|", "a b", "$HOME", "--", "'"), "a b|$HOME|--|'|")
        ended = self.host.run("pct", "exec", "101", "--", "sh", "-c", "cat; echo oops >&2", standard_input="in")
        self.assertEqual((ended.out, ended.err), ("in", "oops\n"))
        self.assertIn("/usr/sbin", self.host.must("pct", "exec", 101, "--", "printenv", "PATH"))
        self.assertEqual(self.host.pct("exec", 101, "--keep-env", 0, "--", "printenv", "LANG").code, 1)

    def test_files_go_in_and_out(self):
        self.host.create(101, start=True)
        here = self.host.folder / "here"
        here.write_text("text\n", encoding="utf-8")
        self.host.must("pct", "push", 101, here, "/srv/there", "--user", "mail", "--group", 7, "--perms", "640")
        self.assertEqual(self.inside(101, "stat -c '%u %g %a' /srv/there; cat /srv/there"), "8 7 640\ntext\n")
        self.host.must("pct", "pull", 101, "/srv/there", self.host.folder / "back", "--perms", "0600")
        self.assertEqual((self.host.folder / "back").read_text(encoding="utf-8"), "text\n")
        self.assertEqual((self.host.folder / "back").stat().st_mode & 0o777, 0o600)

    def test_the_root_can_be_looked_into_while_it_is_off(self):
        self.host.create(101)
        self.assertEqual(self.host.must("pct", "mount", 101), "mounted CT 101 in '/var/lib/lxc/101/rootfs'\n")
        self.assertTrue((self.host.root / "var/lib/lxc/101/rootfs/etc/debian_version").exists())
        self.assert_refused(self.host.pct("set", 101, "--cores", 1), "CT is locked (mounted)")
        self.host.must("pct", "unmount", 101)
        self.assertEqual(os.listdir(self.host.root / "var/lib/lxc/101/rootfs"), [])
        lines = self.host.must("pct", "df", 101).splitlines()
        self.assertRegex(lines[0], r"^MP     Volume +Size +Used +Avail +Use% Path$")
        self.assertRegex(lines[1], r"^rootfs local-zfs:subvol-101-disk-0 .* /$")
        self.assertNotIn("lock", self.host.must("pct", "config", 101))

    def test_what_starts_with_the_host_starts_in_its_order(self):
        for vmid, words in ((101, ["--onboot", 1]), (102, ["--onboot", 1, "--startup", "order=2"]),
                            (103, ["--onboot", 1, "--startup", "order=1,up=1"]), (104, [])):
            self.host.create(vmid, *words)
        self.assertEqual(self.host.must("pve-onboot"), "Starting CT 103\nStarting CT 102\nStarting CT 101\n")
        self.assertEqual(re.findall(r"^(\d+) +(\w+)", self.host.must("pct", "list"), re.MULTILINE),
                         [("101", "running"), ("102", "running"), ("103", "running"), ("104", "stopped")])

    def test_tasks_are_kept(self):
        self.host.create(101)
        self.host.throw("start-fails", 101)
        self.assert_refused(self.host.pct("start", 101), "startup for container '101' failed")
        task = json.loads(self.host.must("pvesh", "get", "/nodes/pve/tasks", "--output-format", "json"))[0]
        told = json.loads(self.host.must("pvesh", "get", f"/nodes/pve/tasks/{task['upid']}/status", "--output-format", "json"))
        self.assertEqual((told["type"], told["id"], told["status"]), ("vzstart", "101", "stopped"))
        self.assertIn("startup for container '101' failed", told["exitstatus"])

    def test_another_program_finds_this_machine_to_be_the_host(self):
        self.host.create(101, "--net0", net(12), start=True)
        said = self.host.must("sh", "-c", "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin; pct list;"
                              "cat /etc/pve/lxc/101.conf; ls /sys/class/net; echo root:1000:1 >>/etc/subuid")
        for part in ("101        running", "unprivileged: 1", "vmbr0v60"):
            self.assertIn(part, said)
        self.assertEqual((self.host.root / "etc/subuid").read_text(encoding="utf-8"), "root:100000:65536\nroot:1000:1\n")
        self.assertNotIn("root:1000:1\n", pathlib.Path("/etc/subuid").read_text(encoding="utf-8"))
        self.host.must("sh", "-c", "pct stop 101 && pct start 101 && pct exec 101 -- true")


    def test_an_id_of_the_host_is_let_through_once_the_host_allows_it(self):
        media = self.host.folder / "media"
        media.mkdir()
        os.chown(media, 1000, 1000)
        self.host.create(101, "--mp0", f"{media},mp=/media")
        with self.host.conf(101).open("a", encoding="utf-8") as file:
            for kind in "ug":
                for part in ("0 100000 1000", "1000 1000 1", "1001 101001 64535"):
                    file.write(f"lxc.idmap: {kind} {part}\n")
        self.assert_refused(self.host.pct("start", 101), "startup for container '101' failed")
        for name in ("subuid", "subgid"):
            with (self.host.root / "etc" / name).open("a", encoding="utf-8") as file:
                file.write("root:1000:1\n")
        self.host.must("pct", "start", 101)
        self.assertEqual(self.inside(101, "stat -c %u / /media; setpriv --reuid 1000 --clear-groups touch /media/film"),
                         "0\n1000\n")
        self.assertEqual((media / "film").stat().st_uid, 1000)

    def test_a_lock_keeps_a_second_command_waiting(self):
        self.host.create(101, start=True)
        with subprocess.Popen([self.host.root / "bin/pct", "exec", "101", "--", "sleep", "1"]):
            self.host.must("pct", "set", 101, "--hostname", "while-it-runs")
        first, second = (subprocess.Popen([self.host.root / "bin/pct", "set", "101", "--cores", "1"]) for _ in range(2))
        self.assertEqual((first.wait(), second.wait()), (0, 0))


class Changes(HostCase):
    def test_a_container_that_does_not_run_takes_all_at_once(self):
        self.host.create(101, "--net0", net(12))
        said = self.host.must("pct", "set", 101, "--nameserver", "10.42.10.53", "--memory", 300, "--delete", "swap")
        self.assertEqual(said, "")
        config = self.host.must("pct", "config", 101, "--current", 1)
        self.assertIn("nameserver: 10.42.10.53\n", config)
        self.assertNotIn("swap", config)
        self.assertNotIn("new ", self.host.must("pct", "pending", 101))

    def test_a_running_one_takes_some_at_once_and_the_rest_when_it_starts(self):
        self.host.create(101, "--net0", net(12), start=True)
        self.host.wait_until_up(101)
        self.host.must("pct", "set", 101, "--nameserver", "10.42.10.53", "--memory", 300, "--description", "a:b",
                       "--features", "nesting=1")
        self.assertIn("cur memory: 300\nnew nameserver: 10.42.10.53\n", self.host.must("pct", "pending", 101))
        self.assertIn("new features: nesting=1\n", self.host.must("pct", "pending", 101))
        self.assertIn("[pve:pending]\nfeatures: nesting=1\nnameserver: 10.42.10.53\n",
                      self.host.conf(101).read_text(encoding="utf-8"))
        # Without asking for what is current, it looks as if all were done.
        self.assertIn("nameserver: 10.42.10.53\n", self.host.must("pct", "config", 101))
        self.assertNotIn("nameserver", self.host.must("pct", "config", 101, "--current", 1))
        self.host.must("pct", "set", 101, "--revert", "features")
        self.host.must("pct", "reboot", 101)
        self.assertNotIn("new ", self.host.must("pct", "pending", 101))
        self.assertIn("nameserver 10.42.10.53", self.inside(101, "cat /etc/resolv.conf"))

    def test_mounts_and_devices_are_added_live_and_never_changed_live(self):
        media = self.host.folder / "media"
        (media / "below").mkdir(parents=True)
        (media / "film").touch()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", media / "below"], check=True)
        self.addCleanup(subprocess.run, ["umount", media / "below"], check=True)
        (media / "below/hidden").touch()
        self.host.create(101, start=True)
        self.host.must("pct", "set", 101, "--mp0", f"{media},mp=/media", "--mp1", "local-zfs:1,mp=/srv/data",
                       "--dev0", "/dev/full,gid=44,mode=0640")
        # A bind takes nothing along that is mounted below it (trap 6).
        script = "cd /media; find . | sort; mountpoint -q /srv/data; stat -c '%t,%T %g %a' /dev/full"
        for _ in range(2):
            self.assertEqual(self.inside(101, script), ".\n./below\n./film\n1,7 44 640\n")
            self.host.wait_until_up(101)
            self.host.must("pct", "reboot", 101)
        self.host.must("pct", "set", 101, "--mp0", f"{media},mp=/films", "--delete", "dev0")
        self.assertIn(f"cur mp0: {media},mp=/media\nnew mp0: {media},mp=/films\n", self.host.must("pct", "pending", 101))
        self.assertIn("del dev0: /dev/full,gid=44,mode=0640\n", self.host.must("pct", "pending", 101))
        self.inside(101, "test -e /media/film -a ! -e /films/film -a -e /dev/full")

    def test_a_network_changes_live(self):
        self.host.create(101, "--net0", net(12), start=True)
        self.host.must("pct", "set", 101, "--net0", net(12).replace("tag=60", "tag=20"))
        self.assertIn("vmbr0v20", self.host.must("ip", "-o", "link", "show", "veth101i0"))
        # Without its hardware address a network is another card (trap 30).
        self.host.must("pct", "set", 101, "--net0", "name=eth0,bridge=vmbr0,tag=20,ip=10.42.20.13/24")
        self.assertNotIn("BC:24:11:00:60:12", self.host.must("pct", "config", 101))
        self.assertIn("10.42.20.13/24", self.inside(101, "ip -4 -br address show eth0"))
        self.host.must("pct", "set", 101, "--delete", "net0")
        self.assertEqual(self.host.pct("exec", 101, "--", "test", "-e", "/sys/class/net/eth0").code, 1)
        self.assert_refused(self.host.pct("set", 101, "--net1", "name=eth1,bridge=vmbr0,tag=99"),
                            "net1: unable to hotplug net1: bridge 'vmbr0v99' does not exist")

    def test_volumes(self):
        self.host.create(101, "--mp0", "local-zfs:1,mp=/data")
        self.host.must("pct", "resize", 101, "rootfs", "+1G")
        self.assertIn("rootfs: local-zfs:subvol-101-disk-0,size=2G\n", self.host.must("pct", "config", 101))
        self.assert_refused(self.host.pct("resize", 101, "rootfs", "1G"), "unable to shrink disk size")
        self.host.must("pct", "set", 101, "--delete", "mp0")
        self.assertIn("unused0: local-zfs:subvol-101-disk-1\n", self.host.must("pct", "config", 101))
        self.assertRegex(self.host.must("pvesm", "list", "local-zfs"),
                         r"^Volid +Format  Type +Size VMID\nlocal-zfs:subvol-101-disk-0 subvol  rootdir +2147483648 101\n")
        # Destroying takes along what is not used, too (trap 12).
        self.host.must("pct", "destroy", 101)
        self.assertEqual(os.listdir(self.host.root / "rpool/data"), [])


class Treachery(HostCase):
    def test_a_copy_that_the_disk_has_no_room_for(self):
        self.host.create(101, start=True)
        large = self.host.folder / "large"
        large.write_bytes(b"x" * 200000)
        self.inside(101, "mkdir /full && mount -t tmpfs -o size=64k tmpfs /full")
        self.assertEqual(self.host.pct("push", 101, large, "/full/file"), host.Ended(0, "", ""))
        self.assertLess(int(self.inside(101, "stat -c %s /full/file")), 100000)
        self.host.throw("push-disk-full", 10)
        self.assertEqual(self.host.pct("push", 101, large, "/root/file"), host.Ended(0, "", ""))
        self.assertEqual(self.inside(101, "stat -c %s /root/file"), "10\n")
        self.host.take_back("push-disk-full")
        self.host.throw("pull-disk-full")
        self.assertEqual(self.host.pct("pull", 101, "/root/file", self.host.folder / "back"), host.Ended(0, "", ""))
        self.assertEqual((self.host.folder / "back").stat().st_size, 0)
        # Nor does it matter to the exit status that there is nothing to copy, or nowhere to copy it to.
        self.assert_ended(self.host.pct("push", 101, "/no/such", "/x"), 0, "failed to open /no/such for reading")
        self.assert_ended(self.host.pct("push", 101, large, "/no/such/x"), 0, "failed to create file: /no/such/x: No such file")
        self.assert_ended(self.host.pct("pull", 101, "/no/such", self.host.folder / "x"), 0, "failed to open /no/such: No such")

    def test_downloads_that_fail(self):
        self.host.throw("update-fails")
        self.assert_ended(self.host.run("pveam", "update"), 0, "update failed - see /var/log/pveam.log for details\n")
        self.host.take_back("update-fails")
        self.host.must("pveam", "update")
        for switch, complaint in (("download-fails", "download failed: exit code 4\n"),
                                  ("download-truncated", "checksum mismatch: got '")):
            self.host.throw(switch)
            ended = self.host.run("pveam", "download", "local", host.TEMPLATE)
            self.assertEqual(ended.code, 0)
            self.assertTrue(ended.err.startswith(complaint), ended)
            self.host.take_back(switch)
        self.assertEqual(self.host.must("pveam", "list", "local").count("\n"), 1)

    def test_a_container_that_dies_at_once(self):
        self.host.create(101)
        self.host.throw("start-dies", 101)
        self.assertEqual(self.host.pct("start", 101), host.Ended(0, "", ""))
        end = time.monotonic() + 20
        while "running" in self.host.must("pct", "status", 101):
            self.assertLess(time.monotonic(), end)
        self.host.take_back("start-dies")
        self.host.must("pct", "start", 101)
        self.host.wait_until_up(101)

    def test_devices_and_binds_that_are_accepted_and_not_there(self):
        media = self.host.folder / "media"
        media.mkdir()
        (media / "film").touch()
        self.host.throw("device-missing")
        self.host.throw("bind-missing")
        self.host.create(101, "--mp0", f"{media},mp=/media", start=True)
        self.host.must("pct", "set", 101, "--dev0", "/dev/full", "--mp1", f"{media},mp=/more")
        self.assertIn("dev0: /dev/full\n", self.host.must("pct", "config", 101, "--current", 1))
        for path in ("/dev/nosuch", "/media/film", "/more/film"):
            self.assertEqual(self.host.pct("exec", 101, "--", "test", "-e", path).code, 1)

    def test_a_bind_of_a_folder_on_which_nothing_is_mounted(self):
        media = self.host.folder / "media"
        media.mkdir()
        self.host.create(101, "--mp0", f"{media},mp=/media", start=True)
        self.inside(101, "mountpoint -q /media && test -z \"$(ls /media)\"")
        self.host.must("pct", "stop", 101)
        media.rmdir()
        self.assert_refused(self.host.pct("start", 101), "startup for container '101' failed")
        self.assertIn(f"directory '{media}' does not exist",
                      (self.host.root / "run/pve/ct-101.stderr").read_text(encoding="utf-8"))

    def test_a_command_whose_failure_is_swallowed(self):
        self.host.create(101, start=True)
        self.host.throw("exec-swallows", 101)
        self.assertEqual(self.host.pct("exec", 101, "--", "sh", "-c", "touch /done; echo said; exit 3"), host.Ended(0, "", ""))
        self.host.take_back("exec-swallows")
        self.inside(101, "test -e /done")

    def test_creations_that_fail(self):
        template = self.host.get_template()
        words = ["create", 101, template, "--rootfs", "local-zfs:1", "--unprivileged", 1]
        self.host.throw("create-fails")
        self.assert_refused(self.host.pct(*words), "unable to create CT 101 - command 'tar' failed: exit code 2")
        self.assertFalse(self.host.conf(101).exists())
        self.host.take_back("create-fails")
        self.host.throw("create-leaves-half")
        self.assert_refused(self.host.pct(*words), "received interrupt")
        self.assertEqual(self.host.conf(101).read_text(encoding="utf-8"), "lock: create\n")
        self.assertEqual(os.listdir(self.host.root / "rpool/data"), ["subvol-101-disk-0"])
        self.host.take_back("create-leaves-half")
        self.assert_refused(self.host.pct(*words), "CT 101 already exists on node 'pve'")
        self.assert_refused(self.host.pct("start", 101), "CT is locked (create)")
        self.assert_refused(self.host.pct("destroy", 101), "CT is locked (create)")

    def test_a_guest_that_does_not_shut_down(self):
        self.host.create(101, start=True)
        self.host.wait_until_up(101)
        self.host.throw("shutdown-ignored")
        self.assert_refused(self.host.pct("shutdown", 101, "--timeout", 1), "container did not stop")
        self.assertEqual(self.host.must("pct", "status", 101), "status: running\n")
        self.host.must("pct", "shutdown", 101, "--timeout", 1, "--forceStop", 1)

    def test_changes_that_all_stay_pending(self):
        self.host.create(101, start=True)
        self.host.throw("hotplug-pends")
        self.assertEqual(self.host.pct("set", 101, "--hostname", "other"), host.Ended(0, "", ""))
        self.assertIn("cur hostname: CT101\nnew hostname: other\n", self.host.must("pct", "pending", 101))

    def test_tasks_whose_failure_is_not_heeded(self):
        self.host.create(101)
        self.host.throw("resize-fails")
        self.assert_ended(self.host.pct("resize", 101, "rootfs", "8G"), 0, "out of space")
        self.assertIn("size=1G", self.host.must("pct", "config", 101))
        self.host.throw("free-fails")
        self.assert_ended(self.host.run("pvesm", "free", "local-zfs:subvol-101-disk-0"), 0, "dataset is busy")
        self.assertTrue((self.host.root / "rpool/data/subvol-101-disk-0").exists())

    def test_warnings_are_a_success(self):
        self.host.create(101)
        self.host.throw("warnings")
        self.assert_ended(self.host.pct("start", 101), 0, "Task finished with 1 warning(s)!\n")


if __name__ == "__main__":
    main()
