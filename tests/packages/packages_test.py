#!/usr/bin/env python3
"""The Debian packages: what is in them, and what they do to a machine on which they are installed, upgraded and removed."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vmlab")]

from bed.chroot import ROOT, Chroot  # noqa: E402
from built import PACKAGES, limits_of, package  # noqa: E402
from support.repack import newer  # noqa: E402

ROLES = sorted(file.stem for file in (ROOT / "packaging" / "roles").glob("*.json"))
STATE = "/var/lib/relab-agent"
DEFAULTS = "/etc/default/relab-agent"
NEW_DEFAULT = "# What a later version adds.\n"


def say(words):
    print(f"    {words}", file=sys.stderr, flush=True)


def run(*argv, **options):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="relab-packages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for name in ("relab-agent", "relab-controller", *(f"relab-agent-{role}" for role in ROLES)):
            subprocess.run(["dpkg-deb", "-x", str(package(name)), str(cls.folder / name)], check=True)

    def test_there_is_one_for_each_role_and_nothing_else_but_the_two_programs(self):
        wanted = {"relab-agent", "relab-controller", *(f"relab-agent-{role}" for role in ROLES)}
        self.assertEqual({file.name.split("_")[0] for file in PACKAGES.glob("*.deb") if "-dbgsym" not in file.name}, wanted)
        self.assertEqual(len(ROLES), 9)

    def test_lintian_has_nothing_to_say(self):
        ended = run("lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", "--info",
                    *(str(file) for file in sorted(PACKAGES.glob("*.deb"))))
        self.assertEqual((ended.returncode, re.findall(r"^[EW]: .*", ended.stdout, re.MULTILINE)), (0, []), ended.stdout)

    def test_a_role_has_its_manifest_and_the_limits_of_the_unit(self):
        for role in ROLES:
            with self.subTest(role):
                files = {str(file.relative_to(self.folder / f"relab-agent-{role}"))
                         for file in (self.folder / f"relab-agent-{role}").rglob("*") if file.is_file()}
                self.assertEqual({name for name in files if not name.startswith(("usr/share/doc/", "usr/share/lintian/"))},
                                 {f"usr/lib/relab/roles.d/{role}.json", f"lib/systemd/system/relab-agent.service.d/{limits_of(role)}"})
                manifest = self.folder / f"relab-agent-{role}" / f"usr/lib/relab/roles.d/{role}.json"
                self.assertEqual(json.loads(manifest.read_text(encoding="utf-8"))["name"], role)

    def test_the_manual_says_all_that_the_programs_say(self):
        for name, package_name, page in (("relab", "relab-controller", "man1/relab.1.gz"), ("relab-agent", "relab-agent", "man8/relab-agent.8.gz")):
            with self.subTest(name):
                ended = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
                            str(self.folder / package_name / "usr/share/man" / page))
                self.assertEqual(ended.returncode, 0)
                self.assertEqual(re.findall(r".*warning.*", ended.stdout), [])
                shown = re.sub(r".\x08", "", run("man", "-P", "cat", "-l", str(self.folder / package_name / "usr/share/man" / page),
                                                 env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"}).stdout)
                program = self.folder / package_name / "usr/bin" / name
                options = set(re.findall(r"^  (?:-\w \[ )?(--[a-z-]+)", run(str(program), "--help").stdout, re.MULTILINE))
                self.assertGreater(len(options), 6)
                self.assertEqual({option for option in options if option not in shown}, set())
                for heading in ("NAME", "SYNOPSIS", "COMMANDS", "OPTIONS", "EXIT STATUS", "FILES", "EXAMPLES"):
                    self.assertRegex(shown, rf"(?m)^{heading}$")

    def test_completion_knows_commands_options_and_kinds(self):
        for words, wanted in ((["relab", ""], {"run", "gate", "ledger", "check"}), (["relab", "run", "--u"], {"--until"}),
                              (["relab", "--lab", "x.toml", "ledger", "v"], {"verify"}), (["relab", "kinds", "zfs_b"], {"zfs_backup"}),
                              (["relab", "agents", "s"], {"show"}), (["relab", "agents", "--ping", ""], {"show", "remove"}),
                              (["relab", "agents", "--patience", "5", "r"], {"remove"}), (["relab", "report", "--ht"], {"--html"}),
                              (["relab", "run", "--packages", str(ROOT) + "/sche"], {str(ROOT) + "/schema"}),
                              (["relab-agent", "e"], {"enrol"}), (["relab-agent", "--state"], {"--state-dir"})):
            with self.subTest(words):
                self.assertEqual(wanted - set(self.complete(words)), set())
        self.assertEqual(self.complete(["relab", "agents", "--patience", ""]), [], "there are no words for a number")
        self.assertEqual(self.complete(["relab", "agents", "shoe", ""]), [])

    def test_completion_knows_all_that_each_command_takes(self):
        relab = self.folder / "relab-controller" / "usr/bin/relab"
        commands = re.findall(r"^  ([a-z]+)\b", run(str(relab), "--help").stdout.partition("\nOptions")[0], re.MULTILINE)
        self.assertGreater(len(commands), 15)
        for command in commands:
            with self.subTest(command):
                said = run(str(relab), command, "--help").stdout
                own = set(re.findall(r"\b[a-z]+\b", said.splitlines()[0])) - {"relab", command}
                self.assertEqual(own - set(self.complete(["relab", command, ""])), set())
                options = set(re.findall(r"^  (?:-\w \[ )?(--[a-z-]+)", said, re.MULTILINE))
                self.assertEqual(options - set(self.complete(["relab", command, "--"])), set())

    def test_completion_knows_the_phases_of_the_lab(self):
        lab = ["relab", "--lab", str(ROOT / "examples/z640/lab.toml")]
        for words in (["run", ""], ["plan", ""], ["gate", ""], ["gate", "waive", ""], ["approve", ""], ["run", "--until", ""]):
            with self.subTest(words):
                self.assertIn("0a", self.complete([*lab, *words]))
        self.assertIn("waive", self.complete([*lab, "gate", ""]))

    def complete(self, words):
        name = words[0]
        folder = self.folder / ("relab-controller" if name == "relab" else name)
        script = f"""
. /usr/share/bash-completion/bash_completion
. {folder}/usr/share/bash-completion/completions/{name}
COMP_WORDS=({' '.join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
_{name.replace('-', '_')} {name} '{words[-1]}' '{words[-2] if len(words) > 1 else ''}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
        path = f"{folder}/usr/bin:/usr/bin:/bin"
        return run("bash", "--norc", "-c", script, env={"PATH": path, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}).stdout.split()

    def exposure(self, *roles):
        """What systemd says of the unit where these are installed: the score, and each line of the table that it comes from."""
        root = self.folder / f"exposure-{'+'.join(roles)}"
        for name in ("relab-agent", *(f"relab-agent-{role}" for role in roles)):
            shutil.copytree(self.folder / name, root, dirs_exist_ok=True)
        ended = run("systemd-analyze", "security", "--offline=true", f"--root={root}", "--no-pager", "relab-agent.service")
        score = re.search(r"exposure level for relab-agent.service: ([0-9.]+)", ended.stdout)
        self.assertTrue(score, ended.stdout)
        table = [line.strip() for line in ended.stdout.splitlines() if not line.startswith(str(root))]
        self.assertGreater(len(table), 60, ended.stdout)
        return float(score[1]), table

    def test_no_role_exposes_more_of_the_machine_than_is_recorded(self):
        recorded = json.loads((ROOT / "tests" / "packages" / "exposure.json").read_text(encoding="utf-8"))
        scores = {"+".join(roles): self.exposure(*roles)[0] for roles in (*((role,) for role in ROLES), ("pbs", "proxmox"), ("arr", "monitoring"), ("admin", "arr"))}
        self.assertEqual(scores, recorded, "record them in tests/packages/exposure.json if they fell; they may not rise")

    def test_another_role_takes_nothing_from_the_agent_of_a_proxmox_host(self):
        _, wanted = self.exposure("proxmox")
        for role in ROLES:
            if role != "proxmox":
                with self.subTest(role):
                    self.assertEqual(self.exposure(role, "proxmox")[1], wanted)


class OnASystem:
    """For each of both: from nothing to nothing, and what stays in between."""

    suite = None

    @classmethod
    def setUpClass(cls):
        cls.chroot = Chroot(cls.suite, say)
        cls.addClassCleanup(cls.chroot.remove)
        cls.ours = cls.chroot.bring([package(name) for name in ("relab-agent", "relab-agent-arr", "relab-controller")], "/root/ours")
        cls.needed = cls.chroot.fetch_dependencies(cls.ours)

    def upgrade_with_other_defaults(self):
        """To a version that brings other defaults than the one before; returns the version."""
        with tempfile.TemporaryDirectory() as folder:
            def edit(tree):
                defaults = tree / DEFAULTS.lstrip("/")
                if defaults.exists():
                    defaults.write_text(defaults.read_text(encoding="utf-8") + NEW_DEFAULT, encoding="utf-8")
            made = newer([package("relab-agent"), package("relab-agent-arr")], folder, edit)
            brought = self.chroot.bring(made, "/root/newer")
            self.chroot.must("dpkg", "-i", "--force-confold", *brought)
            return made[0].name.split("_")[1]

    def test_from_the_first_installation_to_the_last_trace(self):
        chroot = self.chroot
        chroot.must("dpkg", "-i", *self.needed, *self.ours)
        self.assertEqual(chroot.run("dpkg", "--audit"), (0, ""))
        self.assertIn("relab 0.", chroot.must("relab", "--version"))
        self.assertIn("audit_zfs", chroot.must("relab", "kinds"))
        self.assertEqual(chroot.path(STATE).stat().st_mode & 0o7777, 0o700)
        before = chroot.must("relab-agent", "identity")
        self.assertIn("fingerprint", before)
        code, said = chroot.run("relab-agent", "run")
        self.assertEqual(code, 1)
        self.assertIn("this agent obeys no controller yet", said)
        self.assertTrue(chroot.path("/etc/systemd/system/multi-user.target.wants/relab-agent.service").is_symlink(), "it is enabled")

        mine = 'RELAB_AGENT_OPTIONS="--name mine"\n'
        chroot.path(DEFAULTS).write_text(mine, encoding="utf-8")
        version = self.upgrade_with_other_defaults()
        self.assertIn(version, chroot.must("relab-agent", "--version"))
        self.assertEqual(chroot.path(DEFAULTS).read_text(encoding="utf-8"), mine)
        self.assertIn(NEW_DEFAULT, chroot.path(f"{DEFAULTS}.dpkg-dist").read_text(encoding="utf-8"))
        self.assertEqual(chroot.must("relab-agent", "identity"), before)

        chroot.must("dpkg", "-r", "relab-agent-arr")
        self.assertEqual(list(chroot.path("/usr/lib/relab/roles.d").glob("*.json")) if chroot.path("/usr/lib/relab/roles.d").exists() else [],
                         [], "a role that is removed permits nothing")
        chroot.must("dpkg", "-r", "relab-agent", "relab-controller")
        self.assertTrue(list(chroot.path(STATE).iterdir()), "keys and journal stay")
        self.assertTrue(chroot.path(DEFAULTS).exists())
        chroot.must("dpkg", "-i", "--force-confold", *self.ours)
        self.assertEqual(chroot.must("relab-agent", "identity"), before)

        chroot.must("dpkg", "-P", "relab-agent-arr", "relab-agent", "relab-controller")
        left = [str(file) for folder in ("usr", "etc", "var", "lib") for file in chroot.path(folder).rglob("*relab*")
                if "/dpkg/" not in str(file) and "/apt/" not in str(file) and not file.is_relative_to(chroot.path("/root"))]
        self.assertEqual(left, [])


class OnBookworm(OnASystem, unittest.TestCase):
    suite = "bookworm"


class OnTrixie(OnASystem, unittest.TestCase):
    suite = "trixie"


@unittest.skipIf(os.environ.get("RELAB_REBUILD") == "no", "RELAB_REBUILD=no: there is no time to compile everything once more")
class Reproducible(unittest.TestCase):
    def test_another_build_elsewhere_gives_the_same_bytes(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="relab-again-"))
        self.addCleanup(shutil.rmtree, folder)
        ended = run(str(ROOT / "packaging" / "build"), "--out", str(folder / "a-longer-name-of-a-folder"),
                    env={**os.environ, "CCACHE_DISABLE": "1", "TZ": "Pacific/Kiritimati", "LANG": "de_DE.UTF-8"}, timeout=2400)
        self.assertEqual(ended.returncode, 0, ended.stdout[-3000:])

        def digests(where):
            return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in where.glob("*.deb")}

        first = digests(PACKAGES)
        self.assertGreaterEqual(len(first), 11)
        self.assertEqual(digests(folder / "a-longer-name-of-a-folder"), first)


if __name__ == "__main__":
    ended = unittest.main(verbosity=2, exit=False).result
    ran_none = ended.testsRun == len(ended.skipped)
    sys.exit(77 if ended.wasSuccessful() and ran_none else 0 if ended.wasSuccessful() else 1)
