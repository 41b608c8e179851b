"""What is built once and kept: modules, images and saved states, each under a name that says what it was made of."""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

from bed.suites import BedError, indexed, sources

HERE = pathlib.Path(__file__).resolve().parent.parent
IMAGE = HERE / "image"
NEEDED = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mmdebstrap": "mmdebstrap",
          "mke2fs": "e2fsprogs", "zstd": "zstd"}
INDEX_AGE_MAX_S = 24 * 3600


def folder():
    """As compilers' caches: outlives a checkout, and several share it."""
    chosen = os.environ.get("RELAB_VMLAB_CACHE")
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    path = pathlib.Path(chosen) if chosen else base / "relab-vmlab"
    path.mkdir(parents=True, exist_ok=True)
    return path


def require_tools():
    missing = [package for tool, package in NEEDED.items() if shutil.which(tool) is None]
    if missing:
        raise BedError(f"this needs {', '.join(missing)}: apt-get install {' '.join(missing)}")


def fingerprint(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update((part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode()) + b"\0")
    return digest.hexdigest()[:10]


@contextlib.contextmanager
def locked(path):
    """One maker at a time: a second one waits, and finds it made."""
    with open(f"{path}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# A maker mounts this machine's /dev and /sys in the root that it makes. However it ends, nothing of it runs on, or stays mounted.
APART = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


def make(path, argv, log):
    """Runs the maker of `path`; what it said is kept in `log`."""
    begun = time.monotonic()
    with open(log, "w", encoding="utf-8") as file:
        status = subprocess.run([*APART, *argv], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False)
    if status.returncode != 0 or not path.exists():
        tail = "".join(pathlib.Path(log).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[-15:])
        raise BedError(f"{path.name} could not be made (exit {status.returncode}); the end of {log}:\n{tail}")
    return time.monotonic() - begun


def versions(suite):
    """The kernel and the ZFS that the archive has for a suite, asked once a day."""
    kept = folder() / f"index-{suite.name}.json"
    with locked(kept):
        if kept.exists() and 0 <= time.time() - kept.stat().st_mtime < INDEX_AGE_MAX_S:
            return json.loads(kept.read_text(encoding="utf-8"))
        found = indexed(suite, ["linux-image-amd64", "zfs-dkms"])
        kept.write_text(json.dumps(found), encoding="utf-8")
        return found


class Images:
    """The image of a suite, and the parts that it is made of. Nothing is made before `build`."""

    def __init__(self, suite, say=lambda words: None):
        require_tools()
        self.suite = suite
        self.say = say
        found = versions(suite)
        if not found["zfs-dkms"].startswith(f"{suite.zfs}."):
            raise BedError(f"{suite.name} has ZFS {found['zfs-dkms']}, and the scenarios are written for {suite.zfs}")
        name = f"{suite.name}-{found['linux-image-amd64']}-{found['zfs-dkms']}".replace("~", "_").replace("+", "_")
        root = folder()
        self.module = root / f"module-{name}-{fingerprint(IMAGE / 'module.sh')}.tar.zst"
        self.container = root / f"container-{suite.name}-{fingerprint(IMAGE / 'container.sh')}.tar.zst"
        scripts = fingerprint(*(IMAGE / f"{script}.sh" for script in ("module", "container", "machine", "before", "after")))
        self.image = root / f"image-{name}-{scripts}"

    def _make(self, path, script, *arguments, what):
        with locked(path):
            if path.exists():
                return
            listed = path.with_name(path.name + ".sources")
            listed.write_text(sources(self.suite), encoding="utf-8")
            self.say(f"making {what}")
            spent = make(path, [str(IMAGE / script), self.suite.name, str(listed), *map(str, arguments), str(path)],
                         f"{path}.log")
            self.say(f"made {what} in {spent:.0f} s")

    def build_container(self):
        """The root of a container, as a tar archive; made if it is missing."""
        self._make(self.container, "container.sh", what=f"a container's root of {self.suite.name}")
        return self.container

    def build(self):
        """Makes what is missing; the folder with vmlinuz, initrd and root.ext4."""
        self._make(self.module, "module.sh", what=f"the ZFS modules of {self.suite.name}")
        self.build_container()
        with locked(self.image):
            if not (self.image / "root.ext4").exists():
                shutil.rmtree(self.image, ignore_errors=True)
        self._make(self.image, "machine.sh", self.module, self.container, what=f"the image of {self.suite.name}")
        return self.image
