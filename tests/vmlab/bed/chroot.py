"""A clean system in a folder, as the machines' containers have it, in which packages are installed without a network."""

import pathlib
import shutil
import subprocess
import tempfile

from bed.cache import Images
from bed.suites import SUITES, sources

ROOT = pathlib.Path(__file__).resolve().parents[3]

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}


class Chroot:
    def __init__(self, suite, say=lambda words: None):
        self.suite = SUITES[suite]
        container = Images(self.suite, say).build_container()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"relab-packages-{suite}-"))
        subprocess.run(["tar", "-C", str(self.folder), "-I", "zstd", "-xf", str(container)], check=True)

    def remove(self):
        shutil.rmtree(self.folder)

    def run(self, *argv, network=False):
        """(exit code, everything that was said). Processes of its own end with it."""
        apart = ["--net"] if not network else []
        ended = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.folder}/proc", *apart, "chroot", str(self.folder), *argv],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=ENVIRONMENT, timeout=600, check=False)
        return ended.returncode, ended.stdout

    def must(self, *argv, network=False):
        code, said = self.run(*argv, network=network)
        if code != 0:
            raise AssertionError(f"{' '.join(argv)} ended with {code} on {self.suite.name}:\n{said}")
        return said

    def path(self, inside):
        return self.folder / str(inside).lstrip("/")

    def bring(self, files, folder):
        """Copies files into a new folder; their paths inside."""
        self.path(folder).mkdir(parents=True)
        for file in files:
            shutil.copy2(file, self.path(folder))
        return [f"{folder}/{pathlib.Path(file).name}" for file in files]

    def fetch_dependencies(self, packages):
        """All that these packages need and this system has not, ready to be installed; with the network, once."""
        shutil.copy2("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        self.path("/etc/apt/sources.list").write_text(sources(self.suite, "main"), encoding="utf-8")
        self.must("apt-get", "-qq", "update", network=True)
        self.must("apt-get", "-qq", "-y", "--no-install-recommends", "--download-only", "install", *packages, network=True)
        return sorted(f"/var/cache/apt/archives/{file.name}" for file in self.path("/var/cache/apt/archives").glob("*.deb"))


def fetch_needed(suite, packages, target, say=lambda words: None):
    """Puts what these packages need, and a container of that suite has not, into a folder; with the network."""
    say(f"fetching what the packages need on {suite}")
    chroot = Chroot(suite, say)
    try:
        for file in chroot.fetch_dependencies(chroot.bring(packages, "/srv/ours")):
            shutil.copy2(chroot.path(file), target)
    finally:
        chroot.remove()
