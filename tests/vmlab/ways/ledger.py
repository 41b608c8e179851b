"""The evidence itself is false: in the controller's ledger, by somebody who has the file but not the keys."""

import contextlib
import shutil
import sqlite3

from support.verifier import chain

from ways.disks import GOOD
from ways.way import BOOKWORM, TRIXIE, Way

KEEP = ("entry_is_never_changed", "entry_is_never_removed")


def files(test):
    return list(test.lab_.state_dir.glob("ledger.db*"))


def remember(test, name="whole"):
    folder = test.folder / name
    folder.mkdir()
    for path in files(test):
        shutil.copy(path, folder)


def put_back(test, name="whole"):
    for path in files(test):
        path.unlink()
    for path in (test.folder / name).iterdir():
        shutil.copy(path, test.lab_.state_dir)
    shutil.rmtree(test.folder / name)


def changed(change):
    """What is done to the ledger in its database, which no trigger hinders any more."""
    def act(test):
        remember(test)
        with contextlib.closing(sqlite3.connect(test.lab_.ledger_file)) as database:
            for name in KEEP:
                database.execute(f"DROP TRIGGER {name}")
            rows = database.execute("SELECT number, body, hash FROM entry ORDER BY number").fetchall()
            change(database, rows)
            database.commit()
    return act


def report_among(rows):
    """The number of the entry with the longest report but that of the audit: it is the copy's."""
    return sorted(rows, key=lambda row: len(row[1]))[-2][0]


def chain_anew(database, bodies):
    database.execute("DELETE FROM entry")
    head = bytes(32)
    for number, body in enumerate(bodies, 1):
        head = chain(head, body)
        database.execute("INSERT INTO entry VALUES(?, ?, ?)", (number, body, head))


def edited(body):
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]


def edit_report(database, rows):
    number = report_among(rows)
    database.execute("UPDATE entry SET body = ? WHERE number = ?", (edited(rows[number - 1][1]), number))


def edit_report_and_chain(database, rows):
    chain_anew(database, [edited(body) if number == report_among(rows) else body for number, body, _ in rows])


def repeat_report(database, rows):
    """What the agent said of the good copy, once more behind what it said of the false one; all hashes are right."""
    bodies = [body for _, body, _ in rows]
    chain_anew(database, [*bodies, bodies[report_among(rows) - 1]])


def cut(database, rows):
    database.execute("DELETE FROM entry WHERE number > ?", (len(rows) - 3,))


def before_the_copy_was_false(test):
    """The ledger is as it was when the gate was open."""
    remember(test, "older")
    test.machine.must("rm /mnt/usb/copy.zfs")
    test.assert_ended(test.lab_.relab("run", "reading"), 1, "there is no copy")
    remember(test)
    put_back(test, "older")


def replaced(test):
    """By one that knows nothing."""
    remember(test)
    for path in files(test):
        path.unlink()


def way(name, refuses, act, **more):
    return Way("the ledger: " + name, "", runs=(), act=act, undo=put_back, refuses=refuses, **more)


LEDGER = [
    way("a report was edited", "does not fit the chain: what it says was changed", changed(edit_report), suites=BOOKWORM),
    way("a report was edited, and all hashes made anew", "reading entry", changed(edit_report_and_chain), suites=TRIXIE),
    way("its end was cut off", "its end is cut off", changed(cut), suites=BOOKWORM),
    way("as it was before the copy was found to be false", "its end is cut off", before_the_copy_was_false, suites=TRIXIE,
        mend=GOOD),
    way("it is gone", "the ledger is gone", replaced, suites=BOOKWORM),
    Way("the ledger: a report of the good copy once more, behind that of the false one", "there is no copy", suites=TRIXIE,
        false="rm /mnt/usb/copy.zfs\n", then=changed(repeat_report), undo=put_back, mend=GOOD),
]
