"""netN of a container: which bridge of this host it means, how LXC is told, and changes while it runs."""

import json
import random
import subprocess

from standin import kernel
from standin.errors import Died
from standin.properties import NETWORK
from standin.schema import parse_property_string, print_property_string


def parse(text):
    """With a type always, and a random address of the card where none is given (trap 30)."""
    net = parse_property_string(text, NETWORK)
    net["type"] = "veth"
    net.setdefault("hwaddr", "BC:24:11:" + ":".join(f"{random.randrange(256):02X}" for _ in range(3)))
    return net


def show(net):
    return print_property_string(net, NETWORK)


def all_of(options):
    """(number, parsed) of each network, in order."""
    return [(number, parse(options[f"net{number}"])) for number in range(32) if f"net{number}" in options]


def ip(*argv, must=True):
    done = subprocess.run(["ip", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if must and done.returncode != 0:
        raise Died(f"command 'ip {' '.join(argv)}' failed: exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def enter(place):
    """This process moves into the network namespace where the bridges are: LXC's own sockets are there, too."""
    if place.netns:
        try:
            kernel.setns(f"/run/netns/{place.netns}", kernel.CLONE_NEWNET)
        except FileNotFoundError:
            raise Died(f"pve-standin: there is no network namespace '{place.netns}'", 3) from None


def bridge(place, net):
    """The bridge that stands for this network's one, which must be there."""
    name = net["bridge"]
    if not place.vlan_aware and "tag" in net:
        name = f"{name}v{net['tag']}"
    if subprocess.run(["ip", "-o", "link", "show", "dev", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        raise Died(f"bridge '{name}' does not exist")
    return name


def _attached(net):
    return "bridge" in net and net.get("link_down") != "1"


def lxc_lines(place, vmid, number, net):
    key = f"lxc.net.{number}"
    lines = [f"{key}.type = veth", f"{key}.veth.pair = veth{vmid}i{number}", f"{key}.hwaddr = {net['hwaddr']}",
             f"{key}.name = {net['name']}"]
    if _attached(net):
        lines.append(f"{key}.link = {bridge(place, net)}")
        lines.append(f"{key}.flags = up")
        if place.vlan_aware and "tag" in net:
            lines.append(f"{key}.veth.vlan.id = {net['tag']}")
    if "mtu" in net:
        lines.append(f"{key}.mtu = {net['mtu']}")
    for family, address, gateway in (("ipv4", "ip", "gw"), ("ipv6", "ip6", "gw6")):
        if net.get(address, "manual") not in ("dhcp", "manual", "auto"):
            lines.append(f"{key}.{family}.address = {net[address]}")
        if gateway in net and _attached(net):
            lines.append(f"{key}.{family}.gateway = {net[gateway]}")
    return lines


def _trunk(vmid, number, net):
    """Proxmox makes a port without a tag a trunk of all VLANs (trap 24)."""
    vlans = net.get("trunks", "2-4094").split(";")
    for vlan in vlans:
        subprocess.run(["bridge", "vlan", "add", "dev", f"veth{vmid}i{number}", "vid", vlan], stderr=subprocess.DEVNULL,
                       check=False)


def after_start(place, vmid, number, net):
    if place.vlan_aware and _attached(net) and "tag" not in net:
        _trunk(vmid, number, net)


def _plug(place, vmid, number, net):
    pair = f"veth{vmid}i{number}"
    if not _attached(net):
        ip("link", "set", pair, "nomaster", must=False)
        ip("link", "set", pair, "down")
        return
    ip("link", "set", pair, "master", bridge(place, net))
    ip("link", "set", pair, "up")
    if place.vlan_aware:
        if "tag" in net:
            subprocess.run(["bridge", "vlan", "del", "dev", pair, "vid", "1-4094"], stderr=subprocess.DEVNULL, check=False)
            subprocess.run(["bridge", "vlan", "add", "dev", pair, "vid", net["tag"], "pvid", "untagged"], check=False)
        else:
            _trunk(vmid, number, net)


def _inside(pid, *argv, must=True):
    done = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "--", "ip", *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if must and done.returncode != 0:
        raise Died(f"command 'ip {' '.join(argv)}' failed: exit code {done.returncode}\n{done.stderr.strip()}")


def _address(pid, net, old):
    name = net["name"]
    for key, gateway in (("ip", "gw"), ("ip6", "gw6")):
        family = "-4" if key == "ip" else "-6"
        if net.get(key) != old.get(key):
            _inside(pid, family, "address", "flush", "dev", name, "scope", "global", must=False)
            if net.get(key, "manual") not in ("dhcp", "manual", "auto"):
                _inside(pid, "address", "add", net[key], "dev", name)
        if gateway in net:
            _inside(pid, family, "route", "replace", "default", "via", net[gateway], "dev", name)
        elif gateway in old:
            _inside(pid, family, "route", "del", "default", must=False)


def unplug(vmid, number):
    ip("link", "del", f"veth{vmid}i{number}", must=False)


def hotplug(place, vmid, pid, number, net, old_text):
    """The running container gets the network; a new card where its name or hardware address changed."""
    old = parse(old_text) if old_text else {}
    pair = f"veth{vmid}i{number}"
    if not old or (old["hwaddr"], old["name"]) != (net["hwaddr"], net["name"]):
        unplug(vmid, number)
        ip("link", "add", pair, "type", "veth", "peer", "name", f"{pair}p", "address", net["hwaddr"])
        ip("link", "set", f"{pair}p", "netns", str(pid))
        _inside(pid, "link", "set", f"{pair}p", "name", net["name"])
        old = {}
    _plug(place, vmid, number, net)
    _inside(pid, "link", "set", net["name"], "up")
    _address(pid, net, old)


def counters(vmid):
    """Bytes into and out of the container."""
    inside, outside = 0, 0
    with open("/proc/net/dev", encoding="utf-8") as file:
        for line in file:
            name, _, numbers = line.strip().partition(":")
            if name.startswith(f"veth{vmid}i"):
                fields = numbers.split()
                outside += int(fields[0])
                inside += int(fields[8])
    return inside, outside


def addresses(pid):
    """The interfaces inside a container, as the API tells them."""
    done = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "--", "ip", "-j", "address"], stdout=subprocess.PIPE,
                          text=True, check=False)
    entries = []
    for link in json.loads(done.stdout or "[]"):
        entry = {"name": link["ifname"], "hwaddr": link.get("address", ""), "hardware-address": link.get("address", ""),
                 "ip-addresses": []}
        for found in link.get("addr_info", []):
            entry["ip-addresses"].append({"ip-address": found["local"], "ip-address-type": found["family"],
                                          "prefix": str(found["prefixlen"])})
            entry.setdefault("inet" if found["family"] == "inet" else "inet6", f"{found['local']}/{found['prefixlen']}")
        entries.append(entry)
    return entries

