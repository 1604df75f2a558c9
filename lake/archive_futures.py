"""Open interest and fundings from the archive's zips of USD-M futures: ``metrics`` by day, ``fundingRate`` by month.

Source: the readme of binance-public-data, and its issues 211 (columns), 491 (labels) and 498 (blank and odd rows).
Newer files have a header row, older ones do not. Rows are judged one by one: an odd row goes to the quarantine, the
others are kept.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pyarrow as pa
from loguru import logger

from lake import archive, quarantine
from lake.archive import Place
from lake.errors import LakeError
from lake.futures import GRID, GRID_US, Rows
from lake.layout import Layout
from lake.ranges import Range
from lake.schemas import FUNDING, OPEN_INTEREST, UTC_US, Schema
from lake.web import Web
from lake.windows import DAY, SECOND_US, Window, iso, micros, moment

PUBLISHED = 10 * DAY
"""A zip that is not there so long after its span will not come: months come on the first Monday after."""
LABELLED_BY_START = date(2026, 6, 25)
"""From this day's file on, ``create_time`` is the start of a row's five minutes; before, it is their end. The value is
the snapshot at their end, which is what REST's ``timestamp`` names, too. Source: binance-public-data issue 491."""
_UNITS_US = (1000, 1, SECOND_US)
"""``calc_time`` is in milliseconds; a file in microseconds or seconds shows by its month."""
_BOM = b"\xef\xbb\xbf"
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
Row = tuple[int, tuple[float, ...] | None]
"""A row's time in microseconds, and its values; None where the exchange left one blank."""
Odd = tuple[int, str, bytes]
"""An odd row: where it begins in the CSV (bytes), what is wrong with it, and its text."""


class ArchiveFutures:
    """The zips of one contract, from any thread."""

    def __init__(self, web: Web, layout: Layout, symbol: str) -> None:
        """Take the connection, and where zips and rows that cannot be believed go."""
        self._web, self._layout, self._symbol = web, layout, symbol

    def metrics(self, day: date) -> Rows:
        """Return the open interest in a day's zip, as `lake.schemas.OPEN_INTEREST`.

        A zip has the snapshots taken after the midnight that begins the day, up to the one that ends it. Its labels
        run from 00:05 to that midnight (the end of each five minutes), or from 00:00 to 23:55 (their start): if just
        one of the two midnights is there, it decides; else the date does (`LABELLED_BY_START`).

        CSV: create_time (``2025-10-20 00:05:00``, UTC), symbol, sum_open_interest (base), sum_open_interest_value
        (quote), and four ratios. A row without one of the two sums has no value, and is skipped.

        Raises:
            NotThereError: the archive has no such zip (yet).
            ArchiveError: it cannot be believed, and is in the quarantine.
            WebError: no answer.
        """
        window = Window.of_day(day)
        return self._read(
            "daily", "metrics", f"{day:%Y-%m-%d}", OPEN_INTEREST,
            lambda text: _metrics(self._symbol, window, text),
        )  # fmt: skip

    def fundings(self, month: date) -> Rows:
        """Return the fundings in a month's zip, as `lake.schemas.FUNDING` without mark prices.

        CSV: calc_time (ms), funding_interval_hours, last_funding_rate. Raises what `metrics` does.
        """
        window = month_of(month)
        return self._read(
            "monthly", "fundingRate", f"{month:%Y-%m}", FUNDING,
            lambda text: _parsed(text, lambda fields: _funding(window, fields)),
        )  # fmt: skip

    def _read(
        self, frequency: str, kind: str, when: str, schema: Schema,
        parse: Callable[[bytes], tuple[list[Row], list[Odd]]],
    ) -> Rows:  # fmt: skip
        folder = f"/data/futures/um/{frequency}/{kind}/{self._symbol}"
        place = Place(folder, f"{self._symbol}-{kind}-{when}.zip")
        (rows, odd), _ = archive.fetch(self._web, self._layout, place, parse, unsigned=True)
        kept = self._layout.quarantine / "archive" / f"{place.name}.rows.jsonl"
        quarantine.keep(kept, f"{place.folder}/{place.name}", odd)
        if odd:
            logger.warning("{}: {} rows refused, the first: {}: they are in {}", place.name, len(odd), odd[0][1], kept)
        return Rows(_table(schema, self._symbol, rows), len(odd))


def month_of(day: date) -> Window:
    """Return the UTC month in which a day lies."""
    first = Window.of_day(day.replace(day=1)).start
    return Window(first, datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=first.tzinfo))


def _table(schema: Schema, symbol: str, rows: list[Row]) -> pa.Table:
    """Return the rows that have values as a table of a symbol, a time and numbers; numbers that lack are null."""
    found = sorted((at, *values) for at, values in rows if values is not None)
    width = len(schema.names) - 1
    times, *numbers = zip(*found, strict=True) if found else [()] * width
    numbers += [(None,) * len(found)] * (width - 1 - len(numbers))
    columns = [pa.array([symbol] * len(found), pa.string()), pa.array(times, pa.int64()).cast(UTC_US)]
    return schema.conform(pa.table([*columns, *(pa.array(one, pa.float64()) for one in numbers)], names=schema.names))


def _parsed(text: bytes, parse: Callable[[list[str]], Row]) -> tuple[list[Row], list[Odd]]:
    """Parse each row of a CSV; ``parse`` raises ValueError where a row is odd.

    Raises:
        LakeError: there is no good row.
    """
    good, odd, offset = list[Row](), list[Odd](), 0
    for number, line in enumerate(text.removeprefix(_BOM).splitlines(keepends=True), 1):
        fields = line.decode("utf-8", "backslashreplace").rstrip("\r\n").split(",")
        header = number == 1 and fields[0] and not any(char.isdigit() for char in fields[0])
        try:
            if fields != [""] and not header:
                good.append(parse(fields))
        except ValueError as error:
            odd.append((offset, f"row {number}: {error}", line.rstrip()))
        offset += len(line)
    if not good:
        raise LakeError(f"none of its {len(odd)} rows can be read: {odd[0][1]}" if odd else "it has no row")
    return good, odd


def _metrics(symbol: str, day: Window, text: bytes) -> tuple[list[Row], list[Odd]]:
    """Return the snapshots of a day, and the odd rows; a label that is not of the day's 288 is odd, too."""
    ends = day.start_us, day.end_us
    good, odd = _parsed(text, lambda fields: _metric(symbol, ends, fields))
    labels = {at for at, _ in good}
    late = _late_us(day, labels)
    if labels.issuperset(ends):
        own = day.start_us + GRID_US - late, day.end_us - late
        good, odd = _parsed(text, lambda fields: _metric(symbol, own, fields))
    return [(at + late, values) for at, values in good], odd


def _metric(symbol: str, labels: Range, fields: list[str]) -> Row:
    """Parse a row whose label must lie between two, both included."""
    _count(fields, 8)
    if fields[1] != symbol:
        raise ValueError(f"it is of {fields[1][:40]!r}")
    try:
        label = datetime.fromisoformat(fields[0])
        at = micros(label.replace(tzinfo=UTC) if label.tzinfo is None else label)
    except ValueError:
        raise ValueError(f"create_time is {fields[0][:40]!r}, expected a time") from None
    if not labels[0] <= at <= labels[1]:
        first, last = (iso(moment(one)) for one in labels)
        raise ValueError(f"create_time is {iso(moment(at))}, expected {first} to {last}")
    if at % GRID_US:
        raise ValueError(f"create_time is {iso(moment(at))}, off the {GRID} grid")
    return at, (_number(fields[2], 0), _number(fields[3], 0)) if fields[2] and fields[3] else None


def _late_us(day: Window, labels: set[int]) -> int:
    """Return how long after its label the snapshot of a row was taken."""
    first, last, dated = day.start_us in labels, day.end_us in labels, day.start.date() >= LABELLED_BY_START
    by_start = dated if first == last else first
    if by_start != dated:
        logger.info("metrics of {}: rows are labelled by their {}", day.start.date(), "start" if by_start else "end")
    return GRID_US if by_start else 0


def _funding(month: Window, fields: list[str]) -> Row:
    _count(fields, 3)
    if not (fields[0].isascii() and fields[0].isdecimal()):
        raise ValueError(f"calc_time is {fields[0][:40]!r}")
    times = (int(fields[0][:20]) * unit for unit in _UNITS_US)
    at = next((at for at in times if month.start_us <= at < month.end_us), None)
    if at is None:
        raise ValueError(f"calc_time is {fields[0][:40]}, outside {month}")
    return at, (_number(fields[2]),)


def _count(fields: list[str], count: int) -> None:
    if len(fields) != count:
        raise ValueError(f"it has {len(fields)} fields, expected {count}")


def _number(text: str, least: float = -math.inf) -> float:
    found = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not (math.isfinite(found) and found >= least):
        raise ValueError(f"it has {text[:40]!r}, expected a number" + (f" ≥ {least:g}" if least == 0 else ""))
    return found
