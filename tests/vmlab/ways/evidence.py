"""The evidence is of something else, too old, or no evidence: without touching the copy."""

from bed.machine import DATA_DISKS, USB

from ways.way import BOOKWORM, SELDOM, TRIXIE, Way

TASK = "0190a5e0c0de7000800000000000000{}"


def swap(*words):
    """Each of the words at an even place by the one behind it."""
    def edit(text):
        for old, new in zip(words[::2], words[1::2]):
            assert old in text, f"lab.toml has no {old!r}"
            text = text.replace(old, new)
        return text
    return edit


def edited(name, says, *words, **more):
    return Way("lab.toml edited: " + name, says, edit=swap(*words), runs=(), **more)


FRESH = swap('{ name = "backup.verified" }', '{ name = "backup.verified", max_age = "1s" }')
WRITER, DONE = (f'task = {{ ping = {{ echo = "{word}" }} }}' for word in ("later", "done"))
COMPLETE = {"condition": "phase.complete"}
USB_ROLE = f'serial = "{USB.serial}"\nsize = "4GiB"\nrole = "backup"'
BACKUP = '[[backups]]\nname = "usb"\npool = "datapool"\ndisk = "usb1"\n'
SECOND_POOL = """[[disks]]
name = "more1"
serial = "VMSPARE1"
size = "1GiB"
role = "data"

[[pools]]
name = "vault"
layout = "single"
disks = ["more1"]

"""

LAB_FILE = [
    edited("another snapshot", "lab.toml asks for another 0b/copy/snapshot",
           'name = "pre-rebuild"', 'name = "pre-rebuild-2"', suites=TRIXIE, **COMPLETE),
    edited("another dataset to copy", "lab.toml asks for another 0b/copy/write", '{ zfs_backup = { dataset = "datapool"',
           '{ zfs_backup = { dataset = "datapool/documents"', suites=BOOKWORM, **COMPLETE),
    edited("another disk to copy to", "lab.toml asks for another 0b/copy/disk", 'usb_disk = { serial = "VMUSB001"',
           'usb_disk = { serial = "VMUSB002"', suites=TRIXIE, **COMPLETE),
    edited("the disk with the copy is not the lab's", "the copy lies on the disk VMUSB001, which lab.toml does not know",
           USB_ROLE, USB_ROLE.replace(USB.serial, "VMUSB002"), suites=BOOKWORM),
    edited("the disk with the copy is to be installed on", "", USB_ROLE, USB_ROLE.replace("backup", "os"), BACKUP, "",
           suites=TRIXIE, refuses="this is the disk 'usb1', one of the lab's own"),
    edited("the pool by another name", "no copy of it was ever read back", '"datapool"\nlayout', '"tank"\nlayout',
           'pool = "datapool"\ndisk', 'pool = "tank"\ndisk', suites=BOOKWORM),
    edited("one more pool, that was never copied", "no copy of it was ever read back", '[[pools]]\nname = "rpool"',
           SECOND_POOL + '[[pools]]\nname = "rpool"', suites=TRIXIE),
    edited("no disk has data any more", "lab.toml declares no pool whose disks have the role data",
           'role = "data"', 'role = "os"', suites=BOOKWORM),
    edited("a disk of the pool is to be installed on", "which has the role os in lab.toml, and not data", '"VMOS0001"', '"@"',
           '"VMDATA01"', '"VMOS0001"', '"@"', '"VMDATA01"', condition="pools.intact", suites=BOOKWORM),
    edited("a disk of the pool is unknown", "VMDATA02, which lab.toml does not know", '"VMDATA02"', '"VMDATA99"',
           condition="pools.intact", suites=TRIXIE),
    Way("lab.toml edited: evidence has to be fresh", ", older than 1 s", edit=FRESH, runs=(), suites=TRIXIE),
    edited("an audit of something else", "lab.toml asks for another 0a/t0a/it than the one that was carried out",
           "{ audit_zfs = {} }", "{ audit_disks = {} }", suites=BOOKWORM, **COMPLETE),
]


def waive(test):
    refused = test.lab_.relab("gate", "waive", "1", "--reason", "I know that it is good")
    test.assert_ended(refused, 1, "nobody can waive")


def forge(test):
    """By somebody who holds the controller's key, to the agent itself."""
    for number, disk in enumerate((USB, DATA_DISKS[0])):
        answers = test.lab_.forge("z640", "sync", f"order kind=wipeDisk serial={disk.serial} id={TASK.format(number)}", "sync")
        receipt, = [answer for answer in answers if answer.get("answer") == "receipt"]
        test.assertNotEqual(receipt["refusal"], "none", receipt)
        test.assertIn("evidence", receipt["what"])
    test.assertEqual(test.machine.must("blkid -o value -s TYPE /dev/sda").strip(), "ext4")


def check_alone(test):
    test.assert_ended(test.lab_.relab("run", "--check", "reading"), 0, "would read")


def enrol_anew(test):
    test.assert_ended(test.lab_.enrol("z640"), 0)
    test.lab_["z640"].start()


# Before the copy was ever looked at.
EARLY = [
    Way("a copy that was written, and never looked at", "no copy of it was ever read back", runs=(), suites=BOOKWORM),
    Way("a verification that was only rehearsed", "no copy of it was ever read back", runs=(), then=check_alone, suites=TRIXIE),
]

MACHINE = [
    Way("a waiver for a copy that is not there", "there is no copy /mnt/usb/copy.zfs",
        false="mv /mnt/usb/copy.zfs /mnt/usb/away\n", then=waive, mend="mv /mnt/usb/away /mnt/usb/copy.zfs\n", suites=BOOKWORM),
    Way("an order to wipe the disk with the copy, signed by the controller's key, without evidence", "there is no copy",
        false="mv /mnt/usb/copy.zfs /mnt/usb/away\n", then=forge, mend="mv /mnt/usb/away /mnt/usb/copy.zfs\n", suites=TRIXIE),
    Way("a machine by the name and with the keys of the one that was enrolled", "", suites=SELDOM, run_says="another machine",
        false="cp /etc/machine-id /root/machine-id; echo 0123456789abcdef0123456789abcdef >/etc/machine-id; "
              "systemctl restart relab-agent\n",
        mend="cp /root/machine-id /etc/machine-id; systemctl restart relab-agent\n"),
    Way("stale evidence of a machine whose clock is a year ahead", ", older than 1 s", suites=BOOKWORM,
        edit=FRESH, false="date -s '+1 year' >/dev/null\n", undo=lambda test: test.machine.set_clock()),
    Way("stale evidence of a machine whose clock is a year behind", ", older than 1 s", suites=TRIXIE,
        edit=FRESH, false="date -s '-1 year' >/dev/null\n", undo=lambda test: test.machine.set_clock()),
]

# Written to the pool after the snapshot; ZFS has it in no copy.
WRITES = [
    Way("a step that writes to the pool, as lab.toml says, after its snapshot", "later/tlater/hello wrote to the pool after its "
        "snapshot was taken", edit=swap(WRITER, WRITER + ', writes = ["datapool"]'), runs=("later",), suites=BOOKWORM),
    Way("lab.toml edited: a step that was done long ago writes to the pool", "0c/t0c/hello wrote to the pool after its snapshot "
        "was taken", edit=swap(DONE, DONE + ', writes = ["datapool"]'), runs=(), suites=TRIXIE),
    Way("an archive written to the pool after its snapshot", "archive/tarchive/it wrote to the pool after its snapshot was taken",
        runs=("archive",), suites=TRIXIE),
]

ENROLMENT = [
    Way("an agent that was forgotten", "no agent 'z640' is enrolled", runs=(), suites=TRIXIE,
        then=lambda test: test.assert_ended(test.lab_.relab("agents", "remove", "z640"), 0)),
    Way("evidence of an agent that was enrolled anew", "the evidence is of another machine than the one that is enrolled now",
        runs=(), suites=BOOKWORM, false="systemctl stop relab-agent; rm -r /var/lib/relab-agent\n", act=enrol_anew),
]
