"""A closed day in one file: sorted, with its SHA-256, equal to the hour files it takes the place of.

Order of things: the day file is written whole and read back, its checksum is written, and only when both agree with the
hours do the hour files go. A reader in between finds both and takes the hours (`lake.read`, `sql/views/bars_1s.sql`).
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from lake import checksums, files, hour_bars, locks, read
from lake.errors import BadInputError, DamagedError, LakeError
from lake.layout import Layout
from lake.ledger import Ledger
from lake.windows import floor_hour


@dataclass(frozen=True)
class Compacted:
    """What compaction made of one symbol-day; ``sha256`` is the file's, as in the ``.sha256`` beside it."""

    symbol: str
    day: date
    rows: int
    sha256: str
    path: Path
    seconds: float


def pending(
    layout: Layout, symbols: Iterable[str] | None, day: date | None, today: date
) -> list[tuple[str, date]]:  # fmt: skip
    """Return the symbol-days to compact, oldest first: closed days that have hour files or lack their checksum.

    A day is closed when it is over: ``today`` is the present UTC day.

    Raises:
        BadInputError: ``day`` is not over yet.
    """
    if day is not None and day >= today:
        raise BadInputError(f"date {day}: this UTC day is not over: compaction takes days before {today}")
    names = layout.bar_symbols() if symbols is None else list(symbols)
    found = [(which, name) for name in names for which in _open_days(layout, name) if which < today]
    return [(name, which) for which, name in sorted(found) if day in (None, which)]


def _open_days(layout: Layout, symbol: str) -> set[date]:
    unsigned = {which for which in layout.compacted_days(symbol) if not checksum_file(layout, symbol, which).exists()}
    return set(layout.hour_days(symbol)) | unsigned


def run(layout: Layout, symbol: str, day: date, compression: str = "snappy") -> Compacted:
    """Put a day's bars into one file, sorted, with its checksum, and take the hour files away.

    Raises:
        LakeError: a file is damaged, hours that the ledger knows are missing, or the file that was written does not
            hold exactly the rows of the hours; the hour files stay where they are.
    """
    started = time.monotonic()
    path = layout.day_file(symbol, day)
    with locks.bars(layout, symbol):
        files.sweep(path.parent)
        hours = layout.hour_files(symbol, day)
        with Ledger(layout, symbol) as ledger:
            table = _read(layout, ledger, day)
            _check_hours(table, ledger, day, path)
        _check_keys(table, path)
        there, digest = read.signed(path) if path.exists() else (None, "")
        if there is None or not there.equals(table):
            files.write_parquet(path, table, compression)
            there, digest = read.signed(path)
        if not there.equals(table):
            raise LakeError(f"{path}: does not hold the rows of its hours: the hour files are kept; check the disk")
        sign(digest, checksum_file(layout, symbol, day))
        _take_away(hours.values(), layout.hour_folder(symbol, day))
    return Compacted(symbol, day, len(table), digest, path, round(time.monotonic() - started, 3))


def checksum_file(layout: Layout, symbol: str, day: date) -> Path:
    """The file beside a compacted day that ``sha256sum -c`` reads."""
    return checksums.beside(layout.day_file(symbol, day))


def _read(layout: Layout, ledger: Ledger, day: date) -> pa.Table:
    """Return a day's bars. A damaged file is set aside, and its hours are noted to be built again."""
    try:
        return read.day(layout, ledger.symbol, day)
    except DamagedError as error:
        hour_bars.set_aside(layout, ledger, error, day)
        raise LakeError(
            f"{error.path}: damaged ({error.why}) and set aside: transform-hour builds its hours again, then compact "
            "the day"
        ) from error


def _check_hours(table: pa.Table, ledger: Ledger, day: date, path: Path) -> None:
    """Refuse a day of which hours are missing that the ledger knows."""
    known = [hour for hour in ledger.built_hours(day) if not ledger.is_dirty(hour)]
    if missing := hour_bars.short(table, ledger, known):
        ledger.mark_dirty(missing)
        hours = ", ".join(f"{floor_hour(hour):%H}" for hour in missing)
        raise LakeError(
            f"{path}: bars of the hours {hours} were written and are missing: transform-hour builds them again, then "
            "compact the day"
        )


def _check_keys(table: pa.Table, path: Path) -> None:
    keys = table["window_start"].combine_chunks()
    if len(keys.unique()) != len(keys):
        raise LakeError(f"{path}: {len(keys) - len(keys.unique())} seconds are there twice: the hour files are kept")


def sign(digest: str, beside: Path) -> None:
    """Write the SHA-256 of a compacted day into the file beside it."""
    line = checksums.line(digest, beside.name.removesuffix(".sha256")).encode()
    if not beside.exists() or beside.read_bytes() != line:
        files.write_text(beside, line.decode())


def _take_away(hours: Iterable[Path], folder: Path) -> None:
    for path in hours:
        path.unlink()
    files.sweep(folder)
    for empty in (folder, folder.parent, folder.parent.parent):
        with suppress(OSError):
            empty.rmdir()
