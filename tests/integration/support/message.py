"""Reads a Cap'n Proto message by its published encoding (capnproto.org/encoding.html), in the standard library alone.

Only what a verifier needs: the integers and byte strings of a message's root struct, by their offsets. A schema's
compiler gives those: `capnp compile -ocapnp` prints them.
"""

import struct


class Malformed(Exception):
    """Bytes that are no such message."""


class Message:
    """The segments of a message in the stream framing: words of 8 bytes, little-endian."""

    def __init__(self, data):
        count = self._number(data, 0, "<I") + 1
        if count > 64:
            raise Malformed(f"{count} segments")
        at, self.segments = (4 + 4 * count + 7) // 8 * 8, []
        for index in range(count):
            size = 8 * self._number(data, 4 + 4 * index, "<I")
            if at + size > len(data):
                raise Malformed("a segment is cut off")
            self.segments.append(data[at:at + size])
            at += size
        if at != len(data):
            raise Malformed("more than the message")

    @staticmethod
    def _number(data, at, format_):
        try:
            return struct.unpack_from(format_, data, at)[0]
        except struct.error as error:
            raise Malformed(str(error)) from error

    def word(self, segment, index):
        if not 0 <= segment < len(self.segments) or index < 0:
            raise Malformed("a pointer out of the message")
        return self._number(self.segments[segment], 8 * index, "<Q")

    def follow(self, segment, index):
        """(pointer, segment and word of what it points to), or None of a null pointer. Far pointers are followed."""
        pointer = self.word(segment, index)
        if pointer & 3 != 2:
            return (pointer, segment, index + 1 + (((pointer & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000 >> 2)) if pointer else None
        pad, at = pointer >> 32, (pointer & 0xFFFFFFFF) >> 3
        if not pointer & 4:
            pointer = self.word(pad, at)
            if pointer & 3 == 2:
                raise Malformed("a far pointer to a far pointer")
            return self.follow(pad, at)
        target, tag = self.word(pad, at), self.word(pad, at + 1)
        if target & 7 != 2:
            raise Malformed("a double-far pointer to none")
        return tag, target >> 32, (target & 0xFFFFFFFF) >> 3

    def root(self):
        return Struct(self, self.follow(0, 0))


class Struct:
    def __init__(self, message, found):
        if found is None or found[0] & 3 != 0:
            raise Malformed("no struct at the root")
        pointer, self.segment, self.start = found
        self.message, self.words, self.pointers = message, pointer >> 32 & 0xFFFF, pointer >> 48

    def uint64(self, index):
        """The data word `index`; 0 where the writer's struct was shorter."""
        return self.message.word(self.segment, self.start + index) if index < self.words else 0

    def data(self, index):
        """The bytes of the pointer `index`, of a Data or (with its NUL) a Text; none where it is null."""
        found = self.message.follow(self.segment, self.start + self.words + index) if index < self.pointers else None
        if found is None:
            return b""
        pointer, segment, start = found
        if pointer & 3 != 1 or pointer >> 32 & 7 != 2:
            raise Malformed("no list of bytes")
        size, at = pointer >> 35, 8 * start
        if segment >= len(self.message.segments) or start < 0 or at + size > len(self.message.segments[segment]):
            raise Malformed("a list out of the message")
        return self.message.segments[segment][at:at + size]
