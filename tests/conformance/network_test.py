#!/usr/bin/env python3
"""A simulated machine's connections, requests and questions end as a real one's, in network namespaces with real servers; its
addresses, ways and packet filter change alike. The same script on both, compared field by field."""

import hashlib
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import compare  # noqa: E402
from support import netns  # noqa: E402
from support.case import main  # noqa: E402
from support.programs import ROOT  # noqa: E402
from neighbourhood import Neighbourhood  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("RELAB_CONFORM", ROOT / "build" / "dev" / "tests" / "relab-conform"))
SCRIPT = HERE / "scripts" / "network.txt"
NEIGHBOURS = HERE / "neighbours.json"
NAME_SERVER = "10.42.20.53"
PATIENCE_S = 300
NEEDED = ("curl", "dig", "dnsmasq", "openssl")


def missing():
    """Why it cannot be here, or None."""
    lacking = [name for name in NEEDED if not shutil.which(name)]
    if lacking:
        return f"lacks {', '.join(lacking)}"
    return netns.missing()


REFUSED = missing()


def make_certificate(folder, name, address):
    """Signed by itself; its file, and that of its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{address}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def fingerprint(certificate):
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest().upper()
    return ":".join(digest[at:at + 2] for at in range(0, len(digest), 2))


@unittest.skipIf(REFUSED, f"needs network namespaces with servers: {REFUSED}")
class Conformance(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="relab-test-")))
        self.authority, self.key = make_certificate(self.folder, "media", "10.42.20.5")
        self.other, _ = make_certificate(self.folder, "other", "10.42.20.5")
        self.given = [f"CA={self.authority}", f"OTHER_CA={self.other}", f"PRINT={fingerprint(self.authority)}"]

    def told(self, *argv):
        ended = subprocess.run(list(map(str, argv)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                               timeout=PATIENCE_S)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def on_real_machine(self):
        """The world as it was, and what the script came to."""
        with Neighbourhood(self.folder, NEIGHBOURS, self.authority, self.key) as place:
            place.names_come_from(NAME_SERVER)
            place.settle()
            world = compare.world_of(self.told(*place.at("pve", PROGRAM, "audit", "pve", "network", "guests", "schedules")))
            return world, self.told(*place.at("pve", PROGRAM, "run", SCRIPT, *self.given))

    def on_simulated_machine(self, world):
        neighbours = json.loads(NEIGHBOURS.read_text(encoding="utf-8"))
        for machine in neighbours["machines"]:
            for server in machine.get("servers", ()):
                if server.get("tls"):
                    server["certificates"] = self.authority.read_text()
        world["files"] = [{"path": str(file), "text": file.read_text()} for file in (self.authority, self.other)]
        files = {"beside.json": neighbours, "world.json": world}
        for name, content in files.items():
            (self.folder / name).write_text(json.dumps(content), encoding="utf-8")
        return self.told(PROGRAM, "simulate", "--beside", *(self.folder / name for name in files), SCRIPT, *self.given)

    def test_the_simulation_answers_as_the_machine_does(self):
        world, done = self.on_real_machine()
        differences, count = compare.compare(done, self.on_simulated_machine(world))
        print(f"{count} answers compared", file=sys.stderr)
        if differences:
            self.fail(f"{len(differences)} differences:\n" + "\n".join(map(compare.sentence, differences)))


if __name__ == "__main__":
    main()
