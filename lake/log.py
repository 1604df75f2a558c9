"""Logging with loguru: the console, one file a day kept for `logging.retention_days`, and whoever else listens.

A full disk ends nothing here and floods nothing: what goes wrong again and again is logged once a minute (`Seldom`),
and lines for which the day's file has no room are counted (`_DayFile`).
"""

import errno
import os
import sys
import time as clock
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING

from loguru import logger

from lake import files, redaction
from lake.disk import FULL
from lake.errors import BadInputError, LakeError
from lake.settings import Settings

if TYPE_CHECKING:
    from loguru import Message, Record

EVERY_S = 60.0
_CONSOLE = "<dim>{time:HH:mm:ss!UTC}</dim> <level>{level: <7}</level> {message}"
_FILE = "{time:YYYY-MM-DDTHH:mm:ss.SSS!UTC}Z {level: <7} {process.id} {name}: {message}"


class Seldom:
    """Log lines of which each kind is logged once a minute, with the number of those that were left out."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        """Log a kind at most once in ``every_s`` seconds."""
        self._every_s = every_s
        self._last: dict[str, float] = {}
        self._left: dict[str, int] = {}

    def log(self, level: str, kind: str, line: str) -> None:
        """Log a line, unless one of its kind was logged a short while ago."""
        now = clock.monotonic()
        if now - self._last.get(kind, float("-inf")) < self._every_s:
            self._left[kind] = self._left.get(kind, 0) + 1
            return
        self._last[kind] = now
        left = self._left.pop(kind, 0)
        logger.log(level, f"{line} ({left:,} lines like this one were left out)" if left else line)


def start(settings: Settings, sink: "Callable[[Message], None] | None" = None, console: bool = True) -> None:
    """Send log lines to the console, to ``logs/crypto-lake_DAY.log`` (UTC, plain text) and to ``sink`` where given.

    Raises:
        BadInputError: the lake's folder cannot be written to.
        LakeError: its disk is full.
    """
    _try_to_write(settings)
    _prune(settings)
    logger.remove()
    known = redaction.secrets(settings)
    logger.configure(patcher=partial(_hide, known))
    if console:
        logger.add(sys.stderr, format=_CONSOLE, level="INFO", backtrace=False, diagnose=False)
    logger.add(_DayFile(settings).write, format=_FILE, level="DEBUG", backtrace=False, diagnose=False)
    if sink:
        logger.add(sink, format="{message}", level="INFO", backtrace=False, diagnose=False)


class _DayFile:
    """The file of the UTC day, opened anew at midnight; old ones are removed then.

    loguru's own prints a traceback a line while the disk is full, 20 lines each, and one more when the process ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._handle: FileIO | None = None
        self._day, self._lost, self._told = "", 0, float("-inf")

    def write(self, message: "Message") -> None:
        """Append a line; what cannot be written is counted, and told on the console once a minute."""
        day = f"{message.record['time'].astimezone(UTC):%Y-%m-%d}"
        lost = f"\n{self._lost:,} lines before this one could not be written\n" if self._lost else ""
        data = (lost + message).encode("utf-8", "backslashreplace")
        try:
            if self._of(day).write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._lost = 0
        except OSError as error:
            self._lost += 1
            self._tell(error)

    def _of(self, day: str) -> FileIO:
        """The file of a day, opened where another one is open."""
        if self._handle is None or day != self._day:
            if self._handle is not None:
                self._handle.close()
                _prune(self._settings)
            self._settings.layout.logs.mkdir(parents=True, exist_ok=True)
            path = self._settings.layout.logs / f"crypto-lake_{day}.log"
            self._day, self._handle = day, path.open("ab", buffering=0)
        return self._handle

    def _tell(self, error: OSError) -> None:
        if clock.monotonic() - self._told >= EVERY_S:
            self._told = clock.monotonic()
            with suppress(OSError):
                sys.stderr.write(f"crypto-lake: {self._settings.layout.logs}: cannot be written ({error.strerror})\n")


def _hide(known: tuple[str, ...], record: "Record") -> None:
    record["message"] = redaction.hidden(record["message"], known)


def _prune(settings: Settings) -> None:
    """Remove old files."""
    oldest = clock.time() - settings.logging.retention_days * 86_400
    for path in settings.layout.logs.glob("crypto-lake_*.log"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _try_to_write(settings: Settings) -> None:
    """The first thing every command does, so that a folder that cannot be used is told before any work."""
    try:
        with files.scratch(settings.layout.logs) as hidden:
            hidden.write_bytes(b"\n")
    except OSError as error:
        reason = error.strerror or error
        if error.errno in FULL:
            raise LakeError(
                f"base_path {settings.base_path}: {reason}: make room; crypto-lake disk shows what takes the space"
            ) from error
        raise BadInputError(
            f"base_path {settings.base_path}: cannot be written ({reason}): name a folder that is yours"
        ) from error
