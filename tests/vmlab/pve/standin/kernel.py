"""Namespaces and mounts, for which Python 3.11 has no functions of its own."""

import contextlib
import ctypes
import errno
import os
import pathlib
import platform

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SLAVE = 4096, 16384, 1 << 19
_OPEN_TREE, _MOVE_MOUNT = 428, 429
_AT_FDCWD = -100
_OPEN_TREE_CLONE = 1
_F_EMPTY_PATH, _T_EMPTY_PATH = 4, 64


def _checked(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def setns(file, kind):
    """Enters the namespace that a path names, or that is open already."""
    opened = file if isinstance(file, int) else os.open(file, os.O_RDONLY)
    _checked(_libc.setns(opened, kind), f"entering {file}")
    if opened is not file:
        os.close(opened)


def mount(source, target, kind=None, flags=0, options=None):
    encode = [None if text is None else str(text).encode() for text in (source, target, kind, options)]
    _checked(_libc.mount(encode[0], encode[1], encode[2], ctypes.c_ulong(flags), encode[3]), f"mounting {target}")


def bind(source, target, below=True):
    """With what is mounted below the source, or without."""
    mount(source, target, flags=_MS_BIND | (_MS_REC if below else 0))


def own_mounts():
    """A mount namespace of this process's own, which still sees what is mounted outside later."""
    _checked(_libc.unshare(CLONE_NEWNS), "unsharing mounts")
    mount("none", "/", flags=_MS_REC | _MS_SLAVE)


def own_sysfs():
    """/sys of the network namespace that this process is in, with the machine's control groups."""
    groups = os.open("/sys/fs/cgroup", os.O_PATH | os.O_DIRECTORY)
    tree = _checked(_libc.syscall(_OPEN_TREE, groups, b"", 0x1000 | _OPEN_TREE_CLONE | 0x8000), "taking control groups along")
    try:
        mount("sysfs", "/sys", "sysfs")
    except OSError as error:
        # It is this namespace's already.
        if error.errno == errno.EBUSY:
            return
        raise
    place_tree(tree, os.open("/sys/fs/cgroup", os.O_PATH | os.O_DIRECTORY))


def remove_groups(name):
    """The control groups of that name and those below, as far as nothing is in them."""
    top = pathlib.Path("/sys/fs/cgroup")
    for hierarchy in [top, *top.glob("*/")]:
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def take_tree(path):
    """A mount of `path` that is nowhere yet. Not recursive, as Proxmox's: what is mounted below stays behind."""
    assert platform.machine() in ("x86_64", "aarch64")
    return _checked(_libc.syscall(_OPEN_TREE, _AT_FDCWD, str(path).encode(), _OPEN_TREE_CLONE), f"taking {path}")


def place_tree(tree, target):
    """Puts such a mount over the file or folder that is open as `target`."""
    _checked(_libc.syscall(_MOVE_MOUNT, tree, b"", target, b"", _F_EMPTY_PATH | _T_EMPTY_PATH), "placing a mount")


def in_child(work):
    """Runs `work` in a process of its own, for what cannot be undone; OSError or Died of it comes back as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 0
        try:
            os.close(reading)
            work()
        except Exception as failure:  # whatever it is, the parent reports it
            os.write(writing, (getattr(failure, "text", None) or str(failure)).encode())
            status = 1
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return None if status == 0 else said or "killed"
