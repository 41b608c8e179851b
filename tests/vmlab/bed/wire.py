"""The line between a controller and the agent in a machine, which can be cut or fall silent for a while."""

import contextlib
import select
import socket
import threading


class Wire:
    """Forwards every connection to a port of this machine. It works in a thread of its own, until `close`."""

    def __init__(self, port):
        self.goal = port
        self._lock = threading.Lock()
        self._pairs, self._whole, self._flowing, self._ended = {}, True, True, False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self):
        """Hangs up, and on everybody who calls from now on."""
        with self._lock:
            self._whole = False
            for one in list(self._pairs):
                self._drop(one)

    def silence(self):
        """What is sent from now on is kept back; nobody is told."""
        with self._lock:
            self._flowing = False

    def mend(self):
        with self._lock:
            self._whole = self._flowing = True

    def close(self):
        self._ended = True
        self._thread.join()
        self.cut()
        self._door.close()

    def _drop(self, one):
        for end in (one, self._pairs.pop(one, None)):
            if end:
                self._pairs.pop(end, None)
                end.close()

    def _serve(self):
        while not self._ended:
            watched = [self._door, *(self._pairs if self._flowing else ())]
            try:
                ready = select.select(watched, [], [], 0.05)[0]
            except (OSError, ValueError):
                continue  # one of them was hung up meanwhile
            with self._lock:
                for end in ready:
                    self._accept() if end is self._door else self._forward(end)

    def _accept(self):
        caller, _ = self._door.accept()
        if not self._whole:
            caller.close()
            return
        try:
            agent = socket.create_connection(("127.0.0.1", self.goal), timeout=5)
        except OSError:
            caller.close()
            return
        self._pairs |= {caller: agent, agent: caller}

    def _forward(self, end):
        if end not in self._pairs or not self._flowing:
            return
        data = b""
        with contextlib.suppress(OSError):
            data = end.recv(1 << 16)
            self._pairs[end].sendall(data)
        if not data:
            self._drop(end)
