"""Containers with systemd that stand for an operator's machines: on one bridge, without any other network, and with Debian's archive in a folder."""

import atexit
import base64
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "vmlab" / "pve"), str(ROOT / "tests" / "vmlab")]

import host  # noqa: E402
from bed.cache import Images  # noqa: E402
from bed.chroot import fetch_needed  # noqa: E402
from bed.suites import SUITES  # noqa: E402

ENVIRONMENT = ["HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TERM=dumb",
               "DEBIAN_FRONTEND=noninteractive"]
REFUSAL = host.why_not()
BRIDGE = "vmbr0v60"
PATIENCE_S = 240
SLOW = """#!/bin/sh
if [ "$(cat /proc/$PPID/comm)" = relab-agent ]; then
  touch /run/slow-{name}.called
  while [ -e /run/slow-{name} ]; do sleep 0.1; done
fi
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec {name} "$@"
"""


def slow(machine, name):
    """The agent's tasks wait at this program, until what is returned here is called; then one must have come that far."""
    wrapper, held = f"/usr/local/sbin/{name}", f"/run/slow-{name}"
    machine.write(wrapper, SLOW.format(name=name), mode=0o755)
    machine.must("touch", held)
    return lambda: machine.must("rm", held, f"{held}.called", wrapper)


class Archive:
    """What Debian's archive has for our packages, one folder for each suite; fetched once, with the network."""

    def __init__(self, folder, say):
        self.folder, self.say = pathlib.Path(folder), say
        self.made = set()

    def add(self, suite, packages):
        """`packages` are our own; what they need is fetched, and what the templates have is not there."""
        if suite in self.made:
            return
        target = self.folder / suite
        target.mkdir(parents=True)
        fetch_needed(suite, packages, target, self.say)
        index = subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=target, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, check=True).stdout
        (target / "Packages").write_text(index, encoding="utf-8")
        self.made.add(suite)


class Machine:
    """One container, by the name that the tests give it."""

    def __init__(self, machines, vmid):
        self.machines, self.vmid = machines, vmid

    def argv(self, *words):
        return [str(self.machines.host.root / "bin" / "pct"), "exec", str(self.vmid), "--", "env", "-i", "-C", "/root", *ENVIRONMENT,
                *map(str, words)]

    def run(self, *words, timeout=PATIENCE_S):
        """(exit code, everything that was said)."""
        ended = subprocess.run(self.argv(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               check=False, timeout=timeout)
        return ended.returncode, ended.stdout

    def must(self, *words, timeout=PATIENCE_S):
        code, said = self.run(*words, timeout=timeout)
        if code != 0:
            raise AssertionError(f"{' '.join(map(str, words))} ended with {code} in container {self.vmid}:\n{said}")
        return said

    def sh(self, script, timeout=PATIENCE_S):
        return self.run("bash", "-ec", script, timeout=timeout)

    def must_sh(self, script, timeout=PATIENCE_S):
        return self.must("bash", "-ec", script, timeout=timeout)

    def write(self, path, text, mode=0o644):
        """From inside: what root of this machine writes is not what root of the container is."""
        encoded = base64.b64encode(text.encode()).decode()
        self.must_sh(f"base64 -d >{path} <<<'{encoded}'; chmod {mode:o} {path}")

    def wait_for(self, what, script, patience_s=60):
        """Until the script ends well; what it said then."""
        end = time.monotonic() + patience_s
        while True:
            code, said = self.sh(script)
            if code == 0:
                return said
            if time.monotonic() > end:
                raise AssertionError(f"container {self.vmid}: no {what} within {patience_s} s:\n{said}\n{self.journal()}")
            time.sleep(0.3)

    def property(self, name, unit="relab-agent.service"):
        return self.must("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def wait_for_property(self, name, wanted, patience_s=60):
        self.wait_for(f"{name}={wanted}", f'[ "$(systemctl show --value --property={name} relab-agent.service)" = "{wanted}" ]', patience_s)

    def journal(self):
        return self.sh("journalctl -u relab-agent -n 40 --no-pager -o short-monotonic")[1]


class Machines:
    """All of them; `close` ends and removes everything, whatever happened before."""

    def __init__(self, say=lambda words: None):
        self.say = say
        self.shared = pathlib.Path(tempfile.mkdtemp(prefix="relab-machines-", dir=host.work_folder()))
        # Not below /dev, which the stand-in takes for a device; readable for containers without privileges.
        self.given = pathlib.Path(tempfile.mkdtemp(prefix="relab-given-"))
        self.given.chmod(0o755)
        self.host = None
        self.by_name = {}
        # unittest forgets its cleanups when it is interrupted, and Python everything when it is told to end.
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        try:
            # Not over a shared root: dpkg in a container without privileges cannot replace a folder on an overlay.
            self.host = host.Host(self.shared, bridges=(BRIDGE,), rootfs="unpacked")
            self.archive = Archive(self.given / "archive", say)
        except BaseException:
            self.close()
            raise

    def close(self):
        ended, self.host = self.host, None
        try:
            if ended is not None:
                ended.close()
        finally:
            for folder in (self.shared, self.given):
                shutil.rmtree(folder, ignore_errors=True)

    def __getitem__(self, name):
        return self.by_name[name]

    def template(self, suite):
        """Of another suite than the stand-in's own, too."""
        if suite == "bookworm":
            return self.host.get_template()
        target = self.host.root / "var/lib/vz/template/cache" / SUITES[suite].template
        if not target.is_symlink():
            target.symlink_to(Images(SUITES[suite], self.say).build_container())
        return f"local:vztmpl/{target.name}"

    def create(self, name, suite, number, privileged=False):
        """It is up when this returns, and its apt knows the archive alone."""
        vmid = 100 + number
        self.host.must("pct", "create", vmid, self.template(suite), "--hostname", name, "--rootfs", "local-zfs:4", "--memory", "512",
                       "--unprivileged", "0" if privileged else "1", "--features", "nesting=1",
                       "--net0", f"name=eth0,bridge=vmbr0,tag=60,ip=10.42.60.{number}/24,gw=10.42.60.1",
                       "--mp0", f"{self.given},mp=/srv/given,ro=1")
        self.host.must("pct", "start", vmid)
        self.host.wait_until_up(vmid)
        machine = self.by_name[name] = Machine(self, vmid)
        machine.must_sh(f"echo 'deb [trusted=yes] file:/srv/given/archive/{suite} ./' >/etc/apt/sources.list; apt-get -qq update")
        return machine

    def give(self, folder, files):
        """Puts files where each container sees them; the folder inside."""
        target = self.given / folder
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy2(file, target)
            os.chmod(target / pathlib.Path(file).name, 0o644)
        return f"/srv/given/{folder}"
