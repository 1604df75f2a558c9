"""When each item of the lake was last verified (`lake.scrub`): ``ledger/verified.json``, which may be lost.

An item is a file below the lake's base, a day's bars (``bars SOLUSDT 2025-10-20``) or a day's raw parts.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lake import damage, files
from lake.layout import Layout


@dataclass(frozen=True)
class Status:
    """How far the scrub has come.

    Attributes:
        items: Items there were when it last ran.
        unverified: Those that have never been verified.
        oldest_us: When the item was verified that waits longest, in microseconds since 1970 UTC; None if none was.
        damaged: Damaged files that lie in the quarantine.
    """

    items: int
    unverified: int
    oldest_us: int | None
    damaged: int


def status(layout: Layout) -> Status:
    """Return how far the scrub has come, and how many damaged files lie in the quarantine."""
    path = _file(layout)
    try:
        times = _times(path, path.stat().st_mtime_ns)
    except OSError:
        times = ()
    done = [at for at in times if at]
    return Status(len(times), len(times) - len(done), min(done, default=None), len(damage.kept(layout)))


def noted(layout: Layout) -> dict[str, int]:
    """Return when each item was verified, in microseconds since 1970 UTC; 0 is never."""
    return _loaded(_file(layout))


def note(layout: Layout, when: dict[str, int]) -> None:
    """Keep when each item was verified, in place of what was noted."""
    files.write_text(_file(layout), json.dumps(when, indent=0, sort_keys=True) + "\n")


def _file(layout: Layout) -> Path:
    return layout.ledger.parent / "verified.json"


@lru_cache(maxsize=4)
def _times(path: Path, mtime_ns: int) -> tuple[int, ...]:
    return tuple(_loaded(path).values())


def _loaded(path: Path) -> dict[str, int]:
    with suppress(OSError, ValueError, AttributeError):
        return {str(name): int(at) for name, at in json.loads(path.read_bytes()).items()}
    return {}
