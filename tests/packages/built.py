"""The packages as they were built."""

import os
import pathlib

PACKAGES = pathlib.Path(os.environ.get("RELAB_PACKAGES", pathlib.Path(__file__).resolve().parents[2] / "build" / "packages"))


def package(name):
    found, = PACKAGES.glob(f"{name}_*.deb")
    return found
