"""Whether settings, code and the lake's folder are this user's alone: else somebody else decides what is run.

As git does with another user's repository and ssh with its configuration, nothing is taken from a file or folder that
belongs to another user (root may change everything, and counts as this one), or that others may write to. A group that
has nobody but this user counts as no others: many systems make files writable for it. Windows has other permissions,
and a disk without permissions (exFAT) shows the same ones for everything; neither is judged.
"""

import os
import stat
import sys
import tempfile
from pathlib import Path

from lake.errors import BadInputError

if sys.platform != "win32":
    import grp
    import pwd


def refuse_strangers(path: Path, remedy: str = "") -> None:
    """Refuse a file or folder that another user owns or may write to; one that is not there is nobody's.

    Args:
        path: Of a link, what it leads to.
        remedy: What else a person can do than change the owner or the permissions.

    Raises:
        BadInputError: in one line, with the remedy.
    """
    if sys.platform == "win32":
        return
    try:
        found = path.stat()
    except OSError:  # not there, or not to be looked at: whoever opens it says so
        return
    more = f", or {remedy}" if remedy else ""
    if found.st_uid not in (0, os.geteuid()):
        raise BadInputError(
            f"{path}: belongs to another user ({_name(found.st_uid)}), who could have anything done: take it over "
            f"(chown){more}"
        )
    others = stat.S_IWOTH if _is_private(found.st_gid) else stat.S_IWOTH | stat.S_IWGRP
    if found.st_mode & others and _has_permissions(path if path.is_dir() else path.parent):
        raise BadInputError(f"{path}: other users may write to it, and could have anything done: chmod go-w it{more}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _is_private(gid: int) -> bool:
    """Whether a group has nobody but this user: the one that is named like the user, without further members."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == user.pw_name and user.pw_gid == gid and set(group.gr_mem) <= {user.pw_name}


def _has_permissions(folder: Path) -> bool:
    """Whether a disk keeps permissions: a folder that is made for this user alone is that."""
    try:
        with tempfile.TemporaryDirectory(prefix=".permissions-", dir=folder) as made:
            return not Path(made).stat().st_mode & 0o077
    except OSError:  # it cannot be written here: others' permissions are as they are shown
        return True
