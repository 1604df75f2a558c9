"""The disk under the lake: room for how long, writable, readable by whom, and what killed processes left."""

import errno
import os
import stat
from datetime import date
from pathlib import Path

from lake import files, leftovers, usage
from lake.disk import FULL_BYTES, FULL_INODES, LOW_BYTES, LOW_INODES, MAKE_ROOM, Disk, existing
from lake.doctor import Finding
from lake.layout import Layout
from lake.leftovers import Leftovers
from lake.usage import Amount, size

PROBE_BYTES = 1 << 20
LOW_DAYS = 14.0


def rate(layout: Layout, today: date) -> Amount:
    """Return what comes a day, by the newest complete days."""
    return usage.rate(layout, today)


def space(disk: Disk, a_day: Amount) -> Finding:
    """How much room is left, and for how many days."""
    days = disk.free / a_day.bytes_a_day if a_day.bytes_a_day else None
    pace = f", {days:,.0f} days at {size(a_day.bytes_a_day)} a day" if days is not None else ""
    said = f"{size(disk.free)} of {size(disk.total)} free{pace}"
    return _room("disk", said, disk.free, (FULL_BYTES, LOW_BYTES), days)


def inodes(disk: Disk, a_day: Amount) -> Finding:
    """How many more files the file system can have, and for how many days that is enough."""
    if disk.inodes_free is None:
        return Finding("inodes", "ok", "not counted by this file system")
    days = disk.inodes_free / a_day.files_a_day if a_day.files_a_day else None
    pace = f", {days:,.0f} days at {a_day.files_a_day:,.0f} files a day" if days is not None else ""
    return _room("inodes", f"{disk.inodes_free:,} free{pace}", disk.inodes_free, (FULL_INODES, LOW_INODES), days)


def _room(name: str, said: str, free: int, least: tuple[int, int], days: float | None) -> Finding:
    full, low = least
    if free < full or (days is not None and days < 1):
        return Finding(name, "fail", f"full: {said}", MAKE_ROOM)
    if free < low or (days is not None and days < LOW_DAYS):
        return Finding(name, "warn", said, MAKE_ROOM)
    return Finding(name, "ok", said)


def writable(base: Path) -> Finding:
    """Whether the lake's folder can be written to, or made; a megabyte is written and taken away again."""
    name, remedy = "base_path", "name a folder that is yours in config.yml (base_path)"
    folder, there = existing(base), next(path for path in (base, *base.parents) if path.exists())
    if not there.is_dir():
        return Finding(name, "fail", f"{there} is no folder", remedy)
    if folder != base:
        if _may_make(base, folder):
            return Finding(name, "ok", f"{base} is not there yet, and can be made")
        return Finding(name, "fail", f"{base} is not there and cannot be made in {folder}", remedy)
    try:
        with files.scratch(base) as hidden, hidden.open("wb") as handle:
            handle.write(bytes(PROBE_BYTES))
            handle.flush()
            files.sync_open(handle.fileno())
    except OSError as error:
        why = f"{base} cannot be written ({error.strerror or error})"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return Finding("disk full", "fail", why, MAKE_ROOM)
        return Finding(name, "fail", why, remedy)
    layout = Layout(base)
    if odd := [path.name for path in (layout.locks, layout.logs, layout.raw) if path.exists() and not path.is_dir()]:
        return Finding(name, "fail", f"{base}: {', '.join(odd)} is no folder", "move it away")
    foreign = sorted(path.name for path in base.iterdir() if path.is_dir() and not os.access(path, os.W_OK | os.X_OK))
    if foreign:
        return Finding(name, "fail", f"{base}: cannot write to {', '.join(foreign)}", f"chown -R \"$USER\" '{base}'")
    return Finding(name, "ok", f"{base} can be written")


def _may_make(base: Path, folder: Path) -> bool:
    """By trying it, in a folder that is taken away again: /proc says that it can be written, and cannot."""
    probe = folder / f".{base.relative_to(folder).parts[0]}.{os.getpid()}.probe"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def private(base: Path) -> Finding:
    """Whether other users of this machine can read the lake: its folder is open to them, and so is the way to it."""
    name = "privacy"
    if os.name == "nt":
        return Finding(name, "ok", "as the folder's own permissions say (not looked at on Windows)")
    if not base.is_dir():
        return Finding(name, "ok", "the folder will be made readable by you alone")
    mode = base.stat().st_mode
    if closed := next((one for one in base.parents if not one.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)), None):
        return Finding(name, "ok", f"nobody else can read it: {closed} is closed to others")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = _closing(base, base, 0o700)
        return Finding(name, "warn", f"others can read it (mode {stat.S_IMODE(mode):o})", remedy)
    return Finding(name, "ok", f"nobody else can read it (mode {stat.S_IMODE(mode):o})")


def secrets(config: Path | None) -> Finding:
    """Whether a config.yml that holds a login or a database's address can be read by others."""
    name = "secrets"
    if os.name == "nt" or config is None:
        return Finding(name, "ok", "none in a file")
    text = config.read_text(encoding="utf-8", errors="replace")
    lines = [line.partition("#")[0] for line in text.splitlines()]
    if not any(key in line for line in lines for key in ("auth_string", "database_url")):
        return Finding(name, "ok", f"none in {config.name}")
    if config.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = _closing(config, config.parent, 0o600)
        return Finding(name, "warn", f"{config} holds one, and others can read it", remedy)
    return Finding(name, "ok", f"{config.name} holds one, and nobody else can read it")


def _closing(path: Path, folder: Path, mode: int) -> str:
    """How to close a path to others: by its mode, unless the disk has none (exFAT)."""
    try:
        with files.scratch(folder) as hidden:
            hidden.touch()
            hidden.chmod(0o600)
            if stat.S_IMODE(hidden.stat().st_mode) == 0o600:
                return f"chmod {mode:o} '{path}'"
    except OSError:
        pass
    return "the disk has no permissions of its own: mount it with the options uid=YOU,umask=077"


def strays(layout: Layout, seconds: float) -> list[Finding]:
    """Whether something lies in the lake that does not belong there: left by killed processes, or foreign."""
    found = leftovers.find(layout, seconds=seconds)
    return [left(found), foreign(layout, found)]


def left(found: Leftovers) -> Finding:
    """Say it."""
    name, part = "leftovers", "" if found.whole else " (not all of the lake was looked at: it is large)"
    if not found.count:
        return Finding(name, "ok", f"none of dead processes{part}")
    counts = {"temporary files": found.temporary, "spills": found.spills, "open raw parts": found.open_parts}
    what = ", ".join(f"{len(paths)} {kind}" for kind, paths in counts.items() if paths)
    return Finding(name, "warn", f"{what} of dead processes{part}", "crypto-lake housekeeping")


def foreign(layout: Layout, found: Leftovers) -> Finding:
    """Report the files and folders among the data that no reader takes."""
    name, part = "foreign files", "" if found.whole else " (not all of the lake was looked at: it is large)"
    if not found.foreign:
        return Finding(name, "ok", f"none among the lake's data{part}")
    shown = ", ".join(path.relative_to(layout.base).as_posix() for path in found.examples)
    more = f" and {found.foreign - len(found.examples):,} more" if found.foreign > len(found.examples) else ""
    return Finding(name, "warn", f"{found.foreign:,} that no reader takes{part}: {shown}{more}", "move them away")
