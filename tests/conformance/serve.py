#!/usr/bin/env python3
"""The servers of one neighbour, in the network namespace that this is started in: serve.py NEIGHBOURS NAME CERTIFICATE KEY.

Ends with its standard input."""

import functools
import http.server
import json
import pathlib
import socketserver
import ssl
import sys
import threading


class Answering(http.server.BaseHTTPRequestHandler):
    def __init__(self, answers, *arguments):
        self.answers = answers
        super().__init__(*arguments)

    def do_GET(self):
        answer = self.answers[self.path]
        body = answer["body"].encode()
        self.send_response(answer["status"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Ending(socketserver.BaseRequestHandler):
    """Listens to what is asked, and says nothing."""

    def handle(self):
        self.request.recv(4096)


def start(server, certificate, key):
    if "answers" in server:
        made = http.server.ThreadingHTTPServer(("0.0.0.0", server["port"]), functools.partial(Answering, server["answers"]))
    else:
        made = socketserver.ThreadingTCPServer(("0.0.0.0", server["port"]), Ending)
    if server.get("tls"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        made.socket = context.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, daemon=True).start()


def main(file, name, certificate, key):
    machines = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))["machines"]
    for server in next(machine for machine in machines if machine["name"] == name)["servers"]:
        start(server, certificate, key)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
