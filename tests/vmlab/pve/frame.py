"""The frame of the stand-in's own tests: each gets a host of its own."""

import pathlib
import shutil
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "integration")]

import host  # noqa: E402
from support import case  # noqa: E402

main = case.main


def golden(name):
    """A true output of Proxmox, or one made from its schemas."""
    return (HERE / "golden" / name).read_text(encoding="utf-8")


REFUSAL = host.why_not()


@unittest.skipIf(REFUSAL, REFUSAL)
class HostCase(unittest.TestCase):
    """Each test gets a host of its own; unpacked templates are shared by all tests of a program."""

    settings = {}
    shared = []

    def setUp(self):
        if not self.shared:
            self.shared.append(tempfile.mkdtemp(prefix="relab-pve-shared-", dir=host.work_folder()))
            unittest.addModuleCleanup(shutil.rmtree, self.shared[0])
        self.host = host.Host(self.shared[0], **self.settings)
        self.addCleanup(self.host.close)

    def assert_ended(self, ended, code, *sentences):
        self.assertEqual(ended.code, code, str(ended))
        for sentence in sentences:
            self.assertIn(sentence, ended.out + ended.err, str(ended))

    def assert_refused(self, ended, *sentences):
        self.assertNotEqual(ended.code, 0, str(ended))
        for sentence in sentences:
            self.assertIn(sentence, ended.err, str(ended))

    def inside(self, vmid, script):
        return self.host.must("pct", "exec", vmid, "--", "sh", "-c", script)

    def plant(self, *names):
        for name in names:
            (self.host.root / "etc/pve/lxc" / name).write_text(golden(name), encoding="utf-8")
