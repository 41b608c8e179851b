"""The two systems that a lab may run, and where this machine gets them from."""

import dataclasses
import subprocess


class BedError(Exception):
    """The test bed cannot be had, and why; never a finding about relab."""


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    # Of OpenZFS: what the scenarios expect there.
    zfs: str
    # What Proxmox calls a container's root of it.
    template: str


SUITES = {suite.name: suite for suite in (Suite("bookworm", zfs="2.1", template="debian-12-standard_12.12-1_amd64.tar.zst"),
                                          Suite("trixie", zfs="2.3", template="debian-13-standard_13.1-2_amd64.tar.zst"))}

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def mirror():
    """The archive that apt uses on this machine."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT)", "Created-By: Packages"],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    for line in lines:
        uri, _, component = line.partition(" ")
        if component == "main" and "security" not in uri:
            return uri
    raise BedError("apt knows no archive of Debian on this machine; give it one and run `apt-get update`")


def sources(suite, components="main contrib"):
    return f"deb [signed-by={KEYRING}] {mirror()} {suite.name} {components}\n"


def indexed(suite, packages):
    """The versions of packages in the archive as it is now: what an image made now would hold."""
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lists/partial", "cache"):
            subprocess.run(["mkdir", "-p", f"{folder}/{name}"], check=True)
        with open(f"{folder}/sources.list", "w", encoding="utf-8") as file:
            file.write(sources(suite))
        with open(f"{folder}/status", "w", encoding="utf-8"):
            pass
        options = ["-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=-",
                   "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::State::status={folder}/status",
                   "-o", f"Dir::Cache={folder}/cache", "-o", "Acquire::Languages=none"]
        updated = subprocess.run(["apt-get", *options, "-qq", "update"], stderr=subprocess.PIPE, text=True, check=False)
        if updated.returncode != 0:
            raise BedError(f"the archive of {suite.name} cannot be read: {updated.stderr.strip()[-400:]}")
        text = subprocess.run(["apt-cache", *options, "policy", *packages], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
    versions = {}
    package = None
    for line in text.splitlines():
        if not line.startswith(" "):
            package = line.rstrip(":")
        elif line.strip().startswith("Candidate:"):
            versions[package] = line.split(":", 1)[1].strip()
    missing = [name for name in packages if versions.get(name, "(none)") == "(none)"]
    if missing:
        raise BedError(f"{suite.name} has no package {', '.join(missing)}")
    return versions
