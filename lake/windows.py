"""Time, as the lake has it: UTC, half-open windows, days and hours.

Nothing here asks for the present time: a run is a function of the window it is given.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lake.errors import BadInputError

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DAY_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_FIRST_YEAR, _LAST_YEAR = 2009, 2261


def micros(moment: datetime) -> int:
    """Return integer microseconds since 1970 UTC, exactly (no float in between)."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """Return the UTC time that is ``us`` microseconds after 1970."""
    return EPOCH + timedelta(microseconds=us)


def parse_time(text: str | datetime, name: str = "time") -> datetime:
    """Read a time such as ``2025-10-21T00:00:00Z``; without a zone it is UTC, a day alone is its midnight.

    Raises:
        BadInputError: not ISO 8601, or outside 2009 to 2261 (before any market, after what nanoseconds can hold).
    """
    try:
        found = text if isinstance(text, datetime) else datetime.fromisoformat(text.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, AttributeError, OverflowError):
        raise BadInputError(
            f"{name} {str(text)[:40]!r}: expected ISO 8601 in UTC, such as 2025-10-21T00:00:00Z"
        ) from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise BadInputError(f"{name} {str(found)[:10]}: expected a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return found


def parse_day(text: str | date, name: str = "date") -> date:
    """Read a UTC day such as ``2025-10-21``.

    Raises:
        BadInputError: not a day.
    """
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not _DAY_ALONE.match(text.strip()):
        raise BadInputError(f"{name} {str(text)[:40]!r}: expected a UTC day, such as 2025-10-21")
    return parse_time(text, name).date()


@dataclass(frozen=True, order=True)
class Window:
    """A stretch of UTC time, half-open: ``start`` belongs to it, ``end`` does not."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise BadInputError(f"end {iso(self.end)} is not after start {iso(self.start)}: give a later end")

    @classmethod
    def parse(cls, start: str | datetime, end: str | datetime) -> "Window":
        """Read a window from two times in ISO 8601.

        Raises:
            BadInputError: a time is none, or the end is not after the start.
        """
        return cls(parse_time(start, "start"), parse_time(end, "end"))

    @classmethod
    def of_day(cls, day: date) -> "Window":
        """Return the 24 hours of a UTC day."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return cls(start, start + DAY)

    @classmethod
    def of_hour(cls, hour: datetime) -> "Window":
        """Return the hour that begins at ``hour``."""
        return cls(hour, hour + HOUR)

    @property
    def start_us(self) -> int:
        """The start in microseconds since 1970 UTC."""
        return micros(self.start)

    @property
    def end_us(self) -> int:
        """The end in microseconds since 1970 UTC."""
        return micros(self.end)

    def days(self, now: datetime | None = None) -> Iterator[date]:
        """Yield each UTC day that the window touches; given the present, none that is yet to come."""
        day, last = self.start.date(), (self.end - timedelta(microseconds=1)).date()
        while day <= (min(last, now.date()) if now else last):
            yield day
            day += DAY

    def parts(self, now: datetime | None = None) -> "Iterator[tuple[date, Window]]":
        """Yield each UTC day as `days` does, and what of it lies in the window."""
        for day in self.days(now):
            if part := self.clip(Window.of_day(day)):
                yield day, part

    def clip(self, other: "Window") -> "Window | None":
        """Return what both windows share, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def __str__(self) -> str:
        return f"{iso(self.start)}/{iso(self.end)}"


def iso(at: datetime) -> str:
    """Write a UTC time as ``2025-10-21T00:00:00Z``, with as many decimals of a second as it has."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def floor_hour(us: int) -> datetime:
    """Return the UTC hour in which a microsecond lies."""
    return moment(us - us % HOUR_US)
