"""QEMU's own control socket (QMP)."""

import json
import socket

from bed.suites import BedError


class Monitor:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(180)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._events = []
        self._file.readline()  # the greeting
        self.call("qmp_capabilities")

    def close(self):
        self._file.close()
        self._socket.close()

    def call(self, command, **arguments):
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while line := self._file.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise BedError(f"QEMU refused {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]
            self._events.append(answer)
        raise BedError("QEMU hung up")

    def event(self, name):
        """Waits for an event, unless it came already; its data."""
        while True:
            while self._events:
                message = self._events.pop(0)
                if message.get("event") == name:
                    return message.get("data")
            line = self._file.readline()
            if not line:
                break
            self._events.append(json.loads(line))
        raise BedError(f"QEMU ended before {name}")

    def human(self, line):
        """A line of the monitor for people; these commands answer with nothing if all is well."""
        answer = self.call("human-monitor-command", **{"command-line": line})
        if answer.strip():
            raise BedError(f"QEMU answered to '{line}': {answer.strip()}")
