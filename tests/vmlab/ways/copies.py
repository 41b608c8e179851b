"""False copies under the name of the good one: first with its own manifest, then with one that was made for them and that the
agent's own key has signed, at last with signatures that are false themselves."""

import dataclasses

from ways import signature
from ways.disks import GOOD, laid
from ways.stream import RECORD, flipped, resealed
from ways.way import BOOKWORM, SELDOM, TRIXIE, Way

NEWEST, OLDER = "datapool/documents@pre-rebuild", "datapool/documents@weekly"


def _padded(stream, size):
    return stream + bytes(size - len(stream))


def _payload(good):
    """A place in the middle of the largest payload."""
    begin, end = good.package.biggest_write()
    return (begin + RECORD + end) // 2


def _last_record(good):
    return len(good.stream) - 2 * RECORD


def _changed_payload(good):
    """Other bytes in a file's block, and every checksum in the stream made to fit them."""
    return resealed(flipped(good.stream, _payload(good)))


def _renamed(stream, name):
    """The first BEGIN of a stream under another name."""
    return stream[:56] + _padded(name.encode(), 256) + stream[56 + 256:]


def _decrypted(good):
    """One dataset as `zfs send` without -w gives it, in an otherwise raw package."""
    return good.package.with_part(OLDER, good.made["decrypted"])


def _dropped_from_the_list(good):
    return [row for row in good.told["snapshots"] if row["dataset"] != "datapool/documents"]


def _older_as_newest(good):
    older = good.package.parts[good.package.of(OLDER)]
    return good.package.with_part(NEWEST, resealed(_renamed(older, NEWEST)))


def _flipped_digest(good):
    digest = good.told["chunks"][0].encode()
    return good.manifest.replace(digest, flipped(digest, 0, 0))


def _with_guid(good, guid):
    return [row | {"guid": guid} if row["dataset"] == "datapool" else row for row in good.told["snapshots"]]


# name, words, the false copy made of the good one, suites. tests/falsify tries most of them on simulated machines.
STREAMS = [
    ("an empty file", "the stream has 0 bytes, and its manifest says", lambda good: b"", SELDOM),
    ("the plan's own recipe, which prints 'Exit code: 0'", "the stream has 0 bytes, and its manifest says",
     lambda good: good.made["recipe"], BOOKWORM),
    ("zeroes of the right length", "are not what was written", lambda good: bytes(len(good.stream)), SELDOM),
    ("cut within a record's header", "bytes, and its manifest says",
     lambda good: good.stream[:_last_record(good) + 100], SELDOM),
    ("cut within a payload", "bytes, and its manifest says", lambda good: good.stream[:_payload(good)], SELDOM),
    ("cut in the middle and filled up with zeroes to its length", "are not what was written",
     lambda good: _padded(good.stream[:_payload(good)], len(good.stream)), SELDOM),
    ("the closing record missing", "bytes, and its manifest says", lambda good: good.stream[:-RECORD], SELDOM),
    ("a whole record of zeroes more at the end", "bytes, and its manifest says",
     lambda good: good.stream + bytes(RECORD), SELDOM),
    ("a bit flipped in the first record", "are not what was written", lambda good: flipped(good.stream, 24), SELDOM),
    ("a bit flipped in the list of snapshots", "are not what was written",
     lambda good: flipped(good.stream, RECORD + 200), SELDOM),
    ("a bit flipped in a file's block", "are not what was written",
     lambda good: flipped(good.stream, _payload(good)), SELDOM),
    ("a bit flipped in a checksum", "are not what was written",
     lambda good: flipped(good.stream, _last_record(good) + RECORD - 8), SELDOM),
    ("the streams of two datasets changed places", "are not what was written",
     lambda good: good.package.swapped(NEWEST, "datapool/vm-100-disk-0@pre-rebuild"), SELDOM),
]

# The same, with a manifest that has all digests of the false stream: only the stream itself can tell.
PASSED_OFF = [
    ("passed off: cut before the closing record", "before the END of the package 'datapool@pre-rebuild'",
     lambda good: good.stream[:-RECORD], SELDOM),
    ("passed off: cut within the last dataset", "the stream stops at byte",
     lambda good: good.stream[:-3 * RECORD], SELDOM),
    ("passed off: cut within a record's header", "within the record at byte",
     lambda good: good.stream[:_last_record(good) + 100], SELDOM),
    ("passed off: cut within a payload", "before the end of the payload of the WRITE record",
     lambda good: good.stream[:_payload(good)], SELDOM),
    ("passed off: a bit flipped in a file's block", "does not match: something is wrong between byte",
     lambda good: flipped(good.stream, _payload(good)), SELDOM),
    ("passed off: bytes behind the end", "there are bytes behind the end of the stream",
     lambda good: good.stream + b"more", SELDOM),
    ("passed off: a dataset missing", "2 of 6 snapshots are not in it: datapool/documents@pre-rebuild",
     lambda good: good.package.without(NEWEST, OLDER), SELDOM),
    ("passed off: one snapshot of a dataset missing", "builds on a snapshot that the stream does not have",
     lambda good: good.package.without(OLDER), SELDOM),
    ("passed off: two snapshots of a dataset in the wrong order", "builds on a snapshot that the stream does not have",
     lambda good: good.package.swapped(OLDER, NEWEST), SELDOM),
    ("passed off: one dataset alone", "it is no stream of a dataset with all below it",
     lambda good: good.made["single"], SELDOM),
    ("passed off: only what came since an older snapshot", "builds on a snapshot that the stream does not have",
     lambda good: good.made["incremental"], SELDOM),
    ("passed off: a dataset that was decrypted", "is encrypted, and the stream has it decrypted", _decrypted, TRIXIE),
    ("passed off: another pool's stream", "the stream has rpool/data@pre-rebuild",
     lambda good: good.made["other"], SELDOM),
    ("passed off: a stream of older snapshots of the same names", "which was not to be sent",
     lambda good: good.made["older"], SELDOM),
    ("passed off: an earlier snapshot under the newest one's name", "which was not to be sent",
     _older_as_newest, SELDOM),
    ("passed off: other content with all checksums made to fit", "its manifest is not the one that was written with it",
     _changed_payload, BOOKWORM),
]

# name, words, the good stream with another manifest
MANIFESTS = [
    ("no manifest", "it has no manifest", lambda good: dataclasses.replace(good, manifest=None), SELDOM),
    ("an empty manifest", "its manifest cannot be read", lambda good: good.signed(b""), SELDOM),
    ("a manifest that is cut off", "its manifest cannot be read",
     lambda good: good.signed(good.manifest[:len(good.manifest) // 2]), SELDOM),
    ("a manifest of an empty stream over an empty stream's digest", "the manifest is of an empty stream",
     lambda good: good.telling(bytes="0", chunks=[]), SELDOM),
    ("a bit flipped in the manifest's digests", "the manifest's digest is not that of its chunks",
     lambda good: good.signed(_flipped_digest(good)), SELDOM),
    ("a manifest with the digests of something else", "are not what was written",
     lambda good: good.passed_off(flipped(good.stream, 24)).replaced(good.stream), SELDOM),
    ("the manifest of another pool's copy", "it is a copy of another pool named 'rpool'",
     lambda good: good.telling(pool="rpool", poolGuid="1"), SELDOM),
    ("a manifest that leaves a dataset out", "it is a copy of other snapshots of the same names",
     lambda good: good.telling(snapshots=_dropped_from_the_list(good)), SELDOM),
    ("a manifest with another snapshot's GUID", "it is a copy of other snapshots of the same names",
     lambda good: good.telling(snapshots=_with_guid(good, "1")), SELDOM),
    ("the manifest of a copy on another disk", "the copy was written on the disk 'OTHER', and this is 'VMUSB001'",
     lambda good: good.telling(diskSerial="OTHER"), SELDOM),
    ("a manifest by the right agent that is not the one in the ledger", "its manifest is not the one that was written with it",
     lambda good: good.telling(restore=["Nothing needs to be done."]), SELDOM),
    ("a manifest of a version that is not known", "the manifest is of version 2",
     lambda good: good.telling(version=2), SELDOM),
]


def _edited_in_both(good):
    other = good.telling(restore=["Nothing needs to be done."])
    return other.with_signature(signature.with_payload_of(other.signature, good.signature))


# Here the manifest is the good one, unless it is said otherwise.
SIGNATURES = [
    ("no signature", "nobody has signed /mnt/usb/copy.manifest", lambda good: good.with_signature(None), SELDOM),
    ("an empty signature", "it is no JSON object", lambda good: good.with_signature(b""), SELDOM),
    ("signed by another key", "its manifest is not signed by the agent that wrote it",
     lambda good: good.with_signature(signature.stranger().sign(good.manifest)), SELDOM),
    ("signed by another key, under the agent's name", "the signature does not fit the bytes",
     lambda good: good.with_signature(signature.in_the_name_of(good.signer.key_id, signature.stranger().sign(good.manifest))),
     SELDOM),
    ("the agent's signature of another manifest", "it signs another text",
     lambda good: good.with_signature(good.telling(version=2).signature), SELDOM),
    ("the agent's signature of the same text as an archive's manifest", f"it signs a '{signature.ARCHIVE}'",
     lambda good: good.with_signature(good.signer.sign(good.manifest, signature.ARCHIVE)), SELDOM),
    ("an edited signature", "the signature does not fit the bytes",
     lambda good: good.with_signature(signature.flipped_in(good.signature)), SELDOM),
    ("a manifest that was edited, and its signature left", "it signs another text",
     lambda good: good.telling(restore=["Nothing needs to be done."]).with_signature(good.signature), SELDOM),
    ("a manifest that was edited there and within its signature", "the signature does not fit the bytes",
     _edited_in_both, SELDOM),
]


def _named(rows, make):
    return [(Way(name, says, suites=suites), lambda good, what=what: make(good, what)) for name, says, what, suites in rows]


# (way, the false copy made of the good one)
ALL = [*_named(STREAMS, lambda good, stream: good.replaced(stream(good))),
       *_named(PASSED_OFF, lambda good, stream: good.passed_off(stream(good))),
       *_named([*MANIFESTS, *SIGNATURES], lambda good, copy: copy(good))]


def false_copies(good, folder):
    """The ways, with what puts each on the disk; the folder is to be carried in."""
    ways = []
    for number, (way, make) in enumerate(ALL):
        make(good).put(folder / str(number))
        ways.append(dataclasses.replace(way, false=laid(number), mend=GOOD))
    return ways


def unsigned(good):
    """A false copy by somebody who has not the agent's key, for the agent to sign."""
    return good.passed_off(_changed_payload(good)).with_signature(None)


# The plan's own step is run once more over such a copy.
AGAIN = [
    Way("a false copy that nobody has signed, and the agent is asked for its copy again", "nobody has signed",
        runs=("0b", "reading"), suites=TRIXIE, false=laid("unsigned"), mend=GOOD),
]
