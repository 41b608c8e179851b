"""The packages as they were built."""

import os
import pathlib

PACKAGES = pathlib.Path(os.environ.get("RELAB_PACKAGES", pathlib.Path(__file__).resolve().parents[2] / "build" / "packages"))


def limits_of(role):
    """The name of its drop-in: those of a Proxmox host have the last word, those of an admin box the first."""
    at = {"admin": "05", "proxmox": "90"}.get(role, "10")
    return f"{at}-role-{role}.conf"


def package(name):
    found, = PACKAGES.glob(f"{name}_*.deb")
    return found
