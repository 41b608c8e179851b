"""The machines of neighbours.json as network namespaces, with a router between their two networks, and one that is looked from.

Names never leave this process's own mounts, which it must have (`support.netns.missing`), and the kernel removes the rest with the
last process."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

from support.mounts import bind_file, small_disk
from support.netns import Impossible, call
from support.programs import Running, wait_until

HERE = pathlib.Path(__file__).resolve().parent
ROUTERS = {"10.42.10": "10.42.10.1", "10.42.20": "10.42.20.1"}
OWN_ADDRESS = "10.42.10.2/24"
BRIDGE = "vmbr0"
# Of which nothing comes back.
OUTSIDE = "192.0.2.0/24"


def network_of(address):
    return address.rpartition(".")[0]


class Neighbourhood:
    def __init__(self, folder, neighbours, certificate, key):
        """`neighbours` is a file; `certificate` and `key` are those of all who speak TLS. They serve until it is closed."""
        self.folder, self.prefix, self.scratch = pathlib.Path(folder), f"relab-beside{os.getpid()}-", contextlib.ExitStack()
        self.given = (neighbours, certificate, key)

    def __enter__(self):
        with self.scratch:
            self._make(*self.given)
            self.scratch = self.scratch.pop_all()
        return self

    def __exit__(self, *_):
        self.scratch.close()

    def at(self, name, *arguments):
        """The command that runs on that machine; `pve` is the one that is looked from."""
        return ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.prefix + name, *map(str, arguments)]

    # ---- making

    def _make(self, neighbours, certificate, key):
        pathlib.Path("/run/netns").mkdir(exist_ok=True)
        self.scratch.enter_context(small_disk("/run/netns", 1 << 20))
        machines = json.loads(pathlib.Path(neighbours).read_text(encoding="utf-8"))["machines"]
        for name in ("router", "pve", *(machine["name"] for machine in machines)):
            call("ip", "netns", "add", self.prefix + name)
            self.scratch.callback(self._remove, name)
        self._make_router()
        self._make_own()
        for number, machine in enumerate(machines, 1):
            self._join(machine["name"], f"p{number}", machine["address"])
            self._filter(machine["name"], *(f"ip daddr {machine['address'].split('/')[0]} {protocol} dport {port} drop"
                                            for port in machine.get("dropped", ()) for protocol in ("tcp", "udp")))
            if "servers" in machine:
                self._start(machine["name"], sys.executable, HERE / "serve.py", neighbours, machine["name"], certificate, key)
            if "names" in machine:
                self._start(machine["name"], *dnsmasq(machine["names"]))

    def _remove(self, name):
        with contextlib.suppress(Impossible):
            call("ip", "netns", "del", self.prefix + name)

    def _ip(self, name, *lines):
        call("ip", "-n", self.prefix + name, "-batch", "-", text="\n".join(lines) + "\n")

    def _filter(self, name, *rules, hook="input"):
        table = ("add table inet filter", f"add chain inet filter {hook} {{ type filter hook {hook} priority 0; policy accept; }}",
                 *(f"add rule inet filter {hook} {rule}" for rule in rules))
        call(*self.at(name, "nft", "-f", "-"), text="\n".join(table) + "\n")

    def _make_router(self):
        self._ip("router", "link set lo up")
        for network, address in ROUTERS.items():
            bridge = "b" + network.rpartition(".")[2]
            self._ip("router", f"link add {bridge} type bridge", f"link set {bridge} up", f"addr add {address}/24 dev {bridge}")
        self._ip("router", "link add out type bridge", "link set out up", f"route add {OUTSIDE} dev out")
        call(*self.at("router", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"))
        self._filter("router", f"ip daddr {OUTSIDE} drop", hook="forward")

    def _cable(self, name, port, network):
        """From that machine's `e0` to the router."""
        bridge = "b" + network.rpartition(".")[2]
        self._ip("router", f"link add {port} type veth peer name e0 netns {self.prefix}{name}", f"link set {port} master {bridge} up")
        self._ip(name, "link set lo up", "link set e0 up")

    def _make_own(self):
        network = network_of(OWN_ADDRESS.split("/", maxsplit=1)[0])
        self._cable("pve", "own", network)
        self._ip("pve", f"link add {BRIDGE} type bridge", f"link set {BRIDGE} up", f"link set e0 master {BRIDGE}",
                 f"addr add {OWN_ADDRESS} dev {BRIDGE}", f"route add default via {ROUTERS[network]} dev {BRIDGE}")
        self._filter("pve", "ct state established,related accept", "iif lo accept", "tcp dport 3128 counter drop")

    def _join(self, name, port, cidr):
        network = network_of(cidr.split("/", maxsplit=1)[0])
        self._cable(name, port, network)
        self._ip(name, f"addr add {cidr} dev e0", f"route add default via {ROUTERS[network]}")

    def _start(self, name, *argv):
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        server = Running(self.at(name, *argv), out, err, stdin=subprocess.PIPE)
        self.scratch.callback(self._end, server)
        wait_until(f"the servers of {name}", lambda: "ready" in server.out() or "started" in server.err() or not server.is_running())
        if not server.is_running():
            raise AssertionError(f"the servers of {name} do not run: {server.err()}")

    @staticmethod
    def _end(server):
        server.process.stdin.close()
        server.kill()

    def settle(self):
        """Addresses are tried for a second or two before they count."""
        def is_settled():
            links = json.loads(call("ip", "-n", self.prefix + "pve", "-json", "address"))
            return all(link["operstate"] != "UNKNOWN" or link["ifname"] == "lo" for link in links) and \
                not any(address.get("tentative") for link in links for address in link["addr_info"])
        wait_until("the addresses to be settled", is_settled)

    def names_come_from(self, server):
        """For all who are asked by a name from now on, in this process's mounts."""
        for path, text in (("/etc/resolv.conf", f"nameserver {server}\n"), ("/etc/hosts", "127.0.0.1 localhost\n")):
            file = self.folder / pathlib.Path(path).name
            file.write_text(text, encoding="utf-8")
            self.scratch.enter_context(bind_file(file, path))


def dnsmasq(names):
    """A name server that knows these, and that there are no others below its own domain."""
    argv = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-facility=-", "--user=root",
            "--pid-file=", "--local=/lab.example/", "--local=/in-addr.arpa/", "--local-ttl=300"]
    option = {"A": "host-record={name},{value}", "CNAME": "cname={name},{value}", "TXT": "txt-record={name},{value}",
              "MX": "mx-host={name},{host},{preference}"}
    for record in names:
        preference, _, host = record["value"].partition(" ")
        argv.append("--" + option[record["type"]].format(**record, host=host, preference=preference))
    return argv
