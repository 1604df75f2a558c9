"""What flows and commands can be asked, as bounded types: one place for the form in the UI and the command line.

The JSON schema that follows from a type is what Prefect's server checks before a run is made; the validators check
again in the run, where more can be said (``BadInputError`` passes through pydantic unchanged, as one line).
"""

from datetime import date, datetime
from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from lake.errors import BadInputError
from lake.intervals import Interval as Interval
from lake.names import path as checked_path
from lake.names import symbols as checked_symbols
from lake.names import tickers as checked_tickers
from lake.sections import Compression
from lake.slices import Form, Source
from lake.timeframes import Timeframe as Timeframe
from lake.windows import DAY, Window, parse_day, parse_time

_PLAIN = r"^[^\x00-/:-@\[-`{-\x7f]{1,40}$"
"""1 to 40 characters, none of them an ASCII sign, space or control: the part of `lake.names.symbol` that a browser's
and Python's regular expressions understand alike (``\\w`` would refuse 币安人生USDT in a browser). The server
checks it; in the run `lake.names` does, and says it better."""

Symbols = Annotated[
    list[Annotated[str, Field(json_schema_extra={"pattern": _PLAIN})]],
    Field(min_length=1, max_length=2000, examples=[["SOLUSDT", "SUIUSDT"]]),
    AfterValidator(checked_symbols),
]
Tickers = Annotated[
    list[Annotated[str, Field(json_schema_extra={"pattern": r"^ *[A-Za-z0-9^][A-Za-z0-9.=^&_\-]{0,39} *$"})]],
    Field(min_length=1, max_length=500, examples=[["SPY", "EURUSD=X"]]),
    AfterValidator(checked_tickers),
]
Series = Annotated[
    list[Annotated[str, Field(json_schema_extra={"pattern": r"^[^\x00-%\x27-\x2c/:-<>-@\[-\]`{-\x7f]{1,40}$"})]],
    Field(min_length=1, max_length=2000, examples=[["SOLUSDT"], ["SPY", "EURUSD=X"]]),
]
"""Symbols, or tickers, which may have ``. = ^ & _ -`` too: which of them they are depends on another parameter."""
MacroDays = Annotated[int, Field(ge=1, le=30)]
_MOMENT = Field(
    json_schema_extra={"pattern": r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?$"}
)
Start = Annotated[datetime, BeforeValidator(partial(parse_time, name="start")), _MOMENT]
End = Annotated[datetime, BeforeValidator(partial(parse_time, name="end")), _MOMENT]
Day = Annotated[date, BeforeValidator(parse_day), Field(json_schema_extra={"pattern": r"^\d{4}-\d\d-\d\d$"})]
RulesTimeframe = Literal["1s", "1m"]
KlinesSource = Literal["auto", "rest", "archive"]
LookbackDays = Annotated[int, Field(ge=1, le=3660)]
SliceSource = Source
Codec = Compression
RulesSource = Literal["bars", "klines", "macro", "derivatives"]
Format = Form
Out = Annotated[
    str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f<>\"|?*]+$"), AfterValidator(checked_path)
]
Duration = Annotated[float, Field(gt=0, le=366 * 86_400)]


def recent(start: datetime | None, end: datetime | None, days: int, now: datetime) -> Window:
    """Return the window from ``start`` to ``end``; where neither is given, from UTC midnight ``days`` ago until now.

    Raises:
        BadInputError: only one of the two is given, or the end is not after the start.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return window(start, end) or Window(midnight - days * DAY, now)


def window(start: datetime | None, end: datetime | None) -> Window | None:
    """Return the window from ``start`` to ``end``, or None where neither is given.

    Raises:
        BadInputError: only one of the two is given, or the end is not after the start.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise BadInputError(f"{'start' if start is None else 'end'} is missing: give both start and end, or neither")
    return Window(start, end)
