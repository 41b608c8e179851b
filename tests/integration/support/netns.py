"""A small network of its own: namespaces joined by a bridge, whose links can be cut, narrowed and made unreliable.

Everything is made in this process's own mounts and namespaces: names never leave it, and the kernel removes the
rest with the last process, even if this one is killed. Until then `close` removes it.
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from support.mounts import own_mounts, small_disk
from support.programs import Running, wait_until

SUPPORT = pathlib.Path(__file__).resolve().parent
SUBNET = "10.42.7.0/24"
GATEWAY = "10.42.7.254"


class Impossible(Exception):
    """This machine does not permit it, or lacks what it takes."""


def call(*arguments, text=None):
    done = subprocess.run([str(argument) for argument in arguments], input=text, capture_output=True, text=True,
                          timeout=30, check=False)
    if done.returncode != 0:
        raise Impossible(f"{' '.join(str(argument) for argument in arguments)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def missing():
    """Why there can be no such network here, or None. Gives this process mounts of its own."""
    lacking = [name for name in ("ip", "nft", "tc", "capnp", "setpriv") if not shutil.which(name)]
    if lacking:
        return f"lacks {', '.join(lacking)} (packages iproute2, nftables, capnproto, util-linux)"
    if os.geteuid() != 0:
        return "needs root"
    refused = own_mounts()
    if refused:
        return f"needs mounts of its own: {refused}"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "needs /dev/net/tun"
    try:
        with contextlib.closing(Network(("a",))) as network:
            network.cut("a", "deaf")
            network.weather("a", delay=0.001)
    except (Impossible, OSError, AssertionError) as error:
        return str(error)
    return None


class Network:
    """One namespace for each of the names, each with the interface `e0`; one more holds the bridge."""

    _count = 0

    def __init__(self, names, seed=0, folder=None):
        Network._count += 1
        self.prefix = f"relab{os.getpid()}-{Network._count}-"
        self.switch = self.prefix + "switch"
        self.names, self.made, self.wire = list(names), [], None
        self.ports = {name: f"p{number}" for number, name in enumerate(self.names, 1)}
        self.addresses = {name: f"10.42.7.{number}" for number, name in enumerate(self.names, 1)}
        self.macs = {name: f"02:00:00:00:07:{number:02x}" for number, name in enumerate(self.names, 1)}
        self.scratch = contextlib.ExitStack()
        try:
            self._make(seed, folder)
        except BaseException:
            self.close()
            raise

    # ---- making and removing

    def _make(self, seed, folder):
        self._own_names()
        for name in (self.switch, *(self.space(name) for name in self.names)):
            call("ip", "netns", "add", name)
            self.made.append(name)
        self._ip(self.switch, "link set lo up", "link add br0 type bridge", "link set br0 up",
                 "tuntap add mode tap name wire", "link set wire master br0 up",
                 # Addresses are learned at the ports alone, and nothing is sent there unless it was meant for it.
                 "link set wire type bridge_slave learning off flood off mcast_flood off")
        for name in self.names:
            self._join(name)
        self._start_wire(seed, folder)

    def _own_names(self):
        """/run/netns as nobody else sees it, so that nothing stays there."""
        pathlib.Path("/run/netns").mkdir(exist_ok=True)
        self.scratch.enter_context(small_disk("/run/netns", 1 << 20))

    def _join(self, name):
        port, address, mac = self.ports[name], self.addresses[name], self.macs[name]
        self._ip(self.switch, f"link add {port} type veth peer name e0 address {mac} netns {self.space(name)}",
                 f"link set {port} master br0 up")
        self._ip(self.space(name), "link set lo up", f"addr add {address}/24 dev e0", "link set e0 up")

    def _start_wire(self, seed, folder):
        where = pathlib.Path(folder or self.scratch.enter_context(tempfile.TemporaryDirectory(prefix="relab-test-")))
        self.wire = Running(self.inside(self.switch, sys.executable, SUPPORT / "wire.py", "wire", seed), where / "wire.out",
                            where / "wire.err", stdin=subprocess.PIPE)
        wait_until("the wire", lambda: "ready" in self.wire.out() or not self.wire.is_running())
        if not self.wire.is_running():
            raise Impossible(f"the wire does not work: {self.wire.err()}")

    def close(self):
        if self.wire:
            self.wire.process.stdin.close()
            self.wire.kill()
        for name in reversed(self.made):
            with contextlib.suppress(Impossible):
                call("ip", "netns", "del", name)
        self.made = []
        self.scratch.close()

    # ---- using it

    def space(self, name):
        return self.prefix + name

    def inside(self, space, *arguments):
        """The command that runs in the namespace, under the very process number that it is started with. Nothing of a
        test outlives it: the kernel kills what is started so when the thread ends that started it."""
        return ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", space, *(str(argument) for argument in arguments)]

    def at(self, name, *arguments):
        return self.inside(self.space(name), *arguments)

    def _ip(self, space, *lines):
        call("ip", "-n", space, "-batch", "-", text="\n".join(lines) + "\n")

    def _nft(self, space, *lines):
        call(*self.inside(space, "nft", "-f", "-"), text="\n".join(lines) + "\n")

    def add_address(self, name, address):
        self._ip(self.space(name), f"addr add {address}/24 dev e0")

    def hear_nothing(self, name, address):
        """Whatever comes for that address of the namespace is lost, answers included."""
        self._nft(self.space(name), "add table ip quiet", "add chain ip quiet c { type filter hook input priority 0; }",
                  f"add rule ip quiet c ip daddr {address} drop")

    # ---- faults; each has its end

    def unplug(self, name):
        self._ip(self.switch, f"link set {self.ports[name]} down")

    def plug(self, name):
        self._ip(self.switch, f"link set {self.ports[name]} up")

    CUTS = {
        "deaf": ("input", "iifname e0 drop"),
        "mute": ("output", "oifname e0 drop"),
        # Whoever speaks to it is told that there is no such connection.
        "reset": ("input", "iifname e0 meta l4proto tcp reject with tcp reset"),
    }

    def cut(self, name, how):
        hook, rule = self.CUTS[how]
        self._nft(self.space(name), "add table inet cut", f"add chain inet cut c {{ type filter hook {hook} priority 0; }}",
                  f"add rule inet cut c {rule}")

    def mend(self, name):
        self._nft(self.space(name), "delete table inet cut")

    def narrow(self, name, rate):
        """What is sent towards it waits in a queue, and is lost when that is full."""
        call("tc", "-n", self.switch, "qdisc", "replace", "dev", self.ports[name], "root", "tbf", "rate", rate,
              "burst", "4kb", "latency", "800ms")

    def widen(self, name):
        call("tc", "-n", self.switch, "qdisc", "del", "dev", self.ports[name], "root")

    def weather(self, name, **fare):
        """Its frames, both ways, take the bad wire; see wire.py for how they may fare there."""
        mac = self.macs[name]
        self.wire.process.stdin.write(json.dumps({"mac": mac, **fare}).encode() + b"\n")
        self.wire.process.stdin.flush()
        table = f"netdev weather_{self.ports[name]}"
        lines = [f"add table {table}"]
        for port in self.ports.values():
            rule = "" if port == self.ports[name] else f"ether daddr {mac}"
            lines += [f'add chain {table} {port} {{ type filter hook ingress device "{port}" priority 0; }}',
                      f'add rule {table} {port} {rule} fwd to "wire"']
        self._nft(self.switch, *lines)

    def clear(self, name):
        self._nft(self.switch, f"delete table netdev weather_{self.ports[name]}")
