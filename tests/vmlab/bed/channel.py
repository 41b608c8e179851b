"""Commands inside of a machine, through Debian's guest agent on a virtio serial port: no network, no ssh."""

import base64
import contextlib
import fcntl
import json
import socket
import time

from bed.suites import BedError

ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
# What the guest agent takes in one call, with room to spare.
PIECE_MAX = 4 << 20


class Channel:
    """One client at a time may speak; it holds a lock as long as it lives."""

    def __init__(self, path, timeout_s=2):
        self._lock = open(f"{path}.lock", "w", encoding="utf-8")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._socket = socket.socket(socket.AF_UNIX)
        self._left = b""
        try:
            self._socket.settimeout(timeout_s)
            self._socket.connect(str(path))
            self._synchronise()
            self._socket.settimeout(60)
        except BaseException:
            self.close()
            raise

    def close(self):
        self._socket.close()
        self._lock.close()

    def _line(self):
        while b"\n" not in self._left:
            more = self._socket.recv(1 << 20)
            if not more:
                raise ConnectionError("the guest agent hung up")
            self._left += more
        line, self._left = self._left.split(b"\n", 1)
        return line

    def _synchronise(self):
        """A client that went away in the middle of a call left an answer behind: passes over it."""
        mark = time.monotonic_ns() & 0x7FFFFFFF
        self._socket.sendall(b"\xff" + json.dumps({"execute": "guest-sync-delimited", "arguments": {"id": mark}}).encode() + b"\n")
        while True:
            answer = self._line().rpartition(b"\xff")[2]
            with contextlib.suppress(ValueError):
                if json.loads(answer).get("return") == mark:
                    return

    def call(self, command, **arguments):
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        answer = json.loads(self._line().lstrip(b"\xff"))
        if "error" in answer:
            raise BedError(f"the guest agent refused {command}: {answer['error']}")
        return answer.get("return")

    def run(self, script, given=b"", timeout_s=600):
        """A bash script: its exit status and what it wrote to both outputs, as bytes. What does not end in time goes on
        inside."""
        started = self.call("guest-exec", path="/bin/bash", arg=["-c", script], env=ENVIRONMENT,
                            **{"input-data": base64.b64encode(given).decode(), "capture-output": True})
        end, pause = time.monotonic() + timeout_s, 0.005
        while True:
            state = self.call("guest-exec-status", pid=started["pid"])
            if state["exited"]:
                break
            if time.monotonic() > end:
                raise BedError(f"this did not end in {timeout_s} s in the machine: {script[:200]}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)
        if state.get("out-truncated") or state.get("err-truncated"):
            raise BedError(f"more output than the guest agent carries: {script[:200]}")
        status = state["exitcode"] if "exitcode" in state else 128 + state.get("signal", 0)
        return status, base64.b64decode(state.get("out-data", "")), base64.b64decode(state.get("err-data", ""))
