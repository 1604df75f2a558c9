"""Landlock: a process gives up the right to write files, for good, and the kernel holds it to that (Linux 5.13 on).

It needs no rights of its own and no helper. Files that are open already, such as standard output, stay writable. The
numbers are those of ``linux/landlock.h``; the three system calls have the same ones on every architecture.
"""

import ctypes
import os
import sys
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_REMOVE_DIR, _REMOVE_FILE, _MAKE_REG = 1 << 4, 1 << 5, 1 << 8
_WRITES = {
    1: sum(1 << bit for bit in (1, *range(4, 13))),  # write, remove and make files, folders, links, devices, sockets
    2: 1 << 13,  # move from folder to folder
    3: _TRUNCATE,
}
"""What each version of Landlock added to what writes."""


class _Attributes(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """Return which version of Landlock the kernel has; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    found: int = ctypes.CDLL(None).syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    return max(found, 0)


def write_only_below(folder: Path) -> bool:
    """Let this thread, and those that it starts from now on, write files in a folder alone; return whether it is so.

    The folder itself may be removed, and ``/dev/null`` be written to. False: the system has no Landlock.
    """
    known = version()
    if not known:
        return False
    libc = ctypes.CDLL(None)
    handled = sum(bits for since, bits in _WRITES.items() if since <= known)
    asked = _Attributes(handled)
    rules = libc.syscall(_CREATE, ctypes.byref(asked), ctypes.c_size_t(ctypes.sizeof(asked)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        allowed = (
            (folder, _WRITE_FILE | _TRUNCATE | _MAKE_REG | _REMOVE_FILE | _REMOVE_DIR),
            (folder.parent, _REMOVE_DIR),
            (Path(os.devnull), _WRITE_FILE | _TRUNCATE),
        )
        return (
            all(_allow(libc, rules, path, bits & handled) for path, bits in allowed)
            and libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
            and libc.syscall(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0
        )
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, bits: int) -> bool:
    number = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(bits, number)
        added = libc.syscall(
            _ADD, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
        )
        return bool(added == 0)
    finally:
        os.close(number)
