"""Logging with loguru: the console, one file a day kept for `logging.retention_days`, and whoever else listens."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from loguru import logger

from lake.settings import Settings

if TYPE_CHECKING:
    from loguru import Message

_CONSOLE = "<dim>{time:HH:mm:ss!UTC}</dim> <level>{level: <7}</level> {message}"
_FILE = "{time:YYYY-MM-DDTHH:mm:ss.SSS!UTC}Z {level: <7} {process.id} {name}: {message}"


def start(settings: Settings, sink: "Callable[[Message], None] | None" = None, console: bool = True) -> None:
    """Send log lines to the console, to ``logs/crypto-lake_DAY.log`` (UTC, plain text) and to ``sink`` where given."""
    logger.remove()
    if console:
        logger.add(sys.stderr, format=_CONSOLE, level="INFO", backtrace=False, diagnose=False)
    logger.add(
        settings.layout.logs / "crypto-lake_{time:YYYY-MM-DD!UTC}.log",
        format=_FILE, level="DEBUG", rotation="00:00", retention=f"{settings.logging.retention_days} days",
        enqueue=False, backtrace=False, diagnose=False, encoding="utf-8",
    )  # fmt: skip
    if sink:
        logger.add(sink, format="{message}", level="INFO", backtrace=False, diagnose=False)
