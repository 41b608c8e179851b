#!/usr/bin/env python3
"""A bad wire: takes Ethernet frames from a TAP device, and gives them back late, twice, out of order, or not at all.

Runs as a program of its own in the network namespace that holds the bridge: wire.py DEVICE SEED. Each
line of its input is JSON: how the frames of one address fare from now on, such as
`{"mac": "02:00:00:00:00:01", "delay": 0.03, "jitter": 0.05, "loss": 0.02, "twice": 0.02}`. It ends with its input.

The kernel's netem does as much, but is not in every kernel, and cannot be told a seed.
"""

import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
FRAME_SIZE_MAX = 65536
# A wire that is not read from fast enough loses frames, as any does.
HELD_MAX = 10_000


def open_tap(device):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    return tap


class Wire:
    def __init__(self, tap, seed):
        self.tap, self.random = tap, random.Random(seed)
        self.fares, self.held, self.count = {}, [], 0

    def take(self, frame, now):
        fare = self.fares.get(frame[6:12]) or self.fares.get(frame[0:6]) or {}
        if self.random.random() < fare.get("loss", 0) or len(self.held) >= HELD_MAX:
            return
        for _ in range(2 if self.random.random() < fare.get("twice", 0) else 1):
            due = now + fare.get("delay", 0) + self.random.uniform(0, fare.get("jitter", 0))
            self.count += 1
            heapq.heappush(self.held, (due, self.count, frame))

    def give(self, now):
        while self.held and self.held[0][0] <= now:
            try:
                os.write(self.tap, heapq.heappop(self.held)[2])
            except OSError:
                pass  # the device is down for now, or full: a lost frame

    def take_all(self, now):
        for _ in range(256):
            try:
                self.take(os.read(self.tap, FRAME_SIZE_MAX), now)
            except OSError:
                return

    def obey(self, line):
        fare = json.loads(line)
        self.fares[bytes.fromhex(fare["mac"].replace(":", ""))] = fare

    def serve(self, commands):
        pending = b""
        while True:
            patience = max(0, self.held[0][0] - time.monotonic()) if self.held else None
            ready, _, _ = select.select([self.tap, commands], [], [], patience)
            if commands in ready:
                read = os.read(commands, 65536)
                if not read:
                    return
                *lines, pending = (pending + read).split(b"\n")
                for line in lines:
                    self.obey(line)
            if self.tap in ready:
                self.take_all(time.monotonic())
            self.give(time.monotonic())


if __name__ == "__main__":
    wire = Wire(open_tap(sys.argv[1]), int(sys.argv[2]))
    print("ready", flush=True)
    wire.serve(sys.stdin.fileno())
