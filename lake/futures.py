"""The exchange's USD-M REST endpoints: fundings, and open interest of the last 30 days.

Source: "Get Funding Rate History" and "Open Interest Statistics" of the USD-M docs. Both count requests, not weight:
500 and 1,000 in five minutes and address, each on its own. The weight that their answers tell is of neither.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from loguru import logger

from lake.budget import Budget
from lake.errors import LakeError
from lake.intervals import Interval, Opens, Span, close_us, opens
from lake.layout import Layout
from lake.ranges import Range
from lake.schemas import FUNDING, OPEN_INTEREST, UTC_US
from lake.web import Web
from lake.windows import DAY_US, HOUR_US, iso

MOST_FUNDINGS, MOST_INTERESTS = 1000, 500
"""Rows in one answer."""
KEPT_US = 30 * DAY_US - HOUR_US
"""How far back open interest is asked for: the exchange keeps 30 days by its own clock, which may be ahead of ours."""
GRID: Interval = "5m"
"""Open interest is known at every fifth minute."""
GRID_US = close_us(GRID, 0)
UNKNOWN_CONTRACT = -1121
"""The exchange's code for a pair without a perpetual."""
_ABSENT = {"markPrice": ""}
"""What an absent field means; others must be there."""
_FUNDINGS_LIMIT, _INTERESTS_LIMIT, _LIMIT_S = 500, 1000, 300
_MS_US = 1000


@dataclass(frozen=True)
class Rows:
    """The rows of an answer, or of a zip of the archive, that can be believed.

    Attributes:
        table: Two rows can have the same time: `lake.derivatives_store` chooses.
        refused: How many rows are odd: reported, and not in the table.
    """

    table: pa.Table
    refused: int = 0


class Futures:
    """The endpoints, from any thread; each connection with the budget of its endpoint."""

    def __init__(self, fundings: Web, interests: Web) -> None:
        self._fundings, self._interests = fundings, interests

    def fundings(self, symbol: str, span: Range) -> pa.Table:
        """Return all fundings paid in a half-open range of microseconds, as `lake.schemas.FUNDING`, in order.

        Payload: ``[{"symbol": "SOLUSDT", "fundingTime": 1760918400004 (ms), "fundingRate": "0.00010000", "markPrice":
        "187.31000000" (empty or not there in old ones)}, …]``, oldest first, at most `MOST_FUNDINGS`, both ends
        inclusive.

        Raises:
            RestrictedError: the exchange does not serve this place.
            RefusedError: with `UNKNOWN_CONTRACT`, where there is no such contract.
            LakeError: the answer is none.
        """
        tables = [FUNDING.empty()]
        start_ms, end_ms = -(-span[0] // _MS_US), (span[1] - 1) // _MS_US
        while start_ms <= end_ms:
            query: dict[str, str | int] = {"symbol": symbol, "startTime": start_ms, "endTime": end_ms}
            found = _fundings(symbol, self._fundings.json("/fapi/v1/fundingRate", {**query, "limit": MOST_FUNDINGS}, 1))
            times = (micros_of(found, "funding_time") // _MS_US).tolist()
            if times != sorted(set(times)) or (times and not start_ms <= times[0] <= times[-1] <= end_ms):
                raise LakeError(f"fundings of {symbol}: the answer is not in order, or not of what was asked for")
            tables.append(found)
            if len(times) < MOST_FUNDINGS:
                break
            start_ms = times[-1] + 1
        return pa.concat_tables(tables)

    def next_funding(self, symbol: str, from_us: int) -> int | None:
        """Return when the next funding from a moment on was paid, in microseconds; None where there is none."""
        query: dict[str, str | int] = {"symbol": symbol, "startTime": -(-from_us // _MS_US), "limit": 1}
        times = micros_of(_fundings(symbol, self._fundings.json("/fapi/v1/fundingRate", query, 1)), "funding_time")
        return int(times[0]) if len(times) else None

    def now_us(self) -> int:
        """Return the exchange's own time in microseconds since 1970 UTC."""
        said = self._fundings.json("/fapi/v1/time")
        if not isinstance(said, dict) or type(said.get("serverTime")) is not int:
            raise LakeError(f"the exchange's time: it answered {str(said)[:80]!r}, expected an object with serverTime")
        return int(said["serverTime"]) * _MS_US

    def interests(self, symbol: str, span: Span) -> Rows:
        """Return the open interest of at most `MOST_INTERESTS` moments, as `lake.schemas.OPEN_INTEREST`.

        Payload: ``[{"symbol": "SOLUSDT", "sumOpenInterest": "7301224.00" (base), "sumOpenInterestValue":
        "1367612345.67" (quote), "timestamp": 1760918400000 (ms)}, …]``, oldest first. Raises what `fundings` does, and
        LakeError where every row is of a time that was not asked for.
        """
        query: dict[str, str | int] = {
            "symbol": symbol, "period": GRID, "startTime": span.first_us // _MS_US, "endTime": span.last_us // _MS_US,
            "limit": MOST_INTERESTS,
        }  # fmt: skip
        found = _interests(symbol, self._interests.json("/futures/data/openInterestHist", query, 1))
        asked = np.isin(micros_of(found, "ts"), opens(GRID, span.first_us, span.last_us + 1))
        good = asked & (found["open_interest"].to_numpy() >= 0) & (found["open_interest_value"].to_numpy() >= 0)
        if good.all():
            return Rows(found)
        odd = found.filter(~good).to_pylist()
        what = f"open interest of {symbol}: {iso(odd[0]['ts'])} was not asked for, or is negative"
        if not good.any():
            raise LakeError(what)
        logger.warning("{}: {} of {} rows refused: {}", what, len(odd), len(found), odd[:3])
        return Rows(found.filter(good), len(odd))


@contextmanager
def connected(layout: Layout, url: str) -> Iterator[Futures]:
    """Yield the endpoints at a host, within the limits shared by every process of this lake."""
    with ExitStack() as stack:
        webs = []
        for account, limit in (("funding", _FUNDINGS_LIMIT), ("open interest", _INTERESTS_LIMIT)):
            budget = Budget(layout.limits, f"{url} {account}", limit, _LIMIT_S)
            stack.callback(budget.close)
            webs.append(stack.enter_context(Web(url, budget, counted="")))
        yield Futures(*webs)


def micros_of(table: pa.Table, column: str) -> Opens:
    """Return a column of times as integer microseconds."""
    found: Opens = table[column].cast(pa.int64()).to_numpy()
    return found


def doubles(what: str, texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return decimal texts as the nearest doubles; an empty text is null.

    Raises:
        LakeError: a text is no finite number.
    """
    try:
        found = pc.if_else(pc.equal(texts, ""), None, texts).cast(pa.float64())
    except pa.ArrowException as error:
        raise LakeError(f"{what}: a number is none ({str(error)[:120]})") from error
    if not pc.all(pc.is_finite(found), min_count=0).as_py():
        raise LakeError(f"{what}: a number is not finite")
    return found


def _fundings(symbol: str, said: Any) -> pa.Table:
    what = f"fundings of {symbol}"
    got = _fields(what, said, {"symbol": str, "fundingTime": int, "fundingRate": str, "markPrice": str})
    _only(what, symbol, got["symbol"])
    values = [
        got["symbol"],
        _utc(got["fundingTime"]),
        doubles(what, got["fundingRate"]),
        doubles(what, got["markPrice"]),
    ]
    return FUNDING.conform(pa.table(values, names=FUNDING.names))


def _interests(symbol: str, said: Any) -> pa.Table:
    what = f"open interest of {symbol}"
    kinds = {"symbol": str, "timestamp": int, "sumOpenInterest": str, "sumOpenInterestValue": str}
    got = _fields(what, said, kinds)
    _only(what, symbol, got["symbol"])
    amounts = (doubles(what, got[name]) for name in ("sumOpenInterest", "sumOpenInterestValue"))
    return OPEN_INTEREST.conform(pa.table([got["symbol"], _utc(got["timestamp"]), *amounts], names=OPEN_INTEREST.names))


def _fields(what: str, said: Any, kinds: Mapping[str, type]) -> dict[str, pa.Array]:
    """Return the fields of an answer's objects as columns; fields that nobody asked for may be there too."""
    if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
        raise LakeError(f"{what}: the exchange answered {str(said)[:80]!r}, expected a list of objects")
    found = {}
    for name, kind in kinds.items():
        values = [row.get(name, _ABSENT.get(name)) for row in said]
        odd = next((value for value in values if type(value) is not kind), values)
        if odd is not values:
            raise LakeError(
                f"{what}: {name} is {str(odd)[:40]!r}, expected {'a text' if kind is str else 'an integer'}"
            )
        try:
            found[name] = pa.array(values, pa.string() if kind is str else pa.int64())
        except (pa.ArrowException, OverflowError) as error:
            raise LakeError(f"{what}: {name} is out of range ({error})") from error
    return found


def _only(what: str, symbol: str, names: pa.Array) -> None:
    if others := set(names.to_pylist()) - {symbol}:
        raise LakeError(f"{what}: the answer has rows of {min(others)[:40]!r}")


def _utc(ms: pa.Array) -> pa.Array:
    return pc.multiply(ms, _MS_US).cast(UTC_US)
