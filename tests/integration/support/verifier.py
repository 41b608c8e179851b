#!/usr/bin/env python3
"""Verifies an export of a ledger by docs/formats/ledger.md alone: chain, signatures, checkpoints.

Usage: verifier.py EXPORT [HEAD]. BLAKE2b is Python's and Ed25519 is PyNaCl's; nothing else takes part. HEAD is a file that `relab ledger head --write` made. Exit code 0 if
all is well, 1 with a sentence if not.
"""

import base64
import hashlib
import json
import pathlib
import sys

import nacl.exceptions
import nacl.signing

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.message import Malformed, Message

# Who signs what an entry of a kind carries, and as what. Only `created` and `enrolled` bring keys in: they sign
# what they state.
SIGNED = {"created": ("itself", "identity"), "enrolled": ("itself", "identity"), "ordered": ("controller", "order"),
          "received": ("agent", "report"), "refused": ("agent", "receipt"), "checkpoint": ("controller", "checkpoint"),
          "approved": ("controller", "approval"), "waived": ("controller", "waiver")}

# The names of an entry's union, in the order of their numbers (schema/ledger.capnp).
KINDS = ("unset", "created", "enrolled", "removed", "runStarted", "ordered", "received", "refused", "abandoned", "judged",
         "checkpoint", "runEnded", "cancelAsked", "approved", "waived", "confirmed")


class Wrong(Exception):
    """What does not verify."""


def part(data):
    return len(data).to_bytes(8, "little") + data


def chain(before, entry):
    return hashlib.blake2b(part(before) + part(entry), digest_size=32, person=b"relab-ledger-v1").digest()


def encoding(envelope):
    """DSSE's pre-authentication encoding."""
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def signer_of(envelope):
    """The key whose signature is right."""
    signature, = envelope["signatures"]
    key = bytes.fromhex(signature["keyid"])
    try:
        nacl.signing.VerifyKey(key).verify(encoding(envelope), base64.b64decode(signature["sig"]))
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise Wrong(f"signature: {error}") from error
    return key


def require(holds, why):
    if not holds:
        raise Wrong(why)


def label_of(entry):
    """(time, kind) that an entry itself tells."""
    try:
        root = Message(entry).root()
    except Malformed as error:
        raise Wrong(f"no entry: {error}") from error
    kind = root.uint64(1) & 0xFFFF
    require(kind < len(KINDS), f"of an unknown kind: {kind}")
    return root.uint64(0), KINDS[kind]


def checkpoint_of(envelope):
    """(entries, hash) that a checkpoint tells."""
    try:
        checkpoint = Message(base64.b64decode(envelope["payload"])).root()
        return checkpoint.uint64(0), checkpoint.data(1).hex()
    except Malformed as error:
        raise Wrong(f"no checkpoint: {error}") from error


class Export:
    """Raises Wrong with the number of the first entry that is not what it should be."""

    def __init__(self, text):
        self.lines = [json.loads(line) for line in text.splitlines()]
        self.controller, self.agents, self.signatures = None, set(), 0
        require(self.lines and self.lines[0]["kind"] == "created", "there is no beginning")
        head = bytes(32)
        for number, line in enumerate(self.lines, 1):
            require(line["number"] == number, f"entry {number} is missing")
            body = base64.b64decode(line["entry"])
            head = chain(head, body)
            require(head.hex() == line["hash"], f"entry {number} does not fit the chain")
            try:
                require(label_of(body) == (line["time"], line["kind"]), "another time or kind than in the entry")
                self._check_signature(line, body)
            except Wrong as error:
                raise Wrong(f"entry {number}: {error}") from error
        marks = [line for line in self.lines if line["kind"] == "checkpoint"]
        for line in marks:
            before = line["number"] - 1
            require(checkpoint_of(line["envelope"]) == (before, self.lines[before - 1]["hash"]),
                    f"entry {before + 1}: not a checkpoint of what is before it")
        self.checkpoints = len(marks)

    def _check_signature(self, line, body):
        kind = line["kind"]
        if kind not in SIGNED:
            require("envelope" not in line, "an envelope where none belongs")
            return
        who, what = SIGNED[kind]
        require("envelope" in line, "no envelope")
        envelope = line["envelope"]
        require(base64.b64decode(envelope["payload"]) in body, "another payload than in the entry")
        require(envelope["payloadType"] == f"application/vnd.relab.{what}.v1+capnp", f"{envelope['payloadType']} as {kind}")
        key = signer_of(envelope)
        if kind == "created":
            require(self.controller is None, "a second beginning")
            self.controller = key
        elif kind == "enrolled":
            self.agents.add(key)
        known = {"itself": {key}, "controller": {self.controller}, "agent": self.agents}[who]
        require(key in known, f"signed by nobody who may sign what was {kind}")
        self.signatures += 1

    def check_head(self, text):
        """That a head which was kept elsewhere is one of this ledger's."""
        envelope = json.loads(text)
        require(envelope["payloadType"] == "application/vnd.relab.checkpoint.v1+capnp", "the head is no checkpoint")
        require(signer_of(envelope) == self.controller, "the head is another controller's")
        entries, head = checkpoint_of(envelope)
        require(1 <= entries <= len(self.lines), f"the end is cut off: {entries} entries are signed, {len(self.lines)} are here")
        require(self.lines[entries - 1]["hash"] == head, f"entry {entries} is another than the head's")


def main(export, head=None):
    try:
        verified = Export(pathlib.Path(export).read_text())
        if head:
            verified.check_head(pathlib.Path(head).read_text())
    except Wrong as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        print(f"this is no export of a ledger: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"{len(verified.lines)} entries, {verified.signatures} signatures, {verified.checkpoints} checkpoints: all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
