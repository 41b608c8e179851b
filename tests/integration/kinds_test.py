#!/usr/bin/env python3
"""The generic task kinds on a real machine: files in a folder of their own, sockets and servers on loopback, apt and dpkg
over a root of their own."""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import unittest

from support.case import LabCase, main
from support.lab import phase, step, track
from support.package_root import PackageRoot

KINDS = ["ping", "file", "directory", "packages", "mountCheck", "httpProbe", "tcpProbe", "dnsProbe", "commandProbe"]


class Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        moved = self.path == "/moved"
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", "/health")
        self.end_headers()
        self.wfile.write(b"Healthy\n")

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving(certificate=None):
    """An HTTP server; yields its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Kinds(LabCase):
    def setUp(self):
        super().setUp()
        self.folder = self.lab.folder / "machine"
        self.folder.mkdir()
        roles = self.lab.folder / "roles"
        roles.mkdir()
        manifest = {"name": "proxmox", "kinds": KINDS, "paths": [str(self.folder)], "packages": ["relab-test*"], "mounts": ["/"],
                    "commands": [{"name": "greet", "argv": ["/bin/echo", "good", "morning"]}]}
        (roles / "proxmox.json").write_text(json.dumps(manifest))
        self.agent.roles_dir = roles
        for name in ("cmp", "curl", "env"):
            if program := shutil.which(name):
                (self.agent.tools.folder / name).symlink_to(program)
        self.owner = f'owner = "{os.getuid()}", group = "{os.getgid()}"'
        self.agent.start()

    def order(self, *kinds, check=False):
        """Has the agent do these, one after the other."""
        self.lab.describe(phase("one", track("t", "alpha", *(step(f"s{i}", kind) for i, kind in enumerate(kinds)))))
        return self.lab.relab("run", "one", *(["--check"] if check else []))

    def assert_met(self, *kinds):
        self.assert_ended(self.order(*kinds), 0)

    def assert_unmet(self, kind, why):
        self.assert_ended(self.order(kind), 1, why)

    # ---- files

    def file(self, content, mode="0640", name="app.conf"):
        return f'file = {{ path = "{self.folder / name}", content = {json.dumps(content)}, mode = "{mode}", {self.owner} }}'

    def test_a_file_is_written_at_once_and_only_if_it_differs(self):
        self.assert_met(self.file("one\ntwo\n"))
        path = self.folder / "app.conf"
        self.assertEqual(path.read_text(), "one\ntwo\n")
        self.assertEqual(path.stat().st_mode & 0o7777, 0o640)
        before = path.stat()
        self.assert_met(self.file("one\ntwo\n"))
        self.assertEqual(path.stat().st_ino, before.st_ino)
        shown = self.order(self.file("one\n2\n"), check=True)
        self.assert_ended(shown, 0, "- two", "+ 2")
        self.assertEqual(path.read_text(), "one\ntwo\n")
        self.assert_met(self.file("one\n2\n"))
        self.assertEqual(path.read_text(), "one\n2\n")
        self.assertEqual([entry.name for entry in self.folder.iterdir()], ["app.conf"])
        large = "option = 1\n" * 5000
        self.assert_met(self.file(large))
        self.assertEqual(path.read_text(), large)

    def test_no_file_is_written_beyond_the_role_or_through_a_link(self):
        self.assert_unmet(self.file("x", name="../outside"), "paths")
        (self.folder / "link").symlink_to(self.lab.folder)
        self.assert_unmet(self.file("x", name="link/outside"), "symbolic link")
        self.assertFalse((self.lab.folder / "outside").exists())

    def test_the_content_of_a_file_may_be_a_secret(self):
        with open(self.lab.folder / "piped", "w+b") as piped:
            piped.write(b"a-canary-in-a-file\n")
            piped.flush()
            piped.seek(0)
            self.assert_ended(self.lab.relab("secret", "set", "app-key", stdin=piped), 0)
        (self.lab.folder / "piped").unlink()
        kind = f'file = {{ path = "{self.folder / "key"}", secret = "app-key", mode = "0600", {self.owner} }}'
        shown = self.order(kind)
        self.assert_ended(shown, 0)
        self.assertEqual((self.folder / "key").read_bytes(), b"a-canary-in-a-file")
        self.assertEqual((self.folder / "key").stat().st_mode & 0o7777, 0o600)
        self.assert_met(kind)
        for path in self.lab.folder.rglob("*"):
            if path.is_file() and path != self.folder / "key":
                self.assertNotIn(b"a-canary-in-a-file", path.read_bytes(), path)

    def test_folders_are_made_and_keep_what_is_in_them(self):
        kind = f'directory = {{ path = "{self.folder}/a/b", mode = "0750", {self.owner}, parents = true }}'
        self.assert_met(kind, self.file("x", name="a/b/x"))
        self.assertEqual((self.folder / "a/b").stat().st_mode & 0o7777, 0o750)
        (self.folder / "a/b").chmod(0o777)
        self.assert_met(kind)
        self.assertEqual((self.folder / "a/b/x").read_text(), "x")

    # ---- probes

    def test_a_port_is_open_or_refused_and_a_control_makes_the_difference(self):
        shut = closed_port()
        with serving() as port:
            self.assert_met(f'tcp_probe = {{ address = "127.0.0.1", port = {port} }}')
            self.assert_unmet(f'tcp_probe = {{ address = "127.0.0.1", port = {shut} }}', "refuses connections")
            blocked = f'tcp_probe = {{ address = "127.0.0.1", port = {shut}, expect = "blocked", control = "127.0.0.1", control_port = '
            self.assert_met(blocked + f"{port} }}")
        self.assert_unmet(blocked + f"{port} }}", "nothing is proven")

    @unittest.skipUnless(shutil.which("curl"), "no curl")
    def test_a_server_gives_the_right_answer_or_not(self):
        with serving() as port:
            url = f'http_probe = {{ url = "http://127.0.0.1:{port}'
            self.assert_met(url + '/health", text = "Healthy" }')
            self.assert_met(url + '/moved", status = 302 }')
            self.assert_unmet(url + '/moved" }', "answers with 302")
            self.assert_unmet(url + '/health", text = "Sick" }', "does not have 'Sick' in it")
        self.assert_unmet(url + '/health" }', "gives no answer")

    @unittest.skipUnless(shutil.which("curl") and shutil.which("openssl"), "no curl or openssl")
    def test_tls_is_verified_by_authority_or_fingerprint(self):
        made = self.folder / "lab.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        made.with_suffix(".key"), "-out", made, "-days", "2", "-subj", "/CN=lab", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(made.read_text())).hexdigest().upper()
        print_of = ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))
        with serving(made) as port:
            url = f'http_probe = {{ url = "https://127.0.0.1:{port}/health"'
            self.assert_unmet(url + " }", "certificate")
            self.assert_met(url + f', authority = "{made}" }}')
            self.assert_met(url + f', fingerprint = "{print_of}" }}')
            self.assert_unmet(url + f', fingerprint = "{print_of[:-2]}{"00" if print_of[-2:] != "00" else "01"}" }}', "another certificate")

    def test_a_mount_is_there_or_not(self):
        self.assert_met('mount_check = { path = "/proc", type = "proc" }')
        self.assert_unmet('mount_check = { path = "/proc", type = "zfs" }', "is 'proc', not 'zfs'")
        self.assert_unmet(f'mount_check = {{ path = "{self.folder}" }}', "nothing is mounted")

    def test_only_commands_of_the_role_are_run(self):
        self.assert_met('command_probe = { command = "greet", text = "good morning" }')
        self.assert_unmet('command_probe = { command = "greet", text = "good night" }', "did not print 'good night'")
        self.assert_unmet('command_probe = { command = "reboot" }', "commands")

    # ---- packages

    @unittest.skipUnless(shutil.which("apt-get") and shutil.which("dpkg-deb") and os.getuid() == 0, "no apt, or not root")
    @unittest.skipIf(pathlib.Path("/run/systemd/system").exists(), "systemd would run apt over the machine's own root")
    def test_packages_are_installed_from_a_folder(self):
        root = PackageRoot(self.lab.folder, self.agent.tools)
        root.make_package(self.folder, "relab-test-one", "1.0", "Depends: relab-test-two\n")
        root.make_package(self.folder, "relab-test-two", "2.0")
        root.make_package(self.folder, "relab-test-rival", "1", "Conflicts: relab-test-old\n")
        wanted = f'packages = {{ from = "{self.folder}", packages = ['
        both = wanted + '{ name = "relab-test-one" }, { name = "relab-test-two", version = "2.0" }] }'
        self.assert_unmet(wanted + '{ name = "relab-test-one" }] }', "relab-test-two")
        self.assert_unmet(wanted + '{ name = "relab-test-rival" }] }', "apt would remove relab-test-old")
        self.assert_unmet(wanted + '{ name = "openssl" }] }', "packages")
        self.assert_ended(self.order(both, check=True), 0, "+ packages")
        status = root.status
        self.assertNotIn("relab-test-one", status.read_text())
        self.assert_met(both)
        self.assertEqual(status.read_text().count("Status: install ok installed"), 3)
        self.assert_met(both)
        # As if the power had gone while the second one was being set up.
        status.write_text(status.read_text().replace("Package: relab-test-two\nStatus: install ok installed",
                                                     "Package: relab-test-two\nStatus: install ok unpacked"))
        self.assertIn("install ok unpacked", status.read_text())
        self.assert_met(both)
        self.assertEqual(status.read_text().count("Status: install ok installed"), 3)


if __name__ == "__main__":
    main()
