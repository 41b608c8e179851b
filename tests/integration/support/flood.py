#!/usr/bin/env python3
"""Wastes the time of whoever listens: flood.py SEED SECONDS HELD HALF_OPEN_FROM ADDRESS:PORT...

Opens connections and sends garbage, keeping up to HELD of them open for each target, some of which say
nothing; others come from the address HALF_OPEN_FROM, to which no answer gets through, so that they stay
half open. Prints what it did when its time is over.
"""

import random
import resource
import select
import socket
import sys
import time

# A greeting of ZMTP 3.0 that announces CURVE, and what may follow it.
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(48)


def garbage(chance):
    return chance.choice((
        b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\xff" * 64, GREETING[:10], GREETING, GREETING + b"\x04\xff" * 50,
        GREETING + b"\x06" + b"\xff" * 8 + b"x" * 2000, GREETING.replace(b"CURVE", b"NULL\0"),
        GREETING + b"\x04\xc8\x05HELLO" + chance.randbytes(194), b"\xff" + (2**62).to_bytes(8, "big") + b"\x7f",
        chance.randbytes(chance.randrange(1, 4000)), chance.randbytes(70_000)))


class Target:
    def __init__(self, address, held_max):
        host, port = address.rsplit(":", 1)
        self.address, self.held_max, self.held = (host, int(port)), held_max, []

    def drop(self, connection):
        self.held.remove(connection)
        connection.close()


class Flood:
    def __init__(self, seed, held_max, half_open_from, addresses):
        self.random = random.Random(seed)
        self.half_open_from = half_open_from
        self.targets = [Target(address, held_max) for address in addresses]
        self.opened = self.half_open = self.sent = self.refused = self.most = 0

    def dial(self, target):
        connection = socket.socket()
        connection.setblocking(False)
        half = self.random.random() < 0.1
        if half:
            connection.bind((self.half_open_from, 0))
        self.half_open += half
        self.opened += not half
        connection.connect_ex(target.address)
        target.held.append(connection)

    def talk(self, target):
        """To those that are open by now; one in three never says anything."""
        for connection in writable(target.held)[:40]:
            if connection.fileno() % 3 == 0:
                continue
            try:
                self.sent += connection.send(garbage(self.random))
                connection.shutdown(socket.SHUT_WR) if self.random.random() < 0.2 else None
            except OSError:
                self.refused += 1
                target.drop(connection)

    def work(self, until):
        while time.monotonic() < until:
            for target in self.targets:
                for _ in range(20):
                    if len(target.held) >= target.held_max:
                        target.drop(self.random.choice(target.held))
                    self.dial(target)
                self.talk(target)
                self.most = max(self.most, len(target.held))
            time.sleep(0.01)


def writable(connections):
    poll = select.poll()
    by_number = {connection.fileno(): connection for connection in connections}
    for number in by_number:
        poll.register(number, select.POLLOUT)
    return [by_number[number] for number, _ in poll.poll(0)]


def main(seed, seconds, held_max, half_open_from, *addresses):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    flood = Flood(int(seed), int(held_max), half_open_from, addresses)
    flood.work(time.monotonic() + float(seconds))
    print(f"opened {flood.opened}, half-open {flood.half_open}, sent {flood.sent} bytes, refused {flood.refused}, "
          f"held {flood.most} at a time")


if __name__ == "__main__":
    main(*sys.argv[1:])
