"""The named formats of Proxmox's schemas: functions that raise ValueError in its words."""

import ipaddress
import re

from standin.schema import parse_size


def _matching(pattern, complaint, flags=0):
    def check(text):
        if not re.fullmatch(pattern, text, flags):
            raise ValueError(complaint)
    return check


_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
dns_name = _matching(rf"(?:{_LABEL}\.)*{_LABEL}", "value does not look like a valid DNS name")
vmid = _matching(r"[1-9][0-9]{2,8}", "value does not look like a valid VM ID")
node = _matching(_LABEL, "value does not look like a valid node name")
mac = _matching(r"[a-f0-9][02468ace](?::[a-f0-9]{2}){5}", "value does not look like a valid unicast MAC address",
                re.IGNORECASE)
tag = _matching(r"[a-z0-9_][a-z0-9_\-+.]*", "invalid characters in tag", re.IGNORECASE)


def configid(text):
    if not re.fullmatch(r"[a-z][a-z0-9_-]+", text, re.IGNORECASE):
        raise ValueError(f"invalid configuration ID '{text}'")


def storage_id(text):
    if not re.fullmatch(r"[a-z][a-z0-9\-_.]*[a-z0-9]", text, re.IGNORECASE):
        raise ValueError(f"storage ID '{text}' contains illegal characters")


def volume_id(text):
    if not re.fullmatch(r"[a-z][a-z0-9\-_.]*[a-z0-9]:.+", text, re.IGNORECASE):
        raise ValueError(f"unable to parse volume ID '{text}'")


def _address(kind, complaint):
    def check(text):
        try:
            kind(text)
        except ValueError:
            raise ValueError(complaint) from None
    return check


ipv4 = _address(ipaddress.IPv4Address, "value does not look like a valid IPv4 address")
ipv6 = _address(ipaddress.IPv6Address, "value does not look like a valid IPv6 address")
_ip = _address(ipaddress.ip_address, "value does not look like a valid IP address")


def ip_or_link_local(text):
    _ip(text.partition("%")[0] if text.startswith("fe80:") else text)


def _config(kind, words, complaint):
    shortest, longest = 8, 128 if kind is ipaddress.IPv6Address else 32

    def check(text):
        if text in words:
            return
        address, slash, length = text.partition("/")
        try:
            kind(address)
        except ValueError:
            raise ValueError(complaint) from None
        if not slash or not length.isdigit() or not shortest <= int(length) <= longest:
            raise ValueError(complaint)
    return check


ipv4_config = _config(ipaddress.IPv4Address, ("dhcp", "manual"),
                      "value does not look like a valid ipv4 network configuration")
ipv6_config = _config(ipaddress.IPv6Address, ("auto", "dhcp", "manual"),
                      "value does not look like a valid ipv6 network configuration")


def disk_size(text):
    if parse_size(text) is None:
        raise ValueError(f"value does not look like a valid disk size: {text}")


def startup(text):
    if not text or not all(re.fullmatch(r"(?:order=)?\d+|up=\d+|down=\d+", part)
                           for part in text.split(",") if part.strip()):
        raise ValueError("unable to parse startup options")


def timezone(text):
    if text not in ("host", "UTC") and not re.fullmatch(r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+){1,2}", text):
        raise ValueError(f"invalid time zone '{text}'")


def mount_path(text):
    if re.search(r"/\.\.?/|/\.\.?$|^\.\./", text):
        raise ValueError(f"{text} contains illegal character sequences")


def device_path(text):
    if re.search(r"/\.\.?(?:/|$)", text) or not text.startswith("/dev/"):
        raise ValueError(f"{text} is not a valid device path")


def content(text):
    if text not in ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"):
        raise ValueError(f"invalid content type '{text}'")
