"""Times as other programs write them, in microseconds since 1970 UTC. No float in between.

A number shows its unit by its digits: seconds have 10 from 2001 to 2286, milliseconds 13, microseconds 16, nanoseconds
19. Both hftbacktest's collectors (microseconds until 2024, nanoseconds since) and people's own recorders are read so.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from lake.errors import BadInputError
from lake.windows import micros as of_moment

_DIGITS = {10: 6, 13: 3, 16: 0, 19: -3}
"""Digits of the whole part, and the power of ten that makes microseconds of it."""
_NUMBER = re.compile(r"(\d+)(?:\.(\d*))?\Z", re.ASCII)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:?\d\d)\Z", re.ASCII)
FIRST_US = of_moment(datetime(2009, 1, 1, tzinfo=UTC))
END_US = of_moment(datetime(2100, 1, 1, tzinfo=UTC))
"""A time of the exchange or of a recorder lies between the two (half-open)."""


def micros(text: str) -> int:
    """Read a time: a number of s, ms, µs or ns since 1970 UTC, decimals allowed, or ISO 8601 with its zone.

    What is finer than a microsecond is cut off.

    Raises:
        BadInputError: neither, or not from 2009 to 2099; or ISO 8601 without a zone, which could be local time.
    """
    if text.isascii() and text.isdigit():
        found = _of_number(text, "")
    elif number := _NUMBER.match(text):
        found = _of_number(number[1], number[2] or "")
    elif iso := _ISO.match(text):
        found = _second(iso[1], iso[3]) + int((iso[2] or "")[:6].ljust(6, "0"))
    else:
        raise BadInputError(f"time {text[:40]!r}: expected a number since 1970 UTC, or ISO 8601 with Z or an offset")
    if not FIRST_US <= found < END_US:
        raise BadInputError(f"time {text[:40]!r}: not from 2009 to 2099")
    return found


def of_value(value: object) -> int:
    """Read a time out of JSON: a number, or a text as `micros` reads it.

    Raises:
        BadInputError: as `micros`, or of another type.
    """
    if type(value) is int:
        return micros(str(value))
    if type(value) is float:
        return micros(format(Decimal(repr(value)), "f"))
    if type(value) is str:
        return micros(value)
    raise BadInputError(f"time {str(value)[:40]!r}: expected a number or text")


def _of_number(whole: str, fraction: str) -> int:
    power = _DIGITS.get(len(whole))
    if power is None:
        units = "seconds have 10, milliseconds 13, microseconds 16, nanoseconds 19"
        raise BadInputError(f"time {whole[:40]!r}: {len(whole)} digits; {units}")
    if power < 0:
        return int(whole) // 1000
    return int(whole + fraction[:power].ljust(power, "0"))


@lru_cache(maxsize=64)
def _second(text: str, zone: str) -> int:
    try:
        return of_moment(datetime.fromisoformat(text + zone))
    except ValueError as error:
        raise BadInputError(f"time {text!r}: {error}") from None
