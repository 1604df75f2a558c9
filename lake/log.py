"""Logging with loguru: the console, one file a day kept for `logging.retention_days`, and whoever else listens."""

import sys
import time as clock
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, time
from functools import partial
from typing import TYPE_CHECKING

from loguru import logger

from lake import files, redaction
from lake.errors import BadInputError
from lake.settings import Settings

if TYPE_CHECKING:
    from loguru import Message, Record

_MIDNIGHT = time(0, tzinfo=UTC)
_CONSOLE = "<dim>{time:HH:mm:ss!UTC}</dim> <level>{level: <7}</level> {message}"
_FILE = "{time:YYYY-MM-DDTHH:mm:ss.SSS!UTC}Z {level: <7} {process.id} {name}: {message}"


def start(settings: Settings, sink: "Callable[[Message], None] | None" = None, console: bool = True) -> None:
    """Send log lines to the console, to ``logs/crypto-lake_DAY.log`` (UTC, plain text) and to ``sink`` where given.

    Raises:
        BadInputError: the lake's folder cannot be written to.
    """
    _try_to_write(settings)
    _prune(settings)
    logger.remove()
    known = redaction.secrets(settings)
    logger.configure(patcher=partial(_hide, known))
    if console:
        logger.add(sys.stderr, format=_CONSOLE, level="INFO", backtrace=False, diagnose=False)
    logger.add(
        settings.layout.logs / "crypto-lake_{time:YYYY-MM-DD!UTC}.log",
        format=_FILE, level="DEBUG", rotation=_MIDNIGHT, retention=f"{settings.logging.retention_days} days",
        enqueue=False, backtrace=False, diagnose=False, encoding="utf-8",
    )  # fmt: skip
    if sink:
        logger.add(sink, format="{message}", level="INFO", backtrace=False, diagnose=False)


def _hide(known: tuple[str, ...], record: "Record") -> None:
    record["message"] = redaction.hidden(record["message"], known)


def _prune(settings: Settings) -> None:
    """Take old files away at every start: loguru does it when a file rotates, and a command is over long before."""
    oldest = clock.time() - settings.logging.retention_days * 86_400
    for path in settings.layout.logs.glob("crypto-lake_*.log"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _try_to_write(settings: Settings) -> None:
    """The first thing every command does, so that a folder that cannot be used is told before any work."""
    try:
        with files.scratch(settings.layout.logs) as hidden:
            hidden.touch()
    except OSError as error:
        reason = error.strerror or error
        raise BadInputError(
            f"base_path {settings.base_path}: cannot be written ({reason}): name a folder that is yours"
        ) from error
