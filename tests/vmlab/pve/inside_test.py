#!/usr/bin/env python3
"""What a running container lacks of what its configuration gives it, and Proxmox does not tell: directories and devices."""

import pathlib
import tempfile

from proxmox_case import OneContainer
from proxmox_lab import ONE, power
from support.case import main

RESTART = ", apply_waiting = true"


class Inside(OneContainer):
    def folder(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        pathlib.Path(folder).chmod(0o755)
        return folder

    def test_a_directory_that_was_not_bound(self):
        folder = self.folder()
        pathlib.Path(folder, "film").touch()
        self.given("--mp0", f"{folder},mp=/media")
        self.host.throw("bind-missing", ONE)
        self.make(1, "mp0: nothing is mounted at /media")
        self.plan(power("one", RESTART))
        self.make(1, "mp0: nothing is mounted at /media")
        self.host.take_back("bind-missing")
        # It runs still as it was started.
        self.plan(power("one"))
        self.make(1, "runs without what its configuration gives it", "mp0: nothing is mounted at /media", "apply_waiting")
        self.plan(power("one", RESTART))
        self.make()
        self.assertEqual(self.inside(ONE, "ls /media"), "film\n")

    def test_a_directory_that_became_another_file_system_later(self):
        """As where a pool was unlocked after the container had started."""
        folder = self.folder()
        self.given("--mp0", f"{folder},mp=/media")
        self.make()
        self.beside_agent("mount", "-t", "tmpfs", "late", folder)
        self.make(1, "runs without what its configuration gives it", f"and {folder} of the host on late")

    def test_a_directory_that_is_another_one_since(self):
        """By its path it is as before: on the same file system, and of the same name."""
        top = pathlib.Path(self.folder())
        film = top / "film"
        film.mkdir()
        self.given("--mp0", f"{film},mp=/media")
        self.make()
        film.rename(top / "old")
        film.mkdir()
        self.make(1, "runs without what its configuration gives it", f"{film} of the host is ")
        (top / "old").rmdir()
        self.make(1, "mp0: /media shows a directory that the host has deleted")
        (film / "new").touch()
        self.plan(power("one", RESTART))
        self.make()
        self.assertEqual(self.inside(ONE, "ls /media"), "new\n")

    def test_a_directory_over_which_another_is_mounted(self):
        """Proxmox mounts in the order of the numbers."""
        top = pathlib.Path(self.folder())
        for name in ("outer/film", "inner"):
            (top / name).mkdir(parents=True)
        self.given("--mp0", f"{top}/inner,mp=/media/film", "--mp1", f"{top}/outer,mp=/media")
        self.make(1, "lies over /media/film, at /media (as mp1: the one further inside needs the higher number)")
        self.host.must("pct", "shutdown", ONE)
        self.host.must("pct", "set", ONE, "--mp0", f"{top}/outer,mp=/media", "--mp1", f"{top}/inner,mp=/media/film")
        self.make()
        self.inside(ONE, "mount -t tmpfs tmpfs /media")
        self.make(1, "mp0: tmpfs lies over /media; mp1: tmpfs lies over /media/film, at /media")

    def test_a_mount_point_with_a_slash_at_its_end_is_no_other(self):
        folder = self.folder()
        pathlib.Path(folder, "film").touch()
        self.given("--mp0", f"{folder},mp=/media/")
        self.make()
        self.assertEqual(self.inside(ONE, "ls /media"), "film\n")

    def test_a_device_that_is_not_there(self):
        self.host.throw("device-missing", ONE)
        self.given("--dev0", "/dev/relab-none")
        self.make(1, "dev0: there is no device /dev/relab-none")


if __name__ == "__main__":
    main()
