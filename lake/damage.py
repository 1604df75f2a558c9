"""Files that are damaged: set aside below ``quarantine/damaged``, each with its reason, and how they come back."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path
from typing import TypeVar

from loguru import logger

from lake import checksums, files
from lake.errors import DamagedError, LakeError
from lake.layout import Layout
from lake.windows import DAY

REASON = ".reason.txt"
T = TypeVar("T")


def folder(layout: Layout) -> Path:
    """Where damaged files are kept, under the paths that they had."""
    return layout.quarantine / "damaged"


def kept(layout: Layout) -> list[Path]:
    """The reasons that lie in the quarantine, in order: one for each damaged file, and each hour that was lost."""
    return sorted(path for path in folder(layout).rglob(f"*{REASON}") if not path.name.startswith("."))


def set_aside(layout: Layout, damaged: DamagedError) -> Path | None:
    """Move a damaged file below quarantine/damaged, with its reason beside it; return where it is.

    Call it with the lock of whoever writes the file. Where that is gone or sound meanwhile, nothing is done.

    Raises:
        LakeError: the folder cannot be written to.
    """
    target = _free(layout, damaged.path)
    try:
        if damaged.path.suffix == ".parquet" and _is_sound(damaged.path):
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        note(layout, damaged.path, f"{damaged.why}: {remedy(layout, damaged.path)}", target)
        files.place(damaged.path, target)
        with suppress(FileNotFoundError):
            checksums.beside(damaged.path).rename(checksums.beside(target))
        files.sync_folder(damaged.path.parent)
    except FileNotFoundError:
        target.with_name(target.name + REASON).unlink(missing_ok=True)
        return None
    except OSError as error:
        reason = error.strerror or error
        raise LakeError(f"{damaged.path}: cannot be set aside ({reason}): check the folder and disk") from error
    logger.error(
        "{}: damaged ({}): set aside as {}; {}",
        damaged.path, damaged.why, target.relative_to(layout.base).as_posix(), remedy(layout, damaged.path),
    )  # fmt: skip
    return target


def sound(layout: Layout, load: Callable[[], T], otherwise: T) -> T:
    """Return what ``load()`` reads. A file that is damaged is set aside, as if it had never been there.

    For whoever writes the file and holds its lock; others let the error pass.
    """
    try:
        return load()
    except DamagedError as error:
        set_aside(layout, error)
        return otherwise


def note(layout: Layout, path: Path, why: str, target: Path | None = None) -> None:
    """Keep a reason beside where the file is set aside; alone, where it is lost and cannot be made again."""
    target = target or _free(layout, path)
    files.write_text(target.with_name(target.name + REASON), f"{_told(layout, path)}: {why}\n")


def remedy(layout: Layout, path: Path) -> str:
    """Return how a damaged file comes back: by itself, or by which command."""
    parts = _told(layout, path).split("/")
    name = parts[3] if parts[0] == "derivatives" else parts[2] if len(parts) > 2 else ""
    days = _days(parts)
    span = f"--start {days[0]} --end {days[1]}" if days else ""
    if parts[0] == "parquet":
        command = f"crypto-lake transform-hour --symbols {name} {span}"
        return f"it is built again from raw parts: {command}; crypto-lake compact-day"
    if parts[0] == "backfill":
        stem = path.stem.removeprefix("klines_")
        interval = "1M" if stem == "month" else stem
        return f"fetch it again: crypto-lake backfill-binance --symbols {name} --interval {interval} {span}"
    if parts[0] == "derivatives":
        return f"fetch it again: crypto-lake derivatives-hour --symbols {name} {span}"
    if parts[0] == "macro":
        since = f" that reach back to {days[0]}" if days else ""
        return f"fetch it again: crypto-lake macro-minute --tickers '{name}' with --lookback-days{since}"
    if parts[0] == "raw":
        return "its hours keep the bars they have; put the part back from a backup, or import a recording of that time"
    if parts[0] == "reports":
        return "validate the days again: crypto-lake validate-rules"
    return "it is made again by the next runs of backfill-binance and transform-hour"


def _is_sound(path: Path) -> bool:
    """Whether another process has put a whole file there since; without a checksum that cannot be known."""
    try:
        return checksums.read(path).verified
    except DamagedError:
        return False


def _days(parts: list[str]) -> tuple[date, date] | None:
    """The first day of a file by its path, and the day after its last."""
    noted = {key: value for key, _, value in (part.partition("=") for part in parts) if value}
    with suppress(ValueError):
        if "day" in noted:
            first = date(int(noted["year"]), int(noted["month"]), int(noted["day"]))
            return first, first + DAY
        if "year" in noted:
            return date(int(noted["year"]), 1, 1), date(int(noted["year"]) + 1, 1, 1)
        first = date.fromisoformat(parts[-1].removesuffix(".parquet"))
        return first, first + DAY
    return None


def _told(layout: Layout, path: Path) -> str:
    return path.relative_to(layout.base).as_posix()


def _free(layout: Layout, path: Path) -> Path:
    """The path of a file below the folder of damaged ones, numbered where that is taken."""
    wanted = folder(layout) / path.relative_to(layout.base)
    names = (wanted.with_name(f"{wanted.name}{f'.{n}' if n > 1 else ''}") for n in count(1))
    return next(one for one in names if not one.exists() and not one.with_name(one.name + REASON).exists())
