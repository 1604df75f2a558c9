"""Logs of processes that stay open for months (``logs/processes/NAME.log``): set aside by day and size, old ones gone.

A child has its log open and cannot be told to open another, so the log is copied and then cut to nothing: it is open
for appending, so that the child goes on at its new end. What a child writes between the last look and the cut, some
microseconds, is lost; nothing else is.
"""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

from lake import files
from lake.usage import size

MOST_BYTES = 16 << 20
_MOST_A_DAY = 20
_ASIDE = re.compile(r"(?P<name>.+)\.(?P<day>\d{4}-\d{2}-\d{2})(?:-(?P<number>\d+))?\.log\Z")


def rotate(folder: Path, today: date, keep_days: int, most_bytes: int = MOST_BYTES) -> list[str]:
    """Set aside each log once a day and whenever it is too large; take away what is too old, or too much of one day.

    Args:
        folder: The folder of the logs.
        today: The UTC day.
        keep_days: `logging.retention_days`.
        most_bytes: A log that is larger is set aside whatever the day.

    Returns:
        A line for each thing done.
    """
    done = []
    for path in sorted(folder.glob("[!.]*.log")) if folder.is_dir() else ():
        match = _ASIDE.match(path.name)
        if match is None:
            done += _set_aside(path, today, most_bytes)
        elif date.fromisoformat(match["day"]) < today - timedelta(days=keep_days):
            path.unlink(missing_ok=True)
            done.append(f"{path.name}: older than {keep_days} days, removed")
    return done


def _set_aside(path: Path, today: date, most_bytes: int) -> list[str]:
    large, there = path.stat().st_size, _aside(path, today)
    if large == 0 or (there and large <= most_bytes):
        return []
    number = max(there, default=0) + 1
    target = path.with_name(f"{path.stem}.{today}{f'-{number}' if number > 1 else ''}.log")
    cut(path, target)
    for old in sorted(there)[: max(len(there) + 1 - _MOST_A_DAY, 0)]:
        there[old].unlink(missing_ok=True)
    return [f"{path.name}: {size(large)} set aside as {target.name}"]


def _aside(path: Path, today: date) -> dict[int, Path]:
    """What was set aside of a log today, by number."""
    found = {}
    for other in path.parent.glob("*.log"):
        match = _ASIDE.match(other.name)
        if match and (match["name"], match["day"]) == (path.stem, today.isoformat()):
            found[int(match["number"] or 1)] = other
    return found


def cut(path: Path, target: Path) -> None:
    """Copy a log and cut it to nothing, in this order: on a full disk it stays as it is.

    Raises:
        OSError: it could not be copied.
    """
    try:
        with path.open("rb+") as log, target.open("xb") as copy:
            shutil.copyfileobj(log, copy, 1 << 20)
            copy.flush()
            files.sync_open(copy.fileno())
            copy.write(log.read())  # what has come meanwhile
            copy.flush()
            log.truncate(0)
    except OSError:
        target.unlink(missing_ok=True)
        raise
