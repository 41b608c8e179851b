"""Files into and out of a running container, with Proxmox's carelessness.

Nobody looks whether the copy was complete (trap 19).
"""

import grp
import os
import pwd
import re

from standin import kernel, treachery
from standin.errors import Died


def _id(text, find, what):
    if text is None or text.isdigit():
        return None if text is None else int(text)
    try:
        return find(text)[2]
    except KeyError:
        raise Died(f"failed to get {what} for: {text}") from None


def _mode(perms):
    """Octal unless it begins with 0x."""
    if perms is None:
        return None
    text = perms if perms.startswith("0") else f"0{perms}"
    if not re.fullmatch(r"0[0-7]*|0[xX][0-9a-fA-F]+", text):
        raise Died(f"invalid mode: '{text}'")
    return int(text, 16 if text[:2].lower() == "0x" else 8)


def _create(path, values):
    uid, gid = _id(values.get("user"), pwd.getpwnam, "uid"), _id(values.get("group"), grp.getgrnam, "gid")
    mode = _mode(values.get("perms"))
    try:
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0)
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask if mode is None else mode
        except FileExistsError:
            # Emptied at once: a copy that fails has destroyed what was there.
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    except OSError as error:
        raise Died(f"failed to create file: {path}: {error.strerror}") from None
    if mode is not None:
        os.fchmod(file, mode)
    if uid is not None or gid is not None:
        os.fchown(file, -1 if uid is None else uid, -1 if gid is None else gid)
    return file


def _copy(source, target, bytes_max):
    """Whatever goes wrong, nothing is said."""
    try:
        left = bytes_max
        while block := os.read(source, 65536 if left is None else min(65536, left)):
            os.write(target, block)
            left = None if left is None else left - len(block)
    except OSError:
        pass


def _enter(config, pid, as_user):
    space = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY) if as_user and config.unprivileged else None
    kernel.setns(f"/proc/{pid}/ns/mnt", kernel.CLONE_NEWNS)
    os.chdir("/")
    if space is not None:
        kernel.setns(space, kernel.CLONE_NEWUSER)
        os.setgid(0)
        os.setuid(0)


def push(place, config, pid, values):
    """The task of pct push; OSError and Died are its failure."""
    def work():
        try:
            source = os.open(values["file"], os.O_RDONLY)
        except OSError:
            raise Died(f"failed to open {values['file']} for reading") from None
        _enter(config, pid, True)
        _copy(source, _create(values["destination"], values), limit)
    limit = treachery.number(place, "push-disk-full")
    if failure := kernel.in_child(work):
        raise Died(failure)


def pull(place, config, pid, values):
    def work():
        target = _create(values["destination"], values)
        _enter(config, pid, False)
        try:
            source = os.open(values["path"], os.O_RDONLY)
        except OSError as error:
            raise Died(f"failed to open {values['path']}: {error.strerror}") from None
        _copy(source, target, limit)
    limit = treachery.number(place, "pull-disk-full")
    if failure := kernel.in_child(work):
        raise Died(failure)
