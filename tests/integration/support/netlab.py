"""A lab whose controller and agents are each in a network namespace of their own."""

import os
import re
import shutil
import tempfile

from support.lab import Lab
from support.netns import GATEWAY, SUBNET, Network
from support.tools import LSBLK

CONTROLLER, STRANGER = "ctl", "stranger"
PORT = 7460
# From here a connection never comes to stand.
MUTE_ADDRESS = "10.42.7.200"


class NetLab(Lab):
    def __init__(self, names, seed):
        self.network = None
        super().__init__(names, {name: PORT for name in names})
        try:
            self.network = Network([CONTROLLER, STRANGER, *names], seed, self.folder)
            self.network.add_address(STRANGER, MUTE_ADDRESS)
            self.network.hear_nothing(STRANGER, MUTE_ADDRESS)
        except BaseException:
            self.close()
            raise
        for name, agent in self.agents.items():
            agent.endpoint = f"tcp://{self.address(name)}"
            agent.wrapper = self.network.at(name)
            # Long enough to be killed in.
            agent.tools.fake("lsblk", prints=LSBLK, seconds=0.4)
            agent.tools.fake("ip", prints="[]", seconds=0.03)

    def address(self, name):
        return f"{self.network.addresses[name]}:{PORT}"

    def command(self, *arguments, secret=True):
        return self.network.at(CONTROLLER, *super().command(*arguments, secret=secret))

    def describe(self, *phases):
        if self.network is None:
            return  # once there are addresses
        hosts = "".join(f'[[hosts]]\nname = "{name}"\nvlan = "servers"\nip = "{self.network.addresses[name]}"\n'
                        f'agent = "{agent.endpoint}"\nexpect = []\n\n' for name, agent in self.agents.items())
        self.file.write_text(
            'name = "loop"\n\n[network]\nsupernet = "10.42.0.0/16"\n\n[[network.vlans]]\nname = "servers"\nid = 7\n'
            f'subnet = "{SUBNET}"\ngateway = "{GATEWAY}"\n\n' + hosts + "\n".join(phases))

    def keep(self):
        """Logs, journals and the ledger, for a person who asked for them."""
        if "RELAB_KEEP" in os.environ:
            kept = tempfile.mkdtemp(prefix="relab-kept-")
            shutil.copytree(self.folder, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("filler", "ballast"))
            print(f"logs, journals and the ledger are kept in {kept}")

    def close(self):
        try:
            super().close()
        finally:
            if self.network:
                self.network.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def ids(pattern, text):
    """Task ids that the lines of a log name."""
    return re.findall(rf"task ([0-9a-f-]{{36}}) {pattern}", text)
