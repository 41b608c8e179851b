"""A send stream taken apart and put together again, as somebody would who wants to pass a false one off as true.

Its records are told in agent/kinds/zfs/send_record.h; nothing of that code takes part.
"""

import struct

RECORD = 312
SUM = 32
BEGIN, OBJECT, WRITE, END, SPILL, EMBEDDED = 0, 1, 3, 5, 7, 8
MASK = (1 << 64) - 1


class Fletcher:
    def __init__(self):
        self.sums = (0, 0, 0, 0)

    def add(self, data):
        a, b, c, d = self.sums
        for word, in struct.iter_unpack("<I", data):
            a += word
            b += a
            c += b
            d += c
        self.sums = (a & MASK, b & MASK, c & MASK, d & MASK)

    def bytes(self):
        return struct.pack("<4Q", *self.sums)


def payload_of(record):
    kind, size = struct.unpack_from("<II", record)
    if kind == BEGIN:
        return size
    if kind == OBJECT:
        raw, bonus = struct.unpack_from("<I", record, 36)[0], struct.unpack_from("<I", record, 28)[0]
        return raw or -(-bonus // 8) * 8
    if kind == WRITE:
        return struct.unpack_from("<Q", record, 96 if record[50] else 32)[0]
    if kind == SPILL:
        return struct.unpack_from("<Q", record, 40)[0] or struct.unpack_from("<Q", record, 16)[0]
    if kind == EMBEDDED:
        return -(-struct.unpack_from("<I", record, 52)[0] // 8) * 8
    return 0


def records(data):
    """(where it begins, its type, where its payload ends) of each."""
    at = 0
    while at < len(data):
        record = data[at:at + RECORD]
        end = at + RECORD + payload_of(record)
        yield at, struct.unpack_from("<I", record)[0], end
        at = end


def name_of(data, at):
    return data[at + 56:at + RECORD].split(b"\0")[0].decode()


class Package:
    """What `send -R` makes: a head with the list of all, streams of one snapshot each, and a last END."""

    def __init__(self, data):
        self.data = data
        self.records = list(records(data))
        ends = [end for _, kind, end in self.records if kind == END]
        self.head, self.tail = data[:ends[0]], data[ends[-2]:]
        cuts = ends[:-1]
        self.parts = [data[first:last] for first, last in zip(cuts, cuts[1:])]

    def of(self, name):
        """The number of the part of that snapshot."""
        return next(number for number, part in enumerate(self.parts) if name_of(part, 0) == name)

    def with_parts(self, parts):
        return self.head + b"".join(parts) + self.tail

    def without(self, *names):
        return self.with_parts([part for part in self.parts if name_of(part, 0) not in names])

    def with_part(self, name, other):
        parts = list(self.parts)
        parts[self.of(name)] = other
        return self.with_parts(parts)

    def swapped(self, name, other):
        parts = list(self.parts)
        here, there = self.of(name), self.of(other)
        parts[here], parts[there] = parts[there], parts[here]
        return self.with_parts(parts)

    def biggest_write(self):
        """(where the record begins, where its payload ends)"""
        return max(((at, end) for at, kind, end in self.records if kind == WRITE), key=lambda place: place[1] - place[0])


def flipped(data, at, bit=4):
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1:]


def resealed(data):
    """With every checksum as it has to be for these bytes."""
    out, sums, depth = bytearray(data), Fletcher(), 0
    for at, kind, end in records(data):
        if kind == END:
            if depth == 0:
                break  # of the package: it has none
            out[at + 8:at + 8 + SUM] = sums.bytes()
        depth = 1 if kind == BEGIN else depth
        sums.add(out[at:at + RECORD - SUM])
        # A BEGIN record has none, and neither has the END of the head.
        if kind != BEGIN and any(data[at + RECORD - SUM:at + RECORD]):
            out[at + RECORD - SUM:at + RECORD] = sums.bytes()
        sums.add(out[at + RECORD - SUM:end])
        if kind == END:
            sums, depth = Fletcher(), 0
    return bytes(out)
