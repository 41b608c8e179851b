"""Mounts that nobody but this process and its children sees; they vanish with it."""

import contextlib
import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
_mine = False


def _mount(source, target, kind, flags, options=None):
    done = _libc.mount(os.fsencode(source), os.fsencode(target), kind and kind.encode(), flags,
                       options and options.encode())
    if done != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def own_mounts():
    """Gives this process mounts of its own, once; returns why that is not permitted, if it is not."""
    global _mine
    if _mine:
        return None
    if _libc.unshare(CLONE_NEWNS) != 0:
        return os.strerror(ctypes.get_errno())
    try:
        _mount("none", "/", None, MS_REC | MS_PRIVATE)
    except OSError as error:
        return str(error)
    _mine = True
    return None


@contextlib.contextmanager
def bind_file(source, target):
    _mount(source, target, None, MS_BIND)
    try:
        yield
    finally:
        _libc.umount2(os.fsencode(target), MNT_DETACH)


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of that many bytes in the folder."""
    _mount("tmpfs", folder, "tmpfs", 0, f"size={size},mode=700")
    try:
        yield
    finally:
        _libc.umount2(os.fsencode(folder), MNT_DETACH)
