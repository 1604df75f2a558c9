"""Query parameters of the REST port, read as the exchange reads them, with its error bodies (errors.md)."""

import re
from collections.abc import Mapping
from typing import Any

MAX_LIMIT = 1000
_SYMBOL_RANGE = r"^[\w\-._&&[^a-z]]{1,50}$"
_NUMBER_RANGE = "^[0-9]{1,20}$"
_ZONE = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?")


class ApiError(Exception):
    """An answer of HTTP 400 with the exchange's ``{"code": …, "msg": …}``."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"code": code, "msg": message}


def known_only(query: Mapping[str, str], *known: str) -> None:
    """Refuse parameters an endpoint does not have (-1104)."""
    read = sum(name in known for name in query)
    if read < len(query):
        raise ApiError(
            -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(query)}'."
        )


def text(query: Mapping[str, str], name: str) -> str:
    """Return a mandatory parameter (-1102)."""
    value = query.get(name)
    if value is None:
        raise ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    if not value:
        raise ApiError(-1105, f"Parameter '{name}' was empty.")
    return value


def symbol_text(value: str) -> str:
    """Check the characters of a symbol (-1100): lower case letters are illegal."""
    if len(value) > 50 or any("a" <= c <= "z" or not (c.isalnum() or c in "-_.") for c in value):
        raise ApiError(-1100, f"Illegal characters found in parameter 'symbol'; legal range is '{_SYMBOL_RANGE}'.")
    return value


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return an optional whole number (-1100 for anything else)."""
    value = query.get(name)
    if value is None:
        return None
    if not value:
        raise ApiError(-1105, f"Parameter '{name}' was empty.")
    if not value.isascii() or not value.isdigit() or len(value) > 20:
        raise ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{_NUMBER_RANGE}'.")
    return int(value)


def limit(query: Mapping[str, str], usual: int = 500, most: int = MAX_LIMIT) -> int:
    """Return the number of rows asked for: ``usual`` by default; more than ``most`` gives ``most``."""
    value = number(query, "limit")
    if value == 0:
        raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(value or usual, most)


def span(query: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return startTime and endTime, both inclusive, as (first µs, first µs after); given in ms or µs."""
    start, end = number(query, "startTime"), number(query, "endTime")
    low = None if start is None else start * _unit(start)
    high = None if end is None else (end + 1) * _unit(end)
    if low is not None and high is not None and low >= high:
        raise ApiError(-1127, "Start time is greater than end time.")
    return low, high


def zone_us(query: Mapping[str, str]) -> int:
    """Return ``timeZone`` (``0``, ``-1:00``, ``05:45``; from -12:00 to +14:00) as an offset in µs."""
    value = query.get("timeZone", "0")
    match = _ZONE.fullmatch(value)
    if not match:
        raise ApiError(-1100, "Illegal characters found in parameter 'timeZone'; legal range is '[-12:00 to +14:00]'.")
    sign, hours, minutes = match.groups()
    offset = (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
    if not -720 <= offset <= 840:
        raise ApiError(-1130, "Data sent for parameter 'timeZone' is not valid.")
    return offset * 60_000_000


def _unit(value: int) -> int:
    """Milliseconds have 13 digits until the year 2286, microseconds 16."""
    return 1000 if value < 10**14 else 1
