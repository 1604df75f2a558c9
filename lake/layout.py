"""Where everything lies. The only place that knows the lake's folders and file names.

The outside of it is a contract (README, "Folder map"): people glob these paths from notebooks.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from lake.errors import BadInputError
from lake.names import symbol as checked
from lake.names import ticker as checked_ticker

EXCHANGE = "binance"

_DAY_FOLDER = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})\Z")
_YEAR_FOLDER = re.compile(r"year=(\d{4})\Z")
_PART = re.compile(r"part_(?!0000)([0-9]{4}|[1-9][0-9]{4,})\.jsonl\Z")
_OPEN_PART = re.compile(r"\.(part_[0-9]+\.jsonl)\.open\Z")
HOUR_FILES = {f"bars_1s_{hour:02}.parquet": hour for hour in range(24)}
"""The names of the hour files of a day, and their hours."""


@dataclass(frozen=True)
class Layout:
    """The paths of one lake below its base folder."""

    base: Path

    def raw_day(self, symbol: str, day: date) -> Path:
        """The folder of one symbol's raw parts of a UTC day, by the time they were received."""
        return self.raw / checked(symbol) / day.isoformat()

    @property
    def raw(self) -> Path:
        """The folder of all raw parts, one folder a symbol."""
        return self.base / "raw" / EXCHANGE

    @property
    def parquet(self) -> Path:
        """The folder of all 1-second bars, one folder a symbol."""
        return self.base / "parquet" / EXCHANGE

    def hour_folder(self, symbol: str, day: date) -> Path:
        """The folder of the hour files of a day that is not compacted yet."""
        return _partition(self.parquet / checked(symbol), day)

    def hour_file(self, symbol: str, hour: datetime) -> Path:
        """The 1-second bars of one hour."""
        return self.hour_folder(symbol, hour.date()) / f"bars_1s_{hour:%H}.parquet"

    def day_file(self, symbol: str, day: date) -> Path:
        """The 1-second bars of one compacted day."""
        return self.parquet / checked(symbol) / f"{day.isoformat()}.parquet"

    def hour_files(self, symbol: str, day: date) -> dict[datetime, Path]:
        """The hour files of a day that are there, by hour, in order."""
        folder = self.hour_folder(symbol, day)
        there = _files(folder)
        at = (datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for hour in HOUR_FILES.values())
        return {hour: folder / name for hour, name in zip(at, HOUR_FILES, strict=True) if name in there}

    def bar_symbols(self) -> list[str]:
        """Every symbol that has bars, in alphabetical order."""
        return _folders(self.parquet)

    def raw_symbols(self) -> list[str]:
        """Every symbol that has raw parts, in alphabetical order."""
        return _folders(self.raw)

    def hour_days(self, symbol: str) -> list[date]:
        """The days of a symbol that have hour files, in order: those not compacted, or not wholly."""
        root = self.parquet / checked(symbol)
        folders = root.glob("year=*/month=*/day=*")
        return _days_of(one for one in folders if not HOUR_FILES.keys().isdisjoint(_files(one)))

    def compacted_days(self, symbol: str) -> list[date]:
        """The days of a symbol that have a compacted file, in order."""
        names = _files(self.parquet / checked(symbol))
        days = (day_of(name.removesuffix(".parquet")) for name in names if name.endswith(".parquet"))
        return sorted(day for day in days if day is not None)

    def kline_symbols(self) -> list[str]:
        """Every symbol that has klines, in alphabetical order."""
        return _folders(self.backfill)

    @property
    def backfill(self) -> Path:
        """The folder of the exchange's own klines, one folder a symbol."""
        return self.base / "backfill" / EXCHANGE

    def kline_file(self, symbol: str, day: date, interval: str) -> Path:
        """The exchange's klines of one symbol and interval that open on a UTC day."""
        return _partition(self.backfill / checked(symbol), day) / kline_name(interval)

    def kline_days(self, symbol: str, interval: str) -> list[date]:
        """The days of a symbol that have klines of an interval, in order."""
        return _days(self.backfill / checked(symbol), kline_name(interval))

    @property
    def derivatives(self) -> Path:
        """The folder of what USD-M futures have: funding and open interest."""
        return self.base / "derivatives" / EXCHANGE

    def derivative_symbols(self) -> list[str]:
        """Every contract that has fundings or open interest, in alphabetical order."""
        roots = (self.derivatives / kind for kind in ("funding", "open_interest"))
        return sorted({name for root in roots for name in _folders(root)})

    def funding_file(self, symbol: str, year: int) -> Path:
        """The fundings of one perpetual in a UTC year."""
        return self.derivatives / "funding" / checked(symbol) / f"year={year:04d}" / "funding.parquet"

    def open_interest_file(self, symbol: str, day: date) -> Path:
        """The open interest of one perpetual on a UTC day."""
        return _partition(self.derivatives / "open_interest" / checked(symbol), day) / "open_interest.parquet"

    def funding_years(self, symbol: str) -> list[int]:
        """The UTC years of a perpetual that have fundings, in order."""
        root = self.derivatives / "funding" / checked(symbol)
        found = (_YEAR_FOLDER.search(path.parent.name) for path in root.glob("year=*/funding.parquet"))
        return sorted(int(match[1]) for match in found if match)

    def open_interest_days(self, symbol: str) -> list[date]:
        """The days of a perpetual that have open interest, in order."""
        return _days(self.derivatives / "open_interest" / checked(symbol), "open_interest.parquet")

    @property
    def macro(self) -> Path:
        """The folder of macro minute bars, one folder a ticker, named as Yahoo names it."""
        return self.base / "macro" / "minute"

    def tickers(self) -> list[str]:
        """Every ticker that has macro minutes, in alphabetical order."""
        return _folders(self.macro, is_ticker)

    def macro_file(self, ticker: str, day: date) -> Path:
        """The minute bars of one ticker on a UTC day."""
        return _partition(self.macro / checked_ticker(ticker), day) / "macro_minute.parquet"

    def macro_days(self, ticker: str) -> list[date]:
        """The days of a ticker that have minutes, in order."""
        return _days(self.macro / checked_ticker(ticker), "macro_minute.parquet")

    @property
    def history(self) -> Path:
        """What the exchange is known to have none of, so that it is not asked for again."""
        return self.base / "ledger" / "history.sqlite"

    def gaps(self, symbol: str) -> Path:
        """What is known of the stretches of trade ids of a symbol that the lake does not hold."""
        return self.base / "ledger" / "gaps" / f"{checked(symbol)}.parquet"

    @property
    def limits(self) -> Path:
        """Where the processes of this lake share what they have used of the exchange's limits."""
        return self.base / "ledger" / "limits.sqlite"

    @property
    def quarantine(self) -> Path:
        """What could not be read, with file, offset and reason."""
        return self.base / "quarantine"

    def contradictions(self, symbol: str, hour: datetime) -> Path:
        """Where the lines of an hour are kept that contradict a trade under its id."""
        return self.quarantine / "contradictions" / checked(symbol) / f"{hour:%Y-%m-%dT%H}.jsonl"

    @property
    def ledger(self) -> Path:
        """What is known about raw parts and trade ids. It can be made anew from raw/ at any time."""
        return self.base / "ledger" / f"{EXCHANGE}.sqlite"

    @property
    def imports(self) -> Path:
        """The receipts of the recordings that were imported, by SHA-256."""
        return self.ledger.parent / "imports"

    @property
    def locks(self) -> Path:
        """The folder of the locks that keep two processes from writing the same thing."""
        return self.base / "locks"

    @property
    def logs(self) -> Path:
        """The folder of the daily log files."""
        return self.base / "logs"

    @property
    def health(self) -> Path:
        """The folder of what the system says of itself: the heartbeat, metrics, and a sign of life of each part."""
        return self.logs / "health"

    @property
    def heartbeat(self) -> Path:
        """How every part is, for programs."""
        return self.health / "heartbeat.json"

    @property
    def health_report(self) -> Path:
        """The same for a person."""
        return self.reports / "health.md"

    @property
    def metrics(self) -> Path:
        """The same for Prometheus."""
        return self.health / "metrics.prom"

    @property
    def reports(self) -> Path:
        """The folder of reports; Data Docs are below it."""
        return self.base / "reports"

    @property
    def parity(self) -> Path:
        """How much of each symbol-day agrees with the exchange, as the validations found (`lake.schemas.PARITY`)."""
        return self.reports / "parity.parquet"


def day_of(name: str) -> date | None:
    """The UTC day that a folder or file is named after, or None where it is none (``20251020`` is none)."""
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def kline_name(interval: str) -> str:
    """The name of a file of klines.

    ``1M`` is ``month`` here: on a disk that takes capitals for small letters it would be ``1m``, and ``1mo``, the
    archive's name of it, is found by a glob for ``klines_1m*``.
    """
    return f"klines_{'month' if interval == '1M' else interval}.parquet"


def part_name(number: int) -> str:
    """The name of the raw part with this number, counted from 1 within its day."""
    return f"part_{number:04d}.jsonl"


def part_number(name: str) -> int | None:
    """The number in a raw part's name, or None where the file is no raw part."""
    match = _PART.match(name)
    return int(match[1]) if match else None


def open_part_name(number: int) -> str:
    """The hidden name of the raw part with this number while it is being written."""
    return f".{part_name(number)}.open"


def open_part_number(name: str) -> int | None:
    """The number in the hidden name of a part that is being written, or None where the file is none."""
    match = _OPEN_PART.match(name)
    return part_number(match[1]) if match else None


@lru_cache(maxsize=4096)
def is_symbol(name: str) -> bool:
    """Whether a folder is named after a symbol."""
    return _is(name, checked)


@lru_cache(maxsize=4096)
def is_ticker(name: str) -> bool:
    """Whether a folder is named after a ticker."""
    return _is(name, checked_ticker)


def _partition(folder: Path, day: date) -> Path:
    return folder / f"year={day:%Y}" / f"month={day:%m}" / f"day={day:%d}"


def _days(root: Path, name: str) -> list[date]:
    return _days_of(path.parent for path in root.glob(f"year=*/month=*/day=*/{name}"))


def _days_of(folders: Iterator[Path]) -> list[date]:
    found = (_DAY_FOLDER.search(folder.as_posix()) for folder in folders)
    days = (day_of(f"{match[1]}-{match[2]}-{match[3]}") for match in found if match)
    return sorted(day for day in days if day is not None)


def _files(folder: Path) -> set[str]:
    """The names of the files in a folder, which compaction may remove at any moment."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _folders(root: Path, check: Callable[[str], bool] = is_symbol) -> list[str]:
    """The folders whose names are symbols, or what ``check`` takes; any other is not the lake's."""
    names = (path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else ()
    return sorted(filter(check, names))


def _is(name: str, check: Callable[[str], str]) -> bool:
    try:
        return check(name) == name
    except BadInputError:
        return False
