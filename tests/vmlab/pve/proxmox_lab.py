"""A lab with one Proxmox host, which is the stand-in's, and a controller in the same network."""

import pathlib
import shutil

from support.lab import Lab, step

STANDIN = pathlib.Path(__file__).resolve().parent / "pve-standin"
TOOLS = ("sha512sum", "sha256sum", "journalctl", "dpkg-deb", "tar")
ONE, TWO = 201, 202


class ProxmoxLab(Lab):
    """A lab with one host, for whose agent this machine is the stand-in's host."""

    def __init__(self, pve):
        self.pve = pve
        self.guests = (("one", ONE, False), ("two", TWO, True))
        self.cores, self.disk = 1, "1GiB"
        super().__init__(("pve",))
        agent = self.agents["pve"]
        agent.wrapper = [shutil.which("python3"), STANDIN, "enter", pve.root]
        for program in sorted((pve.root / "bin").iterdir()):
            (agent.tools.folder / program.name).symlink_to(program)
        for name in TOOLS:
            if shutil.which(name):
                (agent.tools.folder / name).symlink_to(shutil.which(name))

    def command(self, *arguments, secret=True):
        return ["ip", "netns", "exec", self.pve.netns, *super().command(*arguments, secret=secret)]

    def describe(self, *phases):
        guests = "".join(
            f'[[guests]]\nname = "{name}"\nvmid = {vmid}\ntype = "lxc"\nprivileged = {str(privileged).lower()}\n'
            f'template = "debian-12-standard"\nvlan = "agents"\nip = "10.42.60.{vmid - 190}"\ncores = {self.cores}\nmemory = "256MiB"\n'
            f'disk = "{self.disk}"\nonboot = true\norder = {vmid - 200}\npurpose = "A test"\nnesting = true\n\n'
            for name, vmid, privileged in self.guests)
        self.file.write_text(
            'name = "loop"\n\n[network]\nsupernet = "10.42.0.0/16"\n\n[[network.vlans]]\nname = "agents"\nid = 60\n'
            'subnet = "10.42.60.0/24"\ngateway = "10.42.60.1"\n\n[[hosts]]\nname = "pve"\nvlan = "agents"\nip = "10.42.60.2"\n'
            f'bridge = "vmbr0"\nagent = "{self.agents["pve"].endpoint}"\nexpect = []\n\n' + guests + "\n".join(phases))


def guest(name, more=""):
    return step(name, f'guest = {{ name = "{name}"{more} }}', deadline="5m")


def power(name, more=""):
    return step(f"{name}-runs", f'guest_power = {{ name = "{name}", patience = "30s"{more} }}', deadline="2m")
